#!/usr/bin/env bash
# pymeterbus 0.8.5 and pymbusparser 0.5.3 (both PyPI), Python 3, readers of M-Bus, by which a house's meters for water,
# heat and electricity tell what they have counted. The number in a telegram counts in the unit that stands before it,
# say litres or kWh, and both turn that into m3 and Wh. Where a meter sends a floating-point number (data field 5, EN
# 13757-3) the second package does not: 12.5 kWh is `12.5` `W.h`, and 12.5 litres are 12.5 m3.
# Where the unit has a factor of its own behind it, thousand or a thousandth (VIFE 7D and 73), the first one leaves it
# out: 12345 m3 are 12.345; there is a `unit_enh` that says UNKNOWN. Each of them is right where the other is wrong, and
# with whole numbers in plain units, which most meters send, both are.
# Beside it: the day of the next bill, not set (all bits 1), is `2027-15-31` in the first one; the second says it is not
# valid. A clock that a meter itself calls invalid (the highest bit of the minute) is an ordinary time in both.
# Whoever divides a house's heating costs by it bills one flat a thousandth, or a thousand times, of what it used.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check \
  pymeterbus==0.8.5 pymbusparser==0.5.3 simplejson==3.20.2 future==1.0.0 pyserial==3.5
cat >"$dir/read.py" <<'PY'
import json, struct
import meterbus, pymbusparser

RECORDS = {
    "12345 litres": "0C13 45230100",
    "12345 kWh": "0406 39300000",
    "12.5 litres, as a float": "0513" + struct.pack("<f", 12.5).hex(),
    "12.5 kWh, as a float": "0506" + struct.pack("<f", 12.5).hex(),
    "12345 litres, times 1000": "0C937D 45230100",
    "12345 litres, times 0.001": "0C9373 45230100",
    "the day of 2026-12-01": "426C 413C",
    "the day of no date": "426C FFFF",
    "2026-12-01, 13:30": "046D 1E0D413C",
    "2026-12-01, 13:30, invalid": "046D 9E0D413C",
}
for name, record in RECORDS.items():
    body = bytes.fromhex("080172 78563412 2423 01 07 05 00 0000" + record)
    telegram = bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) & 0xFF, 0x16])
    one = json.loads(meterbus.load(telegram).to_JSON())["body"]["records"][0]
    two = pymbusparser.parse(telegram)["records"][0]
    print(f"{name}: {one['value']} {one['unit'].split('.')[1]} / {two['value']['value']} {two.get('unit', '')}".rstrip())
PY
"$dir/venv/bin/python" "$dir/read.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
12345 litres: 12.345 M3 / 12.345 m3
12345 kWh: 12345000 WH / 12345000 W.h
12.5 litres, as a float: 0.0125 M3 / 12.5 m3
12.5 kWh, as a float: 12500 WH / 12.5 W.h
12345 litres, times 1000: 12.345 M3 / 12345 m3
12345 litres, times 0.001: 12.345 M3 / 0.012345 m3
the day of 2026-12-01: 2026-12-01 DATE / 2026-12-01
the day of no date: 2027-15-31 DATE / {'day': 31, 'month': 'invalid', 'year': 'every'}
2026-12-01, 13:30: 2026-12-01T13:30 DATE_TIME / 2026-12-01T13:30:00
2026-12-01, 13:30, invalid: 2026-12-01T13:30 DATE_TIME / 2026-12-01T13:30:00
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
