#!/usr/bin/env bash
# zklib-js 1.3.5 beside zkteco-js 1.7.2 and node-zklib 1.3.0 (all npm), clients of ZKTeco's readers at doors: `setUser`
# puts a person on the reader, known there by a number (`userid`). The first package writes that number in base nine:
# 101 becomes `122`, and 122, the resident next door, `145`. Given as a text, as in the README, it stays what it is.
# A card has four bytes on the reader, which `getUsers` reads; `setUser` writes two of them. A card number above 65535
# (24 bits are usual) never leaves the first package: it prints `duh`, nothing is sent, and the promise is fulfilled.
# The second one raises an error for such a card.
# Live events of a reader over UDP have a user's number in two bytes, as the list of past ones does. All three packages
# read one byte of it in live events and two in the list: user 301 who opens the door now is user 45, and 301 tomorrow.
# With numbers up to 8, cards up to 65535 and 255 people at most all is well.
# Whoever enrols residents by their number gives one the number of another, and a screen at the desk shows who is not
# there.
# Exits with 0 while this is so, with 1 when it has changed. (No reader is asked: what is sent and read is looked at.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts zklib-js@1.3.5 zkteco-js@1.7.2 node-zklib@1.3.0
cat >ask.js <<'JS'
const { EventEmitter } = require("node:events");
const print = console.log;
console.log = console.error = () => {};

const users = async (name, Client) => {
  for (const [userid, card] of [["101", 1], [101, 1], [122, 1], ["101", 65535], ["101", 4321234]]) {
    const client = Object.create(Client.prototype);
    let sent = "nothing";
    client.executeCmd = async (_, data) => {
      sent = `user ${data.toString("latin1", 48, 57).replaceAll("\0", "")}, card ${data.readUInt32LE(35)}`;
    };
    const answer = await client.setUser(7, userid, "Ana", "", 0, card).then(() => "fulfilled", (error) => error.name);
    print(`${name}: user ${JSON.stringify(userid)}, card ${card}: sent ${sent}, ${answer}`);
  }
};

const events = async (name, Client, { decodeRecordData16 }) => {
  for (const user of [45, 301]) {
    const client = Object.create(Client.prototype);
    client.socket = Object.assign(new EventEmitter(), { send() {} });
    let live;
    await client.getRealTimeLogs((event) => { live = event; });
    const event = Buffer.alloc(18);
    event.writeUInt16LE(500, 0); // an event
    event.writeUInt16LE(user, 8);
    event.set([26, 12, 1, 8, 30, 0], 12); // 2026-12-01, 08:30
    client.socket.emit("message", event);
    const row = Buffer.alloc(16);
    row.writeUInt16LE(user, 0);
    const past = decodeRecordData16(row);
    print(`${name}: user ${user}: live ${live.userId}, in the list ${past.deviceUserId ?? past.user_id}`);
  }
};

(async () => {
  await users("zklib-js", require("zklib-js/zklibtcp"));
  await users("zkteco-js", require("zkteco-js/src/ztcp"));
  await events("zklib-js", require("zklib-js/zklibudp"), require("zklib-js/utils"));
  await events("zkteco-js", require("zkteco-js/src/zudp"), require("zkteco-js/src/helper/utils"));
  await events("node-zklib", require("node-zklib/zklibudp"), require("node-zklib/utils"));
})();
JS
node ask.js | tee seen
cat >expected <<'TXT'
zklib-js: user "101", card 1: sent user 101, card 1, fulfilled
zklib-js: user 101, card 1: sent user 122, card 1, fulfilled
zklib-js: user 122, card 1: sent user 145, card 1, fulfilled
zklib-js: user "101", card 65535: sent user 101, card 65535, fulfilled
zklib-js: user "101", card 4321234: sent nothing, fulfilled
zkteco-js: user "101", card 1: sent user 101, card 1, fulfilled
zkteco-js: user 101, card 1: sent nothing, TypeError
zkteco-js: user 122, card 1: sent nothing, TypeError
zkteco-js: user "101", card 65535: sent user 101, card 65535, fulfilled
zkteco-js: user "101", card 4321234: sent nothing, RangeError
zklib-js: user 45: live 45, in the list 45
zklib-js: user 301: live 45, in the list 301
zkteco-js: user 45: live 45, in the list 45
zkteco-js: user 301: live 45, in the list 301
node-zklib: user 45: live 45, in the list 45
node-zklib: user 301: live 45, in the list 301
TXT
diff expected seen >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
