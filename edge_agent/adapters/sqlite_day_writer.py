"""Writes the days of readings: the store's writer thread adds blocks, the keeper removes whole days.

A block is durable in its day's file before its readings leave staging, and merging is idempotent, so a crash between
the two leaves readings in both places and is mended by the next compaction. A day is forgotten by one rename
(`2026-01-31.sqlite` to `2026-01-31.<time>.purged`), after which nothing finds it; what follows may be interrupted.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

import apsw
import msgspec
import structlog

from edge_agent.adapters import reading_blocks
from edge_agent.adapters.minute_rollups import pack, roll_up
from edge_agent.adapters.reading_blocks import BLOCK_US, Series
from edge_agent.adapters.sqlite_days import (
    APPLICATION_ID,
    DAMAGED,
    DAY_SCHEMA,
    DAY_US,
    SIDE_FILES,
    SUFFIX,
    VERSION,
    channel_row,
    day_from,
    day_name,
    day_of,
    day_path,
)
from edge_agent.adapters.sqlite_schema import BUSY_TIMEOUT_MS, store_errors
from edge_agent.adapters.store_lock import folder_errors, sync_folder
from edge_agent.ports.keeping import RemovedDay
from edge_agent.readings import Channel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


PAGE_BYTES = 16_384
WAL_PAGES = 256  # checkpoint about every 4 MiB
WAL_KEPT_BYTES = 8 * 1024 * 1024
OPEN_DAYS = 3  # today, yesterday round midnight, and one that late readings belong to
PURGED = ".purged"

_log = structlog.get_logger(__name__)


class Piece(msgspec.Struct, frozen=True):
    """Readings of one channel to be added to one block."""

    channel: Channel
    start_us: int
    added: Series


class DayWriter:
    """The files of the days under one folder. `write` and `block` from the writer thread, `remove` from any.

    Args:
        folder: made when absent; what an interrupted removal left is cleared away, `.purged` files aside, which the
            keeper asks for (`unfinished`).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._open: dict[int, apsw.Connection] = {}
        with folder_errors(folder):
            folder.mkdir(exist_ok=True)
            for side in (file for suffix in SIDE_FILES for file in folder.glob(f"*{SUFFIX}{suffix}")):
                if not side.with_name(side.name.rsplit("-", 1)[0]).exists():
                    side.unlink()
            sync_folder(folder)
            sync_folder(folder.parent)

    def block(self, key: str, start_us: int) -> Series:
        """What a block holds; empty where there is none."""
        day = day_of(start_us)
        with self._lock:
            if day not in self._open and not day_path(self._folder, day).exists():
                return reading_blocks.empty()
            connection = self._connection(day)
            with store_errors(day_path(self._folder, day), "looking for late readings"):
                return _block(connection, key, start_us)

    def write(self, pieces: Sequence[Piece]) -> None:
        """Add readings of one day, in one durable transaction; what a block holds already stays as it is.

        Raises:
            StoreError: nothing was added.
        """
        if not pieces:
            return
        day = day_of(pieces[0].start_us)
        with self._lock:
            connection = self._connection(day)
            with store_errors(day_path(self._folder, day), "writing a day of readings"):
                connection.execute("BEGIN IMMEDIATE")
                try:
                    for piece in pieces:
                        _add(connection, piece)
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise

    def remove(self, day: int) -> RemovedDay | None:
        """Forget a day; None where it is not kept. The file's last piece may still be there: see `finish`."""
        path = day_path(self._folder, day)
        with self._lock, folder_errors(path):
            try:
                written_ns = path.stat().st_mtime_ns
            except FileNotFoundError:
                return None
            connection = self._open.pop(day, None)
            if connection is not None:
                connection.close()
            size = sum(file.stat().st_size for file in (path, *_sides(path)) if file.exists())
            gone = path.with_name(f"{path.name.removesuffix(SUFFIX)}.{written_ns}{PURGED}")
            path.replace(gone)
            # A log without its database would be taken for that of the next file of this name.
            for side in _sides(path):
                side.unlink(missing_ok=True)
            sync_folder(self._folder)
        return RemovedDay(day, day_name(day), gone.name, size)

    def unfinished(self) -> list[RemovedDay]:
        """Days whose removal a crash interrupted."""
        found = []
        for path in sorted(self._folder.glob(f"*{PURGED}")):
            day = day_from(path.name.split(".")[0])
            if day is not None:
                found.append(RemovedDay(day, day_name(day), path.name, path.stat().st_size))
        return found

    def finish(self, removed: RemovedDay) -> None:
        """Give a forgotten day's room back."""
        with folder_errors(self._folder):
            (self._folder / removed.file).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the files after the last write."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()

    def _connection(self, day: int) -> apsw.Connection:
        """The open file of a day, made when absent; the caller holds the lock."""
        connection = self._open.pop(day, None)
        if connection is None:
            while len(self._open) >= OPEN_DAYS:
                self._open.pop(next(iter(self._open))).close()
            path = day_path(self._folder, day)
            try:
                connection = _opened(path)
            except (apsw.CorruptError, apsw.NotADBError) as error:
                self._set_aside(path, error)
                connection = _opened(path)
        self._open[day] = connection  # the newest used stands last
        return connection

    def _set_aside(self, path: Path, error: Exception) -> None:
        """Keep a damaged day as evidence and begin a new one: readings that come must not wait for a repair."""
        number = sum(1 for _ in self._folder.glob(f"{path.name}{DAMAGED}*"))
        kept = path.with_name(f"{path.name}{DAMAGED}{number}")
        _log.error("a day of readings is damaged and set aside", file=kept.name, error=str(error))
        with folder_errors(path):
            for suffix in ("", *SIDE_FILES):
                file = path.with_name(path.name + suffix)
                if file.exists():
                    file.replace(kept.with_name(kept.name + suffix))
            sync_folder(self._folder)


