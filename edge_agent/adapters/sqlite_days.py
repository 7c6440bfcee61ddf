"""Compressed readings in one SQLite file a day (UTC): a day is forgotten by removing its file, and by nothing else.

Layout of a file: `channel` names the channels by key, so that a file can be read without the store it came from;
`block` has one row a channel and 600 seconds, with the readings and their one-minute roll-ups. Pages are large, because
a row is: with pages of 4 KiB a third of the file was room that no row fitted into.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, cast

import apsw

from edge_agent.adapters import reading_blocks
from edge_agent.adapters.minute_rollups import unpack
from edge_agent.adapters.reading_blocks import BLOCK_US
from edge_agent.adapters.sqlite_schema import BUSY_TIMEOUT_MS, store_errors
from edge_agent.instant import MICROSECONDS_PER_SECOND
from edge_agent.ports.keeping import DayOfReadings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_agent.adapters.reading_blocks import Series
    from edge_agent.ports import MinuteRollup
    from edge_agent.readings import Channel

DAY_US = 86_400 * MICROSECONDS_PER_SECOND
APPLICATION_ID = 0x4C504431  # "LPD1"
VERSION = 1
SUFFIX = ".sqlite"
SIDE_FILES = ("-wal", "-shm")
DAMAGED = ".damaged"
_EPOCH = date(1970, 1, 1).toordinal()
_IDLE_KEPT = 8
_FEW_DAYS = 8

DAY_SCHEMA = """
CREATE TABLE IF NOT EXISTS channel (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL,
    asset TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS block (
    id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL REFERENCES channel (id),
    period INTEGER NOT NULL, -- 600-second period of the day, from 0
    count INTEGER NOT NULL,
    minutes BLOB NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (channel_id, period)
) STRICT;
"""


def day_of(t_us: int) -> int:
    """Number of the UTC day that holds a time, counted from 1970-01-01.

    >>> day_of(86_400_000_000), day_of(-1)
    (1, -1)
    """
    return t_us // DAY_US


def day_name(day: int) -> str:
    """A day as files are named; days that no calendar has keep their number.

    >>> day_name(20_000), day_name(10**9)
    ('2024-10-04', 'day+1000000000')
    """
    try:
        return date.fromordinal(day + _EPOCH).isoformat()
    except (ValueError, OverflowError):
        return f"day{day:+d}"


def day_from(name: str) -> int | None:
    """The day that a file name means, None for any other name.

    >>> day_from("2024-10-04"), day_from("day+1000000000"), day_from("notes")
    (20000, 1000000000, None)
    """
    try:
        if name.startswith("day"):
            return int(name[3:])
        return date.fromisoformat(name).toordinal() - _EPOCH
    except ValueError:
        return None


def days_folder(store: Path) -> Path:
    """Where the days of a store file are kept."""
    return store.with_name(f"{store.stem}.readings")


def day_path(folder: Path, day: int) -> Path:
    """The file of a day."""
    return folder / f"{day_name(day)}{SUFFIX}"


def list_days(folder: Path) -> list[DayOfReadings]:
    """The days that are kept, oldest first."""
    found = []
    for path in folder.glob(f"*{SUFFIX}") if folder.is_dir() else ():
        day = day_from(path.name.removesuffix(SUFFIX))
        if day is None:
            continue
        size = written_us = 0
        for file in (path, *(path.with_name(path.name + suffix) for suffix in SIDE_FILES[:1])):
            try:
                seen = file.stat()
            except FileNotFoundError:
                continue
            size += seen.st_size
            written_us = max(written_us, seen.st_mtime_ns // 1_000)
        found.append(DayOfReadings(day, day_name(day), day * DAY_US, (day + 1) * DAY_US, size, written_us))
    return sorted(found, key=lambda kept: kept.day)


def damaged_days(folder: Path) -> list[str]:
    """Files of days that were damaged and set aside."""
    found = folder.glob(f"*{SUFFIX}{DAMAGED}*") if folder.is_dir() else ()
    return sorted(path.name for path in found if not path.name.endswith(SIDE_FILES))


@dataclass(slots=True)
class _Idle:
    """A connection that waits for its next reader, and which file it has open."""

    day: int
    inode: int
    connection: apsw.Connection


class DayReader:
    """Reads of the days from any thread, each in one read transaction a day."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._idle: list[_Idle] = []
        self._lock = threading.Lock()
        self._closed = False

    def blocks(self, key: str, start_us: int, end_us: int) -> list[Series]:
        """The blocks of a channel that may hold readings in [start, end), in time order."""
        rows = self._rows("data", key, start_us, end_us)
        return [reading_blocks.decode(data) for _, data in rows]

    def minutes(self, key: str, start_us: int, end_us: int) -> list[MinuteRollup]:
        """The roll-ups of a channel that start in [start, end), in time order."""
        found = [
            rollup for begin, data in self._rows("minutes", key, start_us, end_us) for rollup in unpack(data, begin)
        ]
        return [rollup for rollup in found if start_us <= rollup.start_us < end_us]

    def close(self) -> None:
        """Close the connections that wait; one that a thread still reads from is closed when that read ends."""
        self._closed = True
        with self._lock:
            waiting, self._idle = self._idle, []
        for idle in waiting:
            idle.connection.close()

    def _rows(self, column: str, key: str, start_us: int, end_us: int) -> Iterator[tuple[int, bytes]]:
        """Start and one column of the blocks of a channel, day by day."""
        query = (
            f"SELECT period, {column} FROM block WHERE channel_id = (SELECT id FROM channel WHERE key = ?)"  # noqa: S608 - our own column names
            " AND period >= ? AND period <= ? ORDER BY period"
        )
        for day in self._days(start_us, end_us):
            begin_us = day * DAY_US
            first, last = (max(start_us, begin_us) - begin_us) // BLOCK_US, (end_us - 1 - begin_us) // BLOCK_US
            with self._reading(day) as connection:
                rows = connection.execute(query, (key, first, last)).fetchall() if connection is not None else []
            for period, data in cast("list[tuple[int, bytes]]", rows):
                yield begin_us + period * BLOCK_US, data

    def _days(self, start_us: int, end_us: int) -> list[int]:
        if end_us <= start_us:
            return []
        first, last = day_of(start_us), day_of(end_us - 1)
        if last - first < _FEW_DAYS:
            return list(range(first, last + 1))
        return [kept.day for kept in list_days(self._folder) if first <= kept.day <= last]

    @contextmanager
    def _reading(self, day: int) -> Iterator[apsw.Connection | None]:
        """Lend a connection to a day inside a read transaction; None where the day is not (or no longer) kept."""
        path = day_path(self._folder, day)
        idle = self._take(day, path)
        if idle is None:
            yield None
            return
        connection = idle.connection
        try:
            with store_errors(path, "reading a day of readings"):
                connection.execute("BEGIN")
                yield connection if connection.pragma("user_version") == VERSION else None
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._release(idle)

    def _take(self, day: int, path: Path) -> _Idle | None:
        try:
            inode = path.stat().st_ino
        except FileNotFoundError:
            return None
        with self._lock:
            fitting = next((idle for idle in self._idle if idle.day == day and idle.inode == inode), None)
            if fitting is not None:
                self._idle.remove(fitting)
                return fitting
        try:
            with store_errors(path, "opening a day of readings"):
                connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
                connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        except Exception:
            if not path.exists():  # removed since we looked
                return None
            raise
        return _Idle(day, inode, connection)

    def _release(self, idle: _Idle) -> None:
        with self._lock:
            self._idle.append(idle)
            waiting = self._idle if self._closed else self._idle[:-_IDLE_KEPT]
            self._idle = [] if self._closed else self._idle[-_IDLE_KEPT:]
        for old in waiting:
            old.connection.close()


def channel_row(channel: Channel) -> tuple[str, str, str, str, str]:
    """A channel as the tables hold it."""
    return channel.key, channel.line, channel.asset, channel.name, channel.unit
