"""What the tracker needs from outside, as small interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from roi_tracker.baseline.frozen import FrozenBaseline
    from roi_tracker.observations.facts import Fact
    from roi_tracker.observations.rows import Observations


class Imported(msgspec.Struct, frozen=True):
    """What an import added.

    Attributes:
        added: facts that were new.
        duplicates: facts that were already there.
        ignored: events of kinds the tracker does not use.
    """

    added: int
    duplicates: int
    ignored: int


class EventFeed(Protocol):
    """Pages of an agent's event feed."""

    @property
    def address(self) -> str:
        """Names the feed; the position reached is remembered under it."""
        ...

    def page(self, after: int) -> Sequence[bytes]:
        """Lines of events with a greater number than `after`, oldest first; empty at the end. Blocks.

        Raises:
            UnreachableError: no answer; nothing of this page was read.
        """
        ...


class TrackerStore(Protocol):
    """The tracker's own store. Every write is one durable transaction; one writer at a time."""

    def add_facts(
        self, facts: Sequence[Fact], *, source: str, ignored: int = 0, reached: int | None = None
    ) -> Imported:
        """Store facts whose key is new, and the feed position reached.

        Raises:
            StoreError: nothing was written.
        """
        ...

    def facts(self) -> Iterator[Fact]:
        """All facts in order of arrival."""
        ...

    def fact_count(self) -> int:
        """How many facts are stored; grows with every import that added something."""
        ...

    def reached(self, source: str) -> int:
        """The last feed position taken from a source, 0 when none."""
        ...

    def observations(self, derivation: str) -> Observations | None:
        """Observations kept under a derivation name (facts and calendar they came from), or None."""
        ...

    def keep_observations(self, derivation: str, observations: Observations) -> None:
        """Replace the kept observations."""
        ...

    def freeze(self, baseline: FrozenBaseline, at: datetime) -> None:
        """Append a frozen baseline; it can never be changed or removed.

        Raises:
            StoreError: the same baseline is already frozen, or the store refused.
        """
        ...

    def baselines(self, case_id: str) -> Sequence[FrozenBaseline]:
        """All frozen baselines of a case, oldest first."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...
