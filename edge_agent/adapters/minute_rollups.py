"""One-minute roll-ups of readings: count, minimum, mean and maximum of what is not BAD."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_agent.instant import MICROSECONDS_PER_SECOND
from edge_agent.ports import MinuteRollup
from edge_agent.readings import Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_agent.adapters.reading_blocks import Series

MINUTE_US = 60 * MICROSECONDS_PER_SECOND


def minute_start(t_us: int) -> int:
    """Start of the minute that holds a time.

    >>> minute_start(119_999_999)
    60000000
    """
    return t_us - t_us % MINUTE_US


def minute_starts(times: NDArray[np.int64]) -> set[int]:
    """Starts of all minutes that hold one of the times."""
    return set((np.unique(times // MINUTE_US) * MINUTE_US).tolist())


def roll_up(series: Series) -> list[MinuteRollup]:
    """Roll a series up, in time order; a minute with nothing but BAD readings has no roll-up."""
    trusted = series.quality != Quality.BAD
    times, values = series.times[trusted], series.values[trusted]
    if not len(times):
        return []
    minutes = times // MINUTE_US
    starts = np.flatnonzero(np.concatenate([[True], minutes[1:] != minutes[:-1]]))
    counts = np.diff(np.append(starts, len(times)))
    with np.errstate(over="ignore"):
        means = np.add.reduceat(values, starts) / counts
    if not np.isfinite(means).all():  # the sum of finite values left the range of float64; the mean cannot
        means = np.add.reduceat(values / np.repeat(counts, counts), starts)
    lows, highs = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    columns = (minutes[starts] * MINUTE_US, counts, lows, np.clip(means, lows, highs), highs)
    return [MinuteRollup(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
