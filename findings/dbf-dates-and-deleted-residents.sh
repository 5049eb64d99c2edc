#!/usr/bin/env bash
# dbf-reader 1.0.3, parsedbf 2.0.0 and xlsx 0.18.5 (all npm) beside dbfread 2.0.7 (PyPI), on one dBase file as an older
# program for residents exports it.
# dbf-reader: every date is a month late: `20261201`, the first of December, is the first of January. A day 31 is off
# by more, where the next month has none: the end of January is in March. An empty amount is 0.
# parsedbf: the records marked as deleted are there as any other, without the mark: who moved out years ago is a
# resident. dBase only marks them until somebody packs the file.
# xlsx, asked for dates: an empty one is 1899-11-30, so that a resident without a move-out has moved out.
# dbfread leaves out the deleted one, and gives None for what is empty. No reader warns.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check dbfread==2.0.7
cd "$dir"
npm install --silent --no-fund --no-audit dbf-reader@1.0.3 parsedbf@2.0.0 xlsx@0.18.5 >/dev/null
cat >write.py <<'PY'
import struct

fields = [("UNIT", "C", 6, 0), ("MOVEIN", "D", 8, 0), ("MOVEOUT", "D", 8, 0), ("DEPOSIT", "N", 9, 2)]
rows = [(" ", "0101", "20261201", "20270331", "900.00"), (" ", "0102", "20270131", "", ""),
        ("*", "0103", "20190501", "20200430", "800.00")]
size = 1 + sum(length for _, _, length, _ in fields)
data = struct.pack("<4BIHH20x", 3, 126, 11, 30, len(rows), 33 + 32 * len(fields), size)
for name, kind, length, decimals in fields:
    data += struct.pack("<11sc4xBB14x", name.encode(), kind.encode(), length, decimals)
data += b"\r"
for mark, *values in rows:
    data += mark.encode()
    for value, (_, kind, length, _) in zip(values, fields):
        data += (value.rjust(length) if kind == "N" else value.ljust(length)).encode()
open("residents.dbf", "wb").write(data + b"\x1a")
PY
cat >run.py <<'PY'
from dbfread import DBF

for row in DBF("residents.dbf"):
    print("dbfread:", *row.values())
PY
cat >run.cjs <<'JS'
const bytes = require('fs').readFileSync('residents.dbf');
const { Dbf } = require('dbf-reader/dbf');
const XLSX = require('xlsx');
const day = (value) => (value instanceof Date ? value.toJSON()?.slice(0, 10) : value);
const print = (name, rows) => rows.forEach(({ UNIT, MOVEIN, MOVEOUT, DEPOSIT }) =>
  console.log(`${name}:`, ...[UNIT, MOVEIN, MOVEOUT, DEPOSIT].map((value) => day(value) ?? 'none')));
import('parsedbf').then(({ default: parse }) => {
  print('dbf-reader', Dbf.read(bytes).rows);
  print('parsedbf', parse(new DataView(bytes.buffer, bytes.byteOffset, bytes.length)));
  const book = XLSX.read(bytes, { type: 'buffer', cellDates: true });
  print('xlsx', XLSX.utils.sheet_to_json(book.Sheets[book.SheetNames[0]]));
});
JS
export TZ=UTC
python3 write.py
{ "$dir/venv/bin/python" run.py; node run.cjs; } | tee seen
cat >expected <<'TXT'
dbfread: 0101 2026-12-01 2027-03-31 900.0
dbfread: 0102 2027-01-31 None None
dbf-reader: 0101 2027-01-01 2027-05-01 900
dbf-reader: 0102 2027-03-03 none 0
parsedbf: 0101 2026-12-01 2027-03-31 900
parsedbf: 0102 2027-01-31 none NaN
parsedbf: 0103 2019-05-01 2020-04-30 800
xlsx: 0101 2026-12-01 2027-03-31 900
xlsx: 0102 2027-01-31 1899-11-30 none
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
