"""Where facts are kept: the store, its readers, and the evidence beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_agent.events import RecordedEvent
    from edge_agent.instant import Instant
    from edge_agent.ports.transactions import Batch, Committed, MinuteRollup, OutboxMessage, StoreTotals
    from edge_agent.readings import Channel


class StoreReader(Protocol):
    """Reads of committed facts; any thread; each call sees one consistent state."""

    def events_after(
        self,
        seq: int,
        *,
        limit: int,
        kinds: frozenset[str] | None = None,
        line: str | None = None,
    ) -> list[RecordedEvent]:
        """Events with a greater `seq`, oldest first."""
        ...

    def latest_events(self, kind: str, *, line: str | None = None, limit: int = 1) -> list[RecordedEvent]:
        """The newest events of a kind, newest first."""
        ...

    def event(self, key: str) -> RecordedEvent | None:
        """The event with this key."""
        ...

    def dispositions_of(self, inspection_key: str) -> list[RecordedEvent]:
        """All dispositions of one inspection, oldest first."""
        ...

    def open_reviews(self, *, line: str | None = None, limit: int = 50) -> list[RecordedEvent]:
        """REVIEW inspections without a disposition, oldest first."""
        ...

    def last_seq(self) -> int:
        """The greatest `seq`, 0 for an empty store."""
        ...

    def pending_outbox(self, limit: int | None = None) -> list[OutboxMessage]:
        """Messages not settled yet, oldest first; all of them without a limit."""
        ...

    def channels(self) -> list[Channel]:
        """All channels that have readings."""
        ...

    def readings(self, channel_key: str, start_us: int, end_us: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times (microseconds) and values in [start, end), in time order, BAD quality left out."""
        ...

    def newest_us(self, channel_key: str) -> int | None:
        """Time of a channel's newest reading, microseconds; None when it has none."""
        ...

    def minutes(self, channel_key: str, start_us: int, end_us: int) -> list[MinuteRollup]:
        """One-minute roll-ups in [start, end), in time order."""
        ...

    def totals(self) -> StoreTotals: ...


class Store(StoreReader, Protocol):
    """The durable store; one writing thread."""

    def commit(self, batch: Batch) -> Committed:
        """Write a batch in one durable transaction: when this returns, a power cut does not lose it.

        Raises:
            StoreBusyError: not now; offer the same batch again.
            StoreError: never like this (disk full, damaged); nothing was written.
        """
        ...

    def compact(self, now: Instant) -> int:
        """Move staged readings older than the staging time into compressed blocks and minute roll-ups, a bounded
        amount a call; returns readings moved, 0 when there is nothing to do. Writer thread only.
        """
        ...

    def close(self) -> None: ...


class EvidenceStore(Protocol):
    """Images kept as evidence, addressed by the sha256 of their bytes."""

    def put(self, content: bytes) -> str:
        """Keep bytes durably and return their digest; the same bytes are kept once.

        Raises:
            StoreError: they could not be kept (disk full, no permission).
        """
        ...

    def get(self, digest: str) -> bytes | None:
        """The bytes, or None when they are not (or no longer) kept."""
        ...
