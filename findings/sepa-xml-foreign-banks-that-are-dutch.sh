#!/usr/bin/env bash
# sepa-xml 0.6.0 (npm), files of direct debits and transfers for a bank in Europe: the payer's BIC is "optional can be
# auto-found". It is looked up by the four characters behind the check digits of the IBAN, without the country, in a list
# of 71 banks, all of the Netherlands. A Romanian account at ING gets INGBNL2A, an Irish one at Citi CITINL2X, and one at
# Lloyds in London LOYDNL2A: banks of those names in the Netherlands. German and Spanish accounts have digits there and get no
# BIC; nothing tells a BIC that was found from one that was given.
# The README also says that "the final result" is validated and that there is an error if there is an issue with it.
# There is no such step: an IBAN with blanks, as in the README, stands in the file with its blanks and without a BIC, a
# third of a rent has 16 digits in its amount, and a missing mandate is `<MndtId></MndtId>`. A transaction with a wrong
# IBAN is left out; `addTransaction` answers `false` for it and nothing otherwise, and the totals are those of the rest.
# With Dutch tenants and round rents all of it is right.
# Whoever draws rents from tenants of other countries names a bank that does not have the account.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts sepa-xml@0.6.0
cat >draw.js <<'JS'
const SepaXML = require("sepa-xml");

const checked = (country, bban) => {
  const digits = [...`${bban}${country}00`].map((one) => parseInt(one, 36)).join("");
  return `${country}${String(98n - (BigInt(digits) % 97n)).padStart(2, "0")}${bban}`;
};
const file = new SepaXML("pain.008.001.02");
file.setHeaderInfo({ messageId: "rents-1", initiator: "Oak" });
file.setPaymentInfo({
  id: "rents-1", method: "DD", when: new Date(2026, 11, 1), creditorName: "Oak", creditorIBAN: checked("NL", "RABO0300065264"),
  creditorIdentifier: "NL63ZZZ400123790000", bic: "RABONL2U",
});
for (const [id, iban, amount, mandateId] of [
  ["Rotterdam", checked("NL", "INGB0001234567"), "1000.00", "M1"],
  ["Bucharest", checked("RO", "INGB0000999901234567"), "1000.00", "M2"],
  ["Dublin", checked("IE", "CITI99005112345678"), "1000.00", "M3"],
  ["London", checked("GB", "LOYD30963412345678"), "1000.00", "M4"],
  ["Berlin", checked("DE", "370400440532013000"), "1000.00", "M5"],
  ["blanks", checked("NL", "INGB0001234567").replace(/(.{4})/g, "$1 "), "1000.00", "M6"],
  ["a third", checked("NL", "INGB0001234567"), 1000 / 3, "M7"],
  ["no mandate", checked("NL", "INGB0001234567"), "1000.00"],
  ["wrong IBAN", "NL00INGB0001234567", "1000.00", "M8"],
]) {
  const mandateSignatureDate = "2026-11-01";
  console.log(`${id}: ${file.addTransaction({ id, iban, amount, name: "Ana", description: "Rent", mandateId, mandateSignatureDate })}`);
}
file.compile((error, xml) => {
  const value = (text, tag) => text.match(new RegExp(`<${tag}[^>]*>([^<]*)</${tag}>`))?.[1];
  console.log(`error ${error}, ${value(xml, "NbOfTxs")} transactions, ${value(xml, "CtrlSum")} euros`);
  for (const one of xml.split("<DrctDbtTxInf>").slice(1)) {
    const [id, iban, bic, amount, mandate] = ["EndToEndId", "IBAN", "BIC", "InstdAmt", "MndtId"].map((tag) => value(one, tag));
    console.log(`${id}: ${iban} at ${bic}, ${amount} euros, mandate '${mandate}'`);
  }
});
JS
node draw.js | tee seen
cat >expected <<'TXT'
Rotterdam: undefined
Bucharest: undefined
Dublin: undefined
London: undefined
Berlin: undefined
blanks: undefined
a third: undefined
no mandate: undefined
wrong IBAN: false
error null, 8 transactions, 7333.33 euros
Rotterdam: NL20INGB0001234567 at INGBNL2A, 1000.00 euros, mandate 'M1'
Bucharest: RO21INGB0000999901234567 at INGBNL2A, 1000.00 euros, mandate 'M2'
Dublin: IE58CITI99005112345678 at CITINL2X, 1000.00 euros, mandate 'M3'
London: GB07LOYD30963412345678 at LOYDNL2A, 1000.00 euros, mandate 'M4'
Berlin: DE89370400440532013000 at undefined, 1000.00 euros, mandate 'M5'
blanks: NL20 INGB 0001 2345 67 at undefined, 1000.00 euros, mandate 'M6'
a third: NL20INGB0001234567 at INGBNL2A, 333.3333333333333 euros, mandate 'M7'
no mandate: NL20INGB0001234567 at INGBNL2A, 1000.00 euros, mandate ''
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
