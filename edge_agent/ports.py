"""What the pipeline needs from the outside, as interfaces only. Adapters implement them; `app` joins them.

Threads: a source delivers from its own thread; the store is written from the pipeline's one writer thread and read
from any; a sink is called from the writer thread and settles from its own. Every call says whether it may block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import msgspec

from edge_agent.errors import PoisonMessageError
from edge_agent.events import Event, RecordedEvent
from edge_agent.inspections import Frame
from edge_agent.instant import Instant
from edge_agent.readings import Reading, SequenceMark, Silence, Waveform

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edge_agent.health import HealthScore
    from edge_agent.inspections import Limits, Score
    from edge_agent.readings import Channel


class Clock(Protocol):
    """Time as the agent knows it."""

    def now(self) -> Instant:
        """The present moment; never blocks."""
        ...


# ---- in -------------------------------------------------------------------------------------------------------


class Quarantined(msgspec.Struct, frozen=True):
    """A message or image that could not be understood, kept as evidence.

    Attributes:
        key: effect key, so that a redelivery is quarantined once.
        source: which source it came through.
        topic: topic or file name.
        reason: stable snake_case code.
        detail: what was wrong, in words.
        payload: the first bytes of it (the codec caps the length).
    """

    key: str
    source: str
    topic: str
    reason: str
    detail: str
    payload: bytes


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One message (or file) from a source: all it carries is committed together, then acknowledged once.

    Attributes:
        source: name of the source.
        token: the source's own handle, given back to `Source.acknowledge`.
        received_mono_ns: when it arrived, monotonic.
        readings, facts, frames, quarantined: what it carries.
        mark: the publisher's message number, None where it does not number.
        waveforms: blocks of samples; they are worked on and not stored.
        silent: machines whose publisher said that it is gone.
    """

    source: str
    token: object
    received_mono_ns: int
    readings: Sequence[Reading] = ()
    facts: Sequence[Event] = ()
    frames: Sequence[Frame] = ()
    quarantined: Sequence[Quarantined] = ()
    mark: SequenceMark | None = None
    waveforms: Sequence[Waveform] = ()
    silent: Sequence[Silence] = ()


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """What a codec found in one payload; `refused` is why a part of it could not be understood, the rest stands."""

    readings: Sequence[Reading] = ()
    facts: Sequence[Event] = ()
    mark: SequenceMark | None = None
    frames: Sequence[Frame] = ()
    waveforms: Sequence[Waveform] = ()
    silent: Sequence[Silence] = ()
    refused: PoisonMessageError | None = None


class Codec(Protocol):
    """Turns a topic and payload into what they carry. A redelivered message is decoded as it was the first time."""

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """Decode one message.

        Raises:
            PoisonMessageError: the payload cannot be understood; the caller quarantines and acknowledges it.
        """
        ...


class LinkHealth(msgspec.Struct, frozen=True):
    """Whether a source or sink is alive: judged by its thread and traffic, never by a library's flag.

    Attributes:
        name: the adapter's configured name.
        alive: its thread runs and its peer answers.
        last_activity_mono_ns: monotonic time of the last sign of life, None before the first.
        detail: one sentence for people, empty when all is well.
        reason: snake_case code of what keeps a station's source from delivering, where it has more than one.
    """

    name: str
    alive: bool
    last_activity_mono_ns: int | None
    detail: str = ""
    reason: str = ""


class Source(Protocol):
    """Where messages or images come from."""

    @property
    def name(self) -> str:
        """Configured name, unique among sources."""
        ...

    def start(self, deliver: Callable[[Delivery], None]) -> None:
        """Begin. `deliver` is called from the source's own thread, in receive order, and may block: that is the
        back-pressure that holds the source back when the pipeline is full.
        """
        ...

    def acknowledge(self, tokens: Sequence[object]) -> None:
        """Confirm deliveries, in the order they were delivered, after their commit. Called from the writer thread;
        must not block on the network. A token the source no longer knows (lost connection) is ignored: its message
        will be redelivered and recognised by its key.
        """
        ...

    def health(self) -> LinkHealth:
        """Never blocks."""
        ...

    def pause(self) -> None:
        """Deliver nothing more once this returns, and go on taking acknowledgements. May block briefly."""
        ...

    def stop(self) -> None:
        """Flush acknowledgements and release everything; unacknowledged deliveries stay with the peer. May block
        briefly. `pause` comes before it.
        """
        ...


