#!/usr/bin/env bash
# wiegand-calculator 0.0.1 (PyPI), Python 3: from the number in a tag (24 bits) to the one that door controllers list,
# facility code and card number side by side, and back. The card number is not filled up to its five digits, so that
# cards of different facilities get one number: 1-23456, 12-3456 and 123-456 are all 123456.
# The way back takes the last five digits for the card: 123456 is 1-23456, whichever card it was. Short card numbers
# are refused or become another card; what comes back for the refused ones is a text in place of a number.
# An office that buys a second box of cards with another facility code finds two people under one number.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check wiegand-calculator==0.0.1
"$dir/venv/bin/python" - <<'PY' | tee "$dir/seen"
from contextlib import redirect_stdout
from io import StringIO
from wiegand_calculator.wiegand import convert_from_wiegand, convert_to_wiegand

for facility, card in [(1, 23456), (12, 3456), (123, 456), (12, 345)]:
    tag = facility << 16 | card
    number = convert_to_wiegand(tag)
    with redirect_stdout(StringIO()):
        back = convert_from_wiegand(number)
    came = f"{back >> 16}-{back & 0xFFFF}" if isinstance(back, int) else f"a {type(back).__name__}"
    print(f"{facility}-{card}: {number}, and back: {came}")
PY
cat >"$dir/expected" <<'TXT'
1-23456: 123456, and back: 1-23456
12-3456: 123456, and back: 1-23456
123-456: 123456, and back: 1-23456
12-345: 12345, and back: a str
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
