#!/usr/bin/env bash
# ics 0.7.3 and recurring-ical-events 3.3.4 (both PyPI), Python 3, on one feed of a rented flat. All-day events end
# before the day of their DTEND (RFC 5545, 3.6.1): a stay with DTSTART 2026-12-01 and DTEND 2026-12-03 is two nights,
# and the next guest's begins on the 3rd. `Calendar.timeline.on` of ics names both guests on the 3rd, `at` does so at
# its first instant, and an event of one day (no DTEND) is also on the day after. recurring-ical-events names one.
# Whoever asks for the guest of today gets the one who has left as well, and every changeover is a double booking.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check \
  ics==0.7.3 arrow==1.4.0 recurring-ical-events==3.3.4 icalendar==5.0.14 tzdata==2026.6
"$dir/venv/bin/python" - <<'PY'
import sys
import arrow
import ics
import icalendar
import recurring_ical_events

def stay(guest, *dates):
    return ["BEGIN:VEVENT", f"UID:{guest}", f"SUMMARY:{guest}", "DTSTAMP:20261101T000000Z", *dates, "END:VEVENT"]

feed = "\r\n".join([
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//feed//EN",
    *stay("Ana", "DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261203"),
    *stay("Bo", "DTSTART;VALUE=DATE:20261203", "DTEND;VALUE=DATE:20261205"),
    *stay("cleaning", "DTSTART;VALUE=DATE:20261210"),
    "END:VCALENDAR", "",
])
timeline = ics.Calendar(feed).timeline
other = recurring_ical_events.of(icalendar.Calendar.from_ical(feed))

seen = []
for day in [2, 3, 10, 11]:
    date = arrow.get(2026, 12, day)
    on, at = (sorted(event.name for event in events) for events in (timeline.on(date), timeline.at(date)))
    plain = sorted(str(event["SUMMARY"]) for event in other.at((2026, 12, day)))
    seen.append((day, on, at, plain))
    print(f"December {day}: ics on the day {on}, at 0:00 {at}; recurring-ical-events {plain}")
expected = [
    (2, ["Ana"], ["Ana"], ["Ana"]),
    (3, ["Ana", "Bo"], ["Ana", "Bo"], ["Bo"]),
    (10, ["cleaning"], ["cleaning"], ["cleaning"]),
    (11, ["cleaning"], ["cleaning"], []),
]
if seen != expected:
    sys.exit("this has changed: expected " + repr(expected))
print("as described")
PY
