"""What one transaction writes, and what it really added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from edge_agent.events import Event, RecordedEvent
from edge_agent.instant import Instant
from edge_agent.ports.intake import Quarantined
from edge_agent.readings import Reading, SequenceMark


class OutboxMessage(msgspec.Struct, frozen=True):
    """A message that leaves the agent; written in the transaction of the event it tells of.

    Attributes:
        key: unique; the same key is never queued twice.
        subject_key: key of the event it tells of; it is queued only when that event is new.
        topic, payload, retain: what is published, at QoS 1.
        deadline_ms: time from `created_us` to the broker's acknowledgement; None for no deadline.
        created_us: wall time of its making, microseconds UTC.
        line: production line.
        on_late: what is raised when the deadline passes.
    """

    key: str
    subject_key: str
    topic: str
    payload: bytes
    created_us: int
    line: str
    retain: bool = False
    deadline_ms: float | None = None
    on_late: Literal["none", "stop", "divert"] = "none"


class Batch(msgspec.Struct, frozen=True):
    """What one transaction writes. Everything in it is idempotent by key, so the same batch may be offered again.

    Attributes:
        at: moment of the commit.
        events: skipped where the key is already there.
        readings: skipped where (channel, time) is already there.
        marks: publisher numbers seen; from them the store keeps the ranges received and records `Gap` events.
        outbox: messages to send.
        settled: outbox keys that the peer acknowledged.
        quarantined: poison, skipped where the key is already there.
    """

    at: Instant
    events: Sequence[Event] = ()
    readings: Sequence[Reading] = ()
    marks: Sequence[SequenceMark] = ()
    outbox: Sequence[OutboxMessage] = ()
    settled: Sequence[str] = ()
    quarantined: Sequence[Quarantined] = ()


class Committed(msgspec.Struct, frozen=True):
    """What a transaction really added.

    Attributes:
        events: the new events in feed order, `Gap` events included.
        outbox: the messages really queued.
        duplicate_events, duplicate_readings: what was already there.
    """

    events: Sequence[RecordedEvent]
    outbox: Sequence[OutboxMessage]
    duplicate_events: int = 0
    duplicate_readings: int = 0


class ReasonCount(msgspec.Struct, frozen=True):
    """How many messages were quarantined for a reason."""

    reason: str
    count: int


class StoreTotals(msgspec.Struct, frozen=True):
    """Counts since the store was made; `quarantine_reasons` of the newest thousand messages, most frequent first."""

    events: int
    readings: int
    quarantined: int
    missing_messages: int
    outbox_pending: int
    size_bytes: int
    quarantine_reasons: tuple[ReasonCount, ...] = ()


class MinuteRollup(msgspec.Struct, frozen=True):
    """One channel's minute: start (microseconds UTC), count, minimum, mean, maximum."""

    start_us: int
    count: int
    minimum: float
    mean: float
    maximum: float
