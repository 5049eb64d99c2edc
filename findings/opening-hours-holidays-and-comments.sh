#!/usr/bin/env bash
# opening-hours-py 2.1.4 (PyPI, made of the crate opening-hours) beside opening_hours 3.15.0 (npm), both for the opening
# hours of OpenStreetMap, on the office of a property, `Mo-Fr 08:00-18:00`, and one more rule.
# `; PH We off` is closed on a holiday that is a Wednesday: a blank between the two means both. The first package reads
# `PH,We`, holidays and Wednesdays, and is closed every Wednesday; so it prints the rule, too.
# `|| "call the office"` is a comment and no hours: whether it is open then is unknown. The first package takes the rule
# for open, all of Saturday and Sunday, night included (but not on the evening of a working day, where the rule before
# it says something about the day). `Sa 10:00-14:00 "by appointment"` is open as well. It has the state "unknown", and
# gives it where the word itself is written.
# Whoever unlocks a door by such hours shuts out everybody on Wednesdays, and leaves it open over the weekend.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check opening-hours-py==2.1.4
cd "$dir"
npm install --silent --no-fund --no-audit opening_hours@3.15.0 >/dev/null
cat >cases.json <<'JSON'
[["Mo-Fr 08:00-18:00; PH We off", ["2026-12-02T11:00", "2026-12-03T11:00"]],
 ["Mo-Fr 08:00-18:00 || \"call the office\"", ["2026-12-04T23:00", "2026-12-05T11:00", "2026-12-06T03:00"]],
 ["Mo-Fr 08:00-18:00; Sa 10:00-14:00 \"by appointment\"", ["2026-12-05T11:00"]],
 ["Mo-Fr 08:00-18:00; Sa 10:00-14:00 unknown \"by appointment\"", ["2026-12-05T11:00"]]]
JSON
cat >run.py <<'PY'
import json
from datetime import datetime
from opening_hours import OpeningHours

for rule, times in json.load(open("cases.json")):
    hours = OpeningHours(rule, country="US")
    for time in times:
        state, comment = hours.state(datetime.fromisoformat(time))
        print(f"{datetime.fromisoformat(time):%a %H:%M} {str(state).split('.')[-1].lower()}")
PY
cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import OpeningHours from 'opening_hours';
for (const [rule, times] of JSON.parse(readFileSync('cases.json'))) {
  const hours = new OpeningHours(rule, { address: { country_code: 'us', state: 'California' } });
  for (const time of times) console.log(`${hours.getStateString(new Date(time), true)} (${rule})`);
}
JS
export TZ=UTC
paste -d ' ' <("$dir/venv/bin/python" run.py) <(node run.mjs) | tee seen
"$dir/venv/bin/python" -c 'from opening_hours import OpeningHours; print(OpeningHours("PH We off"))' | tee -a seen
cat >expected <<'TXT'
Wed 11:00 closed open (Mo-Fr 08:00-18:00; PH We off)
Thu 11:00 open open (Mo-Fr 08:00-18:00; PH We off)
Fri 23:00 closed unknown (Mo-Fr 08:00-18:00 || "call the office")
Sat 11:00 open unknown (Mo-Fr 08:00-18:00 || "call the office")
Sun 03:00 open unknown (Mo-Fr 08:00-18:00 || "call the office")
Sat 11:00 open unknown (Mo-Fr 08:00-18:00; Sa 10:00-14:00 "by appointment")
Sat 11:00 unknown unknown (Mo-Fr 08:00-18:00; Sa 10:00-14:00 unknown "by appointment")
PH,We closed
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
