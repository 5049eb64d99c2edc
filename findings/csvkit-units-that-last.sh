#!/usr/bin/env bash
# csvkit 2.2.0 with agate 1.14.2 (PyPI): columns of units and names become times. `csvjson` makes the units `3H` and
# `12D` into `3:00:00` and `12 days, 0:00:00` (hours and days), `101 S` into `0:01:41`, the first names April and May
# into days of the year 1; wings called T and F become true and false. `3A` and `12B` stay, and a column changes only
# when all of its values can be read so: a small property's list is hit, a large one's is not.
# Whoever turns a vendor's nightly CSV file into JSON with it gets units that match nothing. `--no-inference` helps.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check \
  csvkit==2.2.0 agate==1.14.2 pytimeparse==1.1.10 parsedatetime==2.6
changed=0
check() { # two values of a column, the two in JSON, options
  local seen
  seen=$(printf 'x\n%s\n%s\n' "$1" "$2" | "$dir/venv/bin/csvjson" --snifflimit 0 "${@:5}")
  echo "$1 and $2${5:+ with $5}: $seen"
  [ "$seen" = "[{\"x\": $3}, {\"x\": $4}]" ] || changed=1
}
check 3H 12D '"3:00:00"' '"12 days, 0:00:00"'
check '101 S' '102 S' '"0:01:41"' '"0:01:42"'
check April May '"0001-04-01"' '"0001-05-01"'
check T F true false
check 3A 12B '"3A"' '"12B"'
check 3H 12A '"3H"' '"12A"'
check 3H 12D '"3H"' '"12D"' --no-inference
[ "$changed" = 0 ] || { echo "this has changed" >&2; exit 1; }
echo "as described"
