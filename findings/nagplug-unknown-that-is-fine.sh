#!/usr/bin/env bash
# nagplug 1.1 beside monitool 0.1.1 and mplugin 2.0.0 (all PyPI), Python 3, for plugins of Nagios and Icinga that ask
# after several things and tell the worst of them: UNKNOWN, the answer for what could not be asked, is worth nothing in
# the first. With one thing OK and one UNKNOWN the plugin ends with 0 and says OK, in either order, and of the UNKNOWN
# there is not a word. With WARNING it is likewise.
# `get_code` is described as the worst of all results, and UNKNOWN only if there are none. Told alone it is UNKNOWN, so
# that a trial with one thing is right. In the second, UNKNOWN is above OK and WARNING; in the third it is above all.
# Whoever watches the feeds of several properties in one check is told that all is well while one system does not
# answer, for as long as another does.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check \
  setuptools==80.9.0 wheel==0.45.1 monitool==0.1.1 mplugin==2.0.0
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation nagplug==1.1
cat >"$dir/feeds.py" <<'PY'
import sys
import nagplug

plugin = nagplug.Plugin(name="feeds", add_stdargs=False)
for house, state in zip(("Elm", "Oak"), sys.argv[1:]):
    plugin.add_result(getattr(nagplug, state), f"{house} {state.lower()}")
plugin.finish()
PY
cat >"$dir/others.py" <<'PY'
import sys
import monitool
import mplugin

states = sys.argv[1:]
one = max(monitool.Status[state] for state in states).name
two = mplugin.worst([getattr(mplugin, state.lower()) for state in states])
print(f"  monitool: {one}, mplugin: {str(two).upper()}")
PY
for states in "UNKNOWN" "OK UNKNOWN" "UNKNOWN OK" "WARNING UNKNOWN" "CRITICAL UNKNOWN"; do
  code=0
  # shellcheck disable=SC2086
  line=$("$dir/venv/bin/python" "$dir/feeds.py" $states) || code=$?
  echo "$states: exit $code, $line" | sed 's/ | *$//'
  # shellcheck disable=SC2086
  "$dir/venv/bin/python" "$dir/others.py" $states
done | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
UNKNOWN: exit 3, FEEDS UNKNOWN - Elm unknown
  monitool: UNKNOWN, mplugin: UNKNOWN
OK UNKNOWN: exit 0, FEEDS OK - Elm ok
  monitool: UNKNOWN, mplugin: UNKNOWN
UNKNOWN OK: exit 0, FEEDS OK - Oak ok
  monitool: UNKNOWN, mplugin: UNKNOWN
WARNING UNKNOWN: exit 1, FEEDS WARNING - Elm warning
  monitool: UNKNOWN, mplugin: UNKNOWN
CRITICAL UNKNOWN: exit 2, FEEDS CRITICAL - Elm critical
  monitool: CRITICAL, mplugin: UNKNOWN
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
