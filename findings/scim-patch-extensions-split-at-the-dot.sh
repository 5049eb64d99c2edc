#!/usr/bin/env bash
# scim-patch 0.8.3 (npm), PATCH of SCIM 2 (RFC 7644, 3.5.2), on a user with a name, an e-mail and an extension. An
# attribute of the extension by its path is changed as it should be. The extension as a whole, `urn:...:2.0:User` with an
# object, is cut at the dot, both as a path and as a member of a value without a path (3.5.2.1): it ends as an object
# `urn:...:enterprise:2.0` with a `User` in it, beside the real one, which stays as it was.
# `{"name": {"givenName": "Bo"}}` without a path takes the family name away; with the path `name` it stays. An attribute
# with another case, `userName` and `username` (one and the same by RFC 7643, 2.1), becomes a second one. An e-mail
# added as the primary one leaves the old one primary too, which 3.5.2 wants set to false.
# No error is raised; the examples of the README are of the kinds that are right.
# A server that answers with it says that a resident has moved to another unit, kept in an extension, and has the old one.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts scim-patch@0.8.3
cat >patch.js <<'JS'
const { scimPatch } = require("scim-patch");
const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const user = () => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
  userName: "ana", name: { givenName: "Ana", familyName: "Lee" },
  emails: [{ type: "home", value: "ana@home.example", primary: true }],
  [ENTERPRISE]: { department: "Unit 101" }, meta: { resourceType: "User" },
});
for (const [text, operation] of [
  ["the extension, with a path", { path: `${ENTERPRISE}:department`, value: "Unit 202" }],
  ["the extension, as a path of its own", { path: ENTERPRISE, value: { department: "Unit 202" } }],
  ["the extension, without a path", { value: { [ENTERPRISE]: { department: "Unit 202" } } }],
  ["the name, with a path", { path: "name", value: { givenName: "Bo" } }],
  ["the name, without a path", { value: { name: { givenName: "Bo" } } }],
  ["username", { path: "username", value: "bo" }],
  ["a primary e-mail", { op: "add", path: "emails", value: [{ type: "work", value: "ana@work.example", primary: true }] }],
]) {
  const [before, after] = [user(), scimPatch(user(), [{ op: "replace", ...operation }])];
  const changed = Object.keys(after).filter((key) => JSON.stringify(after[key]) !== JSON.stringify(before[key]));
  console.log(`${text}: ${changed.map((key) => `${key} ${JSON.stringify(after[key])}`).join(", ") || "nothing"}`);
}
JS
node patch.js | tee seen
cat >expected <<'TXT'
the extension, with a path: urn:ietf:params:scim:schemas:extension:enterprise:2.0:User {"department":"Unit 202"}
the extension, as a path of its own: urn:ietf:params:scim:schemas:extension:enterprise:2.0 {"User":{"department":"Unit 202"}}
the extension, without a path: urn:ietf:params:scim:schemas:extension:enterprise:2.0 {"User":{"department":"Unit 202"}}
the name, with a path: name {"givenName":"Bo","familyName":"Lee"}
the name, without a path: name {"givenName":"Bo"}
username: username "bo"
a primary e-mail: emails [{"type":"home","value":"ana@home.example","primary":true},{"type":"work","value":"ana@work.example","primary":true}]
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
