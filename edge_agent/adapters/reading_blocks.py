"""Compressed blocks of one channel's readings: lossless, a few bytes a reading, readable with numpy and zstandard.

Layout, little endian: header (version u8, quality u8, value form u8, decimals u8, count u32, length of the first
frame u32), then two zstd frames with checksums. The first holds the times as zigzag delta-of-delta, byte planes
most significant last, followed by the quality bytes where they differ within the block. The second holds the values.

Sensors print decimals: where every value is an integer multiple of one power of ten, bit for bit, the values are
kept as those integers (plain or as deltas, whichever is smaller); otherwise as float64 XORed with the one before
(after Pelkonen et al., "Gorilla", VLDB 2015), in byte planes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import zstandard

from edge_agent.errors import StoreError
from edge_agent.instant import MICROSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BLOCK_US = 600 * MICROSECONDS_PER_SECOND

_HEADER = struct.Struct("<BBBBII")
_VERSION = 1
_MIXED_QUALITY = 255
_XOR, _DECIMAL, _DECIMAL_DELTA = 0, 1, 2
_MAX_DECIMALS = 9
_EXACT_INTEGER = 2.0**53
_LEVEL = 3  # higher levels gain under 2 % here and cost a multiple
_PROBE = 16  # values looked at before a whole block is tried


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Readings of one channel.

    Attributes:
        times: int64 (n,), microseconds UTC, strictly rising.
        values: float64 (n,), finite, in the channel's unit.
        quality: uint8 (n,), `Quality` values.
    """

    times: NDArray[np.int64]
    values: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.times)


def empty() -> Series:
    """A series of nothing."""
    return Series(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8))


def block_start(t_us: int) -> int:
    """Start of the 600-second block that holds a time.

    >>> block_start(1_234_000_000)
    1200000000
    """
    return t_us - t_us % BLOCK_US


def join(parts: Sequence[Series]) -> Series:
    """Put series that follow one another in time end to end."""
    if not parts:
        return empty()
    return Series(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.quality for part in parts]),
    )


def merge(kept: Series, added: Series) -> Series:
    """Join two series in time order; where both have a time, `kept` holds."""
    if not len(added) or not len(kept):
        return kept if not len(added) else added
    if kept.times[-1] < added.times[0]:
        return join([kept, added])
    times = np.concatenate([kept.times, added.times])
    _, first = np.unique(times, return_index=True)
    values = np.concatenate([kept.values, added.values])
    quality = np.concatenate([kept.quality, added.quality])
    return Series(times[first], values[first], quality[first])


def encode(series: Series) -> bytes:
    """Compress a series."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    count = len(series)
    quality = int(series.quality[0]) if count and (series.quality == series.quality[0]).all() else _MIXED_QUALITY
    head = _planes(_zigzag(_delta(_delta(series.times))))
    if quality == _MIXED_QUALITY:
        head += series.quality.astype(np.uint8).tobytes()
    times_frame = compressor.compress(head)
    decimals = _decimals(series.values)
    if decimals is None:
        bits = series.values.view(np.uint64)
        form, values_frame = _XOR, compressor.compress(_planes(bits ^ np.concatenate([[np.uint64(0)], bits[:-1]])))
    else:
        integers = _scaled(series.values, decimals)
        plain = compressor.compress(_planes(_zigzag(integers)))
        delta = compressor.compress(_planes(_zigzag(_delta(integers))))
        form, values_frame = (_DECIMAL, plain) if len(plain) <= len(delta) else (_DECIMAL_DELTA, delta)
    header = _HEADER.pack(_VERSION, quality, form, decimals or 0, count, len(times_frame))
    return header + times_frame + values_frame


def decode(block: bytes) -> Series:
    """Read a block back, bit for bit.

    Raises:
        StoreError: the block is damaged, or written by a newer version.
    """
    if len(block) < _HEADER.size:
        raise StoreError(f"block of readings is cut short at {len(block)} bytes", hint=_DAMAGED_HINT)
    version, quality, form, decimals, count, times_length = _HEADER.unpack_from(block)
    if version != _VERSION or form > _DECIMAL_DELTA or decimals > _MAX_DECIMALS:
        raise StoreError(
            f"block of readings has unknown form {version}.{form}", hint=f"update lineproof, or: {_DAMAGED_HINT}"
        )
    split = _HEADER.size + times_length
    mixed = quality == _MIXED_QUALITY
    head = _decompressed(block[_HEADER.size : split], count * (9 if mixed else 8))
    planes = _decompressed(block[split:], count * 8)
    times = _undelta(_undelta(_unzigzag(_unplanes(head[: count * 8], count))))
    qualities = np.frombuffer(head[count * 8 :], np.uint8) if mixed else np.full(count, quality, np.uint8)
    return Series(times, _values(_unplanes(planes, count), form, decimals), qualities)


_DAMAGED_HINT = "keep the file as evidence and restore the newest backup with `edge-agent restore`"


def _values(words: NDArray[np.uint64], form: int, decimals: int) -> NDArray[np.float64]:
    if form == _XOR:
        return np.bitwise_xor.accumulate(words).view(np.float64) if len(words) else words.view(np.float64)
    integers = _unzigzag(words)
    if form == _DECIMAL_DELTA:
        integers = _undelta(integers)
    return np.asarray(integers / 10.0**decimals, dtype=np.float64)


def _decompressed(frame: bytes, size: int) -> bytes:
    try:
        data = zstandard.ZstdDecompressor().decompress(frame, max_output_size=max(size, 1))
    except zstandard.ZstdError as error:
        raise StoreError(f"block of readings is damaged: {error}", hint=_DAMAGED_HINT) from error
    if len(data) != size:
        raise StoreError(f"block of readings holds {len(data)} bytes instead of {size}", hint=_DAMAGED_HINT)
    return data


def _decimals(values: NDArray[np.float64]) -> int | None:
    """The fewest decimals that give every value back bit for bit, or None."""
    if not len(values) or not np.isfinite(values).all():
        return None
    largest = float(np.abs(values).max())
    for decimals in range(_MAX_DECIMALS + 1):
        if largest * 10.0**decimals > _EXACT_INTEGER:
            return None
        if _is_exact(values[:_PROBE], decimals) and _is_exact(values, decimals):
            return decimals
    return None


def _scaled(values: NDArray[np.float64], decimals: int) -> NDArray[np.int64]:
    return np.rint(values * 10.0**decimals).astype(np.int64)


def _is_exact(values: NDArray[np.float64], decimals: int) -> bool:
    restored = np.asarray(_scaled(values, decimals) / 10.0**decimals, dtype=np.float64)
    return bool((restored.view(np.int64) == values.view(np.int64)).all())  # bits, so that -0.0 is not 0.0


def _delta(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Differences, the first number kept; wraps around as `_undelta` does, so any int64 survives."""
    out = numbers.copy()
    out[1:] -= numbers[:-1]
    return out


def _undelta(deltas: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum(deltas, dtype=np.int64)


def _zigzag(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Small magnitudes to small words: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)


def _unzigzag(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (words >> np.uint64(1)).view(np.int64) ^ -(words & np.uint64(1)).view(np.int64)


def _planes(words: NDArray[np.uint64]) -> bytes:
    """Byte planes: all lowest bytes, then all second bytes, and so on; zero planes compress to nothing."""
    return words.astype("<u8").view(np.uint8).reshape(-1, 8).T.tobytes()


def _unplanes(data: bytes, count: int) -> NDArray[np.uint64]:
    planes = np.frombuffer(data, np.uint8).reshape(8, count)
    return np.ascontiguousarray(planes.T).view("<u8").reshape(count).astype(np.uint64)
