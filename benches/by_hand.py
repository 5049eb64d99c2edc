"""What somebody would write by hand for this one feed: its pages into a table of SQLite, by upsert.

Standard library alone; no matching, no history, no guard. Prints what it took, as JSON.
"""

import datetime
import http.client
import json
import resource
import sqlite3
import sys
import time
import urllib.parse

PAGE = 1000
STATUS = {"Current": "current", "Notice": "current", "Future": "pending", "Past": "past"}
EXCLUDED = {"Applicant", "Cancelled"}


def iso(text, form):
    return datetime.datetime.strptime(text, form).date().isoformat() if text else None


def phone(text):
    digits = "".join(c for c in text or "" if c.isdigit())
    return "+1" + digits if len(digits) == 10 else None


def person(record):
    lease, who = record["lease"], record["person"]
    emails = [one["address"].strip().lower() for one in who["emails"] if one["address"]]
    return (
        record["id"],
        lease["id"],
        " ".join(who["first"].split()),
        " ".join(who["last"].split()),
        emails[0] if emails else None,
        phone(who["phones"][0]["number"]),
        lease["unit"]["label"],
        datetime.date.fromisoformat(lease["from"]).isoformat() if lease["from"] else None,
        datetime.date.fromisoformat(lease["to"]).isoformat() if lease["to"] else None,
        iso(lease["moved_in"], "%m/%d/%Y"),
        STATUS.get(lease["status"], "unknown"),
        lease["status"],
    )


COLUMNS = "id lease_id first_name last_name email phone unit lease_start lease_end move_in status status_word".split()
UPSERT = "INSERT INTO people ({}) VALUES ({}) ON CONFLICT (id) DO UPDATE SET {}".format(
    ", ".join(COLUMNS),
    ", ".join("?" for _ in COLUMNS),
    ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:]),
)


def pages(url):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
    offset = 0
    while True:
        connection.request("GET", f"/buildings/all/residents?from={offset}&count={PAGE}")
        data = json.load(connection.getresponse())["data"]
        yield data
        if len(data) < PAGE:
            return
        offset += len(data)


def sync(url, file):
    store = sqlite3.connect(file)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute(f"CREATE TABLE IF NOT EXISTS people (id TEXT PRIMARY KEY, {', '.join(COLUMNS[1:])})")
    for page in pages(url):
        store.executemany(UPSERT, [person(one) for one in page if one["lease"]["status"] not in EXCLUDED])
    store.commit()
    store.close()


begun, before = time.perf_counter(), time.process_time()
sync(sys.argv[1], sys.argv[2])
wall, cpu = time.perf_counter() - begun, time.process_time() - before
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))
