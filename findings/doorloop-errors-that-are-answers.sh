#!/usr/bin/env bash
# doorloop 0.0.6 (PyPI), Python 3, a client of the property management system DoorLoop: an answer of 401 or 503 raises
# nothing. `tenants.list()` returns what came: `{}` where the body is empty; the text of a proxy's error page, so that a
# loop over the tenants runs over its letters; or the object with the message. Only a line of the log has the status,
# and the client does not keep it.
# Whoever takes residents away that are no longer listed takes all of them away while the system is in maintenance.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check \
  doorloop==0.0.6 requests==2.34.2 requests-toolbelt==1.0.0
"$dir/venv/bin/python" - <<'PY'
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from doorloop.main import DoorLoop

logging.disable()
answers = [(503, b""), (503, b"<html>Maintenance</html>"), (401, b'{"message": "no"}'), (200, b'[]')]

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = answers[len(seen)]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = DoorLoop("key")
client.connector.base_url = f"http://127.0.0.1:{server.server_port}"
seen = []
for status, body in answers:
    seen.append(client.tenants.list())
    print(f"{status} {body}: tenants.list() gives {seen[-1]!r}")
if seen != [{}, "<html>Maintenance</html>", {"message": "no"}, []]:
    sys.exit("this has changed")
print("as described")
PY
