#!/usr/bin/env bash
# structured-data-transformer 0.2.1 (PyPI), Python 3, and data-anonymizer 0.1.0 (npm): both put something made up in
# the place of what is personal, always the same for the same value, and the first takes it back with the table that it
# writes. Two people may get the same, which neither README speaks of.
# In the first a name is drawn for each person and never compared with those given out before: 5000 residents have 4794
# names. The way back (`--reverse-cache`) turns the table round, where there is room for one of the two: 206 residents
# come back as somebody else, and no error is raised. With ten or twenty people it comes out even.
# The second replaces each digit by a digit: the 900 units from 100 to 999 become 576, which look like units as before.
# Whoever tries a change on such data finds two tenants in one unit that nobody has; whoever turns an answer back into
# names tells it to the wrong resident.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check structured-data-transformer==0.2.1 faker==37.4.2
cd "$dir"
npm install --silent --no-fund --no-audit data-anonymizer@0.1.0 >/dev/null
cat >run.py <<'PY'
import csv
import json
import sys
from faker import Faker
from structured_data_transformer import main

Faker.seed(7)


def names():
    return [row["name"] for row in csv.DictReader(open("data/residents.csv"))]


people = [f"Resident {number}" for number in range(5000)]
with open("data/residents.csv", "w") as file:
    file.write("name\n" + "".join(f"{name}\n" for name in people))
json.dump([{"adapter": "csv", "glob": ["*.csv"], "transforms": {"name": "fake_name"}}], open("config.json", "w"))
sys.argv = ["sdt", "-c", "config.json", "-d", "data", "-co", "key.json"]
main()
print(f"structured-data-transformer: {len(people)} residents have {len(set(names()))} names")
sys.argv = ["sdt", "-c", "config.json", "-d", "data", "-ci", "key.json", "-r"]
main()
print("and back:", sum(a != b for a, b in zip(names(), people)), "are somebody else")
PY
cat >run.cjs <<'JS'
const anonymizer = new (require('data-anonymizer'))({ seed: 'seed' });
const units = Array.from({ length: 900 }, (_, index) => String(100 + index));
const names = units.map((unit) => anonymizer.anonymize(unit));
console.log(`data-anonymizer: ${units.length} units have ${new Set(names).size} names`);
JS
mkdir data
{ venv/bin/python run.py 2>/dev/null; node run.cjs; } | tee seen
cat >expected <<'TXT'
structured-data-transformer: 5000 residents have 4794 names
and back: 206 are somebody else
data-anonymizer: 900 units have 576 names
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
