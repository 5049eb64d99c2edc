#!/usr/bin/env bash
# exceljs 4.4.0 and xlsx 0.18.5 (both npm) on two workbooks that openpyxl 3.1.5 (PyPI) writes, with a move-in on
# 2026-12-01 and on 2026-03-15.
# With `iso_dates=True` a date stands in its cell as a date (`t="d"`, ECMA-376, part 1, 18.18.11) and not as a count of
# days. exceljs takes the number at its start, the year, for the count: every date of 2026 is 1905-07-18.
# In a workbook that counts from 1904, as those from older Macs do, xlsx with `cellDates` gives dates four years and a
# day early, 2022-11-30, beside a text of the cell (`w`) that is right. exceljs reads this one as it should.
# openpyxl and python-calamine 0.9.1 read both. Nothing is raised, and what is given is a date.
# Whoever takes the rent roll of another program has one move-in day for everybody, or leases from before their start.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check openpyxl==3.1.5 python-calamine==0.9.1
cd "$dir"
npm install --silent --no-fund --no-audit exceljs@4.4.0 xlsx@0.18.5 >/dev/null
cat >write.py <<'PY'
from datetime import date
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

for name, book in [("iso", Workbook(iso_dates=True)), ("1904", Workbook())]:
    if name == "1904":
        book.epoch = CALENDAR_MAC_1904
    book.active.append([date(2026, 12, 1), date(2026, 3, 15)])
    book.save(f"{name}.xlsx")
PY
cat >run.py <<'PY'
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

for name in ("iso", "1904"):
    cells = load_workbook(f"{name}.xlsx").active[1]
    print(f"{name}: openpyxl", *(f"{cell.value:%Y-%m-%d}" for cell in cells))
    print(f"{name}: calamine", *CalamineWorkbook.from_path(f"{name}.xlsx").get_sheet_by_index(0).to_python()[0])
PY
cat >run.cjs <<'JS'
const ExcelJS = require('exceljs');
const XLSX = require('xlsx');
const day = (date) => date.toISOString().slice(0, 10);
(async () => {
  for (const name of ['iso', '1904']) {
    const book = new ExcelJS.Workbook();
    await book.xlsx.readFile(`${name}.xlsx`);
    console.log(`${name}: exceljs`, ...['A1', 'B1'].map((cell) => day(book.worksheets[0].getCell(cell).value)));
    const sheet = Object.values(XLSX.readFile(`${name}.xlsx`, { cellDates: true }).Sheets)[0];
    console.log(`${name}: xlsx`, ...['A1', 'B1'].map((cell) => `${day(sheet[cell].v)} (${sheet[cell].w})`));
  }
})();
JS
export TZ=UTC
"$dir/venv/bin/python" write.py
{ "$dir/venv/bin/python" run.py; node run.cjs; } | tee seen
cat >expected <<'TXT'
iso: openpyxl 2026-12-01 2026-03-15
iso: calamine 2026-12-01 2026-03-15
1904: openpyxl 2026-12-01 2026-03-15
1904: calamine 2026-12-01 2026-03-15
iso: exceljs 1905-07-18 1905-07-18
iso: xlsx 2026-12-01 (2026-12-01) 2026-03-15 (2026-03-15)
1904: exceljs 2026-12-01 2026-03-15
1904: xlsx 2022-11-30 (2026-12-01) 2022-03-14 (2026-03-15)
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
