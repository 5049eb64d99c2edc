#!/usr/bin/env bash
# ldif2json 1.0.8 beside ldif3 3.2.2 (both PyPI), Python 3, on one export of a directory. LDIF folds long lines: the
# next one begins with a blank and goes on with the value (RFC 2849, note 2). The first package strips each line and
# then takes whatever has a colon and a blank in it, so that the rest of a folded value is gone.
# An e-mail loses its end and still looks like one (`...@residents-of-the-old-mi`), a sentence stops in the middle, and
# where the rest has a colon it becomes an attribute of its own (`the office; note`). ldapsearch folds unless told not
# to, and the README pipes its output in.
# An attribute without a blank behind its colon (`uid:bo`), which the RFC allows, is not there at all, and `version: 1`
# is a person. Nothing is said and the exit code is 0; with short values all is well.
# Whoever feeds residents from a directory sends what is meant for them to addresses that are not theirs.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check ldif2json==1.0.8 ldif3==3.2.2
cat >"$dir/people.ldif" <<'LDIF'
version: 1

dn: uid=ana,ou=people,dc=home,dc=example
uid: ana
mail: ana@home.example
description: Unit 101, moves out at the end of the month and leaves the keys in
  the office; note: leaves a bike

dn: uid=bo,ou=people,dc=home,dc=example
uid:bo
mail: bo.of.the.house.at.the.end.of.the.street@residents-of-the-old-mi
 ll.example

LDIF
cat >"$dir/other.py" <<'PY'
import json
import sys
from ldif3 import LDIFParser

people = [dict(entry, dn=[dn]) for dn, entry in LDIFParser(open(sys.argv[1], "rb")).parse()]
print(json.dumps([{key: value[0] for key, value in person.items()} for person in people]))
PY
"$dir/venv/bin/python" "$dir/other.py" "$dir/people.ldif" >"$dir/ldif3.json"
"$dir/venv/bin/ldif2json" "$dir/people.ldif" >"$dir/ldif2json.json"
cat >"$dir/show.py" <<'PY'
import json
import sys

for name in ("ldif3", "ldif2json"):
    for person in json.load(open(f"{sys.argv[1]}/{name}.json")):
        for key in sorted(set(person) - {"dn"}):
            print(f"{name}: {key} = {person[key]}")
PY
"$dir/venv/bin/python" "$dir/show.py" "$dir" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
ldif3: description = Unit 101, moves out at the end of the month and leaves the keys in the office; note: leaves a bike
ldif3: mail = ana@home.example
ldif3: uid = ana
ldif3: mail = bo.of.the.house.at.the.end.of.the.street@residents-of-the-old-mill.example
ldif3: uid = bo
ldif2json: version = 1
ldif2json: description = Unit 101, moves out at the end of the month and leaves the keys in
ldif2json: mail = ana@home.example
ldif2json: the office; note = leaves a bike
ldif2json: uid = ana
ldif2json: mail = bo.of.the.house.at.the.end.of.the.street@residents-of-the-old-mi
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
