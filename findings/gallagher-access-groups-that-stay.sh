#!/usr/bin/env bash
# gallagher-restapi 2.2.0 (PyPI), Python 3, a client of the access control Gallagher Command Centre: access groups are
# taken from a cardholder, or given to one, by `update_cardholder` with the model that its signature asks for,
# FTCardholderPatch. What is sent has them as `access_groups`; the service's name is `accessGroups`, which the client
# itself uses when it makes a new cardholder and when it reads one. That class declares the field anew and loses the
# name there; `cards` is the same in both, so that cards are changed. With FTCardholder, as in its README, the name is
# right: whoever follows the type hints has the wrong one.
# Beside it: a group appended to the empty list that such a patch brings along (`access_groups.remove.append(...)`) is
# not sent at all, with either: only lists given in the call count as set.
# Whoever moves out keeps the groups, if the service lets pass what it does not know; the call returns None as ever.
# Exits with 0 while this is so, with 1 when it has changed. (No service is asked: the client's requests are looked at.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check gallagher-restapi==2.2.0
"$dir/venv/bin/python" - <<'PY' | tee "$dir/seen"
import asyncio
import httpx
from gallagher_restapi import Client, models

sent = []


def answer(request):
    sent.append(request.content.decode())
    return httpx.Response(204)


client = Client("key", httpx_client=httpx.AsyncClient(transport=httpx.MockTransport(answer)))
gate = models.FTAccessGroupMembership(href="/groups/2")
patches = {}
for model in (models.FTCardholderPatch, models.FTCardholder):
    name = model.__name__
    patches[f"{name}, given"] = model(access_groups=models.FTCardholderAccessGroupsPatch(remove=[gate]))
    patches[f"{name}, appended"] = model(access_groups=models.FTCardholderAccessGroupsPatch())
    patches[f"{name}, appended"].access_groups.remove.append(gate)
new = models.FTNewCardholder(first_name="Ana", division=models.FTItem(href="/divisions/1"), access_groups=[gate])


async def main():
    for name, patch in patches.items():
        sent.clear()
        result = await client.update_cardholder("https://localhost/cardholders/1", patch)
        print(f"{name}: {sent[0]}, returns {result}")


asyncio.run(main())
print("a new cardholder:", *new.model_dump())
print("read:", models.FTCardholder.model_validate({"accessGroups": [{"href": "/groups/2"}]}).access_groups[0].href)
PY
cat >"$dir/expected" <<'TXT'
FTCardholderPatch, given: {"access_groups":{"remove":[{"href":"/groups/2"}]}}, returns None
FTCardholderPatch, appended: {"access_groups":{}}, returns None
FTCardholder, given: {"accessGroups":{"remove":[{"href":"/groups/2"}]}}, returns None
FTCardholder, appended: {"accessGroups":{}}, returns None
a new cardholder: division firstName accessGroups
read: /groups/2
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
