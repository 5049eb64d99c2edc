#!/usr/bin/env bash
# ach 0.2 and its fork carta-ach 0.4.5 (both PyPI), Python 3, write the files in which rents are drawn from accounts in
# the USA (NACHA). A text is taken up to the first character that is not in a list of allowed ones; the rest of it is
# gone, without an error. The format allows all printable characters in these fields.
# In the first that character is anything but letters, digits, comma, blank and underscore: of the account 4471-0093,
# with the hyphen that checks are printed with, `4471` is left, and so it is of 4471-0094: two tenants have one account.
# `Oak St. Apartments`, who draws, is `OAK ST`, and J. Lee is `J`. The fork takes hyphen and full stop as well, and stops
# at an apostrophe and at a bracket: Ana O'Brien is `ANA O`, and of `Rent (Unit 4)` the unit is gone.
# The totals are right, all lines have their 94 characters, and digits alone (as in the README) come out whole.
# Whoever draws rents with it draws from an account that is somebody else's or nobody's.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/draw.py" <<'PY'
import sys
from datetime import datetime
from ach.builder import AchFile

file = AchFile("A", {
    "immediate_dest": "123456780", "immediate_org": "123456780", "immediate_dest_name": "Bank",
    "immediate_org_name": "Oak St. Apartments", "company_id": "1234567890",
})
file.add_batch("PPD", [
    {"type": "27", "routing_number": "12345678", "account_number": account, "amount": rent, "name": name,
     "addenda": [{"payment_related_info": text}]}
    for account, rent, name, text in (
        ("4471-0093", "1200.00", "Ana O'Brien", "Rent (Unit 4)"),
        ("4471-0094", "1250.00", "Bo Smith-Jones", "Rent: Unit 5"),
        ("44710095", "1300.00", "J. Lee", "Rent of December"),
    )
], credits=False, debits=True, eff_ent_date=datetime(2026, 12, 1))
for line in file.render_to_string().splitlines():
    if line[0] == "5":
        print(f"{sys.argv[1]}: drawn by {line[4:20].strip()!r}")
    elif line[0] == "6":
        print(f"{sys.argv[1]}: account {line[12:29].strip()!r}, {int(line[29:39]) / 100:.2f}, {line[54:76].strip()!r}", end="")
    elif line[0] == "7":
        print(f", {line[3:83].strip()!r}")
    elif line[0] == "8":
        print(f"{sys.argv[1]}: in all {int(line[20:32]) / 100:.2f}")
    assert len(line) == 94
PY
for package in ach==0.2 carta-ach==0.4.5; do
  python3 -m venv "$dir/$package"
  "$dir/$package/bin/pip" install --quiet --disable-pip-version-check "$package"
  "$dir/$package/bin/python" "$dir/draw.py" "${package%%=*}"
done | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
ach: drawn by 'OAK ST'
ach: account '4471', 1200.00, 'ANA O', 'RENT'
ach: account '4471', 1250.00, 'BO SMITH', 'RENT'
ach: account '44710095', 1300.00, 'J', 'RENT OF DECEMBER'
ach: in all 3750.00
carta-ach: drawn by 'OAK ST. APARTMEN'
carta-ach: account '4471-0093', 1200.00, 'ANA O', 'RENT'
carta-ach: account '4471-0094', 1250.00, 'BO SMITH-JONES', 'RENT: UNIT 5'
carta-ach: account '44710095', 1300.00, 'J. LEE', 'RENT OF DECEMBER'
carta-ach: in all 3750.00
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
