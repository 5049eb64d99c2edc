#!/usr/bin/env bash
# pyGuardPoint 2.5.3 (PyPI), Python 3, a client of the access control GuardPoint 10: what its lists of cardholders ask
# for. A client made for one site (`site_uid`) asks for the security groups of that site and puts it into new
# cardholders; in its list of cardholders the site is only if the call has an `ownerSiteUID`, whichever, to be
# overridden. A bare `get_card_holders()` asks for those of all sites.
# `filter_expired=True` asks for `toDateValid ge` the start of the day. Whoever has no end has null there, as in the
# client's own class, and null is not `ge` any time (OData 4.01, part 2, 5.1.1.1): an open lease counts as expired. The
# filter for the last pass does think of null; its datetime loses the zone, so that 08:00 in New York goes out as
# `08:00:00Z`, where the end of a new cardholder keeps `-05:00`.
# Whoever compares a property with such a list, and deletes what is too much, deletes people of other properties, unless
# the service knows better; whoever leaves out the expired makes everyone without an end anew on each run.
# Exits with 0 while this is so, with 1 when it has changed. (No service is asked: the client's requests are looked at.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check pyGuardPoint==2.5.3 tzdata==2025.2
cat >"$dir/ask.py" <<'PY'
import re
from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo
from pyGuardPoint import Cardholder, GuardPoint

def query(method, url="", json_body=None, **_):
    if method == "POST":
        asked.append(f"owner {json_body.get('ownerSiteUID')}, until {json_body.get('toDateValid')}")
        return 201, {"@odata.context": "$entity", "uid": "00000000-0000-0000-0000-00000000000c"}
    text = parse_qs(urlsplit(url).query).get("$filter", ["no filter"])[0]
    asked.append(re.sub(r"\d{4}-\d\d-\d\dT00:00:00Z", "TODAY", text))
    return 200, {"@odata.context": "", "value": []}

site, eight = "00000000-0000-0000-0000-00000000000a", datetime(2026, 12, 1, 8, tzinfo=ZoneInfo("America/New_York"))
client = GuardPoint(host="http://localhost", site_uid=site)
client.gp_json_query = query
for name, ask in (
    ("security groups", lambda: client.get_security_groups()),
    ("list", lambda: client.get_card_holders()),
    ("list with a site", lambda: client.get_card_holders(ownerSiteUID="any")),
    ("not expired", lambda: client.get_card_holders(filter_expired=True)),
    ("last pass", lambda: client.get_card_holders(earliest_last_pass=eight)),
    ("new", lambda: client.new_card_holder(Cardholder(firstName="Ana", lastName="Lopez", toDateValid=eight))),
):
    asked = []
    try:
        ask()
    except Exception as error:
        asked.append(repr(error))
    print(f"{name}: {asked[0]}")
PY
"$dir/venv/bin/python" "$dir/ask.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
security groups: ((ownerSiteUID eq 00000000-0000-0000-0000-00000000000a))
list: no filter
list with a site: ((ownerSiteUID eq 00000000-0000-0000-0000-00000000000a))
not expired: ((toDateValid ge TODAY))
last pass: ((lastPassDate ge 2026-12-01T08:00:00Z or lastPassDate eq null))
new: owner 00000000-0000-0000-0000-00000000000a, until 2026-12-01T08:00:00-05:00
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
