#!/usr/bin/env bash
# fast-json-patch 3.1.1 and rfc6902 5.4.0 (both npm) make a JSON Patch out of two states of a lease whose end is a Date,
# as a database driver gives it. JSON has it as a text, and so a change of the end should be one `replace`.
# rfc6902 finds no difference between any two dates: its patch is empty. fast-json-patch gives 24 operations, an `add`
# for each letter of the new text (`/end/0`, `/end/1`, ...), also where both dates are the same. Put onto the other
# side's JSON they change nothing, and no error is raised. From null to a date and back both are right, and so is a date
# that `observe` has watched. The documentation of neither speaks of it.
# Whoever sends changes of leases as patches never moves an end that was there before.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-fund --no-audit fast-json-patch@3.1.1 rfc6902@5.4.0 >/dev/null
cat >run.cjs <<'JS'
const fast = require('fast-json-patch');
const { applyPatch, createPatch } = require('rfc6902');
const sides = {
  'fast-json-patch': [fast.compare, (document, patch) => fast.applyPatch(document, patch).newDocument],
  rfc6902: [createPatch, (document, patch) => { applyPatch(document, patch); return document; }],
};
const day = (text) => text && new Date(text);
for (const [name, [make, apply]] of Object.entries(sides)) {
  for (const [from, to] of [['2026-12-31', '2027-12-31'], ['2026-12-31', '2026-12-31'], [null, '2027-12-31']]) {
    const lease = { end: day(from) };
    const patch = JSON.parse(JSON.stringify(make(lease, { end: day(to) })));
    const { end } = apply(JSON.parse(JSON.stringify(lease)), patch);
    const first = patch.length ? `, first ${patch[0].op} ${patch[0].path} ${patch[0].value}` : '';
    console.log(`${name}, ${from} to ${to}: ${patch.length} operations${first}; then ${end?.slice(0, 10)}`);
  }
}
JS
node run.cjs | tee seen
cat >expected <<'TXT'
fast-json-patch, 2026-12-31 to 2027-12-31: 24 operations, first add /end/0 2; then 2026-12-31
fast-json-patch, 2026-12-31 to 2026-12-31: 24 operations, first add /end/0 2; then 2026-12-31
fast-json-patch, null to 2027-12-31: 1 operations, first replace /end 2027-12-31T00:00:00.000Z; then 2027-12-31
rfc6902, 2026-12-31 to 2027-12-31: 0 operations; then 2026-12-31
rfc6902, 2026-12-31 to 2026-12-31: 0 operations; then 2026-12-31
rfc6902, null to 2027-12-31: 1 operations, first replace /end 2027-12-31T00:00:00.000Z; then 2027-12-31
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
