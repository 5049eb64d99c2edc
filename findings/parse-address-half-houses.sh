#!/usr/bin/env bash
# parse-address 1.1.2 (npm): `100 1/2 Main St`, the usual number of a house in the yard of another one, parses as number
# 100 of Main St: the half is dropped, and the two houses have one address. `100A Main St` becomes number 100 of the
# street `A Main`. `4.5` in an apartment is 45.
# A unit it does not understand is no unit left over but part of the street: `Apt 101 Bed A` (a lease by the bed) gives
# the street `Main St Apt 101 Bed A`, without type and without unit. Nothing tells the cases from a clean result.
# Whoever matches properties by number and street joins neighbours and parts the residents of one building.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-fund --no-audit parse-address@1.1.2 xregexp@3.2.0 >/dev/null
cat >parse.js <<'JS'
const { parseLocation } = require('parse-address');
const expected = {
  '100 Main St Apt 101': '100|Main|St|Apt|101',
  '100 1/2 Main St Apt 101': '100|Main|St|Apt|101',
  '100A Main St Apt 101': '100|A Main|St|Apt|101',
  '100 Main St Apt 101 Bed A': '100|Main St Apt 101 Bed A|||',
  '100 Main St Apt 4.5': '100|Main St Apt 45|||',
};
let changed = false;
for (const [text, parts] of Object.entries(expected)) {
  const a = parseLocation(`${text}, Springfield, IL 62701`);
  const seen = [a.number, a.street, a.type, a.sec_unit_type, a.sec_unit_num].join('|');
  console.log(`${text}: ${seen}`);
  changed ||= seen !== parts || a.city !== 'Springfield';
}
console.log(changed ? 'this has changed' : 'as described');
process.exit(changed ? 1 : 0);
JS
node parse.js
