#!/usr/bin/env bash
# us 4.0.0 (PyPI), Python 3, the states of the USA: `us.states.lookup` answers `W. Virginia` and `W Virginia` with
# Virginia. Names are compared by their sound, and a W before a consonant has none. `N. Dakota` and `S. Carolina` are
# None, so that the short forms look as if they were just not known. `N. Mexico` is New Mexico.
# Only surrounding blanks make an abbreviation unknown: `WV` is West Virginia, `WV ` (as from a column of fixed width) is
# None, and misspellings go either way: `Ilinois` is found, `Louisana` is not.
# Whoever completes residents' addresses with it moves a property into another state and sees no error.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check us==4.0.0 jellyfish==1.3.0
"$dir/venv/bin/python" - <<'PY'
import sys
import us

expected = {
    "West Virginia": "WV", "W. Virginia": "VA", "W Virginia": "VA", "N. Mexico": "NM", "N. Dakota": None,
    "S. Carolina": None, "WV": "WV", "WV ": None, "Ilinois": "IL", "Louisana": None,
}
seen = {}
for text in expected:
    state = us.states.lookup(text)
    seen[text] = state and state.abbr
    print(f"{text!r}: {seen[text]}")
if seen != expected:
    sys.exit("this has changed: expected " + repr(expected))
print("as described")
PY
