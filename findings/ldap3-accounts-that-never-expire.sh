#!/usr/bin/env bash
# ldap3 2.9.1 (PyPI), Python 3, with the schema of Active Directory: `accountExpires` has two numbers for "never", 0 and
# 9223372036854775807, and a directory has both: which one depends on how the account was made. The library knows the
# second one and gives the year 9999. For 0 it gives 1601-01-01, the start of the count, as if the account had expired
# before anything else did. `lockoutTime` 0 (not locked) and `pwdLastSet` 0 (to be changed at the next sign-in) are that
# day as well. `entry_raw_attributes` has the number.
# Whoever gives access until the account ends shuts out those who were made without an end, and a copy of the accounts
# in which "never" happens to be the large number shows nothing.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check ldap3==2.9.1
"$dir/venv/bin/python" - <<'PY' | tee "$dir/seen"
from ldap3 import MOCK_SYNC, OFFLINE_AD_2012_R2, Connection, Server

connection = Connection(Server("directory.example", get_info=OFFLINE_AD_2012_R2), client_strategy=MOCK_SYNC)
for name, values in {
    "max": {"accountExpires": "9223372036854775807"},
    "zero": {"accountExpires": "0", "lockoutTime": "0", "pwdLastSet": "0"},
    "summer": {"accountExpires": "134272512000000000"},
}.items():
    connection.strategy.add_entry(f"cn={name},dc=home,dc=example", {"objectClass": ["user"], "cn": name, **values})
connection.bind()
times = ["accountExpires", "lockoutTime", "pwdLastSet"]
connection.search("dc=home,dc=example", "(objectClass=user)", attributes=["cn", *times])
for entry in sorted(connection.entries, key=lambda entry: entry.cn.value):
    for time in times:
        if entry[time].value is not None:
            print(f"{entry.cn.value}: {time} {entry[time].raw_values[0].decode()}: {entry[time].value:%Y-%m-%d}")
PY
cat >"$dir/expected" <<'TXT'
max: accountExpires 9223372036854775807: 9999-12-31
summer: accountExpires 134272512000000000: 2026-06-30
zero: accountExpires 0: 1601-01-01
zero: lockoutTime 0: 1601-01-01
zero: pwdLastSet 0: 1601-01-01
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
