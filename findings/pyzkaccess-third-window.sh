#!/usr/bin/env bash
# pyzkaccess 1.2 (PyPI), Python 3, for ZKTeco C3 door controllers: a Timezone has three windows for each day, but the
# third one of Sunday to Saturday is the second under another name: `mon_time3` writes `MonTime2`. Of the open hours
# 06-09, 11-13 and 17-22 only two reach the controller. Set one after the other the last one stays; given together to
# `Timezone(...)` it is the order of a set that decides, so that the same program sends the noon in one run and the
# evening in the next. Taking the third window away takes the second. Nothing is raised; those of holidays are three.
# Whoever gives cleaners or a gym three windows a day shuts them out of one of them, and not always the same.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check pyzkaccess==1.2
cat >"$dir/windows.py" <<'PY'
import sys
from datetime import time
from pyzkaccess.tables import Timezone

def hours(*windows):
    return [window and f"{window[0]:%H}-{window[1]:%H}" for window in windows]

morning, noon, evening = (time(6), time(9)), (time(11), time(13)), (time(17), time(22))
if sys.argv[1] == "together":
    print(*hours(Timezone(timezone_id="2", mon_time1=morning, mon_time2=noon, mon_time3=evening).mon_time2))
else:
    zone = Timezone(timezone_id="2")
    zone.mon_time1, zone.mon_time2, zone.mon_time3 = morning, noon, evening
    zone.hol1_time1, zone.hol1_time2, zone.hol1_time3 = morning, noon, evening
    print("Monday", *hours(zone.mon_time1, zone.mon_time2, zone.mon_time3))
    print("holiday", *hours(zone.hol1_time1, zone.hol1_time2, zone.hol1_time3))
    print("sent for Monday", *[name for name, value in zone.raw_data.items() if name.startswith("Mon") and value])
    zone.mon_time3 = None
    print("Monday without the third", *hours(zone.mon_time1, zone.mon_time2))
PY
cd "$dir"
venv/bin/python windows.py apart | tee seen
for seed in {1..16}; do PYTHONHASHSEED=$seed venv/bin/python windows.py together; done | sort -u | tee -a seen
cat >expected <<'TXT'
Monday 06-09 17-22 17-22
holiday 06-09 11-13 17-22
sent for Monday MonTime1 MonTime2
Monday without the third 06-09 None
11-13
17-22
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
