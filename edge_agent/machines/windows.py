"""Sliding windows of sensor readings on a regular time grid, for models that look at the recent past."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_agent.readings import Quality
from edge_agent.signals.ring import MirroredRing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edge_agent.readings import Reading


class SlidingWindow:
    """The last `rows` grid points of an asset's channels, in event time.

    A grid point takes each channel's newest value (last value held) and is closed when a reading of a later grid
    point arrives, so a window never holds a value from its own future. A channel silent for longer than `stale_us`
    is not held on: the window starts filling again. Rows live in a mirrored ring, so that a window is a view and a
    tick costs no copy of the past.

    Args:
        channels: column order.
        rows: grid points in a window.
        period_us: grid spacing, microseconds.
        stale_us: longest silence of a channel that is bridged by its last value, microseconds.
    """

    def __init__(self, channels: Sequence[str], *, rows: int, period_us: int, stale_us: int) -> None:
        self._column = {name: index for index, name in enumerate(channels)}
        self._rows = rows
        self._period_us = period_us
        self._stale_us = max(stale_us, period_us)
        self._ring = MirroredRing(rows=rows, channels=len(channels))
        self._latest = np.zeros(len(channels), dtype=np.float32)
        self._seen_us = np.full(len(channels), np.iinfo(np.int64).min, dtype=np.int64)
        self._tick: int | None = None

    @property
    def filled(self) -> int:
        """Grid points held, at most `rows`."""
        return self._ring.filled

    def offer(self, reading: Reading) -> Iterator[tuple[int, NDArray[np.float32] | None]]:
        """Take one reading and yield `(t_us, window)` for every grid point that it closes.

        `t_us` is the end of the closed grid interval. `window` is float32 (rows, channels), oldest first, a view
        valid until the next call; None while the window is filling or a channel is stale. Readings of other
        channels, of BAD quality and from before the current grid point change nothing.
        """
        column = self._column.get(reading.channel.name)
        if column is None or reading.quality >= Quality.BAD:
            return
        tick = reading.t_us // self._period_us
        if self._tick is None:
            self._tick = tick
        if tick < self._tick:
            return
        if (tick - self._tick) * self._period_us > self._stale_us:
            end_us = (self._tick + 1) * self._period_us
            self._tick = tick
            self._ring.clear()
            yield end_us, None
        while self._tick < tick:
            self._tick += 1
            yield self._tick * self._period_us, self._close(self._tick * self._period_us)
        self._latest[column] = reading.value
        self._seen_us[column] = reading.t_us

    def forget(self, t_us: int) -> bool:
        """Hold no value on: every channel is stale from `t_us`. False when readings are newer, or there are none."""
        if self._tick is None or int(self._seen_us.max()) > t_us:
            return False
        self._seen_us[:] = np.iinfo(np.int64).min
        self._filled = 0
        return True

    def _close(self, end_us: int) -> NDArray[np.float32] | None:
        if int(self._seen_us.min()) < end_us - self._stale_us:
            self._ring.clear()
            return None
        self._ring.push(self._latest)
        return self._ring.window if self._ring.filled == self._rows else None
