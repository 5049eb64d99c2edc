#!/usr/bin/env bash
# standardwebhooks 1.1.0 (PyPI) beside standardwebhooks 1.1.1 (npm), two libraries of one project: `sign` takes the time
# of a webhook as a datetime. The specification signs the seconds since 1970 that the header `webhook-timestamp` has.
# The Python library does not convert: it calls the hours and minutes UTC (`replace(tzinfo=utc)`), whatever the zone of
# the datetime is. One instant has another signature in New York, in Berlin and in UTC; only the last one is good.
# A datetime without a zone, as `datetime.now()` gives it, counts as UTC too, though its `timestamp()` is local time.
# Whoever signs with the time of the property has webhooks that every receiver refuses, "No matching signature found",
# and nothing says why. `datetime.now(timezone.utc)` is right, and so is `datetime.now()` where the server runs in UTC.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0 tzdata==2025.2
cd "$dir"
npm install --silent --no-fund --no-audit standardwebhooks@1.1.1 >/dev/null
cat >sign.py <<'PY'
import base64
import json
import time
from datetime import datetime
from zoneinfo import ZoneInfo
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

secret = "whsec_" + base64.b64encode(b"an example, not a secret").decode()
seconds, body = int(time.time()), '{"type":"resident.moved_in"}'
times = {zone: datetime.fromtimestamp(seconds, ZoneInfo(zone)) for zone in ("UTC", "Europe/Berlin", "America/New_York")}
times["no zone"] = datetime.fromtimestamp(seconds)
for name, when in times.items():
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", when, body),
    }
    try:
        Webhook(secret).verify(body, headers)
        verdict = "verified"
    except WebhookVerificationError as error:
        verdict = str(error)
    print(json.dumps({"name": name, "python": verdict, "secret": secret, "body": body, "headers": headers}))
PY
cat >verify.cjs <<'JS'
const { Webhook } = require('standardwebhooks');
for (const line of require('fs').readFileSync(0, 'utf8').trim().split('\n')) {
  const { name, python, secret, body, headers } = JSON.parse(line);
  let verdict = 'verified';
  try { new Webhook(secret).verify(body, headers); } catch (error) { verdict = error.message; }
  const seconds = Number(headers['webhook-timestamp']);
  const own = new Webhook(secret).sign('msg_1', new Date(seconds * 1000), body) === headers['webhook-signature'];
  console.log(`${name}: Python ${python}, npm ${verdict}, ${own ? 'signed as' : 'not signed as'} by npm`);
}
JS
TZ=Europe/Berlin venv/bin/python sign.py | node verify.cjs | tee seen
cat >expected <<'TXT'
UTC: Python verified, npm verified, signed as by npm
Europe/Berlin: Python No matching signature found, npm No matching signature found, not signed as by npm
America/New_York: Python No matching signature found, npm No matching signature found, not signed as by npm
no zone: Python No matching signature found, npm No matching signature found, not signed as by npm
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
