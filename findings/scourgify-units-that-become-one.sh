#!/usr/bin/env bash
# usaddress-scourgify 0.7.1 (PyPI), Python 3: `normalize_address_record` takes the unit as a field of its own and yet
# does not keep it. Whatever kind of space is not in its table becomes `UNIT`: `Garage 4`, `Storage 4`, `Townhome 4` and
# `Bed 4` of one house are all `UNIT 4`, as is the real `Unit 4`. A unit that is called by the one letter N, E, S or W
# goes into the street (`100 MAIN ST N`, no unit), while `A` becomes `UNIT A`.
# Only a comment inside the source tells of the first. Whoever uses the normalized address as the key of a unit gives
# the tenant of a garage and the resident of an apartment one key, and takes unit N for another street.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check usaddress-scourgify==0.7.1 usaddress==0.5.16
"$dir/venv/bin/python" - <<'PY'
import sys
from scourgify import normalize_address_record

expected = {unit: ("100 MAIN ST", "UNIT 4") for unit in ["Unit 4", "Garage 4", "Storage 4", "Townhome 4", "Bed 4"]}
expected |= {"A": ("100 MAIN ST", "UNIT A")}
expected |= {unit: (f"100 MAIN ST {unit}", None) for unit in "NESW"}
seen = {}
for unit in expected:
    record = normalize_address_record({
        "address_line_1": "100 Main St",
        "address_line_2": unit,
        "city": "Springfield",
        "state": "IL",
        "postal_code": "62701",
    })
    seen[unit] = (record["address_line_1"], record["address_line_2"])
    print(f"100 Main St + {unit!r}: {seen[unit]}")
if seen != expected:
    sys.exit("this has changed: expected " + repr(expected))
print("as described")
PY