@runtime_checkable
class BatchSource(Source, Protocol):
    """A source that hands over what arrived together at once; `start_batches` is called instead of `start`."""

    def start_batches(self, deliver: Callable[[Sequence[Delivery]], None]) -> None:
        """Begin; `deliver` is called as that of `start`, with one delivery or more."""
        ...


# ---- scoring --------------------------------------------------------------------------------------------------


class ModelIdentity(msgspec.Struct, frozen=True):
    """Which model this is: `name@version` and the sha256 digest of its manifest."""

    label: str
    digest: str


class ImageDecoder(Protocol):
    """Turns untrusted bytes into pixels."""

    def decode(self, encoded: bytes) -> NDArray[np.uint8]:
        """Return uint8 (height, width, 3), RGB.

        Raises:
            ImageRefusedError: header limits exceeded, truncated, unsupported, or not an image.
        """
        ...


class ImageScorer(Protocol):
    """An image model, loaded and warm. One instance is used by one thread at a time."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def limits(self) -> Limits: ...

    @property
    def provider(self) -> str:
        """The execution provider that is really in use, verified after load."""
        ...

    def score(self, pixels: NDArray[np.uint8]) -> Score:
        """Score one image: uint8 (height, width, 3), RGB, any size.

        Raises:
            ModelRefusedError: the model broke its contract (shape, dtype).
        """
        ...


class HealthScorer(Protocol):
    """A machine-health model, loaded and warm. One instance is used by one thread at a time."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def provider(self) -> str: ...

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in the order of the window's columns."""
        ...

    @property
    def period_s(self) -> float:
        """Seconds between two rows of a window."""
        ...

    @property
    def window_rows(self) -> int:
        """Rows of a window."""
        ...

    def assess(self, window: NDArray[np.float32]) -> HealthScore:
        """Score one window: float32 (window_rows, channels), oldest row first, in physical units."""
        ...


# ---- store ----------------------------------------------------------------------------------------------------


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


class StoreTotals(msgspec.Struct, frozen=True):
    """Counts since the store was made."""

    events: int
    readings: int
    quarantined: int
    missing_messages: int
    outbox_pending: int
    size_bytes: int


class MinuteRollup(msgspec.Struct, frozen=True):
    """One channel's minute: start (microseconds UTC), count, minimum, mean, maximum."""

    start_us: int
    count: int
    minimum: float
    mean: float
    maximum: float


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

    def pending_outbox(self) -> list[OutboxMessage]:
        """Messages not settled yet, oldest first."""
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


# ---- out ------------------------------------------------------------------------------------------------------


class Sink(Protocol):
    """Where committed facts are sent."""

    @property
    def name(self) -> str: ...

    def start(self, settled: Callable[[str], None]) -> None:
        """Begin. `settled(key)` is called from the sink's own thread when the peer has acknowledged a message."""
        ...

    def send(self, message: OutboxMessage) -> None:
        """Hand over a message; never blocks. While the peer is away the sink keeps it in memory and sends it, in
        order, when the peer is back; the store keeps it anyway.
        """
        ...

    def announce(self, topic: str, payload: bytes, *, expiry_s: float | None = None) -> None:
        """Publish a retained state (interlock) of which only the newest matters; never blocks, is dropped while the
        peer is away, is not settled, and is forgotten by the broker after `expiry_s`.
        """
        ...

    def health(self) -> LinkHealth: ...

    def stop(self) -> None: ...


class Observer(Protocol):
    """Sees facts after their commit, in feed order: status page, metrics. Called from the writer thread; must be
    quick and must not raise.
    """

    def committed(self, committed: Committed) -> None: ...


class Recorder(Protocol):
    """Lets another thread (the status page) record one fact."""

    def record(self, event: Event, *, timeout_s: float) -> bool:
        """Commit an event; returns True when it is durable and new, False when its key was already there.

        Raises:
            StoreError: it is not durable; `retryable` says whether to try again.
        """
        ...
