"""Reads of the SQLite store from any thread, each in one read transaction on a pooled read-only connection."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, cast

import msgspec
import numpy as np

from edge_agent.adapters import reading_blocks
from edge_agent.adapters.minute_rollups import MINUTE_US, minute_starts, roll_up
from edge_agent.adapters.reading_blocks import Series
from edge_agent.adapters.sqlite_days import DayReader, days_folder, list_days
from edge_agent.adapters.sqlite_schema import RESTORE_HINT, open_reader, store_errors
from edge_agent.errors import StoreError
from edge_agent.events import RecordedEvent, decode_event
from edge_agent.instant import from_us
from edge_agent.ports import MinuteRollup, OutboxMessage, ReasonCount, StoreTotals
from edge_agent.readings import Channel, Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Self

    import apsw
    from numpy.typing import NDArray

_EVENT = "SELECT seq, recorded_us, boot_id, mono_ns, body FROM event"
_JUDGED = "seq IN (SELECT seq FROM disposition WHERE inspection_key = ?) ORDER BY seq"
_REASONS = (
    "SELECT reason, count(*) FROM (SELECT reason FROM quarantine ORDER BY id DESC LIMIT 1000)"
    " GROUP BY reason ORDER BY 2 DESC, 1"
)
_OPEN = "seq IN (SELECT seq FROM open_review ORDER BY seq LIMIT ?) ORDER BY seq"
_OPEN_ON_LINE = "seq IN (SELECT seq FROM open_review WHERE line = ? ORDER BY seq LIMIT ?) ORDER BY seq"


class SqliteReader:
    """ports.StoreReader over a store file; several may be open beside the agent that writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._days = DayReader(days_folder(path))
        self._idle: deque[apsw.Connection] = deque()
        self._closed = False

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing store for reading only.

        Raises:
            StoreError: absent, not a store, or of another version.
        """
        reader = cls(path)
        reader._idle.append(open_reader(path))
        return reader

    @property
    def path(self) -> Path:
        """The store file."""
        return self._path

    def close(self) -> None:
        """Close the connections; one that a thread still reads from is closed when that read ends."""
        self._closed = True
        self._days.close()
        self._close_idle()

    def events_after(
        self, seq: int, *, limit: int, kinds: frozenset[str] | None = None, line: str | None = None
    ) -> list[RecordedEvent]:
        """Events with a greater `seq`, oldest first."""
        with self._reading("reading the event feed") as connection:
            if kinds is None and line is None:
                return _events(connection.execute(f"{_EVENT} WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)))
            # One bounded index range a kind: a rare kind is never searched for among all others.
            found: list[RecordedEvent] = []
            for kind in _kinds(connection) if kinds is None else kinds:
                found += _events(_of_kind(connection, kind, line, f"seq > {seq:d} ORDER BY seq LIMIT {limit:d}"))
            return sorted(found, key=lambda recorded: recorded.seq)[:limit]

    def latest_events(self, kind: str, *, line: str | None = None, limit: int = 1) -> list[RecordedEvent]:
        """The newest events of a kind, newest first."""
        with self._reading("reading the newest events") as connection:
            return _events(_of_kind(connection, kind, line, f"true ORDER BY seq DESC LIMIT {limit:d}"))

    def event(self, key: str) -> RecordedEvent | None:
        """The event with this key."""
        with self._reading("reading an event") as connection:
            found = _events(connection.execute(f"{_EVENT} WHERE key = ?", (key,)))
            return found[0] if found else None

    def dispositions_of(self, inspection_key: str) -> list[RecordedEvent]:
        """All dispositions of one inspection, oldest first."""
        with self._reading("reading dispositions") as connection:
            return _events(connection.execute(f"{_EVENT} WHERE {_JUDGED}", (inspection_key,)))

    def open_reviews(self, *, line: str | None = None, limit: int = 50) -> list[RecordedEvent]:
        """REVIEW inspections without a disposition, oldest first."""
        with self._reading("reading open reviews") as connection:
            if line is None:
                return _events(connection.execute(f"{_EVENT} WHERE {_OPEN}", (limit,)))
            return _events(connection.execute(f"{_EVENT} WHERE {_OPEN_ON_LINE}", (line, limit)))

    def last_seq(self) -> int:
        """The greatest `seq`, 0 for an empty store."""
        with self._reading("reading the last seq") as connection:
            return cast("int", connection.execute("SELECT coalesce(max(seq), 0) FROM event").get)

    def pending_outbox(self, limit: int | None = None) -> list[OutboxMessage]:
        """Messages not settled yet, oldest first; all of them without a limit."""
        query = (
            "SELECT key, subject_key, topic, payload, created_us, line, retain, deadline_ms, on_late"
            " FROM outbox ORDER BY id LIMIT ?"
        )
        with self._reading("reading the outbox") as connection:
            rows = cast("list[_OutboxRow]", connection.execute(query, (-1 if limit is None else limit,)).fetchall())
        return [
            OutboxMessage(key, subject, topic, payload, created_us, line, bool(retain), deadline_ms, on_late)
            for key, subject, topic, payload, created_us, line, retain, deadline_ms, on_late in rows
        ]

    def channels(self) -> list[Channel]:
        """All channels that have readings, by key; a channel's unit is the newest it was read in."""
        with self._reading("reading channels") as connection:
            rows = connection.execute("SELECT line, asset, name, unit FROM channel ORDER BY key").fetchall()
        return [Channel(*cast("tuple[str, str, str, str]", row)) for row in rows]

    def readings(self, channel_key: str, start_us: int, end_us: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times (microseconds) and values in [start, end), in time order, BAD quality left out."""
        with self._reading("reading readings") as connection:
            series = self._series(connection, channel_key, start_us, end_us)
        trusted = series.quality != Quality.BAD
        return series.times[trusted], series.values[trusted]

    def newest_us(self, channel_key: str) -> int | None:
        """Time of a channel's newest reading of any quality, microseconds; None when it has none."""
        query = (
            "SELECT max(t_us) FROM"
            " (SELECT * FROM (SELECT t_us FROM staged WHERE channel_id = ?1 ORDER BY t_us DESC LIMIT 1)"
            " UNION ALL SELECT compacted_us FROM channel WHERE id = ?1)"
        )
        with self._reading("reading a channel's newest time") as connection:
            return cast("int | None", connection.execute(query, (_channel_id(connection, channel_key),)).get)

    def minutes(self, channel_key: str, start_us: int, end_us: int) -> list[MinuteRollup]:
        """One-minute roll-ups that start in [start, end), in time order; the same before and after compaction."""
        with self._reading("reading minutes") as connection:
            # staging first: what has left it since is in its day by then
            staged = staged_series(connection, _channel_id(connection, channel_key), start_us, end_us + MINUTE_US)
            found = {rollup.start_us: rollup for rollup in self._days.minutes(channel_key, start_us, end_us)}
            fresh = minute_starts(staged.times)
            if fresh:  # minutes with staged readings have no stored roll-up yet, or one that is behind
                series = self._series(connection, channel_key, min(fresh), max(fresh) + MINUTE_US)
                found |= {rollup.start_us: rollup for rollup in roll_up(series) if rollup.start_us in fresh}
        return [found[start] for start in sorted(found) if start_us <= start < end_us]

    def totals(self) -> StoreTotals:
        """Counts since the store was made; `missing_messages` is what is missing now, late arrivals taken off."""
        with self._reading("reading totals") as connection:
            tally = dict(cast("Iterable[tuple[str, int]]", connection.execute("SELECT name, count FROM tally")))
            missing = sum(cast("int", row[0]) for row in connection.execute("SELECT missing FROM sequence"))
            pending = cast("int", connection.execute("SELECT count(*) FROM outbox").get)
            reasons = connection.execute(_REASONS).fetchall() if tally["quarantined"] else []
        return StoreTotals(
            events=tally["events"],
            readings=tally["readings"],
            quarantined=tally["quarantined"],
            missing_messages=missing,
            outbox_pending=pending,
            size_bytes=self._size_bytes(),
            quarantine_reasons=tuple(ReasonCount(*row) for row in cast("list[tuple[str, int]]", reasons)),
        )

    def _size_bytes(self) -> int:
        log = self._path.with_name(self._path.name + "-wal")
        days = sum(day.size_bytes for day in list_days(days_folder(self._path)))
        return self._path.stat().st_size + (log.stat().st_size if log.exists() else 0) + days

    def _series(self, connection: apsw.Connection, key: str, start_us: int, end_us: int) -> Series:
        """Staging is read first: what leaves it after that is in its day already, and never in neither."""
        staged = staged_series(connection, _channel_id(connection, key), start_us, end_us)
        series = reading_blocks.merge(reading_blocks.join(self._days.blocks(key, start_us, end_us)), staged)
        first, last = np.searchsorted(series.times, [start_us, end_us])
        return Series(series.times[first:last], series.values[first:last], series.quality[first:last])

    @contextmanager
    def _reading(self, doing: str) -> Iterator[apsw.Connection]:
        """Lend a connection inside one read transaction: everything read in it is one state of the store."""
        if self._closed:
            raise StoreError(f"store {self._path.name} is closed", hint="open it again")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = open_reader(self._path)
        try:
            with store_errors(self._path, doing):
                connection.execute("BEGIN")
                yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._release(connection)

    def _release(self, connection: apsw.Connection) -> None:
        self._idle.append(connection)
        if self._closed:
            self._close_idle()

    def _close_idle(self) -> None:
        while True:
            try:
                self._idle.pop().close()
            except IndexError:
                return


_OutboxRow = tuple[str, str, str, bytes, int, str, int, float | None, Literal["none", "stop", "divert"]]


def staged_series(connection: apsw.Connection, channel_id: int, start_us: int, end_us: int) -> Series:
    """The staged readings of one channel in [start, end), BAD ones included."""
    query = "SELECT t_us, value, quality FROM staged WHERE t_us >= ? AND t_us < ? AND channel_id = ? ORDER BY t_us"
    rows = cast("list[tuple[int, float, int]]", connection.execute(query, (start_us, end_us, channel_id)).fetchall())
    if not rows:
        return reading_blocks.empty()
    times, values, quality = zip(*rows, strict=True)
    return Series(np.array(times, np.int64), np.array(values, np.float64), np.array(quality, np.uint8))


def _channel_id(connection: apsw.Connection, key: str) -> int:
    """The channel's row, or 0, which no channel has."""
    return cast("int", connection.execute("SELECT coalesce(max(id), 0) FROM channel WHERE key = ?", (key,)).get)


def _kinds(connection: apsw.Connection) -> Iterator[str]:
    """The kinds stored, each by one step along the index."""
    kind = cast("str | None", connection.execute("SELECT min(kind) FROM event").get)
    while kind is not None:
        yield kind
        kind = cast("str | None", connection.execute("SELECT min(kind) FROM event WHERE kind > ?", (kind,)).get)


def _of_kind(connection: apsw.Connection, kind: str, line: str | None, rest: str) -> apsw.Cursor:
    if line is None:
        return connection.execute(f"{_EVENT} WHERE kind = ? AND {rest}", (kind,))
    return connection.execute(f"{_EVENT} WHERE kind = ? AND line = ? AND {rest}", (kind, line))


def _events(rows: Iterable[tuple[object, ...]]) -> list[RecordedEvent]:
    found = []
    for row in rows:
        seq, recorded_us, boot_id, mono_ns, body = cast("tuple[int, int, str, int, str]", row)
        try:
            event = decode_event(body.encode())
        except msgspec.DecodeError as error:
            raise StoreError(
                f"event {seq} cannot be read: {error}",
                hint=f"a newer lineproof wrote it: update; otherwise {RESTORE_HINT}",
            ) from error
        found.append(RecordedEvent(seq, from_us(recorded_us), boot_id, mono_ns, event))
    return found
