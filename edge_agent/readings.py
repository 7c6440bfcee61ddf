"""Sensor readings as the agent holds them: one value of one channel at one time, with a quality flag."""

from __future__ import annotations

from enum import IntEnum

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
