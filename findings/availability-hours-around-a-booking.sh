#!/usr/bin/env bash
# availability 0.0.3 (PyPI), Python 3, "sparse ranges of padded timedate intervals": what is free, less what is booked.
# A booking has a padding before and after it, for cleaning or a walk to the next flat. It counts only where the booking
# itself touches the free hours: less a visit from 12:15 to 13:00 with half an hour around it, 09:00-12:00 stays as it
# is and so does 13:15-17:00, though nobody has time between 11:45 and 13:30. In one piece, 09:00-17:00, it is right.
# Beside it: `a + b` changes `a` where the two overlap. After `total = weekdays + weekend` the weekdays reach as far as
# both; done for each of several people the hours of one go on to the next. No error is raised.
# Whoever offers viewings out of morning and afternoon hours books one into the cleaning of another.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check availability==0.0.3 tzdata==2025.2
cat >"$dir/hours.py" <<'PY'
from datetime import datetime
from zoneinfo import ZoneInfo
from availability import Availability, AvailabilityRange

def at(hour, minute=0):
    return datetime(2026, 12, 1, hour, minute, tzinfo=ZoneInfo("America/New_York"))

def hours(*ranges, **padding):
    return Availability([AvailabilityRange(at(*start), at(*end)) for start, end in ranges], **padding)

def text(availability):
    return ", ".join(f"{piece.start_time:%H:%M}-{piece.end_time:%H:%M}" for piece in availability.ranges)

visit = hours(((12, 15), (13, 0)), padding_time_before=30, padding_time_after=30)
print("one piece:", text(hours(((9,), (17,))) - visit))
print("two pieces:", text(hours(((9,), (12,)), ((13, 15), (17,))) - visit))
first, second = hours(((9,), (12,))), hours(((11,), (17,)))
print("sum:", text(first + second))
print("first, after that:", text(first))
PY
"$dir/venv/bin/python" "$dir/hours.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
one piece: 09:00-11:45, 13:30-17:00
two pieces: 09:00-12:00, 13:15-17:00
sum: 09:00-17:00
first, after that: 09:00-17:00
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
