#!/usr/bin/env bash
# ocpp 2.1.0 (PyPI), Python 3, both sides of OCPP, by which charging stations ask who may charge. DataTransfer is the
# message for what the protocol has no message for; its `data` is whatever two parties agree on (OCPP 2.0.1, anyType).
# The library renames the message's own fields, idTag to id_tag when it comes and back when it goes, and goes on into
# `data` (and `customData`), at any depth, where the names are values: a list of cards by number, or of parking by unit.
# Received, the card `04A2B3C4` is `04_a2_b3_c4`; one without letters stays. Sent, `unit_101` and `unit_1_01` are both
# `unit101`, and one of the two is gone; `associates`, which has "soc" in it as the state of charge, is `asSoCiates`. What
# is null is left out when sent, in a list too: of a week's hours with Monday closed six days are left, and Monday has
# Tuesday's. A text in `data` is not touched, and so a trial with a JSON text in it shows nothing.
# Whoever sends the residents' cards so to the stations in the garage shuts out those with letters in the number.
# Exits with 0 while this is so, with 1 when it has changed. (No station is asked: two ends of the library talk.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check ocpp==2.1.0 jsonschema==4.25.1
cat >"$dir/talk.py" <<'PY'
import asyncio, json
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result


class Wire:
    def __init__(self):
        self.sent = []

    async def send(self, text):
        self.sent.append(text)


class Station(ChargePoint):
    got = None

    @on("DataTransfer")
    def take(self, vendor_id, data=None, **_):
        self.got = data
        return call_result.DataTransfer(status="Accepted")


async def transfer(data):
    wire = Wire()
    sender = ChargePoint("office", wire, response_timeout=0.1)
    try:
        await sender.call(call.DataTransfer(vendor_id="oak", data=data))
    except asyncio.TimeoutError:
        pass
    station = Station("garage", Wire())
    await station.route_message(wire.sent[0])
    other = Station("garage", Wire())
    await other.route_message(json.dumps([2, "1", "DataTransfer", {"vendorId": "oak", "data": data}]))
    print(json.dumps(data))
    print("  sent:", json.dumps(json.loads(wire.sent[0])[3]["data"]))
    print("  received from another program:", json.dumps(other.got))
    print("  both:", json.dumps(station.got))


for data in (
    {"04A2B3C4": "Ana", "041122": "Bo"},
    {"unit_101": "P1", "unit_1_01": "P2"},
    {"associates": ["Ana"]},
    {"hours": [None, "8-20", "8-18", "8-18", "8-18", "9-14", "9-14"]},
    json.dumps({"04A2B3C4": "Ana", "041122": None}),
):
    asyncio.run(transfer(data))
PY
"$dir/venv/bin/python" "$dir/talk.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
{"04A2B3C4": "Ana", "041122": "Bo"}
  sent: {"04A2B3C4": "Ana", "041122": "Bo"}
  received from another program: {"04_a2_b3_c4": "Ana", "041122": "Bo"}
  both: {"04_a2_b3_c4": "Ana", "041122": "Bo"}
{"unit_101": "P1", "unit_1_01": "P2"}
  sent: {"unit101": "P2"}
  received from another program: {"unit_101": "P1", "unit_1_01": "P2"}
  both: {"unit101": "P2"}
{"associates": ["Ana"]}
  sent: {"asSoCiates": ["Ana"]}
  received from another program: {"associates": ["Ana"]}
  both: {"as_so_ciates": ["Ana"]}
{"hours": [null, "8-20", "8-18", "8-18", "8-18", "9-14", "9-14"]}
  sent: {"hours": ["8-20", "8-18", "8-18", "8-18", "9-14", "9-14"]}
  received from another program: {"hours": [null, "8-20", "8-18", "8-18", "8-18", "9-14", "9-14"]}
  both: {"hours": ["8-20", "8-18", "8-18", "8-18", "9-14", "9-14"]}
"{\"04A2B3C4\": \"Ana\", \"041122\": null}"
  sent: "{\"04A2B3C4\": \"Ana\", \"041122\": null}"
  received from another program: "{\"04A2B3C4\": \"Ana\", \"041122\": null}"
  both: "{\"04A2B3C4\": \"Ana\", \"041122\": null}"
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
