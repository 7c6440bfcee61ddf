"""Readings on their way into the SQLite store: staged with their commit, then compacted into blocks and roll-ups.

Called by the store's writer thread inside a transaction of the store; what is remembered between transactions is
only taken over once the transaction stands (`committed`), and dropped when it fails (`rolled_back`).
"""

from __future__ import annotations

from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, cast

import msgspec
import numpy as np
import structlog

from edge_agent.adapters.minute_rollups import minute_start
from edge_agent.adapters.reading_blocks import BLOCK_US, Series, block_start
from edge_agent.adapters.sqlite_day_writer import Piece
from edge_agent.readings import Channel, ReadingRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from edge_agent.adapters.sqlite_day_writer import DayWriter
    from edge_agent.readings import Reading

BLOCKS_A_CALL = 16  # bounds how long a compaction keeps the writer from facts: tens of milliseconds
READINGS_A_CALL = 10_000
ROWS_A_STATEMENT = 100
"""Each statement gives the interpreter away once, and the source's threads take it: one a row would be a convoy."""

COLUMNS = 4
"""Of a staged row."""

_log = structlog.get_logger(__name__)

_StagedRow = tuple[int, int, float, int]  # t_us, channel_id, value, quality


class _Task(msgspec.Struct, frozen=True):
    """Staged readings of one channel within one block and before the cutoff."""

    channel_id: int
    start_us: int
    end_us: int
    count: int


class _Window(msgspec.Struct, frozen=True):
    """Neighbouring channels within one block and before the cutoff."""

    start_us: int
    end_us: int
    first_channel: int
    last_channel: int

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """What `_IN_WINDOW` asks for."""
        return msgspec.structs.astuple(self)


