#!/usr/bin/env bash
# iban-qr-code 1.0.0 beside sepa-payment-qr-code 2.0.2 (both npm), the text of the code on a bill that a bank's app reads
# (EPC069-12): the amount, the reason and, in its version 002, the BIC may be left out. In `girocode` they are then those
# of a trial: the BIC DEZZZYYYXXX, 19.05 euros and the reason `Testsubject`; so are the name (Max Mustermann) and the
# IBAN. In its own `bezahlcode`, the older form, and in the second package they are empty, or 0,00 euros. The README
# shows all of the fields given, as empty texts, and does not say what is there otherwise.
# An amount as a text may be written the German way: `1.250,00` is 1250.00 and `1.250.000` a million and more, but
# `1.250`, a rent, is `EUR1.250`, and so is `1,250`.
# Whoever has a code on the bill for a deposit, its amount open, asks for 19.05 euros, at a bank that there is not.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts iban-qr-code@1.0.0 sepa-payment-qr-code@2.0.2
cat >code.js <<'JS'
const { girocode, bezahlcode } = require("iban-qr-code");
const other = require("sepa-payment-qr-code");

const show = (name, text) => {
  const [, , , , bic, to, iban, amount, , , reason] = text.split("\n");
  console.log(`${name}: to ${to} at '${bic}', ${iban}, '${amount}', '${reason}'`);
};
const oak = { name: "Oak", iban: "DE89370400440532013000" };
const all = { ...oak, bic: "COBADEFFXXX", reason: "Rent" };
show("sepa-payment-qr-code, what must be", other({ ...oak, amount: null }));
show("girocode, what must be", girocode({ ...oak, version: "002" }));
console.log(`bezahlcode, what must be: ${bezahlcode(oak)}`);
for (const amount of [1250, "1250", "1250,00", "1.250,00", "1.250.000", "1.250", "1,250"]) {
  show(`girocode, ${JSON.stringify(amount)}`, girocode({ ...all, amount }));
}
JS
node code.js | tee seen
cat >expected <<'TXT'
sepa-payment-qr-code, what must be: to Oak at '', DE89370400440532013000, '', ''
girocode, what must be: to Oak at 'DEZZZYYYXXX', DE89370400440532013000, 'EUR19.05', 'Testsubject'
bezahlcode, what must be: bank://singlepaymentsepa?bic=&name=Oak&iban=DE89370400440532013000&amount=0%2C00&separeference=&reason=
girocode, 1250: to Oak at 'COBADEFFXXX', DE89370400440532013000, 'EUR1250', 'Rent'
girocode, "1250": to Oak at 'COBADEFFXXX', DE89370400440532013000, 'EUR1250.00', 'Rent'
girocode, "1250,00": to Oak at 'COBADEFFXXX', DE89370400440532013000, 'EUR1250.00', 'Rent'
girocode, "1.250,00": to Oak at 'COBADEFFXXX', DE89370400440532013000, 'EUR1250.00', 'Rent'
girocode, "1.250.000": to Oak at 'COBADEFFXXX', DE89370400440532013000, 'EUR1250000.00', 'Rent'
girocode, "1.250": to Oak at 'COBADEFFXXX', DE89370400440532013000, 'EUR1.250', 'Rent'
girocode, "1,250": to Oak at 'COBADEFFXXX', DE89370400440532013000, 'EUR1.250', 'Rent'
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
