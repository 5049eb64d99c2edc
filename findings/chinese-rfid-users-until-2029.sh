#!/usr/bin/env bash
# Chinese-RFID-Access-Control-Library 0.1.2 (PyPI), Python 3, for the door controllers with port 60000 that are sold
# under many names: `add_user(badge, doors)` takes a card and its doors, and no dates. What is sent has dates all the
# same: a card counts from 2014-04-07 to 2029-12-31, both written into the library. They stand behind the card as two
# numbers of 16 bits, low byte first: seven bits of the year from 2000, four of the month, five of the day.
# Neither the README, whose list of what is missing has names, codes and logs, nor a comment says so, and no argument
# changes them: between two calls only the card, the doors, the controller and the check of the packet differ.
# Whoever gives residents their cards with it has all of them end in one night, at the new year of 2030, open leases
# too; adding them again the day after gives them the same end.
# Exits with 0 while this is so, with 1 when it has changed. (A stand-in answers: what is sent is looked at.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check \
  setuptools==80.9.0 wheel==0.45.1
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation \
  Chinese-RFID-Access-Control-Library==0.1.2
cat >"$dir/users.py" <<'PY'
import inspect
from rfid import RFIDClient, ten_digit_to_comma_format

sent = []


class Controller:
    def send(self, packet):
        sent.append(bytes(packet))

    def recv(self, _):
        return bytes([sent[-1][0], sent[-1][1] + 1])

    def close(self):
        pass


def date(packet, at):
    number = int.from_bytes(packet[at:at + 2], "little")
    return f"{2000 + (number >> 9)}-{number >> 5 & 15:02d}-{number & 31:02d}"


RFIDClient.connect = staticmethod(lambda *_: Controller())
client = RFIDClient("127.0.0.1", 123456)
print("arguments:", *list(inspect.signature(client.add_user).parameters))
for card, doors in ((11111111, [1, 2]), (12345678, [4])):
    client.add_user(ten_digit_to_comma_format(card), doors)
    packet = sent[-1]
    number = int.from_bytes(packet[20:24], "little")
    opens = [door for door in (1, 2, 3, 4) if packet[35 + door]]
    print(f"{card}: card {number}, doors {opens}, from {date(packet, 32)} to {date(packet, 34)}")
PY
"$dir/venv/bin/python" "$dir/users.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
arguments: badge doors
11111111: card 16935527, doors [1, 2], from 2014-04-07 to 2029-12-31
12345678: card 18824910, doors [4], from 2014-04-07 to 2029-12-31
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
