"""What comes in: deliveries of a source, and the codecs that read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from edge_agent.errors import PoisonMessageError
from edge_agent.events import Event
from edge_agent.inspection.inspections import Frame
from edge_agent.readings import Reading, ReadingRun, SequenceMark, Silence, Waveform

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.instant import Instant


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

    Or a run of messages that carry nothing but sound readings, which no store refuses: they share a delivery, and its
    token names them all.

    Attributes:
        source: name of the source.
        token: the source's own handle, given back to `Source.acknowledge`.
        received_mono_ns: when it arrived, monotonic.
        readings, facts, frames, quarantined: what it carries.
        mark: the publisher's message number, None where it does not number.
        waveforms: blocks of samples; they are worked on and not stored.
        silent: machines whose publisher said that it is gone.
        messages: how many messages it stands for.
        marks: numbers of the messages of a run.
        behind: stations whose images came before on the same connection; it is durable only after those.
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
    messages: int = 1
    marks: Sequence[SequenceMark] = ()
    behind: Sequence[str] = ()


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """What a codec found in one payload; `refused` is why a part of it could not be understood, the rest stands."""

    readings: Sequence[Reading] = ()
    facts: Sequence[Event] = ()
    mark: SequenceMark | None = None
    frames: Sequence[Frame] = ()
    waveforms: Sequence[Waveform] = ()
    silent: Sequence[Silence] = ()
    refused: PoisonMessageError | None = None
    behind: Sequence[str] = ()


class Codec(Protocol):
    """Turns a topic and payload into what they carry. A redelivered message is decoded as it was the first time."""

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """Decode one message.

        Raises:
            PoisonMessageError: the payload cannot be understood; the caller quarantines and acknowledges it.
        """
        ...


class Stretch(msgspec.Struct, frozen=True, gc=False):
    """Neighbouring messages of a run.

    Attributes:
        first, stop: their places in the run, `stop` not included.
        readings: what they carry, in their order; None where each message must be decoded by itself.
        marks: numbers of those whose publisher numbers them.
    """

    first: int
    stop: int
    readings: ReadingRun | None
    marks: Sequence[SequenceMark] = ()


@runtime_checkable
class RunCodec(Codec, Protocol):
    """A codec that can read many plain messages at once, with the same result as one after the other."""

    def decode_run(self, topics: Sequence[bytes], payloads: Sequence[bytes], received_us: int) -> Sequence[Stretch]:
        """Decode messages that are not retained; one at place i was received at `received_us` + i. Never raises for
        what a publisher wrote: a message that is not plain, or poison, lies in a stretch without readings.
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
