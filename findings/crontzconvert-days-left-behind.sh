#!/usr/bin/env bash
# crontzconvert 1.1.1 (npm), cron expressions from one zone into another: days and months are moved along where
# midnight is crossed. A field is moved as a whole, though, also where only a part of it crosses. Compared are the
# instants at which the old expression runs in its zone and the new one in the other, from November to February
# (counted by croner 9.1.0).
# Mondays at 22:00 and 23:00 UTC are to be Monday at 23:00 and Tuesday at 0:00 in Lagos; the second stays on Monday, a
# day early. 23:00 on all days of December becomes midnight on all days of January, a month late. The 30th at 23:30
# becomes the 31st, which November has not. For India, half an hour off, 23:00 and 23:45 are to be 4:30 and 5:15: they
# are 4:30 and 4:15, an hour early, and every ten minutes from 6:00 starts half an hour before its time.
# Single instants and whole days, which the README shows, are right; no error is raised where there is no answer.
# Whoever moves the nightly schedule of a property into the zone of the server runs it on another day, or not at all.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-fund --no-audit --ignore-scripts crontzconvert@1.1.1 cron-parser@4.9.0 \
  moment-timezone@0.5.48 croner@9.1.0 >/dev/null
cat >run.cjs <<'JS'
const { convert } = require('crontzconvert');
const { Cron } = require('croner');

const end = new Date('2027-03-01T00:00:00Z');
const runs = (cron, timezone) => new Cron(cron, { timezone, legacyMode: true })
  .nextRuns(1000, new Date('2026-11-01T00:00:00Z'))
  .filter((date) => date < end).map((date) => date.toISOString().slice(0, 16));

for (const [cron, zone] of [
  ['0 0 9 * * 1', 'Africa/Lagos'],
  ['0 0 23 * * *', 'Asia/Kolkata'],
  ['0 0 22,23 * * 1', 'Africa/Lagos'],
  ['0 0 23 * 12 *', 'Africa/Lagos'],
  ['0 30 23 30 * *', 'Africa/Lagos'],
  ['0 0,45 23 * * 1', 'Asia/Kolkata'],
  ['0 */10 6 * * *', 'Asia/Kolkata'],
]) {
  const other = convert(cron, 'UTC', zone);
  const [meant, done] = [runs(cron, 'UTC'), runs(other, zone)];
  const missing = meant.filter((run) => !done.includes(run)).length;
  const wrong = done.filter((run) => !meant.includes(run)).length;
  console.log(`${cron} -> ${other} (${zone}): of ${meant.length} runs ${missing} missing, ${wrong} at another time`);
}
JS
node run.cjs | tee seen
cat >expected <<'TXT'
0 0 9 * * 1 -> 0 0 10 * * 1 (Africa/Lagos): of 17 runs 0 missing, 0 at another time
0 0 23 * * * -> 0 30 4 * * * (Asia/Kolkata): of 120 runs 0 missing, 0 at another time
0 0 22,23 * * 1 -> 0 0 0,23 * * 1 (Africa/Lagos): of 34 runs 17 missing, 18 at another time
0 0 23 * 12 * -> 0 0 0 * 1 * (Africa/Lagos): of 31 runs 30 missing, 30 at another time
0 30 23 30 * * -> 0 30 0 31 * * (Africa/Lagos): of 3 runs 1 missing, 0 at another time
0 0,45 23 * * 1 -> 0 15,30 4 * * 2 (Asia/Kolkata): of 34 runs 17 missing, 17 at another time
0 */10 6 * * * -> 0 */10 11 * * * (Asia/Kolkata): of 720 runs 360 missing, 360 at another time
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
