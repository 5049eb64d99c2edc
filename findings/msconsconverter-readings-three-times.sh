#!/usr/bin/env bash
# msconsconverter 2.0.0 (PyPI), Python 3, "converts MSCONS (EDIFACT) to CSV": MSCONS is the message by which the grid
# tells what a meter has counted, a value with a start and an end for each quarter of an hour. A row of the CSV is
# written at every segment from the first end on, whichever segment it is, with the value, start and end seen last.
# The first quarter has its row and one more at the next value, which carries that value with the first one's times;
# the second quarter has three, one of them over no time at all, and the last one as many as segments follow. Three
# quarters of 1.5, 2.5 and 4 kWh, 8 in all, are 10 rows and 33 kWh. Of a second meter in the file the first three rows
# have what the first one used. A substitute value (`QTY+67`), which the grid sends where a reading is missing, becomes
# 0.0; that much a warning says. The program ends with 0, and all columns are filled.
# Whoever divides the electricity of a house among its tenants by it bills several times what they have used, and not
# by the same factor for each.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check msconsconverter==2.0.0 typer==0.20.0 click==8.3.1
cat >"$dir/send.py" <<'PY'
def quarter(code, value, start, end):
    return [f"QTY+{code}:{value}", f"DTM+163:20261130{start}?+01:303", f"DTM+164:20261130{end}?+01:303"]


def meter(number, *quarters):
    segments = [f"LOC+172+AT00300000000000000000000000{number}", "LIN+1", "PIA+5+1-1?:1.9.0 P.01:SRW"]
    return segments + [segment for one in quarters for segment in quarter(*one)]


first = meter("00101", ("220", "1.5", "0000", "0015"), ("220", "2.5", "0015", "0030"), ("220", "4", "0030", "0045"))
second = meter("00102", ("220", "0.1", "0000", "0015"))
replaced = meter("00101", ("220", "1.5", "0000", "0015"), ("67", "2.5", "0015", "0030"))
for name, body in (("one", first), ("two", first + second), ("replaced", replaced)):
    message = ["UNH+1+MSCONS:D:04B:UN:2.2e", "BGM+7+1+9", "DTM+137:202612010815?+00:303", "NAD+MS+AT003000",
               "NAD+MR+AT900000", "UNS+D", "NAD+DP", *body]
    message += [f"UNT+{len(message) + 1}+1", "UNZ+1+1"]
    with open(name, "w") as file:
        file.write("UNA:+.? 'UNB+UNOC:3+AT003000:ZZ+AT900000:ZZ+261201:0815+1'" + "".join(f"{one}'" for one in message))
PY
cat >"$dir/read.py" <<'PY'
import csv, glob

for name in ("one", "two", "replaced"):
    print(f"{name}:")
    for path in glob.glob(f"out-{name}/*.csv"):
        for row in csv.DictReader(open(path)):
            times = [row[f"HOUR_{end}"] + row[f"MINUTE_{end}"] for end in ("PS", "PE")]
            print(f"  meter {row['LOC_MSCONS'][-3:]} {times[0]}-{times[1]} {row['VALUE']}")
PY
cd "$dir"
venv/bin/python send.py
for name in one two replaced; do
  code=0
  venv/bin/python -m msconsconverter convert --input-file "$name" --output-directory "out-$name" >"$name.log" 2>&1 || code=$?
  echo "$name ends with $code"
done | tee seen
venv/bin/python read.py | tee -a seen
cat >expected <<'TXT'
one ends with 0
two ends with 0
replaced ends with 0
one:
  meter 101 0000-0015 1.5
  meter 101 0000-0015 2.5
  meter 101 0015-0015 2.5
  meter 101 0015-0030 2.5
  meter 101 0015-0030 4
  meter 101 0030-0030 4
  meter 101 0030-0045 4
  meter 101 0030-0045 4
  meter 101 0030-0045 4
  meter 101 0030-0045 4
two:
  meter 101 0000-0015 1.5
  meter 101 0000-0015 2.5
  meter 101 0015-0015 2.5
  meter 101 0015-0030 2.5
  meter 101 0015-0030 4
  meter 101 0030-0030 4
  meter 101 0030-0045 4
  meter 102 0030-0045 4
  meter 102 0030-0045 4
  meter 102 0030-0045 4
  meter 102 0030-0045 0.1
  meter 102 0000-0045 0.1
  meter 102 0000-0015 0.1
  meter 102 0000-0015 0.1
  meter 102 0000-0015 0.1
  meter 102 0000-0015 0.1
replaced:
  meter 101 0000-0015 1.5
  meter 101 0000-0015 0.0
  meter 101 0015-0015 0.0
  meter 101 0015-0030 0.0
  meter 101 0015-0030 0.0
  meter 101 0015-0030 0.0
  meter 101 0015-0030 0.0
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
