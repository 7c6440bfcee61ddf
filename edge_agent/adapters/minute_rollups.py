"""One-minute roll-ups of readings: count, minimum, mean and maximum of what is not BAD."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import zstandard

from edge_agent.errors import StoreError
from edge_agent.instant import MICROSECONDS_PER_SECOND
from edge_agent.ports import MinuteRollup
from edge_agent.readings import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

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


_LEVEL = 3
_NUMBERS = 3  # minimum, mean, maximum
_ROW_BYTES = 1 + 4 + 8 * _NUMBERS


def pack(rollups: Sequence[MinuteRollup], block_us: int) -> bytes:
    """Compress the roll-ups of one block, bit for bit: minute numbers, counts, then the floats in byte planes.

    Args:
        rollups: in time order, at most 256 minutes from the block's start.
        block_us: start of the block.
    """
    minutes = np.array([(rollup.start_us - block_us) // MINUTE_US for rollup in rollups], np.uint8)
    counts = np.array([rollup.count for rollup in rollups], "<u4")
    numbers = np.array([(rollup.minimum, rollup.mean, rollup.maximum) for rollup in rollups], "<f8")
    planes = np.ascontiguousarray(numbers.reshape(-1, _NUMBERS).T).view(np.uint8).reshape(-1, 8).T
    data = minutes.tobytes() + counts.view(np.uint8).reshape(-1, 4).T.tobytes() + planes.tobytes()
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(data)


def unpack(data: bytes, block_us: int) -> list[MinuteRollup]:
    """The roll-ups of one block.

    Raises:
        StoreError: they are damaged.
    """
    try:
        raw = zstandard.ZstdDecompressor().decompress(data, max_output_size=_ROW_BYTES * 256)
    except zstandard.ZstdError as error:
        raise StoreError(
            f"roll-ups of readings are damaged: {error}",
            hint="keep the day's file as evidence and restore it from the newest backup",
        ) from error
    n = len(raw) // _ROW_BYTES
    counts = np.ascontiguousarray(np.frombuffer(raw, np.uint8, 4 * n, n).reshape(4, n).T).view("<u4").ravel()
    planes = np.frombuffer(raw, np.uint8, 8 * _NUMBERS * n, 5 * n).reshape(8, _NUMBERS * n)
    numbers = np.ascontiguousarray(planes.T).view("<f8").reshape(_NUMBERS, n)
    starts = (np.frombuffer(raw, np.uint8, n).astype(np.int64) * MINUTE_US + block_us).tolist()
    return [MinuteRollup(*row) for row in zip(starts, counts.tolist(), *numbers.tolist(), strict=True)]
