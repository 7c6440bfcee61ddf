"""Schema of the tracker's SQLite file: one script a version, and opening a file with all of them applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw

from roi_tracker.adapters.sqlite_seals import SealTable
from roi_tracker.errors import StoreError, StoreUnusableError

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

_SEALS = """
    CREATE TABLE seal (
        number  INTEGER PRIMARY KEY,
        kind    TEXT NOT NULL CHECK (kind IN ('facts', 'baseline')),
        import  INTEGER NOT NULL,  -- 0 for a baseline
        first   INTEGER NOT NULL,
        last    INTEGER NOT NULL,
        content BLOB NOT NULL,     -- sha256 over the rows
        marks   BLOB NOT NULL,     -- the beginning of each row's own hash
        sha256  TEXT NOT NULL      -- over all of it and the seal before
    ) STRICT;
    CREATE TABLE seal_head (  -- apart from the seals, so that cutting the newest off is seen
        one    INTEGER PRIMARY KEY CHECK (one = 1),
        number INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        signs  BLOB NOT NULL      -- sha256 over the table of signs
    ) STRICT;
    CREATE TRIGGER fact_no_update
        BEFORE UPDATE OF number, key, kind, line, at_us, end_us, ref, import, body ON fact
        BEGIN SELECT RAISE(ABORT, 'a stored fact cannot be changed'); END;
    CREATE TRIGGER fact_no_delete BEFORE DELETE ON fact
        BEGIN SELECT RAISE(ABORT, 'a stored fact cannot be removed'); END;
    DROP TABLE derivation;
    DROP TABLE derived_day;
    CREATE TABLE derivation (name TEXT NOT NULL, watermark INTEGER NOT NULL, sha256 BLOB NOT NULL) STRICT;
    CREATE TABLE derived_day (day INTEGER PRIMARY KEY, body BLOB NOT NULL, sha256 BLOB NOT NULL) STRICT;
    """

MIGRATIONS = (_FIRST, _FACTS_BY_TIME, _LEDGER, _SEALS)
"""Scripts in order; the file's `user_version` says how many it has had. Append, never change."""
_SEALED_FROM = 4
APPLICATION_ID = 0x4C505254
"""Says whose file it is; stores of the first schemas do not carry it yet."""
_OF_EVERY_SCHEMA = frozenset({"fact", "source", "derivation", "frozen_baseline"})
_BUSY_TIMEOUT_MS = 5_000


def open_connection(path: Path) -> apsw.Connection:
    """Open or create the file and bring its schema up to date.

    Raises:
        StoreUnusableError: not a store of this program, newer than it, or the file cannot be opened.
    """
    try:
        connection = apsw.Connection(str(path))
    except apsw.Error as error:
        raise _unusable(path, error) from error
    try:
        connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        _recognise(connection, path)  # before anything is written into a file that may be another program's
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        _migrate(connection)
    except apsw.Error as error:
        connection.close()
        raise _unusable(path, error) from error
    except StoreError:
        connection.close()
        raise
    return connection


def _unusable(path: Path, error: apsw.Error) -> StoreUnusableError:
    return StoreUnusableError(
        f"the store cannot be opened: {error}",
        field="store",
        value=path,
        hint="check that the folder exists and may be written, and that the file is a roi-tracker store",
    )


def _recognise(connection: apsw.Connection, path: Path) -> None:
    tables = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    written_by, version = int(connection.pragma("application_id")), int(connection.pragma("user_version"))
    known = written_by == APPLICATION_ID or (written_by == 0 and version > 0 and tables >= _OF_EVERY_SCHEMA)
    if tables and not known:
        raise StoreUnusableError(
            "this SQLite file is no store of roi-tracker; nothing was written into it",
            field="store",
            value=path,
            hint="name the tracker's own store; `roi-tracker import --store FILE` makes a new one",
        )
    if version > len(MIGRATIONS):
        raise StoreUnusableError(
            f"the store has schema {version}, this program knows {len(MIGRATIONS)}",
            field="store",
            value=path,
            hint="update lineproof",
        )


def _migrate(connection: apsw.Connection) -> None:
    if int(connection.pragma("user_version")) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")  # two processes may open a new store at once
    try:
        version = int(connection.pragma("user_version"))
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            connection.execute(script)
            if number == _SEALED_FROM:
                _seal_what_is_there(connection)
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _seal_what_is_there(connection: apsw.Connection) -> None:
    """Facts and baselines of a store from before the seals are sealed as they are found."""
    seals = SealTable(connection)
    seals.seal_facts(0)
    for (number,) in connection.execute("SELECT number FROM frozen_baseline ORDER BY number").fetchall():
        seals.seal_baseline(int(str(number)))
