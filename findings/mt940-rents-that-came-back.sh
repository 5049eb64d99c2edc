#!/usr/bin/env bash
# mt-940 5.1.1 (PyPI), Python 3, and mt940-js 1.0.0 (npm), beside mt940js 1.3.5 (npm), readers of bank statements in
# the form MT940: a direct debit of a rent that the tenant's bank gives back is booked with `RC`, the reversal of a
# credit, and takes the money away again (`RD` brings a fee back).
# The first gives the amount of the `RC` without a minus; only `D` has one. In the second it is `isCredit: true`, as
# the rent itself, and the fee that comes back is none; `isExpense` is true for all four. The statement begins and ends
# with 1000 euros: summed up by the first two, 2400 and 2300 have come in. In the third they are 0.
# Beside it: in statements of German banks the account of the payer stands in `?31` and the name in `?32`;
# `applicant_name` of the first is both in one word, `DE00...789Ana Lee`.
# Whoever takes rents from a statement counts a returned one as paid twice, and finds no tenant of that name.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check mt-940==5.1.1
cd "$dir"
npm install --silent --no-fund --no-audit mt940-js@1.0.0 tslib@2.9.1 mt940js@1.3.5 >/dev/null
payer='?31DE00100000000123456789?32Ana Lee'
cat >statement.sta <<STA
:20:STMT
:25:10000000/0123456789
:28C:1/1
:60F:C261130EUR1000,00
:61:2612011201C1200,00NTRFNONREF
:86:166?00CREDIT?20Rent of Unit 101$payer
:61:2612031203RC1200,00NTRFNONREF
:86:166?00RETURN?20Rent of Unit 101$payer
:61:2612041204D50,00NMSCNONREF
:86:808?00FEE?20Fee
:61:2612051205RD50,00NMSCNONREF
:86:808?00FEE?20Fee given back
:62F:C261205EUR1000,00
-
STA
cat >read.py <<'PY'
import mt940

lines = mt940.parse("statement.sta")
print("mt-940:", *[f"{line.data['status']} {line.data['amount'].amount}" for line in lines], sep=", ")
opening, closing = (lines.data[f"final_{end}_balance"].amount.amount for end in ("opening", "closing"))
print(f"mt-940: {closing - opening} by the balances, {sum(line.data['amount'].amount for line in lines)} by the lines")
print("mt-940: from", lines[0].data["applicant_name"])
PY
cat >read.cjs <<'JS'
const text = require('fs').readFileSync('statement.sta');
require('mt940-js').read(text).then(([{ transactions }]) => {
  const signed = transactions.map(({ isCredit, amount }) => (isCredit ? amount : -amount));
  console.log('mt940-js:', signed.join(', '), 'sum', signed.reduce((a, b) => a + b));
  const [other] = new (require('mt940js').Parser)().parse(text.toString());
  const amounts = other.transactions.map(({ amount }) => amount);
  console.log('mt940js:', amounts.join(', '), 'sum', amounts.reduce((a, b) => a + b));
});
JS
{ venv/bin/python read.py; node read.cjs; } | tee seen
cat >expected <<'TXT'
mt-940:, C 1200.00, RC 1200.00, D -50.00, RD 50.00
mt-940: 0.00 by the balances, 2400.00 by the lines
mt-940: from DE00100000000123456789Ana Lee
mt940-js: 1200, 1200, -50, -50 sum 2300
mt940js: 1200, -1200, -50, 50 sum 0
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
