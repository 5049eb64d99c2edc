#!/usr/bin/env bash
# controlid-sdk 0.4.7 (PyPI), Python 3, a client of Control iD's readers and turnstiles: `upsert_users` creates or
# changes people in one call, and the terminal changes what it is sent. A `User` with an id and a new name also has an
# empty registration, password (the code typed at the door) and salt, which are the class's defaults; only None is left
# out, and so all three go along and are emptied. With `update_user(7, name=...)` the name goes alone.
# The terminal's `users` also have a `begin_time` and an `end_time`, from when to when somebody counts. The class does
# not know them and takes them all the same: `User(name=..., end_time=...)` raises nothing and is sent without an end,
# and `get_users` brings neither back. Read and sent again by an upsert, everything seems to be there.
# Whoever renames a tenant by it takes the code away, and whoever gives a guest an end lets the guest in for good.
# Exits with 0 while this is so, with 1 when it has changed. (A stand-in answers: the client's requests are looked at.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check controlid-sdk==0.4.7 httpx==0.28.1 pydantic==2.12.5
cat >"$dir/users.py" <<'PY'
import asyncio
import json
import httpx
from controlid import ControlIDClient, User

ana = {"id": 7, "name": "Ana Lee", "registration": "t-7", "password": "9f86d081", "salt": "k3",
       "begin_time": 1796083200, "end_time": 1798675200}


def terminal(request):
    sent = json.loads(request.content)
    if "values" in sent:
        print(f"  sent: {json.dumps(sent['values'])}")
    return httpx.Response(200, json={"session": "s", "users": [ana], "ids": [7], "count": 1})


async def main():
    http = httpx.AsyncClient(transport=httpx.MockTransport(terminal))
    async with ControlIDClient("http://terminal.example", client=http) as client:
        print("update_user, a name:")
        await client.update_user(7, name="Ana Smith")
        print("upsert_users, a name:")
        await client.upsert_users([User(id=7, name="Ana Smith")])
        print("add_user, a guest with an end:")
        await client.add_user(User(name="Bo Cruz", begin_time=1796083200, end_time=1798675200))
        print("get_users:")
        print(" ", *[user.model_dump_json() for user in await client.get_users()])

asyncio.run(main())
PY
"$dir/venv/bin/python" "$dir/users.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
update_user, a name:
  sent: {"name": "Ana Smith"}
upsert_users, a name:
  sent: [{"id": 7, "name": "Ana Smith", "registration": "", "password": "", "salt": ""}]
add_user, a guest with an end:
  sent: [{"name": "Bo Cruz", "registration": "", "password": "", "salt": ""}]
get_users:
  {"id":7,"name":"Ana Lee","registration":"t-7","password":"9f86d081","salt":"k3"}
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
