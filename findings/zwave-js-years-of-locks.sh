#!/usr/bin/env bash
# @zwave-js/cc 15.29.0 (npm), the commands of zwave-js: a schedule of days for a lock's user code (Schedule Entry Lock)
# takes `startYear` and `stopYear` as numbers, and takes 2026. What is sent is the lowest byte of it, 234; Z-Wave has the
# years 0 to 99 there. Right is 26. Neither the types nor the check of the arguments say so, and the log says the
# contrary: `2026-12-01` for the wrong one, `0026-12-01` for the right one.
# A code for a stay goes to the lock with the year 234, and whoever looks into the log sees the dates that were meant.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-fund --no-audit @zwave-js/cc@15.29.0 >/dev/null
cat >years.js <<'JS'
const { ScheduleEntryLockCCYearDayScheduleSet } = require('@zwave-js/cc');
const context = { getHighestSecurityClass() {}, getSupportedCCVersion: () => 3, getDeviceConfig() {} };
(async () => {
  const seen = [];
  for (const year of [26, 2026]) {
    const command = new ScheduleEntryLockCCYearDayScheduleSet({
      nodeId: 2, endpointIndex: 0, userId: 1, slotId: 1, action: 1,
      startYear: year, startMonth: 12, startDay: 1, startHour: 16, startMinute: 0,
      stopYear: year, stopMonth: 12, stopDay: 31, stopHour: 11, stopMinute: 0,
    });
    await command.serialize(context);
    const log = command.toLogEntry({ getNode() {} }).message['start date'];
    seen.push(`${year}: sent ${command.payload[3]} and ${command.payload[8]}, logged ${log}`);
    console.log(seen.at(-1));
  }
  const expected = ['26: sent 26 and 26, logged 0026-12-01 16:00', '2026: sent 234 and 234, logged 2026-12-01 16:00'];
  const changed = seen.join() !== expected.join();
  console.log(changed ? 'this has changed' : 'as described');
  process.exit(changed ? 1 : 0);
})();
JS
node years.js
