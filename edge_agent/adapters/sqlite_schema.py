"""The SQLite file: its tables, how it is opened and checked, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import apsw
import msgspec

from edge_agent.errors import StoreBusyError, StoreError, ValueRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

APPLICATION_ID = 0x4C504631  # "LPF1"
BUSY_TIMEOUT_MS = 1_000
WAL_PAGES = 4_000  # checkpoint about every 16 MB: fewer fsyncs of the main file
WAL_KEPT_BYTES = 64 * 1024 * 1024  # a log that once grew is cut back to this
RESTORE_HINT = "keep the file as evidence (copy it with its -wal and -shm), then `edge-agent restore` the newest backup"


class Migration(msgspec.Struct, frozen=True):
    """One step of the schema, applied in one transaction and never changed after its release."""

    version: int
    sql: str


_FIRST = """
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    line TEXT NOT NULL,
    occurred_us INTEGER NOT NULL,
    recorded_us INTEGER NOT NULL,
    mono_ns INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_kind ON event (kind);
CREATE INDEX event_by_kind_and_line ON event (kind, line);
CREATE TRIGGER event_is_not_changed BEFORE UPDATE ON event
    BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_is_not_deleted BEFORE DELETE ON event
    BEGIN SELECT raise(ABORT, 'events are append-only'); END;

