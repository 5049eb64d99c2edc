#!/usr/bin/env bash
# regdurations 1.0.8 (PyPI), Python 3, @sapphire/duration 1.2.0 and enhanced-ms 5.0.0 (both npm), readers of durations
# that people write: how long somebody who has left is kept, a year and a half. `1 year 6 months` is right in all
# three.
# Of `1.5 years` the first reads what is behind the point, five years; of `1,5 Jahre` likewise, though German is one of
# its languages. The second takes the comma out, and `1,5 years` are fifteen. In the form of ISO 8601, `P1Y6M` is a
# year and six minutes in the second and the third and six minutes in the first, and `P18M` is 18 minutes in all of
# them, while `P4Y` is four years, so that the form seems to be known.
# Nothing is raised; the third has NaN for the comma, and the first tells where in the text it began to read (`at 2`).
# Whoever lets an owner write how long people are kept erases them after minutes, or keeps them ten times as long.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check regdurations==1.0.8
cd "$dir"
npm install --silent --no-fund --no-audit @sapphire/duration@1.2.0 enhanced-ms@5.0.0 >/dev/null
printf '%s\n' '1 year 6 months' '1.5 years' '1,5 years' '1,5 Jahre' P4Y P1Y6M P18M >texts
cat >read.py <<'PY'
from regdurations import DurationParser

parser = DurationParser(allowed_languages=["en", "de"])
for text in open("texts").read().splitlines():
    found, start, _ = parser.find_dict(text)
    print(f"regdurations: {text} =", *[f"{number} {unit}" for unit, number in found.items() if number], f"(at {start})")
PY
cat >read.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Duration } from '@sapphire/duration';
import { ms } from 'enhanced-ms';

const told = (value) => (Math.abs(value) >= 864e5 ? `${(value / 864e5).toFixed(1)} days` : `${value / 6e4} minutes`);
for (const text of readFileSync('texts', 'utf8').trim().split('\n')) {
  if (text.includes('Jahre')) continue;
  console.log(`${text} = sapphire ${told(new Duration(text).offset)}, enhanced-ms ${told(ms(text))}`);
}
JS
{ venv/bin/python read.py; node read.mjs; } | tee seen
cat >expected <<'TXT'
regdurations: 1 year 6 months = 6 months 1 years (at 0)
regdurations: 1.5 years = 5 years (at 2)
regdurations: 1,5 years = 5 years (at 2)
regdurations: 1,5 Jahre = 5 years (at 2)
regdurations: P4Y = 4 years (at 1)
regdurations: P1Y6M = 6 minutes (at 3)
regdurations: P18M = 18 minutes (at 1)
1 year 6 months = sapphire 547.5 days, enhanced-ms 547.5 days
1.5 years = sapphire 547.5 days, enhanced-ms 547.5 days
1,5 years = sapphire 5475.0 days, enhanced-ms NaN minutes
P4Y = sapphire 1460.0 days, enhanced-ms 1460.0 days
P1Y6M = sapphire 365.0 days, enhanced-ms 365.0 days
P18M = sapphire 18 minutes, enhanced-ms 18 minutes
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
