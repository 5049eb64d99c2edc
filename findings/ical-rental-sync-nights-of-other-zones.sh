#!/usr/bin/env bash
# ical-rental-sync 0.1.2 (PyPI), Python 3, which nights of a flat are free, out of the calendars of Airbnb, Booking.com
# and others. A stay with times (`DTSTART;TZID=America/Los_Angeles:20261201T160000`) is moved to UTC before its day is
# taken. Four in the afternoon in Los Angeles is midnight there, so that the night of arrival is free; ten in the
# morning in Sydney is the evening before, so that the last night is. In Berlin, and as whole days, the same two nights
# are both taken. The README does not speak of zones, and `is_available` is True for a night that somebody sleeps there.
# Beside it: a stay with a DURATION in place of DTEND (RFC 5545, 3.6.1) is one night long, however many it says; one
# that is cancelled (`STATUS:CANCELLED`) takes its nights all the same.
# Whoever offers what is free books a second guest into a night of the first, and trials in Europe show nothing.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check \
  ical-rental-sync==0.1.2 icalendar==5.0.14 requests==2.34.2 tzdata==2026.6
cat >"$dir/nights.py" <<'PY'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ical_rental_sync import CalendarSync

STAYS = {
    "whole days": ["DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261203"],
    "Berlin": ["DTSTART;TZID=Europe/Berlin:20261201T150000", "DTEND;TZID=Europe/Berlin:20261203T110000"],
    "Los Angeles": [f"DT{end};TZID=America/Los_Angeles:{time}" for end, time in (
        ("START", "20261201T160000"), ("END", "20261203T110000"))],
    "Sydney": ["DTSTART;TZID=Australia/Sydney:20261201T150000", "DTEND;TZID=Australia/Sydney:20261203T100000"],
    "two days long": ["DTSTART;VALUE=DATE:20261201", "DURATION:P2D"],
    "cancelled": ["DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261203", "STATUS:CANCELLED"],
}
names = list(STAYS)


class Feed(BaseHTTPRequestHandler):
    def do_GET(self):
        body = "\r\n".join([
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//feed//EN", "BEGIN:VEVENT", "UID:1", "SUMMARY:Ana",
            "DTSTAMP:20261101T000000Z", *STAYS[names[int(self.path[1:])]], "END:VEVENT", "END:VCALENDAR", "",
        ]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Feed)
threading.Thread(target=server.serve_forever, daemon=True).start()
for number, name in enumerate(names):
    sync = CalendarSync({"feed": f"http://127.0.0.1:{server.server_port}/{number}"})
    nights = ", ".join(f"{night:%d}" for night in sync.get_booked_dates())
    free = [sync.is_available(f"2026-12-0{day}", f"2026-12-0{day + 1}") for day in (1, 2)]
    print(f"{name}: taken {nights}; free on the 1st {free[0]}, on the 2nd {free[1]}")
PY
NO_PROXY=127.0.0.1 "$dir/venv/bin/python" "$dir/nights.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
whole days: taken 01, 02; free on the 1st False, on the 2nd False
Berlin: taken 01, 02; free on the 1st False, on the 2nd False
Los Angeles: taken 02; free on the 1st True, on the 2nd False
Sydney: taken 01; free on the 1st False, on the 2nd True
two days long: taken 01; free on the 1st False, on the 2nd True
cancelled: taken 01, 02; free on the 1st False, on the 2nd False
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
