"""Brings readings of a store of schema 1, which had them in its own file, into the files of their days."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import structlog

from edge_agent.adapters import reading_blocks
from edge_agent.adapters.sqlite_day_writer import Piece
from edge_agent.adapters.sqlite_days import DAY_US, day_of
from edge_agent.readings import Channel

if TYPE_CHECKING:
    import apsw

    from edge_agent.adapters.sqlite_day_writer import DayWriter

DAYS_SCHEMA = 2
_AT_ONCE = 256

_log = structlog.get_logger(__name__)


def carry_over(connection: apsw.Connection, days: DayWriter) -> int:
    """Copy every block to its day; returns how many. Interrupted, it is done again: what a day has, it keeps."""
    carried = 0
    bounds = cast(
        "tuple[int | None, int]", connection.execute("SELECT min(start_us), max(start_us) FROM block").fetchone()
    )
    if bounds[0] is None:
        return 0
    for day in range(day_of(bounds[0]), day_of(bounds[1]) + 1):
        rows = connection.execute(
            "SELECT line, asset, name, unit, start_us, data FROM block JOIN channel ON channel.id = channel_id"
            " WHERE start_us >= ? AND start_us < ? ORDER BY start_us, channel_id",
            (day * DAY_US, (day + 1) * DAY_US),
        )
        while some := [row for _, row in zip(range(_AT_ONCE), rows, strict=False)]:
            pieces = []
            for line, asset, name, unit, start_us, data in cast("list[tuple[str, str, str, str, int, bytes]]", some):
                pieces.append(Piece(Channel(line, asset, name, unit), start_us, reading_blocks.decode(data)))
            days.write(pieces)
            carried += len(pieces)
    _log.info("readings of an older store are in the files of their days now", blocks=carried)
    return carried
