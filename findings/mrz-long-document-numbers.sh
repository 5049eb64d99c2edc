#!/usr/bin/env bash
# mrz 0.6.2 (PyPI) beside mrz 5.0.2 (npm), readers of the machine-readable lines of identity documents: a card (TD1)
# has nine places for the document's number. A longer one, as the twelve digits of Belgian identity cards, goes on in
# the optional field: the tenth place is `<`, then come the rest and the check digit of all of it (ICAO 9303, part 5).
# The Python package does not know this: `document_number` is the first nine places, the number's check fails, and the
# card as a whole is invalid; what was cut off stands as `optional_data`, with the check digit. The npm package has the
# whole number, valid. A card with a number of nine places is valid in both: trials with such cards show nothing.
# A check-in that reads guests' cards with it turns away everyone with such a card, or keeps a number that no other
# system has; guests with numbers from one batch have the same nine digits.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check mrz==0.6.2
cd "$dir"
npm install --silent --no-fund --no-audit mrz@5.0.2 >/dev/null
cat >cards.py <<'PY'
# Cards of nobody, with the check digits that ICAO 9303 asks for.
import json


def check(text):
    value = {"<": 0, **{c: i for i, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}}
    return str(sum(value[c] * (7, 3, 1)[i % 3] for i, c in enumerate(text)) % 10)


def card(number):
    short = number.ljust(9, "<")[:9]
    rest = number[9:]
    field = short + ("<" + rest + check(number) + "<" if rest else check(short))
    first = "IDBEL" + field.ljust(25, "<")
    second = "850312" + check("850312") + "F" + "310312" + check("310312") + "BEL" + "<" * 11
    second += check(first[5:30] + second[0:7] + second[8:15] + second[18:29])
    return [first, second, "SPECIMEN<<ANA".ljust(30, "<")]


json.dump([card("592000123"), card("592000123456")], open("cards.json", "w"))
PY
cat >run.py <<'PY'
import json
from mrz.checker.td1 import TD1CodeChecker

for lines in json.load(open("cards.json")):
    checker = TD1CodeChecker("\n".join(lines))
    fields = checker.fields()
    print(f"PyPI {lines[0]}: valid {bool(checker)}, number {fields.document_number}, rest {fields.optional_data!r}")
PY
cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { parse } from 'mrz';
for (const lines of JSON.parse(readFileSync('cards.json'))) {
  const result = parse(lines);
  console.log(`npm  ${lines[0]}: valid ${result.valid}, number ${result.fields.documentNumber}`);
}
JS
python3 cards.py
{ "$dir/venv/bin/python" run.py; node run.mjs; } | tee seen
cat >expected <<'TXT'
PyPI IDBEL5920001230<<<<<<<<<<<<<<<: valid True, number 592000123, rest ''
PyPI IDBEL592000123<4569<<<<<<<<<<<: valid False, number 592000123, rest '4569'
npm  IDBEL5920001230<<<<<<<<<<<<<<<: valid true, number 592000123
npm  IDBEL592000123<4569<<<<<<<<<<<: valid true, number 592000123456
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
