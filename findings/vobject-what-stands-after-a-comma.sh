#!/usr/bin/env bash
# vobject 0.9.9 (PyPI), Python 3, vCards: what stands after a comma is gone, both in `value` and in what `serialize`
# writes. `NICKNAME:Annie,Nan` are two nicknames (RFC 2426, 3.1.3) and become one; a link may have a comma in it, which
# a URI does not escape, and `URL:https://door.example/units?ids=101,102` becomes the link to one unit. No error is
# raised and no place keeps the rest. `CATEGORIES` is read as a list, and so are `ORG` and the parts of `N`.
# An address book that reads a contact, changes the phone and writes it back cuts links and drops nicknames; whoever
# looks residents up by nickname finds them by the first one alone.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check vobject==0.9.9
"$dir/venv/bin/python" - <<'PY' | tee "$dir/seen"
import vobject

lines = ["BEGIN:VCARD", "VERSION:3.0", "FN:Ana Smith", "N:Smith;Ana;;;", "NICKNAME:Annie,Nan",
         "URL:https://door.example/units?ids=101,102", "CATEGORIES:resident,owner", "END:VCARD", ""]
card = vobject.readOne("\r\n".join(lines))
for name in ("nickname", "url", "categories"):
    print(f"{name}: {getattr(card, name).value}")
written = card.serialize().split("\r\n")
for line in sorted(set(lines) ^ set(written)):
    print("lost" if line in lines else "written instead", line)
PY
cat >"$dir/expected" <<'TXT'
nickname: Annie
url: https://door.example/units?ids=101
categories: ['resident', 'owner']
written instead NICKNAME:Annie
lost NICKNAME:Annie,Nan
written instead URL:https://door.example/units?ids=101
lost URL:https://door.example/units?ids=101,102
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
