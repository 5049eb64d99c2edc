#!/usr/bin/env bash
# plat-multifamily-underwriting 0.1.0 (PyPI), Python 3, reads rent rolls, "CSV or Excel": one table as CSV and as .xlsx
# gives two properties. In a workbook a unit counts only if its name has a digit and at most 12 characters, meant to
# skip banners and totals; the rows of all others are dropped without a word. In CSV they count.
# A house of four units, A to D, has four in CSV, and none in the workbook: no units, vacancy 0.0, no entry in
# `blockers`, which exists for doubts. In a tower the penthouse `PH`, `Garden` and `Bldg 12 Apt 104` are missing, and
# with `Garden` the only vacancy. With units called 101 and 102 both are the same, and so a trial shows nothing.
# Whoever gets the monthly roll as a workbook loses all lettered units, and the dearest rent of the tower.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check openpyxl==3.1.5
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps plat-multifamily-underwriting==0.1.0
cat >"$dir/read.py" <<'PY'
import csv
import openpyxl
from engine.ingest.rent_roll_parser import parse_rent_roll

head = ["Unit", "Floor Plan", "Status", "Monthly Rent", "Market Rent", "Sqft"]
small, large = ["1BR/1BA", "Occupied", 1200, 1250, 600], ["3BR/2BA", "Occupied", 4000, 4250, 1600]
empty = ["1BR/1BA", "Vacant", 0, 1250, 600]
rolls = {
    "numbers": [["101", *small], ["102", *small], ["201", *large], ["202", *empty]],
    "letters": [["A", *small], ["B", *small], ["C", *empty], ["D", *small]],
    "tower": [["101", *small], ["102", *small], ["Bldg 12 Apt 104", *small], ["PH", *large], ["Garden", *empty]],
}
for name, rows in rolls.items():
    with open(f"{name}.csv", "w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    book = openpyxl.Workbook()
    book.active.title = "Rent Roll"
    for row in [head, *rows]:
        book.active.append(row)
    book.save(f"{name}.xlsx")
    for suffix in ("csv", "xlsx"):
        roll = parse_rent_roll(f"{name}.{suffix}")
        rents = [cohort["initial_inplace_rent"] for cohort in roll["unit_cohorts"]]
        print(f"{name}.{suffix}: {roll['total_units']} units, vacancy {roll['physical_vacancy_rate']},",
              f"rents {rents}, blockers {roll.get('blockers')}")
PY
cd "$dir"
venv/bin/python read.py | tee seen
cat >expected <<'TXT'
numbers.csv: 4 units, vacancy 0.25, rents [1200.0, 4000.0], blockers None
numbers.xlsx: 4 units, vacancy 0.25, rents [1200.0, 4000.0], blockers None
letters.csv: 4 units, vacancy 0.25, rents [1200.0], blockers None
letters.xlsx: 0 units, vacancy 0.0, rents [], blockers None
tower.csv: 5 units, vacancy 0.2, rents [1200.0, 4000.0], blockers None
tower.xlsx: 2 units, vacancy 0.0, rents [1200.0], blockers None
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
