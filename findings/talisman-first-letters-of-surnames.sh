#!/usr/bin/env bash
# talisman 1.1.4 (npm) beside jellyfish 1.3.0 (PyPI), both with NYSIIS, the code for surnames that sound alike: names
# that begin with KN, PH, PF or SCH get a code with the first letter doubled or tripled in the first package. NYSIIS
# turns KN into NN and PH into FF so that Knight meets Night and Phillips meets Fillips, and drops a letter that repeats
# the one before it; talisman does not look back at the first letter. These pairs never meet: `NNAGT` and `NAGT`,
# `FFALAP` and `FALAP`. Names whose second letter is the same as the first have it too (`LLAYD`), and Kuehn loses its
# last sound. Smith, Lopez and Nguyen have the same code in both, so that a handful of samples may show nothing.
# Whoever groups two lists of residents by it before comparing loses just the spellings that the code is made for; codes
# from two programs, one in each language, do not join.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check jellyfish==1.3.0
cd "$dir"
npm install --silent --no-fund --no-audit talisman@1.1.4 >/dev/null
names=(Smith Lopez Nguyen Knight Night Phillips Fillips Pfeiffer Schmidt Lloyd Kuehn)
cat >run.py <<'PY'
import sys
import jellyfish

print("\n".join(jellyfish.nysiis(name) for name in sys.argv[1:]))
PY
cat >run.cjs <<'JS'
const nysiis = require('talisman/phonetics/nysiis');
console.log(process.argv.slice(2).map((name) => (nysiis.default ?? nysiis)(name)).join('\n'));
JS
paste -d ' ' <(printf '%s\n' "${names[@]}") <("$dir/venv/bin/python" run.py "${names[@]}") \
  <(node run.cjs "${names[@]}") | tee seen
cat >expected <<'TXT'
Smith SNAT SNAT
Lopez LAP LAP
Nguyen NGAYAN NGAYAN
Knight NAGT NNAGT
Night NAGT NAGT
Phillips FALAP FFALAP
Fillips FALAP FALAP
Pfeiffer FAFAR FFAFAR
Schmidt SNAD SSNAD
Lloyd LAYD LLAYD
Kuehn CAN CA
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
