#!/usr/bin/env bash
# zigbee-herdsman-converters 26.112.0 (npm), what zigbee2mqtt says to a door lock: a code belongs to a user of the lock
# and has a `user_type` and a `user_enabled`, "whether the user is enabled/disabled". Where the code itself is not sent
# along, it is deleted: `{"user": 3, "user_enabled": false}` becomes `clearPinCode`, and so does a new type alone. The
# description has it that null clears; that leaving it out does so too is not said.
# Sent with the code, the other fields get their defaults: somebody who may come on weekdays (`week_day_schedule`) and
# gets a new code, without the type, is `unrestricted` from then on, and whoever was switched off is on again.
# To switch somebody off and on there is `user_status`, which touches nothing else.
# Whoever switches the cleaners' code off for a week has it gone, and by giving them a new one lets them in at night.
# Exits with 0 while this is so, with 1 when it has changed. (No lock is needed: what would be sent is looked at.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-fund --no-audit --ignore-scripts zigbee-herdsman-converters@26.112.0 >/dev/null
cat >run.cjs <<'JS'
const converters = require('zigbee-herdsman-converters/converters/toZigbee');
const meta = { mapped: { meta: { pinCodeCount: 30 } }, message: {} };
(async () => {
  for (const [converter, key, value] of [
    ['pincode_lock', 'pin_code', { user: 3, user_type: 'week_day_schedule', user_enabled: false, pin_code: 4711 }],
    ['pincode_lock', 'pin_code', { user: 3, pin_code: 4712 }],
    ['pincode_lock', 'pin_code', { user: 3, user_enabled: false }],
    ['pincode_lock', 'pin_code', { user: 3, user_type: 'week_day_schedule' }],
    ['lock_userstatus', 'user_status', { user: 3, status: 'disabled' }],
  ]) {
    const entity = {
      command: async (_, command, payload) => console.log(`${key} ${JSON.stringify(value)}\n  ${command} ` +
        JSON.stringify(payload)),
    };
    await converters[converter].convertSet(entity, key, value, meta);
  }
})();
JS
node run.cjs | tee seen
cat >expected <<'TXT'
pin_code {"user":3,"user_type":"week_day_schedule","user_enabled":false,"pin_code":4711}
  setPinCode {"userid":3,"userstatus":3,"usertype":2,"pincodevalue":"4711"}
pin_code {"user":3,"pin_code":4712}
  setPinCode {"userid":3,"userstatus":1,"usertype":0,"pincodevalue":"4712"}
pin_code {"user":3,"user_enabled":false}
  clearPinCode {"userid":3}
pin_code {"user":3,"user_type":"week_day_schedule"}
  clearPinCode {"userid":3}
user_status {"user":3,"status":"disabled"}
  setUserStatus {"userid":3,"userstatus":3}
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
