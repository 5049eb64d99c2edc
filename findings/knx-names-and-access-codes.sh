#!/usr/bin/env bash
# knx 2.5.4 and knxultimate 5.4.0 (both npm), two stacks for KNX, the wiring of a building: what the bus says about a
# door comes out as something else, in both.
# A text on the bus has 14 places, unused ones are zero bytes (DPT 16). They stay in what is read: `Unit 101` is 14 long
# and is no `Unit 101` when compared, though it looks like it in a log.
# An access code (DPT 15) has a digit in each half of its first three bytes, and in the fourth how it was read. Read, it
# is one number of all four: the code 123456, let in, is 305419843. Sent, the number 123456 becomes the digits 0, 0, 0,
# 1 and two that are none. The type is among the known ones; that it is not done stands only in a comment of the source.
# Whoever looks up the code that was typed at a door in a list of residents finds nobody.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-fund --no-audit --ignore-scripts knx@2.5.4 knxultimate@5.4.0 >/dev/null
cat >run.cjs <<'JS'
console.log = ((log) => (...words) => { if (words[0] === 'seen') log(...words.slice(1)); })(console.log);
const types = { knx: require('knx/src/dptlib'), knxultimate: require('knxultimate/build/dptlib') };
for (const [name, module] of Object.entries(types)) {
  const library = module.default ?? module;
  const read = (type, hex) => library.fromBuffer(Buffer.from(hex, 'hex'), library.resolve(type));
  const text = read('DPT16', Buffer.from('Unit 101'.padEnd(14, '\0')).toString('hex'));
  console.log('seen', `${name}: the text is 'Unit 101': ${text === 'Unit 101'}, length ${text.length}`);
  const apdu = {};
  library.populateAPDU(123456, apdu, 'DPT15.000');
  console.log('seen', `${name}: the code 123456 is read as ${read('DPT15.000', '12345643')}, ` +
    `sent as ${Buffer.from(apdu.data).toString('hex')}`);
}
process.exit(0);
JS
node run.cjs 2>/dev/null | grep '^knx' | tee seen
cat >expected <<'TXT'
knx: the text is 'Unit 101': false, length 14
knx: the code 123456 is read as 305419843, sent as 0001e240
knxultimate: the text is 'Unit 101': false, length 14
knxultimate: the code 123456 is read as 305419843, sent as 0001e240
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
