#!/usr/bin/env bash
# aamva-parser 1.7.0 (npm) and its port aamva-parser 0.1.2 (PyPI), beside aamvajs 0.1.1 (npm), readers of the barcode of
# driver's licences "from US and Canadian" ones: in that barcode dates of the USA are month, day and year, those of
# Canada year, month and day. The first two know the country (`Canada`) and read every date the American way all the
# same. A Canadian, born on 1988-03-04, is born in the year 305 in the first, and the licence, good until 2029, has
# `expired` true; in the second all the dates are None. The third has them right, and a licence of California is right
# in all three.
# A check-in that compares the date of birth with the one in the lease refuses Canadians, or has nothing to compare.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check aamva-parser==0.1.2
cd "$dir"
npm install --silent --no-fund --no-audit aamva-parser@1.7.0 aamvajs@0.1.1 >/dev/null
cat >cards.py <<'PY'
# Two licences of nobody, as version 8 of the standard lays them out.
import json


def card(issuer, birth, expiry, issued, country, state, postal):
    elements = [f"DBA{expiry}", "DCSSPECIMEN", "DDEN", "DACANA", "DDFN", "DADNONE", "DDGN", f"DBD{issued}",
                f"DBB{birth}", "DBC2", "DAYBRO", "DAU066 in", "DAG100 MAIN ST", "DAISPRINGFIELD", f"DAJ{state}",
                f"DAK{postal}",
                "DAQS1234567", "DCFDOC123", f"DCG{country}", "DCANONE", "DCBNONE", "DCDNONE"]
    body = "DL" + "\n".join(elements) + "\r"
    return f"@\n\x1e\rANSI {issuer}080001DL0031{len(body):04d}{body}"


json.dump({"US": card("636014", "03041988", "03042029", "01152024", "USA", "CA", "941070000"),
           "Canada": card("636012", "19880304", "20290304", "20240115", "CAN", "ON", "M5V 2T6")},
          open("cards.json", "w"))
PY
cat >run.py <<'PY'
import json
from aamva_parser import parse

for name, text in json.load(open("cards.json")).items():
    card = parse(text)
    birth, expiry = (date and date.year for date in (card.date_of_birth, card.expiration_date))
    print(f"{name}: PyPI aamva-parser: {card.country.value}, born {birth}, until {expiry}")
PY
cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { parse } from 'aamva-parser';
import aamvajs from 'aamvajs';
for (const [name, text] of Object.entries(JSON.parse(readFileSync('cards.json')))) {
  const card = parse(text);
  const [birth, expiry] = [card.dateOfBirth, card.expirationDate].map((date) => date.toISOString().slice(0, 4));
  console.log(`${name}: npm aamva-parser: ${card.country}, born ${birth}, until ${expiry}`);
  const { data } = aamvajs.raw(text);
  console.log(`${name}: npm aamvajs: born ${data.dateOfBirth.slice(0, 4)}, until ${data.expirationDate.slice(0, 4)}`);
}
JS
python3 cards.py
export TZ=UTC
{ node run.mjs; "$dir/venv/bin/python" run.py; } | tee seen
cat >expected <<'TXT'
US: npm aamva-parser: United States, born 1988, until 2029
US: npm aamvajs: born 1988, until 2029
Canada: npm aamva-parser: Canada, born 0305, until 0305
Canada: npm aamvajs: born 1988, until 2029
US: PyPI aamva-parser: United States, born 1988, until 2029
Canada: PyPI aamva-parser: Canada, born None, until None
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
