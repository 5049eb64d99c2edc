#!/usr/bin/env bash
# scim2-parse-filter 0.2.10 (npm), beside scim-query-filter-parser 2.0.4: the brackets of a SCIM filter bind nothing.
# `emails[type eq "work" and value eq "ana@home.example"]` is to find whoever has one e-mail that is both (RFC 7644,
# 3.4.2.2). The first package finds a user whose work address is another one: each condition may be met by an element of
# its own, as in `emails.type eq "work" and emails.value eq "ana@home.example"`. The second package does not.
# Beside it: `pr` is to find values that are neither null nor empty. Both find null and the empty text; the empty list is
# present in the first and absent in the second.
# A server that filters with it answers the search for a work address with whoever has that address as the home one, and
# `nickName pr` with people who have none.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-fund --no-audit scim2-parse-filter@0.2.10 scim-query-filter-parser@2.0.4 >/dev/null
cat >filters.js <<'JS'
const { parse, filter } = require('scim2-parse-filter');
const { compileFilter } = require('scim-query-filter-parser');
const user = {
  nickName: '', title: null, roles: [],
  emails: [{ type: 'work', value: 'ana@work.example' }, { type: 'home', value: 'ana@home.example' }],
};
const expected = [
  ['emails[type eq "work" and value eq "ana@work.example"]', true, true],
  ['emails[type eq "work" and value eq "ana@home.example"]', true, false],
  ['nickName pr', true, true],
  ['title pr', true, true],
  ['roles pr', true, false],
  ['locale pr', false, false],
];
let changed = false;
for (const [text, first, second] of expected) {
  const seen = [filter(parse(text))(user), compileFilter(text)(user)];
  console.log(`${text}: scim2-parse-filter ${seen[0]}, scim-query-filter-parser ${seen[1]}`);
  changed ||= seen[0] !== first || seen[1] !== second;
}
console.log(changed ? 'this has changed' : 'as described');
process.exit(changed ? 1 : 0);
JS
node filters.js
