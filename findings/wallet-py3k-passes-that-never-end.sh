#!/usr/bin/env bash
# wallet-py3k 0.0.4 beside py-pkpass 1.0.2 (both PyPI), Python 3, and Passbook 1.0.2, whose fork for Python 3 the first
# one is: they make passes for the iPhone's Wallet. A guest's pass ends by `expirationDate`, as Apple calls it in
# `pass.json`, and so do the original and the second package. In the first the attribute is `exprirationDate`; its README
# says only that it supports Python 3 and names no attributes of this kind.
# `pass.expirationDate = "2026-12-03T11:00:00+01:00"` is taken without an error, as any name is, and read back it is
# there; in the pass it is not. `voided`, beside it in the same class, works, and so does `relevantDate`.
# Whoever moves from the original to Python 3 by it, with not a line changed, gives guests passes without an end.
# Exits with 0 while this is so, with 1 when it has changed. (The original, for Python 2, is only looked at.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/give.py" <<'PY'
import json, sys

name = sys.argv[1]
if name == "py-pkpass":
    from py_pkpass.models import Generic, Pass, PassHandler
else:
    from wallet.models import Generic, Pass, PassHandler

one = Pass(Generic(), passTypeIdentifier="pass.example.oak", organizationName="Oak", teamIdentifier="ABCDE12345")
one.relevantDate = "2026-12-01T16:00:00+01:00"
one.expirationDate = "2026-12-03T11:00:00+01:00"
one.voided = True
made = json.loads(json.dumps(one, default=PassHandler))
print(f"{name}: set to {one.expirationDate}; in the pass:", {
    key: made.get(key) for key in ("relevantDate", "expirationDate", "voided")
})
PY
for package in py-pkpass==1.0.2 wallet-py3k==0.0.4; do
  python3 -m venv "$dir/$package"
  "$dir/$package/bin/pip" install --quiet --disable-pip-version-check "$package"
  "$dir/$package/bin/python" "$dir/give.py" "${package%%=*}"
done | tee "$dir/seen"
"$dir/wallet-py3k==0.0.4/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$dir/original" Passbook==1.0.2
echo "Passbook: $(grep -o "self.exp[a-z]*Date" "$dir/original/passbook/models.py" | sort -u)" | tee -a "$dir/seen"
cat >"$dir/expected" <<'TXT'
py-pkpass: set to 2026-12-03T11:00:00+01:00; in the pass: {'relevantDate': '2026-12-01T16:00:00+01:00', 'expirationDate': '2026-12-03T11:00:00+01:00', 'voided': True}
wallet-py3k: set to 2026-12-03T11:00:00+01:00; in the pass: {'relevantDate': '2026-12-01T16:00:00+01:00', 'expirationDate': None, 'voided': True}
Passbook: self.expirationDate
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
