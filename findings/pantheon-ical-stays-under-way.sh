#!/usr/bin/env bash
# pantheon-ical 0.3.1 (PyPI), Python 3, the taken nights of a flat out of the calendars of Airbnb, Booking.com and
# others: stays that recur (`RRULE`) are counted from two days before now on, and what counts is the day on which one
# begins. A stay that began earlier and is not over is not in the list: its nights that are left, tonight too, are
# free.
# A fortnight of the owner every eight weeks, begun five days ago: nine nights of it are free, while those of eight
# weeks later are taken. On its first day all is well, and so it is the day after; the same fortnight as a single event
# is taken to its end. `parse_ical_slots` does likewise.
# The module says that it never takes too few nights because of a rule, as that would be a double booking. Nothing is
# raised, and whoever tries a rule that begins today or later sees nothing of it.
# Whoever offers what is free sells the flat that somebody sleeps in.
# Exits with 0 while this is so, with 1 when it has changed. (Days are counted from the day on which it runs.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check pantheon-ical==0.3.1 python-dateutil==2.9.0.post0
"$dir/venv/bin/python" - <<'PY' | tee "$dir/seen"
from datetime import date, timedelta
from pantheon_ical import parse_ical

today = date.today()


def taken(began, *rule):
    start = today - timedelta(days=began)
    feed = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//feed//EN", "BEGIN:VEVENT", "UID:1", "SUMMARY:owner",
            f"DTSTART;VALUE=DATE:{start:%Y%m%d}", f"DTEND;VALUE=DATE:{start + timedelta(days=14):%Y%m%d}", *rule,
            "END:VEVENT", "END:VCALENDAR", ""]
    stays = parse_ical("\r\n".join(feed))
    tonight = "taken" if any(first <= today < last for first, last in stays) else "free"
    return f"tonight {tonight}, stays {[((first - today).days, (last - today).days) for first, last in stays]}"


rule = "RRULE:FREQ=WEEKLY;INTERVAL=8;COUNT=2"
print("one stay, begun 5 days ago:", taken(5))
for began in (0, 1, 3, 5, 13):
    print(f"every eight weeks, begun {began} days ago:", taken(began, rule))
PY
cat >"$dir/expected" <<'TXT'
one stay, begun 5 days ago: tonight taken, stays [(-5, 9)]
every eight weeks, begun 0 days ago: tonight taken, stays [(0, 14), (56, 70)]
every eight weeks, begun 1 days ago: tonight taken, stays [(-1, 13), (55, 69)]
every eight weeks, begun 3 days ago: tonight free, stays [(53, 67)]
every eight weeks, begun 5 days ago: tonight free, stays [(51, 65)]
every eight weeks, begun 13 days ago: tonight free, stays [(43, 57)]
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
