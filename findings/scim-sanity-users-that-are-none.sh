#!/usr/bin/env bash
# scim-sanity 0.7.4, "payload validation (RFC 7643/7644)" for SCIM 2, beside scim2-models 0.12.3 (both PyPI), Python 3.
# `scim-sanity FILE` exits with 0 for users that are none. `active` may be the text `ended`, the user's name the number
# 101, `name` a text, an e-mail a text in place of an object, its `primary` a `maybe`, and `activ` in place of `active`
# is let pass too. Its schemas do say boolean and string, and its README that the structure of complex attributes is
# checked; looked at is whether an attribute is there, and is a list where it has to be. The second refuses all six.
# What it refuses can be good: `username`, as names of attributes have no case (RFC 7643, 2.1), and null, which is the
# same as no value (2.5) and which its README does name; the second package takes both. An extension of one's own (3.3)
# is an unknown schema, and two members added one after the other in one PATCH are a duplicate path (RFC 7644, 3.5.2,
# has no such rule).
# Whoever has it guard what is sent for residents is green with users that a server refuses, and red with those that
# carry a lease in an extension.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check scim-sanity==0.7.4 scim2-models==0.12.3 pydantic==2.14.4
cat >"$dir/users.py" <<'PY'
import json
import pathlib
import subprocess
import sys
from pydantic import ValidationError
from scim2_models import Context, User

here = pathlib.Path(sys.argv[1])
USER, LEASE = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:params:scim:schemas:Lease"
plain = {"schemas": [USER], "userName": "ana"}
users = {
    "plain": plain,
    "active is a text": {**plain, "active": "ended"},
    "userName is a number": {**plain, "userName": 101},
    "name is a text": {**plain, "name": "Ana Lee"},
    "an e-mail is a text": {**plain, "emails": ["ana@home.example"]},
    "primary is a text": {**plain, "emails": [{"value": "ana@home.example", "primary": "maybe"}]},
    "activ": {**plain, "activ": False},
    "username": {"schemas": [USER], "username": "ana"},
    "null": {**plain, "title": None},
    "extension": {**plain, "schemas": [USER, LEASE], LEASE: {"unit": "101"}},
}
members = [{"op": "add", "path": "members", "value": [{"value": number}]} for number in ("1", "2")]
patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": members}


def sanity(payload, *options):
    (here / "payload.json").write_text(json.dumps(payload))
    command = [here / "venv/bin/scim-sanity", here / "payload.json", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stdout + done.stderr)
    return "valid" if done.returncode == 0 else "refused"


def models(payload):
    try:
        User.model_validate(payload, scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    except ValidationError:
        return "refused"
    return "valid"


for name, user in users.items():
    other = "" if name == "extension" else f", scim2-models {models(user)}"
    print(f"{name}: scim-sanity {sanity(user)}{other}")
print("two members:", "scim-sanity", sanity(patch, "--patch"))
PY
"$dir/venv/bin/python" "$dir/users.py" "$dir" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
plain: scim-sanity valid, scim2-models valid
active is a text: scim-sanity valid, scim2-models refused
userName is a number: scim-sanity valid, scim2-models refused
name is a text: scim-sanity valid, scim2-models refused
an e-mail is a text: scim-sanity valid, scim2-models refused
primary is a text: scim-sanity valid, scim2-models refused
activ: scim-sanity valid, scim2-models refused
username: scim-sanity refused, scim2-models valid
null: scim-sanity refused, scim2-models valid
extension: scim-sanity refused
two members: scim-sanity refused
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
