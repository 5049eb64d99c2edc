#!/usr/bin/env bash
# home-assistant-chip-clusters 2025.7.0 (PyPI) and @matter/types 0.17.9 (npm) build the same command of Matter,
# SetYearDaySchedule of a door lock, from the same fields, and mean times 30 years apart. `localStartTime` counts seconds
# from 2000 on the wire. The first takes that number as it is, the second takes seconds from 1970 and converts them, in
# both directions. With 1787904000 (2026-08-28) in both, the lock hears 2056 from the first.
# The second refuses a number that counts from 2000 ("do not convert"), but only up to the end of 2029: the start of
# 2030, 946771200, is taken and sent as the second day of 2000.
# Whoever moves from one to the other moves every stay by 30 years.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check home-assistant-chip-clusters==2025.7.0
cd "$dir"
npm install --silent --no-fund --no-audit @matter/types@0.17.9 >/dev/null
cat >build.py <<'PY'
from chip.clusters.Objects import DoorLock

command = DoorLock.Commands.SetYearDaySchedule(
    yearDayIndex=1, userIndex=1, localStartTime=1787904000, localEndTime=1787932800)
print(command.ToTLV().hex())
PY
cat >build.mjs <<'JS'
import { TlvOfModel } from '@matter/types';
import { DoorLock } from '@matter/types/clusters/door-lock';
const command = TlvOfModel(DoorLock.commands.setYearDaySchedule.schema);
const build = (localStartTime) => {
  const fields = { yearDayIndex: 1, userIndex: 1, localStartTime, localEndTime: localStartTime + 28800 };
  return Buffer.from(command.encode(fields));
};
const start = (bytes) => command.decode(Buffer.from(bytes, 'hex')).localStartTime;
const day = (seconds) => new Date(1000 * seconds).toISOString().slice(0, 10);
let refused = false;
try { build(1787904000 - 946684800); } catch { refused = true; }
console.log(`one number, the same bytes: ${build(1787904000).toString('hex') === process.argv[2]}`);
console.log(`the first package's command, read by the second: ${day(start(process.argv[2]))}`);
console.log(`the second package's own: ${day(start(build(1787904000)))}`);
console.log(`counted from 2000, 2026: ${refused ? 'refused' : 'taken'}`);
console.log(`counted from 2000, 2030: ${day(start(build(946771200)))}`);
JS
node build.mjs "$("$dir/venv/bin/python" build.py)" | tee seen
cat >expected <<'TXT'
one number, the same bytes: false
the first package's command, read by the second: 2056-08-27
the second package's own: 2026-08-28
counted from 2000, 2026: refused
counted from 2000, 2030: 2000-01-02
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
