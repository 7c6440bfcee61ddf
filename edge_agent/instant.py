"""One moment, held three ways: UTC for people, monotonic for durations, boot id to know when the two may be mixed."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

MICROSECONDS_PER_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(msgspec.Struct, frozen=True, gc=False):
    """A moment on this machine.

    Attributes:
        utc_us: microseconds since 1970-01-01T00:00:00Z by the wall clock, which may jump.
        mono_ns: nanoseconds of the monotonic clock, which never jumps; comparable only within one boot.
        boot_id: names the boot (and process clock) that `mono_ns` belongs to.
    """

    utc_us: int
    mono_ns: int
    boot_id: str

    @property
    def utc(self) -> datetime:
        """The wall-clock time as an aware UTC datetime."""
        return from_us(self.utc_us)


def from_us(utc_us: int) -> datetime:
    """Convert microseconds since the epoch to an aware UTC datetime.

    >>> from_us(1_000_000)
    datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.timezone.utc)
    """
    seconds, microseconds = divmod(utc_us, MICROSECONDS_PER_SECOND)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=microseconds)


def to_us(moment: datetime) -> int:
    """Convert an aware datetime to microseconds since the epoch, without floating point.

    Raises:
        ValueError: when `moment` carries no time zone; a naive time is a guess.

    >>> to_us(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    if moment.tzinfo is None:
        message = f"{moment.isoformat()} has no time zone"
        raise ValueError(message)
    delta = moment - _EPOCH  # zones are taken into account
    return (delta.days * 86_400 + delta.seconds) * MICROSECONDS_PER_SECOND + delta.microseconds
