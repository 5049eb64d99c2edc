#!/usr/bin/env bash
# nameparser 1.1.3 (PyPI), Python 3: a name in the form `Last, First` whose last name has two parts loses the second one
# where that part is also an academic abbreviation: `Kim Do, Ana` gives last `Kim` and suffix `Do`; `Do, Ana` keeps `Do`.
# Vietnamese and Chinese names in residents' lists have this form. Whoever splits names with it before comparing two
# records takes `Kim Do` and `Kim` for one last name.
# Beside it: what is left beside a title is a first name or a last name, depending on the title: `Queen Smith` has the
# first name `Smith`, `Judge Smith` the last name `Smith`.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check nameparser==1.1.3
"$dir/venv/bin/python" - <<'PY'
import sys
from nameparser import HumanName

seen = {}
for text in ["Do, Ana", "Kim Do, Ana", "Nguyen Ma, Ana", "Queen Smith", "Judge Smith"]:
    name = HumanName(text)
    seen[text] = (name.title, name.first, name.last, name.suffix)
    print(f"{text!r}: title {name.title!r}, first {name.first!r}, last {name.last!r}, suffix {name.suffix!r}")
expected = {
    "Do, Ana": ("", "Ana", "Do", ""),
    "Kim Do, Ana": ("", "Ana", "Kim", "Do"),
    "Nguyen Ma, Ana": ("", "Ana", "Nguyen", "Ma"),
    "Queen Smith": ("Queen", "Smith", "", ""),
    "Judge Smith": ("Judge", "", "Smith", ""),
}
if seen != expected:
    sys.exit("this has changed: expected " + repr(expected))
print("as described")
PY
