"""Sensor readings as the agent holds them: one value of one channel at one time, with a quality flag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import overload

import msgspec
import numpy as np
from numpy.typing import NDArray


class Quality(IntEnum):
    """How far a reading may be trusted (the OPC UA good / uncertain / bad classes)."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Channel(msgspec.Struct, frozen=True):
    """A named signal of one asset on one line.

    Attributes:
        line: production line the asset belongs to.
        asset: machine or device, unique within the line.
        name: signal name, unique within the asset.
        unit: UCUM unit symbol (`Cel`, `A`, `mm/s`), or `1` for none.
    """

    line: str
    asset: str
    name: str
    unit: str = "1"

    @property
    def key(self) -> str:
        """`line/asset/name`, the channel's identity everywhere."""
        return f"{self.line}/{self.asset}/{self.name}"


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One sample. Identity is (`channel.key`, `t_us`): the same pair again is a duplicate delivery.

    Attributes:
        channel: the signal.
        t_us: measurement time, microseconds since the epoch, UTC.
        value: finite float in the channel's unit.
        quality: a `Quality` value.
    """

    channel: Channel
    t_us: int
    value: float
    quality: int = 0


class ReadingRun(Sequence[Reading]):
    """Readings held as columns: what thousands of messages carry becomes an object each only for who looks at it.

    Attributes:
        channels, times_us, values, qualities: of each reading in turn, all of one length; see `Reading`.

    >>> temperature = Channel("press-1", "ram", "temp", "Cel")
    >>> run = ReadingRun.of([Reading(temperature, 1_000, 21.5), Reading(temperature, 2_000, 22.0)])
    >>> run.values, run[1].t_us, len(run[1:])
    ([21.5, 22.0], 2000, 1)
    """

    __slots__ = ("channels", "qualities", "times_us", "values")

    def __init__(self, channels: list[Channel], times_us: list[int], values: list[float], qualities: list[int]) -> None:
        self.channels = channels
        self.times_us = times_us
        self.values = values
        self.qualities = qualities

    @classmethod
    def of(cls, readings: Iterable[Reading]) -> ReadingRun:
        """Readings as columns; a run is given back as it is."""
        if isinstance(readings, cls):
            return readings
        run = cls([], [], [], [])
        run.extend(readings)
        return run

    def extend(self, readings: Iterable[Reading]) -> None:
        """Add readings at the end; only who made the run may."""
        if isinstance(readings, ReadingRun):
            self.channels += readings.channels
            self.times_us += readings.times_us
            self.values += readings.values
            self.qualities += readings.qualities
            return
        for reading in readings:
            self.channels.append(reading.channel)
            self.times_us.append(reading.t_us)
            self.values.append(reading.value)
            self.qualities.append(reading.quality)

    def __len__(self) -> int:
        return len(self.times_us)

    def __iter__(self) -> Iterator[Reading]:
        return map(Reading, self.channels, self.times_us, self.values, self.qualities)

    @overload
    def __getitem__(self, index: int) -> Reading: ...

    @overload
    def __getitem__(self, index: slice) -> ReadingRun: ...

    def __getitem__(self, index: int | slice) -> Reading | ReadingRun:
        if isinstance(index, slice):
            return ReadingRun(self.channels[index], self.times_us[index], self.values[index], self.qualities[index])
        return Reading(self.channels[index], self.times_us[index], self.values[index], self.qualities[index])

    def __repr__(self) -> str:
        return repr(list(self))


class SequenceMark(msgspec.Struct, frozen=True, gc=False):
    """A publisher's own message number, from which lost messages are counted.

    Attributes:
        source: who numbers (a publisher or device id).
        epoch: changes whenever the publisher starts counting afresh.
        number: the message number within the epoch, 0 or greater.
    """

    source: str
    epoch: str
    number: int


class Waveform(msgspec.Struct, frozen=True, gc=False):
    """A block of evenly sampled values of one channel: vibration, current, sound.

    Attributes:
        channel: the signal.
        start_us: time of the first sample, microseconds since the epoch, UTC.
        rate_hz: sampling rate.
        samples: float32 (n,), finite, oldest first, read-only.
    """

    channel: Channel
    start_us: int
    rate_hz: float
    samples: NDArray[np.float32]


class Silence(msgspec.Struct, frozen=True, gc=False):
    """A machine's publisher has said, or its broker for it, that nothing more will come: what we hold is old.

    Attributes:
        line, asset: the machine.
        t_us: when we were told, microseconds since the epoch, UTC.
    """

    line: str
    asset: str
    t_us: int
