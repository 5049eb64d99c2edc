#!/usr/bin/env bash
# osdp 1.6 (PyPI), Python 3, a control panel for OSDP readers: whoever looks at an InputStatus (door contact, exit
# button) empties it. `statuses` is an iterator and not a list, so that printing the event, or finding out with `in`
# whether a contact is open, leaves nothing for the code after: a second look at the same reply sees a reader without
# inputs. OutputStatus and ReaderStatus are made likewise. A line of a debug log in front of the handler makes it blind.
# Beside it: a text for a while can't be put on a reader's display. `TextCommand.TempTextNoWrap` is 2, the code for a
# permanent text (OSDP has 3 for it), and so another name of `PermanentTextWithWrap`.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check osdp==1.6
"$dir/venv/bin/python" - <<'PY'
import sys
from osdp import InputStatus, PollCommand, ReaderTextOutput, Reply, TextCommand

# a reader's answer with two inputs, the second one active: start, address, length, control, type, inputs, checksum
message = bytes([0x53, 0x80, 9, 0, 0, 0x49, 0, 1])
message += bytes([-sum(message) & 0xFF])
reply = Reply.parse(message, None, PollCommand(0), None)
status = InputStatus.parse_data(reply)
first, second = repr(status), repr(status)
text = ReaderTextOutput(0, TextCommand.TempTextNoWrap, 5, 1, 1, "Welcome").build_data()
print(f"valid: {reply.is_valid_reply}; first look: {first}; second look: {second}")
print(f"temporary text: {TextCommand.TempTextNoWrap}, sent as code {text[1]}")
expected = (True, "Input: [False, True]", "Input: []", TextCommand.PermanentTextWithWrap, 2)
if (reply.is_valid_reply, first, second, TextCommand.TempTextNoWrap, text[1]) != expected:
    sys.exit("this has changed: expected " + repr(expected))
print("as described")
PY
