#!/usr/bin/env bash
# node-bacnet 0.2.4, bacstack 0.0.1-beta.14 and @bacnet-js/client 3.3.2 (all npm), three of one descent, for BACnet, which
# door schedules and building controllers speak. A date has four bytes there: the year from 1900, the month from 1 to 12
# (13 and 14 are odd and even ones), the day, and the day of the week; each may be FF, "any" (ASHRAE 135, 20.2.12).
# The first two count months from 0, in both directions. What they write they read back, and every other device is a
# month off: 2026-12-01 goes out as November with the weekday of December, a day in January as month 0; December read
# from a controller is January of the next year, and January 31 is March 3. `timeSync`, "yes" in the README's table of
# what is supported, sets the clocks of all devices a month back.
# The third has the months right. A date whose day of the week is "any" is 1900-01-01 there (`raw`, which has its bytes,
# is not in what a read property gives); and the time stamp of an event, a door forced on December 15, a Tuesday, has
# the number of the weekday as its day: December 2. The first two have no date for it.
# Whoever sets a holiday by the first two shuts the house a month early; trials with two such programs show nothing.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts \
  node-bacnet@0.2.4 bacstack@0.0.1-beta.14 @bacnet-js/client@3.3.2
cat >dates.js <<'JS'
const day = (date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, 0)}-${String(date.getDate()).padStart(2, 0)}`;
const hex = (text) => Buffer.from(text.replaceAll(" ", ""), "hex");
const EVENT_TIME_STAMPS = 130;

for (const name of ["node-bacnet", "bacstack", "@bacnet-js/client"]) {
  const codec = require(name === "@bacnet-js/client" ? "./node_modules/@bacnet-js/client/dist/lib/asn1.js" : `${name}/lib/asn1`);
  for (const date of [new Date(2026, 11, 1), new Date(2027, 0, 31)]) {
    const out = { buffer: Buffer.alloc(8), offset: 0 };
    codec.encodeApplicationDate(out, date);
    const bytes = out.buffer.subarray(1, 5);
    const back = codec.decodeDate(bytes, 0).value;
    console.log(`${name}: ${day(date)} goes out as ${bytes.toString("hex")}, back ${day(back)}`);
  }
  for (const bytes of ["7E 0C 01 02", "7F 01 1F 07", "7E 0C 01 FF"]) {
    const { value } = codec.bacappDecodeApplicationData(hex(`A4 ${bytes}`), 0, 5, 0, 0);
    console.log(`${name}: ${bytes} comes in as ${day(value)}`);
  }
  const stamp = hex("2E A4 7E 0C 0F 02 B4 08 1E 00 00 2F");
  const { value } = codec.bacappDecodeApplicationData(stamp, 0, stamp.length, 0, EVENT_TIME_STAMPS);
  const clock = { buffer: Buffer.alloc(16), offset: 0 };
  const services = require(name === "@bacnet-js/client" ? "./node_modules/@bacnet-js/client/dist/lib/services" : `${name}/lib/services`);
  (services.timeSync ?? services.TimeSync).encode(clock, new Date(2026, 11, 1, 8, 30));
  console.log(`${name}: the clocks are set to ${clock.buffer.subarray(1, 5).toString("hex")}`);
  console.log(`${name}: an event of 7E 0C 0F 02 is one of ${isNaN(value) ? "no date" : day(value)}`);
}
JS
node dates.js | tee seen
cat >expected <<'TXT'
node-bacnet: 2026-12-01 goes out as 7e0b0102, back 2026-12-01
node-bacnet: 2027-01-31 goes out as 7f001f07, back 2027-01-31
node-bacnet: 7E 0C 01 02 comes in as 2027-01-01
node-bacnet: 7F 01 1F 07 comes in as 2027-03-03
node-bacnet: 7E 0C 01 FF comes in as 2027-01-01
node-bacnet: the clocks are set to 7e0b0102
node-bacnet: an event of 7E 0C 0F 02 is one of no date
bacstack: 2026-12-01 goes out as 7e0b0102, back 2026-12-01
bacstack: 2027-01-31 goes out as 7f001f07, back 2027-01-31
bacstack: 7E 0C 01 02 comes in as 2027-01-01
bacstack: 7F 01 1F 07 comes in as 2027-03-03
bacstack: 7E 0C 01 FF comes in as 2027-01-01
bacstack: the clocks are set to 7e0b0102
bacstack: an event of 7E 0C 0F 02 is one of no date
@bacnet-js/client: 2026-12-01 goes out as 7e0c0102, back 2026-12-01
@bacnet-js/client: 2027-01-31 goes out as 7f011f07, back 2027-01-31
@bacnet-js/client: 7E 0C 01 02 comes in as 2026-12-01
@bacnet-js/client: 7F 01 1F 07 comes in as 2027-01-31
@bacnet-js/client: 7E 0C 01 FF comes in as 1900-01-01
@bacnet-js/client: the clocks are set to 7e0c0102
@bacnet-js/client: an event of 7E 0C 0F 02 is one of 2026-12-02
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
