"""SQLite's side of the store's benchmark: WAL, synchronous=FULL (a sync a commit), one executemany and one commit for
every 100 events. Usage: sqlite-side.py append|read events|bytes DATABASE [EVENTS]. `events`: the same work as a store of
events has, so JSON is encoded on the way in and decoded on the way out. `bytes`: SQLite alone, given encoded payloads
and asked for them undecoded. EVENTS holds one JSON object a line. Prints {"ms": ...}, measured inside."""

import json
import sqlite3
import sys
import time

GROUP_SIZE = 100
FIRST_TIME = 1_700_000_000_000_000
encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
decode = json.loads


def row_of(sequence, payload):
    return (sequence, FIRST_TIME + sequence, 4, 7, payload)


def open_database(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE events (sequence INTEGER PRIMARY KEY, time INTEGER, type INTEGER, vertex INTEGER, payload BLOB)"
    )
    return connection


def append(database, events, encoded):
    payloads = [encode(event) for event in events] if encoded else None
    started = time.perf_counter()
    connection = open_database(database)
    for first in range(0, len(events), GROUP_SIZE):
        group = range(first, min(first + GROUP_SIZE, len(events)))
        rows = [row_of(at, payloads[at] if encoded else encode(events[at])) for at in group]
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    took = time.perf_counter() - started
    connection.close()
    return took


def read(database, encoded):
    started = time.perf_counter()
    connection = sqlite3.connect(database)
    count = 0
    for row in connection.execute("SELECT sequence, time, type, vertex, payload FROM events ORDER BY sequence"):
        if not encoded:
            decode(row[4])
        count += 1
    took = time.perf_counter() - started
    if count == 0:
        raise SystemExit("nothing was read")
    return took


def main():
    mode, form, database = sys.argv[1:4]
    if mode == "read":
        return read(database, form == "bytes")
    with open(sys.argv[4], encoding="utf-8") as file:
        events = [json.loads(line) for line in file]
    return append(database, events, form == "bytes")


print(json.dumps({"ms": main() * 1000}))
