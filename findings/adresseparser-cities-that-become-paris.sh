#!/usr/bin/env bash
# AdresseParser 1.0.9 (PyPI), Python 3, addresses of France: where it finds no postal code it says 75001, Paris. It
# finds none where the city has a character that is not in its list (a-z, some of the accents, blank, hyphen): neither ç
# nor â, no capital with an accent, no apostrophe. `25000 Besançon`, `71000 Mâcon`, `42000 Saint-Étienne` and `95290
# L'Isle-Adam` have the code 75001, the department Paris and no city; `69100 Villeurbanne` is right.
# Beside it: C behind the number is read as `ter` and B as `bis`, so that `compare` calls 12 C and 12 ter one address;
# the next letter of such a row of houses, A, goes into the street (`A VICTOR HUGO`). In the names of streets numbers
# are gone: `rue du 8 Mai 1945` is `MAI`.
# No error is raised, and all of the fields are filled. Whoever groups residents by city finds them in Paris.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check AdresseParser==1.0.9 pandas==2.3.3
cat >"$dir/parse.py" <<'PY'
from AdresseParser import AdresseParser

parser = AdresseParser()
cities = ("69100 Villeurbanne", "25000 Besançon", "71000 Mâcon", "42000 Saint-Étienne", "95290 L'Isle-Adam")
for city in cities:
    found = parser.parse(f"12 rue Victor Hugo {city}")
    print(f"{city}: {found['code_postal']}, {found['ville']['nom'] or 'no city'}, {found['departement']['nom']}")
for house in ("12 A rue Victor Hugo", "12 B rue Victor Hugo", "12 C rue Victor Hugo", "3 rue du 8 Mai 1945"):
    found = parser.parse(f"{house} 69100 Villeurbanne")
    print(f"{house}: {found['numero']}, {found['indice']}, {found['rue']['nom']}")
one, other = (f"{number} rue Victor Hugo 69100 Villeurbanne" for number in ("12 C", "12 ter"))
print("12 C and 12 ter are one address:", parser.compare(one, other))
PY
PYTHONWARNINGS=ignore "$dir/venv/bin/python" "$dir/parse.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
69100 Villeurbanne: 69100, VILLEURBANNE, Rhône
25000 Besançon: 75001, no city, Paris
71000 Mâcon: 75001, no city, Paris
42000 Saint-Étienne: 75001, no city, Paris
95290 L'Isle-Adam: 75001, no city, Paris
12 A rue Victor Hugo: 12, None, A VICTOR HUGO
12 B rue Victor Hugo: 12, BIS, VICTOR HUGO
12 C rue Victor Hugo: 12, TER, VICTOR HUGO
3 rue du 8 Mai 1945: 3, None, MAI
12 C and 12 ter are one address: True
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
