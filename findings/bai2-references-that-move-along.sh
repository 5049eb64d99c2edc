#!/usr/bin/env bash
# bai2 0.15.0 (PyPI), Python 3, reads and writes BAI2, the statements by which banks of the USA tell what came in: an
# entry has the amount, when it is available, the bank's reference, the customer's and a text. Written again, an entry
# whose availability is a single code (0, 1, 2 or Z, or none, which most have) gets an empty field too many behind it.
# Read back, also by itself, the bank's reference is None, the customer's is the bank's, and the customer's stands at
# the start of the text; with each turn they move on by one. An entry with a date or with amounts by day stays right.
# A text that is too long for its line is cut in the middle of a word and read back with a blank there: of unit 1204 one
# gets `120 4`.
# All totals and numbers of records are checked and right, and no error is raised.
# Whoever splits a bank's file by property and passes it on books rents by a reference that is the bank's own.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check bai2==0.15.0
cat >"$dir/turn.py" <<'PY'
from bai2 import bai2

text = """01,122099999,123456789,261201,0800,1,80,,2/
02,031001234,122099999,1,261130,2400,USD,2/
03,0123456789,USD,010,100000,,,015,480000,,/
16,165,120000,0,BANK1,LEASE1,RENT ANA LEE
16,165,125000,Z,BANK2,LEASE2,RENT BO DIAZ
16,165,130000,,BANK3,LEASE3,RENT CY PARK
16,165,5000,V,261202,,BANK4,LEASE4,RENT OF DECEMBER 2026 OAK STREET 100 UNIT 1204
49,960000,6/
98,960000,1,8/
99,960000,1,10/
"""
for turn in range(3):
    file = bai2.parse_from_string(text, check_integrity=True)
    print("read" if turn == 0 else f"written and read again, {turn}")
    for entry in file.children[0].children[0].children:
        print(f"  {entry.amount}: bank {entry.bank_reference!r}, customer {entry.customer_reference!r}, text {entry.text!r}")
    text = bai2.write(file)
    if turn == 0:
        print("written:")
        print("\n".join(f"  {line}" for line in text.splitlines() if line[:2] in ("16", "88")))
PY
"$dir/venv/bin/python" "$dir/turn.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
read
  120000: bank 'BANK1', customer 'LEASE1', text 'RENT ANA LEE'
  125000: bank 'BANK2', customer 'LEASE2', text 'RENT BO DIAZ'
  130000: bank 'BANK3', customer 'LEASE3', text 'RENT CY PARK'
  5000: bank 'BANK4', customer 'LEASE4', text 'RENT OF DECEMBER 2026 OAK STREET 100 UNIT 1204'
written:
  16,165,120000,0,,BANK1,LEASE1,RENT ANA LEE
  16,165,125000,Z,,BANK2,LEASE2,RENT BO DIAZ
  16,165,130000,,,BANK3,LEASE3,RENT CY PARK
  16,165,5000,V,261202,,BANK4,LEASE4,RENT OF DECEMBER 2026 OAK STREET 100 UNIT 120
  88,4
written and read again, 1
  120000: bank None, customer 'BANK1', text 'LEASE1,RENT ANA LEE'
  125000: bank None, customer 'BANK2', text 'LEASE2,RENT BO DIAZ'
  130000: bank None, customer 'BANK3', text 'LEASE3,RENT CY PARK'
  5000: bank 'BANK4', customer 'LEASE4', text 'RENT OF DECEMBER 2026 OAK STREET 100 UNIT 120 4'
written and read again, 2
  120000: bank None, customer None, text 'BANK1,LEASE1,RENT ANA LEE'
  125000: bank None, customer None, text 'BANK2,LEASE2,RENT BO DIAZ'
  130000: bank None, customer None, text 'BANK3,LEASE3,RENT CY PARK'
  5000: bank 'BANK4', customer 'LEASE4', text 'RENT OF DECEMBER 2026 OAK STREET 100 UNIT 120  4'
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
