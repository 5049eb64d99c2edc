#!/usr/bin/env bash
# justnow 0.1.4 (PyPI), Python 3, times in the form of systemd's timers: the two ends of a range of days are sorted
# before it counts, and the week begins on Monday. `sun..thu`, the working week in Riyadh, Cairo and Tel Aviv, becomes
# Thursday to Sunday: Monday to Wednesday are left out, Friday and Saturday are in.
# `fri..mon`, a long weekend, becomes Monday to Friday, of which only the two ends were meant. `mon..fri` and
# `sat..sun` are right, and so is a list of days. The README says nothing of an order; systemd (252) refuses such a
# range instead.
# Whoever opens an office, or lets cleaners in, by such a range does so on the days when nobody comes.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check justnow==0.1.4 lark-parser==0.9.0
"$dir/venv/bin/python" -W ignore - <<'PY' | tee "$dir/seen"
from datetime import datetime
from justnow.parser import EventParser

for days in ("mon..fri", "sat..sun", "sun..thu", "sun,mon,tue,wed,thu", "fri..mon", "fri,sat,sun,mon"):
    opens = EventParser(f"{days} *-*-* 09:00:00", reference_date=datetime(2026, 11, 30))
    week = [time for time in opens.get_next_n(limit=7) if time < datetime(2026, 12, 7)]
    print(f"{days}:", *[time.strftime("%a") for time in week])
PY
cat >"$dir/expected" <<'TXT'
mon..fri: Mon Tue Wed Thu Fri
sat..sun: Sat Sun
sun..thu: Thu Fri Sat Sun
sun,mon,tue,wed,thu: Mon Tue Wed Thu Sun
fri..mon: Mon Tue Wed Thu Fri
fri,sat,sun,mon: Mon Fri Sat Sun
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
