#!/usr/bin/env bash
# edtf 4.11.1 (npm) and edtf 5.0.2 (PyPI), both for the Extended Date/Time Format: a stay that begins on 2026-12-01 and
# whose end is not known yet is `2026-12-01/`; `2026-12-01/..` is one without an end (level 1, extended intervals).
# With the second form both do what one expects. With the first, the stay of the npm package covers no day at all, not
# even its second; its `max` is null, which `new Date` takes for 1970. In the Python package it ends on 2036-12-01, ten
# years after the start, also in `upper_strict`, where nothing is guessed otherwise; the documentation does not name it.
# Whoever asks who lives here today gets nobody from the one, and an end that nobody agreed on from the other.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check edtf==5.0.2
cd "$dir"
npm install --silent --no-fund --no-audit edtf@4.11.1 >/dev/null
cat >run.mjs <<'JS'
import edtf from 'edtf';
for (const text of ['2026-12-01/', '2026-12-01/..']) {
  const stay = edtf(text);
  const days = ['2026-12-01', '2027-01-15'].map((day) => `${day} ${stay.covers(edtf(day))}`);
  const end = stay.max === Infinity ? 'never' : new Date(stay.max).toISOString().slice(0, 10);
  console.log(`npm ${text}: covers ${days.join(', ')}; max ${stay.max}, as a date ${end}`);
}
JS
cat >run.py <<'PY'
from edtf import parse_edtf

for text in ["2026-12-01/", "2026-12-01/.."]:
    end = parse_edtf(text).upper_strict()
    print(f"PyPI {text}: upper_strict {end if isinstance(end, float) else '%04d-%02d-%02d' % end[:3]}")
PY
{ node run.mjs; "$dir/venv/bin/python" run.py; } | tee seen
cat >expected <<'TXT'
npm 2026-12-01/: covers 2026-12-01 false, 2027-01-15 false; max null, as a date 1970-01-01
npm 2026-12-01/..: covers 2026-12-01 true, 2027-01-15 true; max Infinity, as a date never
PyPI 2026-12-01/: upper_strict 2036-12-01
PyPI 2026-12-01/..: upper_strict inf
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
