#!/usr/bin/env bash
# acslib 0.1.20 (PyPI), Python 3, a client of the access control C-CURE 9000: what has no value is sent as the text
# `None`. `update(7, {"MiddleName": None})`, to take a middle name away, sends the name None, and so does a new person
# whose middle name is not known. Its own class for a new credential has None for the facility code and the name where
# they are not given; the text of `create` says that the code "defaults to 0", and what is sent is `None`.
# Beside it: a plus is a blank in the form that is sent, so that `+1 555 0100` arrives as ` 1 555 0100`.
# Nothing is raised: a middle name and a phone are texts, and `None` is one.
# Whoever copies residents has people called Ana None Lee, and a phone that does not match on the way back.
# Exits with 0 while this is so, with 1 when it has changed. (A stand-in answers: the client's requests are looked at.
# `--no-deps`: what else acslib asks for brings a database driver that has to be compiled, and is not used here.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check pydantic==2.12.5 requests==2.34.2
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps acslib==0.1.20
cat >"$dir/people.py" <<'PY'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from acslib.ccure.config import CcureConfigFactory
from acslib.ccure.connection import CcureConnection
from acslib.ccure.crud import CcureCredential, CcurePersonnel
from acslib.ccure.data_models import CredentialCreateData, PersonnelCreateData

sent = []


class Service(BaseHTTPRequestHandler):
    def do_POST(self):
        sent.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(200)
        self.send_header("session-id", "1")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_PUT = do_POST

    def log_message(self, *_):
        pass


def show(what):
    form = parse_qs(sent[-1], keep_blank_values=True)
    names, values = ([form[key] for key in form if key.lower().endswith(end)][0] for end in (
        "propertynames[]" if "PropertyNames[]" in form else "[propertynames][]",
        "propertyvalues[]" if "PropertyValues[]" in form else "[propertyvalues][]"))
    print(f"{what}: {dict(zip(names, values))}")


server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
connection = CcureConnection(config=CcureConfigFactory(
    CCURE_BASE_URL=f"http://127.0.0.1:{server.server_port}",
    **{f"CCURE_{name}": "x" for name in ("USERNAME", "PASSWORD", "CLIENT_NAME", "CLIENT_VERSION", "CLIENT_ID")}))
people, credentials = CcurePersonnel(connection), CcureCredential(connection)
people.update(7, {"MiddleName": None, "Text1": "+1 555 0100"})
show("update")
people.create(PersonnelCreateData(FirstName="Ana", MiddleName=None, LastName="Lee"))
show("new person")
credentials.create(7, CredentialCreateData(CHUID="1234", CardNumber=1234))
show("new credential")
PY
NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 "$dir/venv/bin/python" "$dir/people.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
update: {'MiddleName': 'None', 'Text1': ' 1 555 0100'}
new person: {'LastName': 'Lee', 'FirstName': 'Ana', 'MiddleName': 'None'}
new credential: {'CHUID': '1234', 'CardNumber': '1234', 'FacilityCode': 'None', 'Name': 'None'}
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