CREATE TABLE disposition (
    inspection_key TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES event (seq),
    PRIMARY KEY (inspection_key, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE open_review (
    inspection_key TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL,
    seq INTEGER PRIMARY KEY REFERENCES event (seq)
) STRICT;
CREATE INDEX open_review_by_line ON open_review (line);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    subject_key TEXT NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    created_us INTEGER NOT NULL,
    line TEXT NOT NULL,
    retain INTEGER NOT NULL,
    deadline_ms REAL,
    on_late TEXT NOT NULL
) STRICT;
CREATE TABLE outbox_settled (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE sequence (
    source TEXT NOT NULL,
    epoch TEXT NOT NULL,
    ledger TEXT NOT NULL,
    missing INTEGER NOT NULL,
    PRIMARY KEY (source, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    payload BLOB NOT NULL,
    recorded_us INTEGER NOT NULL
) STRICT;

CREATE TABLE channel (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL,
    asset TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL
) STRICT;
-- Time first: readings arrive in time order, so a commit touches few pages however many channels it carries.
CREATE TABLE staged (
    t_us INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    value REAL NOT NULL CHECK (abs(value) <= 1.7976931348623157e308),
    quality INTEGER NOT NULL CHECK (quality IN (0, 1, 2))
) STRICT;
CREATE UNIQUE INDEX staged_by_time ON staged (t_us, channel_id);
CREATE TABLE block (
    id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL REFERENCES channel (id),
    start_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    count INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (channel_id, start_us)
) STRICT;
CREATE TABLE minute (
    channel_id INTEGER NOT NULL REFERENCES channel (id),
    start_us INTEGER NOT NULL,
    count INTEGER NOT NULL,
    minimum REAL NOT NULL,
    mean REAL NOT NULL,
    maximum REAL NOT NULL,
    PRIMARY KEY (channel_id, start_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE tally (
    name TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO tally VALUES ('events', 0), ('readings', 0), ('quarantined', 0);
"""

# The blocks of the first schema are in the days' files by then: see sqlite_old_blocks.
_DAYS = """
ALTER TABLE channel ADD COLUMN compacted_us INTEGER;
UPDATE channel SET compacted_us = (SELECT max(last_us) FROM block WHERE channel_id = channel.id);
DROP TABLE block;
DROP TABLE minute;
CREATE TABLE evidence (
    digest TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES event (seq),
    verdict TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (digest, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_by_verdict ON evidence (verdict, seq, at_us);
INSERT OR IGNORE INTO evidence
    SELECT json_extract(body, '$.body.image'), seq, json_extract(body, '$.body.verdict'), occurred_us
    FROM event WHERE kind = 'inspection' AND json_extract(body, '$.body.image') IS NOT NULL;
INSERT OR IGNORE INTO evidence
    SELECT json_extract(body, '$.body.anomaly_map'), seq, json_extract(body, '$.body.verdict'), occurred_us
    FROM event WHERE kind = 'inspection' AND json_extract(body, '$.body.anomaly_map') IS NOT NULL;
"""

MIGRATIONS: tuple[Migration, ...] = (Migration(1, _FIRST), Migration(2, _DAYS))
Adopt = Callable[[apsw.Connection, int], None]
"""Carries data out of tables before a migration drops them; may be interrupted and is then done again."""


@contextmanager
def store_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn SQLite's errors into the store's, saying what to do."""
    try:
        yield
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreBusyError(
            f"store {path.name} is held by another process while {doing}: {error}",
            hint="offer the batch again; close other programs that write to the file",
        ) from error
    except apsw.FullError as error:
        raise StoreError(
            f"no space left for store {path.name} while {doing}: {error}",
            field="store.path",
            value=str(path),
            hint="free disk space; evidence images go first",
        ) from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StoreError(
            f"store {path.name} is damaged, found while {doing}: {error}",
            field="store.path",
            value=str(path),
            hint=RESTORE_HINT,
        ) from error
    except (apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError) as error:
        raise StoreError(
            f"the disk of store {path.name} failed or refused while {doing}: {error}",
            field="store.path",
            value=str(path),
            hint="check the disk, its mount and the folder's permissions (`edge-agent doctor`)",
        ) from error
    except apsw.ConstraintError as error:
        raise ValueRefusedError(
            f"store {path.name} refuses a value while {doing}: {error}",
            hint="readings are finite with quality 0, 1 or 2; the source that let another value through is at fault",
        ) from error
    except apsw.Error as error:
        raise StoreError(f"store {path.name} failed while {doing}: {error}", hint=RESTORE_HINT) from error


def open_writer(
    path: Path, migrations: Sequence[Migration] = MIGRATIONS, adopt: Adopt | None = None
) -> apsw.Connection:
    """Open the one writing connection, made when absent: checked, migrated, WAL, every commit synced.

    Args:
        path: the file.
        migrations: what brings it to the newest schema.
        adopt: called with the version of each migration of a store that was there before.

    Raises:
        StoreBusyError: another process writes to it.
        StoreError: not a store of ours, damaged, or made by a newer version; the file is left as it is.
    """
    with store_errors(path, "opening it"):
        connection = apsw.Connection(str(path))
        try:
            _prepare(connection, path, migrations, adopt)
        except BaseException:
            connection.close()
            raise
        return connection


def open_reader(path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> apsw.Connection:
    """Open a connection that cannot write.

    Raises:
        StoreError: absent, not a store of ours, or made by another version.
    """
    with store_errors(path, "opening it for reading"):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        try:
            _check_owner(connection, path)
            _check_readable(connection, path, migrations[-1].version)
        except BaseException:
            connection.close()
            raise
        return connection


def _prepare(connection: apsw.Connection, path: Path, migrations: Sequence[Migration], adopt: Adopt | None) -> None:
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    _check_owner(connection, path)
    known, found = migrations[-1].version, _version(connection)
    if found > known:
        raise StoreError(
            f"store {path.name} has schema {found}, this version of lineproof knows up to {known}",
            field="store.path",
            value=str(path),
            hint="install the lineproof that wrote it, or a newer one; stores are never migrated backwards",
        )
    faults = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    if faults != ["ok"]:
        raise StoreError(
            f"store {path.name} is damaged: {'; '.join(faults)}",
            field="store.path",
            value=str(path),
            hint=RESTORE_HINT,
        )
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "recursive_triggers = ON",  # so that REPLACE cannot delete an event behind its trigger
        f"wal_autocheckpoint = {WAL_PAGES}",
        f"journal_size_limit = {WAL_KEPT_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    for migration in migrations:
        if migration.version > found:
            if found and adopt is not None:
                adopt(connection, migration.version)
            _migrate(connection, migration)


def _check_owner(connection: apsw.Connection, path: Path) -> None:
    """Refuse a database that is not a store: nothing may be written into somebody else's file."""
    application = connection.pragma("application_id")
    tables = cast("int", connection.execute("SELECT count(*) FROM sqlite_schema").get)
    if application != APPLICATION_ID and not (application == 0 and tables == 0):
        raise StoreError(
            f"{path.name} is a database of another program",
            field="store.path",
            value=str(path),
            hint="name a new file; the store is made when it is absent",
        )


def _check_readable(connection: apsw.Connection, path: Path, known: int) -> None:
    found = _version(connection)
    if found != known:
        raise StoreError(
            f"store {path.name} has schema {found}, this version of lineproof reads {known}",
            hint="start the agent of this version once to migrate it, or update lineproof",
        )


def _version(connection: apsw.Connection) -> int:
    if not connection.table_exists("main", "schema_version"):
        return 0
    return cast("int", connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").get)


def _migrate(connection: apsw.Connection, migration: Migration) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if migration.version == 1:
            connection.execute(
                f"PRAGMA application_id = {APPLICATION_ID};"
                "CREATE TABLE schema_version (version INTEGER PRIMARY KEY,"
                " applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))) STRICT"
            )
        connection.execute(migration.sql)
        connection.execute("INSERT INTO schema_version (version) VALUES (?)", (migration.version,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
