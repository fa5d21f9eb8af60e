"""The tables of a scan's database, in each of their versions."""

from __future__ import annotations

import contextlib
import functools
import re
import sqlite3

VERSION = 2
"""The version of the tables. A file of an earlier one is read as it is, and brought up by the next scan."""
APPLICATION = 0x464C5A31
"""The application id in the header of a file of SQLite: ``FLZ1``."""
TABLES = """
CREATE TABLE IF NOT EXISTS networks (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    arguments TEXT NOT NULL,
    inputs TEXT NOT NULL,
    options TEXT NOT NULL,
    registry TEXT NOT NULL,
    registry_version TEXT NOT NULL,
    frontend TEXT NOT NULL,
    framework TEXT NOT NULL,
    framework_version TEXT NOT NULL,
    flopledger TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ok', 'unknown', 'failed', 'timeout', 'memory')),
    reason TEXT NOT NULL,
    input_size,
    params,
    trainable_params,
    buffers,
    macs,
    flops,
    unknown_calls INTEGER,
    published TEXT NOT NULL,
    digest TEXT NOT NULL,
    graph BLOB,
    seconds REAL NOT NULL,
    peak_bytes INTEGER NOT NULL,
    counted_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS figures (
    network INTEGER NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
    convention TEXT NOT NULL,
    switches TEXT NOT NULL,
    digest TEXT NOT NULL,
    unit TEXT NOT NULL,
    count,
    params,
    unknown_calls INTEGER,
    reason TEXT NOT NULL,
    PRIMARY KEY (network, convention, switches, digest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS networks_by_name ON networks (name);
"""
LATER = ("ALTER TABLE networks ADD COLUMN seconds_at_least REAL",)
"""The additions of each later version; a new file is made in the same way, to have the same tables."""
TEXTS = frozenset(re.findall(r"(\w+) TEXT NOT NULL", TABLES))
"""The columns that hold a text in each row."""
OBJECTS = """
SELECT type, name, sql FROM sqlite_master
WHERE lower(tbl_name) IN ('networks', 'figures') AND NOT (type = 'index' AND sql IS NULL)
ORDER BY type, name
"""
"""The tables and their attachments: indexes and triggers, but for SQLite's own indexes."""


@functools.cache
def expected(release: int) -> list[tuple[str, str, str]]:
    """Return what :data:`OBJECTS` gives for tables that we made, in one of their versions."""
    with contextlib.closing(sqlite3.connect(":memory:")) as memory:
        memory.executescript(";".join((TABLES, *LATER[: release - 1])))
        return memory.execute(OBJECTS).fetchall()


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a database's tables; 0 where there are none."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)
