"""Schema of the tracker's SQLite file: one script a version, and opening a file with all of them applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw

from roi_tracker.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

_FIRST = """
    CREATE TABLE fact (
        number INTEGER PRIMARY KEY,
        key    TEXT NOT NULL UNIQUE,
        line   TEXT NOT NULL,
        at     TEXT NOT NULL,
        origin TEXT NOT NULL,
        source TEXT NOT NULL,
        body   BLOB NOT NULL
    ) STRICT;
    CREATE TABLE source (name TEXT PRIMARY KEY, reached INTEGER NOT NULL) STRICT;
    CREATE TABLE derivation (name TEXT NOT NULL) STRICT;
    CREATE TABLE observation (
        number INTEGER PRIMARY KEY, line TEXT NOT NULL, day TEXT NOT NULL, shift TEXT NOT NULL, product TEXT NOT NULL,
        produced INTEGER, inspected INTEGER, rejected INTEGER, origin TEXT NOT NULL, body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE line_shift (
        number INTEGER PRIMARY KEY, line TEXT NOT NULL, day TEXT NOT NULL, shift TEXT NOT NULL,
        planned_busy_s REAL, unplanned_stop_s REAL, labour_hours REAL, energy_kwh REAL, origin TEXT NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE finding (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE frozen_baseline (
        number     INTEGER PRIMARY KEY,
        case_id    TEXT NOT NULL,
        benefit_id TEXT NOT NULL,
        sha256     TEXT NOT NULL UNIQUE,
        frozen_at  TEXT NOT NULL,
        body       BLOB NOT NULL
    ) STRICT;
    CREATE TRIGGER frozen_baseline_no_update BEFORE UPDATE ON frozen_baseline
        BEGIN SELECT RAISE(ABORT, 'a frozen baseline cannot be changed'); END;
    CREATE TRIGGER frozen_baseline_no_delete BEFORE DELETE ON frozen_baseline
        BEGIN SELECT RAISE(ABORT, 'a frozen baseline cannot be removed'); END;
    """

_FACTS_BY_TIME = """
    CREATE TABLE import (
        number   INTEGER PRIMARY KEY,
        source   TEXT NOT NULL,
        at       TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        added    INTEGER NOT NULL DEFAULT 0,
        replaced INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    INSERT INTO import (source) SELECT DISTINCT source FROM fact;

    ALTER TABLE fact RENAME TO fact_before;
    CREATE TABLE fact (
        number     INTEGER PRIMARY KEY,
        key        TEXT NOT NULL,
        kind       TEXT NOT NULL,
        line       TEXT NOT NULL,
        at_us      INTEGER NOT NULL,  -- microseconds since 1970, UTC
        end_us     INTEGER NOT NULL,  -- equal to at_us where the fact has no period
        ref        TEXT,              -- key of the fact that this one speaks of
        import     INTEGER NOT NULL REFERENCES import (number),
        superseded INTEGER,           -- number of the fact that a correction put in its place
        body       BLOB NOT NULL
    ) STRICT;
    INSERT INTO fact
        SELECT f.number, f.key, b ->> '$.fact', f.line, CAST(round(unixepoch(f.at, 'subsec') * 1000) AS INTEGER) * 1000,
               CAST(round(unixepoch(coalesce(b ->> '$.end', f.at), 'subsec') * 1000) AS INTEGER) * 1000,
               nullif(coalesce(b ->> '$.inspection_key', b ->> '$.alarm_key'), ''), i.number, NULL, f.body
        FROM (SELECT *, CAST(body AS TEXT) AS b FROM fact_before) AS f JOIN import AS i ON i.source = f.source
        ORDER BY f.number;
    DROP TABLE fact_before;
    CREATE UNIQUE INDEX fact_key ON fact (key) WHERE superseded IS NULL;
    CREATE INDEX fact_time ON fact (at_us);
    CREATE INDEX fact_long ON fact (at_us) WHERE end_us - at_us > 86400000000;
    CREATE INDEX fact_ref ON fact (ref) WHERE ref IS NOT NULL;
    CREATE INDEX fact_rare ON fact (kind) WHERE kind IN ('mode', 'stop_revision');
    CREATE INDEX fact_superseded ON fact (superseded) WHERE superseded IS NOT NULL;
    CREATE TABLE sign (  -- first and last sign of life of a line's machines on each UTC day
        line     TEXT NOT NULL,
        day      INTEGER NOT NULL,
        first_us INTEGER NOT NULL,
        last_us  INTEGER NOT NULL,
        PRIMARY KEY (line, day)
    ) STRICT;
    INSERT INTO sign
        SELECT line, us / 86400000000, min(us), max(us)
        FROM (SELECT line, at_us AS us FROM fact WHERE kind IN ('watched', 'stop')
              UNION ALL SELECT line, end_us FROM fact WHERE kind = 'stop')
        GROUP BY 1, 2;

    DROP TABLE observation;
    DROP TABLE line_shift;
    DROP TABLE finding;
    DROP TABLE derivation;
    CREATE TABLE derivation (name TEXT NOT NULL, watermark INTEGER NOT NULL) STRICT;
    CREATE TABLE derived_day (day INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    """

_LEDGER = """
    CREATE TABLE ledger (
        number  INTEGER PRIMARY KEY,
        case_id TEXT NOT NULL,
        kind    TEXT NOT NULL,
        at      TEXT NOT NULL,
        sha256  TEXT NOT NULL UNIQUE,
        body    BLOB NOT NULL
    ) STRICT;
    CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
        BEGIN SELECT RAISE(ABORT, 'an entry of the ledger cannot be changed'); END;
    CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
        BEGIN SELECT RAISE(ABORT, 'an entry of the ledger cannot be removed'); END;
    CREATE TABLE ledger_head (  -- apart from the entries, so that cutting the newest off is seen
        one    INTEGER PRIMARY KEY CHECK (one = 1),
        number INTEGER NOT NULL,
        sha256 TEXT NOT NULL
    ) STRICT;
    """

MIGRATIONS = (_FIRST, _FACTS_BY_TIME, _LEDGER)
"""Scripts in order; the file's `user_version` says how many it has had. Append, never change."""
_BUSY_TIMEOUT_MS = 5_000


def open_connection(path: Path) -> apsw.Connection:
    """Open or create the file and bring its schema up to date.

    Raises:
        StoreError: not a store of this program, newer than it, or the file cannot be opened.
    """
    try:
        connection = apsw.Connection(str(path))
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        _migrate(connection, path)
    except apsw.Error as error:
        raise StoreError(
            f"the store cannot be opened: {error}",
            field="store",
            value=path,
            hint="check that the folder exists and may be written, and that the file is a roi-tracker store",
        ) from error
    return connection


def _migrate(connection: apsw.Connection, path: Path) -> None:
    version = int(connection.pragma("user_version"))
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the store has schema {version}, this program knows {len(MIGRATIONS)}",
            field="store",
            value=path,
            hint="update lineproof",
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        with connection:
            connection.execute(script)
            connection.execute(f"PRAGMA user_version={number}")
