#!/usr/bin/env bash
# zipcode-to-timezone 0.0.9 (npm) beside zipcodes 3.0.0 (PyPI), the time zone of a ZIP code: whole cities of states that
# are cut by a zone's border are an hour off in the first. Gary and Evansville, Indiana, live by Central time and come
# out as Indianapolis (Eastern); Ontario, Oregon, lives by Mountain time and comes out as Los Angeles (Pacific); Mandan,
# North Dakota, lives by Central time and comes out as Denver (Mountain). Phoenix, El Paso and Pensacola are right, so
# that the usual suspects show nothing, and the second package has all of them right.
# Whoever turns a lease's last day, or the hours of a door, into instants by the property's ZIP code is an hour early or
# late in these cities all year.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check zipcodes==3.0.0
cd "$dir"
npm install --silent --no-fund --no-audit zipcode-to-timezone@0.0.9 >/dev/null
codes=(46402 47708 97914 58554 85001 79936 32501)
cat >run.py <<'PY'
import sys
import zipcodes
from datetime import datetime
from zoneinfo import ZoneInfo

for pair in sys.argv[1:]:
    code, zone = pair.split("=")
    place = zipcodes.matching(code)[0]
    noon = datetime(2026, 12, 1, 12)
    offsets = [noon.replace(tzinfo=ZoneInfo(z)).utcoffset() for z in (zone, place["timezone"])]
    verdict = "the same time" if offsets[0] == offsets[1] else "another time"
    print(f"{code} {place['city']}: {zone} beside {place['timezone']}: {verdict}")
PY
cat >run.cjs <<'JS'
const { lookup } = require('zipcode-to-timezone');
console.log(process.argv.slice(2).map((code) => `${code}=${lookup(code)}`).join('\n'));
JS
node run.cjs "${codes[@]}" | xargs "$dir/venv/bin/python" run.py | tee seen
cat >expected <<'TXT'
46402 Gary: America/Indiana/Indianapolis beside America/Chicago: another time
47708 Evansville: America/Indiana/Indianapolis beside America/Chicago: another time
97914 Ontario: America/Los_Angeles beside America/Boise: another time
58554 Mandan: America/Denver beside America/North_Dakota/New_Salem: another time
85001 Phoenix: America/Phoenix beside America/Phoenix: the same time
79936 El Paso: America/Denver beside America/Denver: the same time
32501 Pensacola: America/Chicago beside America/Chicago: the same time
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
