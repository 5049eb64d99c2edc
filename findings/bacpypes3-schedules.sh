#!/usr/bin/env bash
# bacpypes3 0.0.110 (PyPI), Python 3: two ordinary schedules of a door, which its local ScheduleObject reads otherwise
# than BACnet means them.
# An exception that ends with Null is to hand back to the weekly schedule: on a holiday closed from 00:00, Null at 12:00,
# the door should be open at 13:00 as on any day. `eval` returns the Null itself: the comparison looks at the wrapper
# (AnyAtomic), which is what a decoded time value always has.
# An effective period with an unspecified start, and so also the usual "any date to any date", is never in effect:
# `eval` returns None. An unspecified end works.
# Whoever drives or simulates door hours with it has doors that stay as they were for the rest of a holiday, and
# schedules "without limits" that do nothing.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check bacpypes3==0.0.110
"$dir/venv/bin/python" - <<'PY'
import sys
from bacpypes3.basetypes import (
    CalendarEntry, DailySchedule, DateRange, SpecialEvent, SpecialEventPeriod, TimeValue)
from bacpypes3.constructeddata import AnyAtomic
from bacpypes3.local.schedule import ScheduleObject
from bacpypes3.primitivedata import Boolean, Date, Null, Time

ANY = (255, 255, 255, 255)
HOLIDAY, DAY_BEFORE = (126, 12, 25, 5), (126, 12, 24, 4)

def at(time, value):
    return TimeValue(time=Time(time), value=AnyAtomic(value))

def door(start, end):
    open_day = DailySchedule(daySchedule=[at("08:00", Boolean(True)), at("18:00", Boolean(False))])
    closed_morning = SpecialEvent(
        period=SpecialEventPeriod(calendarEntry=CalendarEntry(date=Date(HOLIDAY))),
        listOfTimeValues=[at("00:00", Boolean(False)), at("12:00", Null(()))],
        eventPriority=5,
    )
    return ScheduleObject(
        objectIdentifier="schedule,1", objectName="door", presentValue=Boolean(False),
        effectivePeriod=DateRange(startDate=Date(start), endDate=Date(end)),
        weeklySchedule=[open_day] * 7, exceptionSchedule=[closed_morning],
        scheduleDefault=AnyAtomic(Boolean(False)), priorityForWriting=10,
    )

def value(schedule, date, time):
    result = schedule.eval(Date(date), Time(time))
    if result is None:
        return "not in effect"
    got = result[0].get_value()
    return "null" if isinstance(got, Null) else "open" if got else "closed"

limited, endless = door((126, 1, 1, 255), (126, 12, 31, 255)), door((126, 1, 1, 255), ANY)
beginningless, unlimited = door(ANY, (126, 12, 31, 255)), door(ANY, ANY)
seen = [
    ("the day before, 13:00", value(limited, DAY_BEFORE, "13:00"), "open"),
    ("the holiday, 09:00", value(limited, HOLIDAY, "09:00"), "closed"),
    ("the holiday, 13:00, after Null", value(limited, HOLIDAY, "13:00"), "null"),
    ("the day before, without an end", value(endless, DAY_BEFORE, "13:00"), "open"),
    ("the day before, without a start", value(beginningless, DAY_BEFORE, "13:00"), "not in effect"),
    ("the day before, without limits", value(unlimited, DAY_BEFORE, "13:00"), "not in effect"),
]
for what, got, _ in seen:
    print(f"{what}: {got}")
if any(got != expected for _, got, expected in seen):
    sys.exit("this has changed: expected " + repr([expected for _, _, expected in seen]))
print("as described")
PY
