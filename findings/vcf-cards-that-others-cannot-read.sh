#!/usr/bin/env bash
# vcf 2.1.2 beside ical.js 2.2.1 (both npm), vCards as jCard, their form in JSON (RFC 7095): there the name of a property
# is the one of the vCard in small letters (3.3), a property with several values has them one after the other (3.3.1.3
# for a part of a name), and no value has the backslashes of the vCard.
# The first package writes `X-UNIT-NUMBER` as `xUnitNumber`, two nicknames as one with a comma in it, and leaves the
# backslashes. It reads that back itself, and so a trial is green (but `X-DoorPIN` comes back as `X-DOOR-PIN`). Read by the
# second one the unit's number is in `XUNITNUMBER`, the note and the address have a backslash for people to see, and two
# middle names are one. In the other direction, of a jCard as the RFC has it, the first package takes the first value and
# leaves out the others: the second nickname and the floor, a category, are gone.
# No error is raised, and the README names jCard as one of its forms.
# Whoever sends residents to an intercom's directory in this form has no resident with a unit there.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts vcf@2.1.2 ical.js@2.2.1
cat >turn.mjs <<'JS'
import VCard from "vcf";
import ICAL from "ical.js";

const text = [
  "BEGIN:VCARD", "VERSION:4.0", "FN:Ana Lee", "N:Lee;Ana;Maria,Luz;;", "NICKNAME:Annie,Nan", "NOTE:Gate 2\\, ring twice",
  "ADR:;Unit 101\\, rear;100 Oak St;Mill;VA;22932;USA", "CATEGORIES:resident,floor 1", "X-UNIT-NUMBER:101",
  "X-DoorPIN:none", "END:VCARD", "",
].join("\r\n");
const show = (title, lines) => console.log([title, ...lines].join("\n  "));
const cardLines = (card) => card.split("\r\n").filter((line) => !/^(BEGIN|VERSION|FN|END|$)/.test(line));

const own = new VCard().parse(text).toJCard("4.0");
const other = ICAL.parse(text);
show("written by vcf:", own[1].slice(2).map((one) => JSON.stringify(one)));
show("written by ical.js:", other[1].slice(2).map((one) => JSON.stringify(one)));
show("vcf to vcf:", cardLines(VCard.fromJSON(own).toString("4.0")));
show("vcf to ical.js:", cardLines(new ICAL.Component(own).toString()));
show("ical.js to vcf:", cardLines(VCard.fromJSON(other).toString("4.0")));
show("ical.js to ical.js:", cardLines(new ICAL.Component(other).toString()));
JS
node turn.mjs | tee seen
cat >expected <<'TXT'
written by vcf:
  ["n",{},"text",["Lee","Ana","Maria,Luz","",""]]
  ["nickname",{},"text","Annie,Nan"]
  ["note",{},"text","Gate 2\\, ring twice"]
  ["adr",{},"text",["","Unit 101\\, rear","100 Oak St","Mill","VA","22932","USA"]]
  ["categories",{},"text","resident,floor 1"]
  ["xUnitNumber",{},"text","101"]
  ["xDoorPin",{},"text","none"]
written by ical.js:
  ["n",{},"text",["Lee","Ana",["Maria","Luz"],"",""]]
  ["nickname",{},"text","Annie","Nan"]
  ["note",{},"text","Gate 2, ring twice"]
  ["adr",{},"text",["","Unit 101, rear","100 Oak St","Mill","VA","22932","USA"]]
  ["categories",{},"text","resident","floor 1"]
  ["x-unit-number",{},"unknown","101"]
  ["x-doorpin",{},"unknown","none"]
vcf to vcf:
  N:Lee;Ana;Maria,Luz;;
  NICKNAME:Annie,Nan
  NOTE:Gate 2\, ring twice
  ADR:;Unit 101\, rear;100 Oak St;Mill;VA;22932;USA
  CATEGORIES:resident,floor 1
  X-UNIT-NUMBER:101
  X-DOOR-PIN:none
vcf to ical.js:
  N:Lee;Ana;Maria\,Luz;;
  NICKNAME:Annie\,Nan
  NOTE:Gate 2\\\, ring twice
  ADR:;Unit 101\\\, rear;100 Oak St;Mill;VA;22932;USA
  CATEGORIES:resident\,floor 1
  XUNITNUMBER;VALUE=TEXT:101
  XDOORPIN;VALUE=TEXT:none
ical.js to vcf:
  N:Lee;Ana;Maria,Luz;;
  NICKNAME:Annie
  NOTE:Gate 2, ring twice
  ADR:;Unit 101, rear;100 Oak St;Mill;VA;22932;USA
  CATEGORIES:resident
  X-UNIT-NUMBER;VALUE=unknown:101
  X-DOORPIN;VALUE=unknown:none
ical.js to ical.js:
  N:Lee;Ana;Maria,Luz;;
  NICKNAME:Annie,Nan
  NOTE:Gate 2\, ring twice
  ADR:;Unit 101\, rear;100 Oak St;Mill;VA;22932;USA
  CATEGORIES:resident,floor 1
  X-UNIT-NUMBER;VALUE=unknown:101
  X-DOORPIN;VALUE=unknown:none
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