class ReadingTables:
    """The tables `channel` and `staged`, written through one connection, and the days that readings go to from there.

    Args:
        connection: the store's.
        days: where compacted readings are.
    """

    def __init__(self, connection: apsw.Connection, days: DayWriter) -> None:
        self._connection = connection
        self._days = days
        self._channel_ids: dict[Channel, int] = {}
        self._compacted_until: dict[int, int] | None = None  # newest time in any day, by channel id
        self._plan: list[_Task] = []
        self._compacted: tuple[_Window, list[Piece]] | None = None

    def rolled_back(self) -> None:
        """Forget what a failed transaction may have taught."""
        self._channel_ids.clear()
        self._compacted_until = None
        self._plan.clear()
        self._compacted = None

    # ---- staging ----------------------------------------------------------------------------------------------

    def insert(self, readings: Sequence[Reading]) -> int:
        """Stage readings whose (channel, time) is new, in blocks as well as in staging; returns how many were."""
        run = ReadingRun.of(readings)
        known = self._channel_ids
        ids = [known.get(channel) or self._channel_id(channel) for channel in run.channels]
        newest = self._newest_compacted()
        if newest and min(run.times_us) <= max(newest.values()):
            rows = list(zip(run.times_us, ids, run.values, run.qualities, strict=True))
            late = [row for row in rows if row[0] <= newest.get(row[1], _BEFORE_ALL)]
            rows = [row for row in rows if row[0] > newest.get(row[1], _BEFORE_ALL)]
            cells: list[float | None] = list(chain.from_iterable(rows + self._not_in_blocks(late)))
        else:  # the usual case, without an object a row
            cells = [None] * (len(ids) * COLUMNS)
            cells[0::COLUMNS], cells[1::COLUMNS] = run.times_us, ids
            cells[2::COLUMNS], cells[3::COLUMNS] = run.values, run.qualities
        before = self._connection.total_changes()
        size = ROWS_A_STATEMENT * COLUMNS
        whole = len(cells) - len(cells) % size
        for first in range(0, whole, size):
            self._connection.execute(_STAGE_MANY, cells[first : first + size])
        rest = iter(cells[whole:])
        self._connection.executemany(_STAGE_ONE, zip(rest, rest, rest, rest, strict=True))
        return self._connection.total_changes() - before

    def _channel_id(self, channel: Channel) -> int:
        found = self._connection.execute("SELECT id, unit FROM channel WHERE key = ?", (channel.key,)).fetchone()
        if found is None:
            self._connection.execute(
                "INSERT INTO channel (key, line, asset, name, unit) VALUES (?, ?, ?, ?, ?)",
                (channel.key, channel.line, channel.asset, channel.name, channel.unit),
            )
            channel_id = self._connection.last_insert_rowid()
        else:
            channel_id, unit = cast("tuple[int, str]", found)
            if unit != channel.unit:
                _log.warning("channel changed its unit", channel=channel.key, before=unit, after=channel.unit)
                self._connection.execute("UPDATE channel SET unit = ? WHERE id = ?", (channel.unit, channel_id))
                for known in [known for known, known_id in self._channel_ids.items() if known_id == channel_id]:
                    del self._channel_ids[known]  # so that a change back is seen as well
        self._channel_ids[channel] = channel_id
        return channel_id

    def _newest_compacted(self) -> dict[int, int]:
        if self._compacted_until is None:
            rows = self._connection.execute("SELECT id, compacted_us FROM channel WHERE compacted_us IS NOT NULL")
            self._compacted_until = dict(cast("list[tuple[int, int]]", rows.fetchall()))
        return self._compacted_until

    def _not_in_blocks(self, rows: list[_StagedRow]) -> list[_StagedRow]:
        fresh: list[_StagedRow] = []

        def place(row: _StagedRow) -> tuple[int, int]:
            return row[1], block_start(row[0])

        for (channel_id, start_us), group in groupby(sorted(rows, key=place), key=place):
            known = set(self._days.block(self._channel(channel_id).key, start_us).times.tolist())
            fresh += [row for row in group if row[0] not in known]
        return fresh

    # ---- compaction -------------------------------------------------------------------------------------------

    def has_work(self, staged_until_us: int) -> bool:
        """Plan the next compaction if none is left over; True when whole minutes before a time wait in staging."""
        if not self._plan:
            self._plan = self._make_plan(minute_start(staged_until_us))
        return bool(self._plan)

    def compact(self) -> int:
        """Write planned readings into their day, durably, within the bounds of one call; they stay staged until
        `clear_compacted`. Outside a transaction of the store. Returns how many.
        """
        blocks = moved = 0
        first = self._plan[0]
        while self._plan and blocks < BLOCKS_A_CALL and moved < READINGS_A_CALL:
            last = self._plan.pop(0)
            blocks += 1
            moved += last.count
        window = _Window(first.start_us, first.end_us, first.channel_id, last.channel_id)
        pieces = self._staged(window)
        self._days.write(pieces)
        self._compacted = window, pieces
        return sum(len(piece.added) for piece in pieces)

    def clear_compacted(self) -> None:
        """Take out of staging what `compact` wrote; inside a transaction of the store."""
        if self._compacted is None:
            return
        window, pieces = self._compacted
        self._connection.execute(f"DELETE FROM staged WHERE {_IN_WINDOW}", window.bounds)  # noqa: S608 - a constant
        newest = self._newest_compacted()
        for piece in pieces:
            last_us, channel_id = int(piece.added.times[-1]), self._channel_id(piece.channel)
            newest[channel_id] = max(last_us, newest.get(channel_id, last_us))
            self._connection.execute(
                "UPDATE channel SET compacted_us = ? WHERE id = ?", (newest[channel_id], channel_id)
            )
        self._compacted = None

    def _make_plan(self, cutoff_us: int) -> list[_Task]:
        """All staged work of the oldest block period that has some, by channel."""
        oldest = cast("int | None", self._connection.execute("SELECT min(t_us) FROM staged").get)
        if oldest is None or oldest >= cutoff_us:
            return []
        start_us = block_start(oldest)
        end_us = min(start_us + BLOCK_US, cutoff_us)
        rows = self._connection.execute(
            "SELECT channel_id, count(*) FROM staged WHERE t_us >= ? AND t_us < ? GROUP BY channel_id ORDER BY 1",
            (start_us, end_us),
        ).fetchall()
        return [_Task(channel_id, start_us, end_us, count) for channel_id, count in cast("list[tuple[int, int]]", rows)]

    def _staged(self, window: _Window) -> list[Piece]:
        """The staged readings of neighbouring channels of one window: one scan of the window for all of them."""
        rows = self._connection.execute(
            f"SELECT t_us, channel_id, value, quality FROM staged WHERE {_IN_WINDOW}",  # noqa: S608 - a constant
            window.bounds,
        )
        ordered = sorted(cast("list[_StagedRow]", rows.fetchall()), key=itemgetter(1, 0))
        pieces = []
        for channel_id, group in groupby(ordered, key=itemgetter(1)):
            times, _, values, quality = zip(*group, strict=True)
            added = Series(np.array(times, np.int64), np.array(values, np.float64), np.array(quality, np.uint8))
            pieces.append(Piece(self._channel(channel_id), block_start(window.start_us), added))
        return pieces

    def _channel(self, channel_id: int) -> Channel:
        found = self._connection.execute(
            "SELECT line, asset, name, unit FROM channel WHERE id = ?", (channel_id,)
        ).fetchone()
        return Channel(*cast("tuple[str, str, str, str]", found))


_BEFORE_ALL = -(2**63) - 1
_IN_WINDOW = "t_us >= ? AND t_us < ? AND channel_id BETWEEN ? AND ?"

# DO NOTHING covers only the identity: OR IGNORE would also swallow a NaN without a word.
_STAGE = "INSERT INTO staged (t_us, channel_id, value, quality) VALUES {} ON CONFLICT (t_us, channel_id) DO NOTHING"
_STAGE_ONE = _STAGE.format("(?, ?, ?, ?)")
_STAGE_MANY = _STAGE.format(", ".join(["(?, ?, ?, ?)"] * ROWS_A_STATEMENT))
