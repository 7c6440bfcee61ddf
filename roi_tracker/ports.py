"""What the tracker needs from outside, as small interfaces."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import date

    from roi_tracker.baseline.frozen import FrozenBaseline
    from roi_tracker.ledger.chain import Head
    from roi_tracker.ledger.entries import Draft, Entry
    from roi_tracker.observations.facts import Fact, StopRevisionFact
    from roi_tracker.observations.rows import Observations


class Imported(msgspec.Struct, frozen=True):
    """What an import added.

    Attributes:
        added: facts that were new.
        duplicates: facts that were already there.
        ignored: events of kinds the tracker does not use.
        replaced: facts that a correction put in the place of older ones; the older ones are kept apart.
    """

    added: int
    duplicates: int
    ignored: int
    replaced: int = 0


OnChange = Literal["keep", "refuse", "replace"]
"""What to do with a fact whose key is known with other content: keep the known one (an event is sent twice), refuse the
whole import, or replace it and keep the old one under its import."""


class Signs(msgspec.Struct, frozen=True):
    """Signs of life of machines, by line: the first and the last of every UTC day, in order."""

    by_line: dict[str, tuple[datetime, ...]]


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
    """The tracker's own store. Every write is one durable transaction; one writer at a time.

    Whatever reads facts, observations or baselines raises `StoreAlteredError` where the store was changed outside this
    program since they were written.
    """

    def add_facts(
        self,
        facts: Iterable[Fact],
        *,
        source: str,
        ignored: int = 0,
        reached: int | None = None,
        on_change: OnChange = "keep",
    ) -> Imported:
        """Store facts whose key is new, and the feed position reached, reading `facts` once, in one transaction.
        Whatever `facts` raises on the way leaves the store as it was.

        Raises:
            FactsChangedError: known facts have other content and `on_change` is not `keep`, or the import contradicts
                itself; nothing was written.
            StoreError: nothing was written.
        """
        ...

    def facts(self, up_to: int | None = None) -> Iterator[Fact]:
        """All facts in order of arrival that hold; with a watermark, those that held then."""
        ...

    def fact_count(self) -> int:
        """How many facts hold."""
        ...

    def fact_watermark(self) -> int:
        """Number of the last fact; grows with every import that added something. `facts(it)` gives what held then."""
        ...

    def facts_head(self, watermark: int) -> str:
        """Hash of the newest seal over facts up to a watermark; printed on reports, 64 zeros without facts."""
        ...

    def changed_since(self, watermark: int) -> Sequence[Fact]:
        """Facts that came after a watermark, and those that have been replaced since."""
        ...

    def facts_between(self, start: datetime, end: datetime, up_to: int | None = None) -> Iterator[Fact]:
        """Facts that hold and touch [start, end), in order of arrival; with them all modes and revisions, and what
        speaks of a part or an alarm of that time (judgements, late rejects, outcomes). With a watermark, those that
        held then.
        """
        ...

    def failures_and_alarms(self, start: datetime, up_to: int | None = None) -> Iterator[Fact]:
        """Failed parts, alarms and their outcomes from a moment on, in order of arrival; those that held at a
        watermark, or hold now.
        """
        ...

    def facts_by_key(self, keys: Iterable[str]) -> Sequence[Fact]:
        """Facts that hold, by their keys; unknown keys are left out."""
        ...

    def revisions(self) -> Sequence[StopRevisionFact]:
        """All revisions of stops, those that have been replaced included."""
        ...

    def signs(self) -> Signs:
        """Signs of life of all lines."""
        ...

    def moments(self) -> tuple[datetime, datetime] | None:
        """Begin of the earliest fact and end of the latest, None without facts."""
        ...

    def reached(self, source: str) -> int:
        """The last feed position taken from a source, 0 when none."""
        ...

    def derived(self, derivation: str) -> int | None:
        """Watermark of the observations kept under a derivation name (version and calendar), None for other names."""
        ...

    def observations(self, derivation: str) -> Observations | None:
        """Observations kept under a derivation name, in time order, or None."""
        ...

    def keep_observations(self, derivation: str, watermark: int, kept: Observations, days: Collection[date]) -> None:
        """Replace the rows and findings of `days` by those given (all of these days), and note the watermark.
        Under another derivation name, everything kept before goes.
        """
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


class LedgerStore(Protocol):
    """The programme's ledger: entries are appended, never changed; one writer at a time."""

    def entries(self) -> Sequence[Entry]:
        """The whole chain, as stored: whether it holds is asked with `ledger.chain.verify`."""
        ...

    def head(self) -> Head:
        """Number and hash of the newest entry, kept apart from the entries."""
        ...

    def append(self, drafts: Sequence[Draft]) -> Sequence[Entry]:
        """Seal drafts behind the head, all of them or none, in one durable transaction.

        Raises:
            StoreError: a draft may not be written, or the chain no longer holds; nothing was written.
        """
        ...


class EvidencePins(Protocol):
    """An agent that keeps events and images which a claim cites."""

    @property
    def address(self) -> str:
        """Names the agent."""
        ...

    def pin(self, claim: str, keys: Sequence[str]) -> Sequence[str]:
        """Ask the agent to keep events; returns the keys it keeps, without those it does not know. Blocks.

        Raises:
            UnreachableError: no answer, or refused; ask again later.
        """
        ...
