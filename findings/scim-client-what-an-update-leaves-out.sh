#!/usr/bin/env bash
# scim_client 0.2.3 (PyPI), Python 3, a client for SCIM 2: a user is read, the display name is changed, and
# `update_user` sends it back. What is sent is a PUT, which replaces the user as a whole (RFC 7644, 3.5.1).
# The client has fields for a few attributes; all others that came (`phoneNumbers`, `title`, `userType`, `locale`) are
# in `extra_fields` when read, and are left out when sent. The enterprise extension is sent, and so are the e-mails: it
# looks as if everything was. An absent `timezone` becomes null.
# Whoever changes the name of a resident takes the phone away, where door codes go to, on each server that does what
# PUT says. Nothing is raised, and the extension that came through makes a trial look good.
# Exits with 0 while this is so, with 1 when it has changed. (A stand-in answers: the client's request is looked at.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check scim_client==0.2.3
cat >"$dir/update.py" <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from scim_client import SCIMClient

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
stored = {
    "schemas": [USER, ENTERPRISE], "id": "7", "externalId": "t-7", "userName": "ana", "active": True,
    "name": {"givenName": "Ana", "familyName": "Lee"}, "displayName": "Ana Lee", "title": "Tenant", "locale": "de",
    "userType": "resident", "emails": [{"value": "ana@home.example", "type": "home"}],
    "phoneNumbers": [{"value": "+1 555 0100", "type": "mobile"}], ENTERPRISE: {"department": "Unit 101"},
    "meta": {"resourceType": "User"},
}
sent = []


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(stored).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.do_GET()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = SCIMClient(f"http://127.0.0.1:{server.server_port}", "token")
user = client.read_user("7")
print("read:", user.extra_fields["phone_numbers"])
user.display_name = "Ana Smith"
client.update_user(user)
request = sent[0]
print("sent:", *sorted(key for key in stored if key in request and key != ENTERPRISE))
print("extension:", request[ENTERPRISE])
print("left out:", *sorted(key for key in stored if key not in request))
print("new:", {key: request[key] for key in request if key not in stored})
PY
NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 "$dir/venv/bin/python" "$dir/update.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
read: [{'value': '+1 555 0100', 'type': 'mobile'}]
sent: active displayName emails externalId id meta name schemas userName
extension: {'department': 'Unit 101'}
left out: locale phoneNumbers title userType
new: {'timezone': None}
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