def _sides(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in SIDE_FILES]


def _opened(path: Path) -> apsw.Connection:
    """Open or make a day's file.

    Raises:
        apsw.CorruptError, apsw.NotADBError: it is damaged, or no file of ours.
    """
    is_new = not path.exists()
    with store_errors(path, "opening a day of readings"):
        connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        if connection.pragma("application_id") not in {0, APPLICATION_ID}:
            raise apsw.NotADBError("a database of another program")  # noqa: TRY301 - told with the file
        if connection.execute("PRAGMA quick_check(1)").get != "ok":
            raise apsw.CorruptError("its pages do not fit together")  # noqa: TRY301 - as above
        with store_errors(path, "making a day of readings"):
            for pragma in (
                f"page_size = {PAGE_BYTES}",
                "journal_mode = WAL",
                "synchronous = FULL",
                f"wal_autocheckpoint = {WAL_PAGES}",
                f"journal_size_limit = {WAL_KEPT_BYTES}",
            ):
                connection.execute(f"PRAGMA {pragma}").fetchall()
            if connection.pragma("user_version") != VERSION:
                connection.execute(
                    f"BEGIN IMMEDIATE; {DAY_SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
                    f" PRAGMA user_version = {VERSION}; COMMIT"
                )
        if is_new:
            sync_folder(path.parent)
    except BaseException:
        connection.close()
        raise
    return connection


def _block(connection: apsw.Connection, key: str, start_us: int) -> Series:
    found = connection.execute(
        "SELECT data FROM block WHERE channel_id = (SELECT id FROM channel WHERE key = ?) AND period = ?",
        (key, start_us % DAY_US // BLOCK_US),
    ).fetchone()
    return reading_blocks.empty() if found is None else reading_blocks.decode(cast("bytes", found[0]))


def _add(connection: apsw.Connection, piece: Piece) -> None:
    whole = reading_blocks.merge(_block(connection, piece.channel.key, piece.start_us), piece.added)
    connection.execute(
        "INSERT INTO channel (key, line, asset, name, unit) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET unit = excluded.unit WHERE unit <> excluded.unit",
        channel_row(piece.channel),
    )
    connection.execute(
        "INSERT INTO block (channel_id, period, count, minutes, data)"
        " VALUES ((SELECT id FROM channel WHERE key = ?), ?, ?, ?, ?) ON CONFLICT (channel_id, period)"
        " DO UPDATE SET count = excluded.count, minutes = excluded.minutes, data = excluded.data",
        (
            piece.channel.key,
            piece.start_us % DAY_US // BLOCK_US,
            len(whole),
            pack(roll_up(whole), piece.start_us),
            reading_blocks.encode(whole),
        ),
    )
