"""What is kept for a time only: days of readings, evidence images, and the room they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from edge_agent.events import VerdictName
from edge_agent.instant import Instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime


class DayOfReadings(msgspec.Struct, frozen=True):
    """One UTC day of readings.

    Attributes:
        day: number of the day since 1970-01-01.
        name: the day as people write it.
        start_us, end_us: the day's bounds, microseconds UTC, end not included.
        size_bytes: room on disk.
        written_us: when it was written to last, microseconds UTC by this machine's clock.
    """

    day: int
    name: str
    start_us: int
    end_us: int
    size_bytes: int
    written_us: int


class RemovedDay(msgspec.Struct, frozen=True):
    """A day that nothing finds any more, and whose room is still to be given back.

    Attributes:
        file: names what is left of it; unique among all days ever removed.
    """

    day: int
    name: str
    file: str
    size_bytes: int


class ImageUse(msgspec.Struct, frozen=True):
    """An inspection that refers to an image (or anomaly map); an image may be of several.

    Attributes:
        seq: the inspection's place in the feed.
        at_us: capture, microseconds UTC.
    """

    digest: str
    verdict: VerdictName
    seq: int
    at_us: int


class ClockNote(msgspec.Struct, frozen=True):
    """What was known of the clock when it was looked at last; outlives restarts and crashes.

    Attributes:
        last: that look.
        seq: an event of the feed; all later ones are to be looked at again.
        held_ns: for how much longer nothing goes by age.
    """

    last: Instant
    seq: int
    held_ns: int


class KeptDays(Protocol):
    """Days of readings, as the keeper sees them. Any thread; a day that is removed is gone for readers at once."""

    def kept_days(self) -> Sequence[DayOfReadings]:
        """What is kept, oldest first."""
        ...

    def remove_day(self, day: int) -> RemovedDay | None:
        """Forget a day, durably; None where it is not kept."""
        ...

    def unfinished_days(self) -> Sequence[RemovedDay]:
        """Forgotten days whose room was not given back, because a crash came between."""
        ...

    def finish_day(self, removed: RemovedDay) -> None:
        """Give the room back; again is harmless."""
        ...


class ImageIndex(Protocol):
    """Which inspections refer to which images. Used by one thread."""

    def images(self) -> int:
        """References to images, counted."""
        ...

    def oldest(self, verdict: VerdictName, after_seq: int, limit: int) -> Sequence[ImageUse]:
        """References of a verdict class in feed order, from the first whose seq is greater."""
        ...

    def uses(self, digests: Sequence[str]) -> Sequence[ImageUse]:
        """Every reference to some images."""
        ...

    def digests_of(self, inspection_keys: Sequence[str]) -> frozenset[str]:
        """The images of some inspections."""
        ...

    def unknown(self, digests: Sequence[str]) -> Sequence[str]:
        """Those digests that no inspection refers to."""
        ...

    def close(self) -> None:
        """End; nothing is asked after it."""
        ...


class ImageFolder(Protocol):
    """The images themselves, as the keeper sees them; any thread."""

    def size(self, digest: str) -> int:
        """Bytes on disk, 0 when it is not kept."""
        ...

    def remove(self, digest: str) -> int | None:
        """Remove an image; returns the bytes given back, None where it was put again just now and stays."""
        ...

    def size_bytes(self) -> int:
        """Bytes of all images; the first call looks at every file."""
        ...

    def unattended(self, older_than_s: float) -> Sequence[str]:
        """Digests of files not touched for so long."""
        ...

    def halt(self, why: str) -> None:
        """Take no more images, and say why; an empty reason takes them again."""
        ...


class Holds(Protocol):
    """What must stay, whatever its age and however little room there is."""

    def held(self, now: datetime | None) -> AbstractContextManager[frozenset[str]]:
        """Digests that must stay; none is added while the context lasts, and what is asked to be kept meanwhile waits.

        Args:
            now: the time, None while the clock is not trusted.
        """
        ...


class ClockNotes(Protocol):
    """Where what is known of the clock outlives the process. Used by one thread."""

    def read(self) -> ClockNote | None:
        """What was noted last, None for nothing.

        Raises:
            StoreError: it cannot be read, or is none.
        """
        ...

    def write(self, note: ClockNote) -> None:
        """Replace it, durably.

        Raises:
            StoreError: the disk failed; what was noted before stands.
        """
        ...


class Disk(Protocol):
    """The file system that everything is kept on."""

    @property
    def ballast_bytes(self) -> int:
        """Size of the ballast, 0 for none."""
        ...

    def free_bytes(self) -> int:
        """Room that is left for this process."""
        ...

    def ballast(self) -> bool:
        """Whether the ballast is there."""
        ...

    def take_ballast(self) -> None:
        """Make the ballast; a file system without room for it is left as it is.

        Raises:
            StoreError: the disk failed.
        """
        ...

    def drop_ballast(self) -> int:
        """Give the ballast's room back; returns its bytes."""
        ...
