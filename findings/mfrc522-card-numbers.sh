#!/usr/bin/env bash
# mfrc522 0.0.7 (PyPI), Python 3, the readers of the Raspberry Pi: the card number that `SimpleMFRC522.read_id` gives is
# not the card's UID. It has the check byte of the anti-collision answer behind the four bytes, so that it is 256 times
# the number that other readers, a printed card or an access control export have, plus that byte.
# Whoever enrols cards at such a reader finds none of them again in the list of the door controllers, in neither byte
# order; `number >> 8` is the UID. (The reader's hardware is stood in for here: the card's answer is given by hand.)
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps mfrc522==0.0.7
"$dir/venv/bin/python" - <<'PY'
import sys
from types import ModuleType

for name in ["RPi", "RPi.GPIO", "spidev"]:
    sys.modules[name] = ModuleType(name)
sys.modules["RPi"].GPIO = sys.modules["RPi.GPIO"]
from mfrc522 import SimpleMFRC522

uid = bytes.fromhex("1a2b3c4d")

class Reader:
    PICC_REQIDL = 0x26
    MI_OK = 0

    def MFRC522_Request(self, _):
        return self.MI_OK, 16

    def MFRC522_Anticoll(self):
        return self.MI_OK, [*uid, uid[0] ^ uid[1] ^ uid[2] ^ uid[3]]

simple = SimpleMFRC522.__new__(SimpleMFRC522)
simple.READER = Reader()
number = simple.read_id()
other_order = int.from_bytes(uid, "little")
print(f"UID {uid.hex()}: {int.from_bytes(uid, 'big')} or {other_order}; read_id: {number}, {number:x} in hexadecimal")
if f"{number:x}" != "1a2b3c4d40" or number >> 8 != int.from_bytes(uid, "big"):
    sys.exit("this has changed")
print("as described")
PY
