#!/usr/bin/env bash
# jsonpointer 5.0.1 and json-pointer 0.6.2 (both npm): `set` makes what is missing on the way, and makes a list of it
# where the next part is digits. Units are called by digits: `/units/101/name` on `{}` gives a list of 102 elements, 101
# of which are null in the JSON. `/units/0101/name` is worse: RFC 6901 (4) knows no index with leading zeros, so the
# unit becomes a property of the list, can be read back with `get`, and is gone in the JSON: `{"units":[]}`.
# Both do so, and their documentation does not say it. If `units` is there as an object, even an empty one, all is well:
# a test that starts from a filled document is green.
# Whoever gathers changes by unit number into an empty document and sends it sends nulls, or nothing at all.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-fund --no-audit jsonpointer@5.0.1 json-pointer@0.6.2 >/dev/null
cat >run.cjs <<'JS'
for (const name of ['jsonpointer', 'json-pointer']) {
  const pointer = require(name);
  for (const [unit, start] of [['101', {}], ['0101', {}], ['0101', { units: {} }]]) {
    const before = JSON.stringify(start);
    pointer.set(start, `/units/${unit}/name`, 'Ana');
    const json = JSON.stringify(start);
    const nulls = json.split('null').length - 1;
    console.log(`${name}, unit ${unit} into ${before}: get ${pointer.get(start, `/units/${unit}/name`)}, ` +
      `${nulls} nulls, JSON ${json.replaceAll('null,', '')}`);
  }
}
JS
node run.cjs | tee seen
cat >expected <<'TXT'
jsonpointer, unit 101 into {}: get Ana, 101 nulls, JSON {"units":[{"name":"Ana"}]}
jsonpointer, unit 0101 into {}: get Ana, 0 nulls, JSON {"units":[]}
jsonpointer, unit 0101 into {"units":{}}: get Ana, 0 nulls, JSON {"units":{"0101":{"name":"Ana"}}}
json-pointer, unit 101 into {}: get Ana, 101 nulls, JSON {"units":[{"name":"Ana"}]}
json-pointer, unit 0101 into {}: get Ana, 0 nulls, JSON {"units":[]}
json-pointer, unit 0101 into {"units":{}}: get Ana, 0 nulls, JSON {"units":{"0101":{"name":"Ana"}}}
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
