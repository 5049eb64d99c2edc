#!/usr/bin/env bash
# doorbirdpy 3.0.12 (PyPI), Python 3, a client of DoorBird's door stations: a schedule says what the station does at the
# bell, at a tag or at motion (open a relay, call a phone), and each action can be switched off. The station has that as
# a text, `"enabled": "0"`, and so does the client when it sends one. When it reads, it asks `bool("0")`, which is true.
# With `once` it is likewise: `{"once": {"valid": 0}}` is an action that has had its one run; read, it is an object and
# so true, and `valid` is 1 again. What the client itself wrote with both off it reads with both on.
# Schedules are sent as a whole: whoever reads one, adds an action and sends it back opens the door at a bell where that
# had been switched off, and lets yesterday's delivery in once more. Trials with everything on show nothing.
# Exits with 0 while this is so, with 1 when it has changed. (No station is asked: it is what is read and sent.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check doorbirdpy==3.0.12
cat >"$dir/read.py" <<'PY'
from doorbirdpy import DoorBirdScheduleEntry as Entry
from doorbirdpy import DoorBirdScheduleEntryOutput as Output
from doorbirdpy import DoorBirdScheduleEntrySchedule as Schedule

def show(what, entry):
    for action in entry["output"]:
        print(f"{what}: relay {action['param']}, enabled {action['enabled']!r}, {action['schedule']}")

always, once = Schedule(), Schedule()
always.add_weekday(82800, 82799)
once.set_once(False)
entry = Entry("doorbell", "1")
entry.output = [Output(False, "relay", "1", always), Output(True, "relay", "2", once)]
show("sent", entry.export)
show("read", Entry.parse(entry.export).export)
PY
"$dir/venv/bin/python" "$dir/read.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
sent: relay 1, enabled '0', {'weekdays': [{'from': '82800', 'to': '82799'}]}
sent: relay 2, enabled '1', {'once': {'valid': 0}}
read: relay 1, enabled '1', {'weekdays': [{'from': '82800', 'to': '82799'}]}
read: relay 2, enabled '1', {'once': {'valid': 1}}
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
