"""Makes groups of entries durable, whatever it takes: waits while the store cannot, sets aside what it never can."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from edge_agent.errors import StoreError, ValueRefusedError
from edge_agent.ports import Batch, Committed, Delivery, Quarantined
from edge_agent.readings import ReadingRun

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence
    from concurrent.futures import Future

    from edge_agent.events import Event
    from edge_agent.ports import Clock, OutboxMessage, Store

log = structlog.get_logger(__name__)

_RETRY_FIRST_S = 0.05
_RETRY_LONGEST_S = 2.0
_COMPACT_EVERY_S = 1.0
_REST_OF_COMPACTING = 4.0
"""A busy writer compacts for a fifth of its time while there is more to do: as fast as readings can come in."""
_EVIDENCE_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Recording:
    """One fact from the status page, whose author waits for it to be durable."""

    event: Event
    done: Future[bool]


@dataclass(slots=True)
class Entry:
    """One item of the writer's queue with everything it causes; committed whole or not at all.

    Attributes:
        delivery: what a source delivered, acknowledged after the commit.
        recording: what the page recorded, answered after the commit.
        events, outbox, settled: what it causes.
    """

    delivery: Delivery | None = None
    recording: Recording | None = None
    events: list[Event] = field(default_factory=list)
    outbox: list[OutboxMessage] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Durable:
    """What became of a group.

    Attributes:
        committed: what each transaction added, in order.
        in_doubt: a try that was reported as failed may have been durable, with messages that no later one tells.
        refused: entries that hold a value no store can keep, with the reason; deliveries among them are in quarantine.
    """

    committed: list[Committed] = field(default_factory=list)
    refused: list[tuple[Entry, ValueRefusedError]] = field(default_factory=list)
    in_doubt: bool = False


class Committer:
    """Commits groups of entries; used by the writer thread alone, its properties by any.

    Args:
        store: where to.
        clock: moment of the commit.
        stopping: set when the agent ends; a group that is not durable then is given up, unacknowledged.
    """

    def __init__(self, store: Store, clock: Clock, stopping: threading.Event) -> None:
        self._store = store
        self._clock = clock
        self._stopping = stopping
        self._problem = ""
        self._in_doubt = False
        self._advanced_ns = time.monotonic_ns()
        self._group_since_ns: int | None = None
        self._compact_from_s = time.monotonic() + _COMPACT_EVERY_S

    @property
    def problem(self) -> str:
        """Why commits fail at present, in words; empty when they succeed."""
        return self._problem

    @property
    def stalled_s(self) -> float:
        """Seconds since the last sign of life: a commit that hangs makes it grow, one that is refused does not."""
        return (time.monotonic_ns() - self._advanced_ns) / 1e9

    @property
    def committing_s(self) -> float:
        """Seconds since the group in hand was offered first, 0 between commits."""
        since_ns = self._group_since_ns
        return (time.monotonic_ns() - since_ns) / 1e9 if since_ns is not None else 0.0

    def advance(self) -> None:
        """A sign of life from the writer's loop."""
        self._advanced_ns = time.monotonic_ns()

    def commit(self, entries: Sequence[Entry]) -> Durable | None:
        """Make entries durable, in order; None when the agent stops first.

        An entry that the store can never take is found by halving, set aside in quarantine, and the others go on.
        """
        durable = Durable()
        self._group_since_ns = time.monotonic_ns()
        try:
            if not self._commit(entries, durable):
                return None
            durable.in_doubt, self._in_doubt = self._in_doubt, False
            return durable
        finally:
            self._group_since_ns = None

    def compact_when_due(self, *, idle: bool) -> None:
        """Let the store compress staged readings: whenever nothing waits, once a second at least, and more often while
        there is more of them, so that they never pile up.
        """
        began_s = time.monotonic()
        if not idle and began_s < self._compact_from_s:
            return
        self._compact_from_s = began_s + _COMPACT_EVERY_S
        try:
            if self._store.compact(self._clock.now()):
                took_s = time.monotonic() - began_s
                self._compact_from_s = began_s + min(_COMPACT_EVERY_S, took_s * (1 + _REST_OF_COMPACTING))
        except StoreError as error:
            # nothing was moved and nothing is lost; a store that cannot write shows itself at the next commit
            log.warning("compaction failed; it is tried again", error=str(error))

    def _commit(self, entries: Sequence[Entry], durable: Durable) -> bool:
        try:
            committed = self._until_durable(self._batch(entries))
        except ValueRefusedError as error:
            if len(entries) > 1:
                half = len(entries) // 2
                return self._commit(entries[:half], durable) and self._commit(entries[half:], durable)
            if entries[0].delivery is not None and entries[0].delivery.messages > 1:
                return self._commit(_apart(entries[0], entries[0].delivery), durable)
            log.warning("a value cannot be stored; its message is quarantined", error=str(error))
            durable.refused.append((entries[0], error))
            committed = self._until_durable(self._aside(entries[0], error))
        if committed is None:
            return False
        durable.committed.append(committed)
        return True

    def _batch(self, entries: Sequence[Entry]) -> Batch:
        deliveries = [entry.delivery for entry in entries if entry.delivery is not None]
        readings = ReadingRun([], [], [], [])
        for delivery in deliveries:
            readings.extend(delivery.readings)
        return Batch(
            at=self._clock.now(),
            events=[event for entry in entries for event in entry.events],
            readings=readings,
            marks=[mark for delivery in deliveries for mark in (delivery.mark, *delivery.marks) if mark is not None],
            outbox=[message for entry in entries for message in entry.outbox],
            settled=[key for entry in entries for key in entry.settled],
            quarantined=[poison for delivery in deliveries for poison in delivery.quarantined],
        )

    def _aside(self, entry: Entry, error: ValueRefusedError) -> Batch:
        delivery = entry.delivery
        if delivery is None:
            return Batch(at=self._clock.now())
        poison = Quarantined(
            key=f"refused/{delivery.source}/{self._clock.now().boot_id}/{delivery.received_mono_ns}",
            source=delivery.source,
            topic="",
            reason="value_refused_by_store",
            detail=ascii(str(error)),
            payload=ascii((delivery.facts, delivery.readings, delivery.mark)).encode()[:_EVIDENCE_BYTES],
        )
        return Batch(at=self._clock.now(), quarantined=[poison])

    def _until_durable(self, batch: Batch) -> Committed | None:
        """Offer the same batch until it is durable; None only when the agent stops before that.

        Waiting here is the back-pressure: the queue fills, sources are held back, nothing is acknowledged.
        """
        pause_s = _RETRY_FIRST_S
        while True:
            self.advance()
            try:
                committed = self._store.commit(batch)
            except ValueRefusedError:
                raise
            except StoreError as error:
                if self._problem != str(error):
                    log.warning("commit failed; the batch waits", error=str(error), retryable=error.retryable)
                self._problem = str(error)
                if self._stopping.wait(pause_s):
                    return None
                pause_s = min(pause_s * 2, _RETRY_LONGEST_S)
                continue
            if self._problem:
                log.info("commits succeed again")
                self._problem = ""
                self._in_doubt = True
            return committed


def _apart(entry: Entry, delivery: Delivery) -> list[Entry]:
    """The readings of a run of messages each by itself, then what they caused: one that is refused takes none along."""
    each = [
        Entry(delivery=Delivery(delivery.source, None, delivery.received_mono_ns, readings=(reading,)))
        for reading in delivery.readings
    ]
    rest = Delivery(delivery.source, None, delivery.received_mono_ns, marks=delivery.marks)
    return [*each, Entry(delivery=rest, events=entry.events, outbox=entry.outbox, settled=entry.settled)]
