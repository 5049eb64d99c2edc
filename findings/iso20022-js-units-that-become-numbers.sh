#!/usr/bin/env bash
# iso20022.js 0.0.15 (npm), reads statements of a bank in the form camt.053: what stands in an element and looks like a
# number becomes one. A comment of its source says that this is not wanted, as zeros in front and long numbers suffer, and
# excepts the elements `Cd` and `NtryRef`; accounts, routing numbers, references and the purpose are not among them.
# The account 0012345678 is the text `12345678`, and the payer's bank 021000021 is 21000021. A purpose that is no more
# than a unit loses the zero of `0101`; unit 10 of house 101, `101.10`, is 101.1, as unit 1 is. With a word
# beside it, as in `Rent 0101`, it stays.
# Beside it: `reversal` is false for a rent that the bank takes back, as it asks for the text "true" of what has become
# the value true by then; and 1200.10 is 120009.99999999999 cents.
# Whoever finds the tenant by the purpose or the account finds none, or the neighbour, and takes back no rent.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts iso20022.js@0.0.15 fast-xml-parser@4.5.7 strnum@1.1.2
cat >read.mjs <<'JS'
import { CashManagementEndOfDayReport } from "./node_modules/iso20022.js/dist/index.mjs";

const entry = (amount, purpose, { indicator = "CRDT", reversal = "false", account = "0012345678", bank = "021000021" } = {}) =>
  `<Ntry><NtryRef>0001</NtryRef><Amt Ccy="USD">${amount}</Amt><CdtDbtInd>${indicator}</CdtDbtInd><RvslInd>${reversal}</RvslInd>
  <Sts>BOOK</Sts><BookgDt><Dt>2026-12-01</Dt></BookgDt><BkTxCd><Prtry><Cd>0165</Cd></Prtry></BkTxCd><NtryDtls><TxDtls>
  <Refs><AcctSvcrRef>0042</AcctSvcrRef></Refs><RltdPties><Dbtr><Nm>Ana Lee</Nm></Dbtr><DbtrAcct><Id><Othr>
  <Id>${account}</Id></Othr></Id></DbtrAcct></RltdPties><RltdAgts><DbtrAgt><FinInstnId><Othr><Id>${bank}</Id></Othr>
  </FinInstnId></DbtrAgt></RltdAgts><RmtInf><Ustrd>${purpose}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>`;
const xml = `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
  <GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-12-01T08:00:00Z</CreDtTm></GrpHdr><Stmt><Id>S1</Id>
  <CreDtTm>2026-12-01T08:00:00Z</CreDtTm><Acct><Id><Othr><Id>0012300000</Id></Othr></Id><Svcr><FinInstnId><Othr>
  <Id>021000021</Id></Othr></FinInstnId></Svcr></Acct>
  ${entry("1200.00", "Rent 0101", { bank: "321000021", account: "AB0012345678" })}
  ${entry("1200.00", "0101")}${entry("1200.00", "101.10")}${entry("1200.00", "101.1")}
  ${entry("1200.10", "Rent 102")}
  ${entry("1200.00", "Rent 0101", { indicator: "DBIT", reversal: "true" })}
  </Stmt></BkToCstmrStmt></Document>`;
const report = CashManagementEndOfDayReport.fromXML(xml);
const [statement] = report.statements;
console.log(`our account ${JSON.stringify(statement.account)}, at ${JSON.stringify(statement.agent)}`);
for (const one of statement.entries) {
  const [{ remittanceInformation, accountServicerReferenceId, debtor }] = one.transactions;
  console.log(`${one.referenceId} ${one.creditDebitIndicator} ${one.amount}, reversal ${one.reversal}:`, JSON.stringify(
    [remittanceInformation, accountServicerReferenceId, debtor.account.accountNumber, debtor.agent.routingNumber]));
}
JS
node read.mjs | tee seen
cat >expected <<'TXT'
our account {"accountNumber":"12300000"}, at {"routingNumber":21000021}
0001 credit 120000, reversal false: ["Rent 0101",42,"AB0012345678",321000021]
0001 credit 120000, reversal false: [101,42,"12345678",21000021]
0001 credit 120000, reversal false: [101.1,42,"12345678",21000021]
0001 credit 120000, reversal false: [101.1,42,"12345678",21000021]
0001 credit 120009.99999999999, reversal false: ["Rent 102",42,"12345678",21000021]
0001 debit 120000, reversal false: ["Rent 0101",42,"12345678",21000021]
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
