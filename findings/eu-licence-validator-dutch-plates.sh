#!/usr/bin/env bash
# eu-licence-validator 0.1.27 (PyPI), Python 3, "European licence plate validation", beside license-plate 2.2.1 (npm),
# for Dutch plates: of the series of the Netherlands, told apart by where letters and digits stand, it knows 1, 3 and 7.
# Cars have had series 8 since 2013, 9 since 2015, 10 since 2019 and 11 since 2024; plates of all of these, and of the
# older series 2, 4, 5 and 6, are `False` for `NL`. The second package knows them all.
# German plates whose district has an umlaut (FÜ is Fürth, TÜ is Tübingen) are False too, while `TU`, which is no
# district, is True. Sweden, Denmark and more countries of the EU are not in it; their plates are False as well, which
# is also the answer for a wrong plate, and no error tells the two apart. Its description does not say which are in it.
# A garage that checks residents' plates with it refuses the Dutch cars of the last ten years and more.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check eu-licence-validator==0.1.27 wasmtime==50.0.1
cd "$dir"
npm install --silent --no-fund --no-audit license-plate@2.2.1 >/dev/null
series=(GB-12-34 12-34-GB 12-GB-34 GB-12-HK GB-HK-12 12-GB-HK 12-GBH-3 1-GBH-23 GB-123-H G-123-HK GBH-12-K)
cat >python.py <<'PY'
import sys
from eu_licence_validator import is_valid

for plate in sys.argv[1:]:
    print(is_valid(plate, "NL"))
PY
cat >node.cjs <<'JS'
const LicensePlate = require('license-plate').default;
for (const plate of process.argv.slice(2)) console.log(new LicensePlate(plate).valid());
JS
paste -d ' ' <(printf '%s\n' "${series[@]}") <(venv/bin/python python.py "${series[@]}") \
  <(node node.cjs "${series[@]}") | nl -w 1 -s ' ' | tee seen
cat >other.py <<'PY'
from eu_licence_validator import is_valid

for country, *plates in (("DE", "FÜ-AB 12", "TÜ-AB 12", "TU-AB 12"), ("SE", "ABC 123"), ("DK", "AB 12 345")):
    print(country, *[f"{plate} {is_valid(plate, country)}" for plate in plates], sep=", ")
PY
venv/bin/python other.py | tee -a seen
cat >expected <<'TXT'
1 GB-12-34 True true
2 12-34-GB False true
3 12-GB-34 True true
4 GB-12-HK False true
5 GB-HK-12 False true
6 12-GB-HK False true
7 12-GBH-3 True true
8 1-GBH-23 False true
9 GB-123-H False true
10 G-123-HK False true
11 GBH-12-K False true
DE, FÜ-AB 12 False, TÜ-AB 12 False, TU-AB 12 True
SE, ABC 123 False
DK, AB 12 345 False
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
