#!/usr/bin/env bash
# cloudevents 2.2.0 (PyPI) and cloudevents 10.0.0 (npm), the two SDKs of one project, on an event with the extension
# attributes `active` (false) and `count` (5), as a webhook for a resident has them.
# In binary mode such attributes are headers. CloudEvents writes a Boolean there as `true` or `false`; the Python SDK
# sends `ce-active: False`, the npm one `false`. Both read a text from either, which counts as true wherever it is asked
# "is it so?", and `5` becomes a text as well. In structured mode, of the same event from the same program, they are
# false and 5. Which of the modes came is not to be seen in the event.
# Beside it: the data `false` as `application/json` goes out of the Python SDK as `False`, which is no JSON.
# A test in structured mode is green; in binary mode everyone who has moved out is active.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check cloudevents==2.2.0
cd "$dir"
npm install --silent --no-fund --no-audit cloudevents@10.0.0 >/dev/null
cat >run.py <<'PY'
import json
from cloudevents.core.bindings.http import from_http_event, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

resident = {"type": "example.resident", "source": "/homes", "id": "1", "active": False, "count": 5}
event = CloudEvent(resident, {"unit": "101"})
for mode, build in (("binary", to_binary_event), ("structured", to_structured_event)):
    message = build(event)
    json.dump([dict(message.headers), message.body.decode()], open(f"python-{mode}.json", "w"))
    back = from_http_event(message).get_attributes()
    header = message.headers.get("ce-active", "no header")
    print(f"PyPI, {mode}: sends {header}, reads {back['active']!r} and {back['count']!r}")
for data in (False, 0):
    attributes = {"type": "example.flag", "source": "/homes", "datacontenttype": "application/json"}
    print(f"PyPI: the data {data!r} is sent as {to_binary_event(CloudEvent(attributes, data)).body.decode()}")
PY
cat >run.cjs <<'JS'
const { CloudEvent, HTTP } = require('cloudevents');
const { readFileSync } = require('node:fs');
const event = new CloudEvent({ type: 'example.resident', source: '/homes', active: false, count: 5, data: {} });
const show = (value) => `${JSON.stringify(value)} (${value ? 'true' : 'false'} in an if)`;
for (const mode of ['binary', 'structured']) {
  const { headers, body } = HTTP[mode](event);
  const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  const back = show(HTTP.toEvent({ headers: sent, body }).active);
  console.log(`npm, ${mode}: sends ${sent['ce-active'] ?? 'no header'}, reads ${back}`);
  const [theirs, text] = JSON.parse(readFileSync(`python-${mode}.json`));
  console.log(`npm, ${mode} from PyPI: reads ${show(HTTP.toEvent({ headers: theirs, body: text }).active)}`);
}
JS
{ "$dir/venv/bin/python" run.py; node run.cjs; } | tee seen
cat >expected <<'TXT'
PyPI, binary: sends False, reads 'False' and '5'
PyPI, structured: sends no header, reads False and 5
PyPI: the data False is sent as False
PyPI: the data 0 is sent as 0
npm, binary: sends false, reads "false" (true in an if)
npm, binary from PyPI: reads "False" (true in an if)
npm, structured: sends no header, reads false (false in an if)
npm, structured from PyPI: reads false (false in an if)
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
