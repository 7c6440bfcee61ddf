"""What a broker's messages become: arrivals as received, and the deliveries that they are read into."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import structlog

from edge_agent.errors import PoisonMessageError
from edge_agent.instant import Instant
from edge_agent.ports import Decoded, Delivery, Quarantined, RunCodec, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.ports import Codec

EVIDENCE_BYTES = 4_096
DETAIL_CHARACTERS = 500

_log = structlog.get_logger(__name__)


class MqttToken(msgspec.Struct, frozen=True, gc=False):
    """Names one delivery: `serial` is never used twice, while brokers use a packet identifier (`mid`) over and over."""

    serial: int
    mid: int
    qos: int


class MqttTokens(msgspec.Struct, frozen=True, gc=False):
    """Names a delivery of neighbouring QoS 1 messages: the first has `serial`, each later one the number after."""

    serial: int
    mids: Sequence[int]


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One message as received, before anything is known about it; `problem` is set where it needs no decoder."""

    token: MqttToken
    topic: str
    payload: bytes
    received: Instant
    retained: bool
    digest: str = ""
    problem: tuple[str, str] | None = None

    @property
    def last_serial(self) -> int:
        """Serial of its newest message."""
        return self.token.serial

    def __len__(self) -> int:
        return 1


class ArrivalRun(msgspec.Struct, frozen=True, gc=False):
    """Neighbouring plain messages of QoS 1, not retained, as received.

    Attributes:
        serial: of the first; each later one has the number after.
        received: of the first; each later one came a microsecond after, so that no two have the same time.
        topics, payloads, mids: of each in turn.
    """

    serial: int
    received: Instant
    topics: Sequence[bytes]
    payloads: Sequence[bytes]
    mids: Sequence[int]

    @property
    def last_serial(self) -> int:
        """Serial of its newest message."""
        return self.serial + len(self.mids) - 1

    def __len__(self) -> int:
        return len(self.mids)

    def single(self, place: int) -> Arrival:
        """One of its messages by itself."""
        token = MqttToken(self.serial + place, self.mids[place], 1)
        received = msgspec.structs.replace(self.received, utc_us=self.received.utc_us + place)
        return arrival(token, self.topics[place], self.payloads[place], received, retained=False)


def arrival(token: MqttToken, topic: bytes, payload: bytes, received: Instant, *, retained: bool) -> Arrival:
    """A message as received; a topic that is not UTF-8 (MQTT 5 section 1.5.4) is told as its problem."""
    try:
        return Arrival(token, topic.decode(), payload, received, retained)
    except UnicodeDecodeError:
        problem = ("bad_topic", f"the topic is not UTF-8: {topic!r}")
        return Arrival(token, "(not UTF-8)", payload, received, retained, problem=problem)


class ArrivalReader:
    """Reads arrivals into deliveries; whatever cannot be read becomes one that carries its quarantine.

    Args:
        source: name of the source.
        codec: turns payloads into what they carry.
    """

    def __init__(self, source: str, codec: Codec) -> None:
        self._source = source
        self._codec = codec
        self.quarantined: Counter[str] = Counter()

    def use(self, codec: Codec) -> None:
        """Read with another codec from the next arrival on."""
        self._codec = codec

    @property
    def reads_runs(self) -> bool:
        """True when many messages can be read at once."""
        return isinstance(self._codec, RunCodec)

    def read(self, arrived: Arrival | ArrivalRun) -> Iterator[Delivery]:
        """The deliveries of one arrival, in order."""
        if isinstance(arrived, Arrival):
            yield self._read_one(arrived)
            return
        for stretch in self._stretches(arrived):
            if stretch.readings is None:
                yield from (self._read_one(arrived.single(place)) for place in range(stretch.first, stretch.stop))
            else:
                yield Delivery(
                    source=self._source,
                    token=MqttTokens(arrived.serial + stretch.first, arrived.mids[stretch.first : stretch.stop]),
                    received_mono_ns=arrived.received.mono_ns,
                    readings=stretch.readings,
                    messages=stretch.stop - stretch.first,
                    marks=stretch.marks,
                )

    def _stretches(self, run: ArrivalRun) -> Sequence[Stretch]:
        alone = (Stretch(0, len(run), None),)
        if not isinstance(self._codec, RunCodec):
            return alone
        try:
            return self._codec.decode_run(run.topics, run.payloads, run.received.utc_us)
        except Exception:  # noqa: BLE001 - a defect of a decoder must not stop the stream; each message is read by itself
            _log.exception("decoder of runs failed", source=self._source)
            return alone

    def _read_one(self, arrival: Arrival) -> Delivery:
        quarantined: Sequence[Quarantined] = ()
        decoded = Decoded()
        try:
            if arrival.problem is not None:
                quarantined = (self._quarantine(arrival, *arrival.problem),)
            else:
                decoded = self._codec.decode(
                    arrival.topic, arrival.payload, arrival.received, retained=arrival.retained
                )
        except PoisonMessageError as error:
            quarantined = (self._quarantine(arrival, error.reason, str(error)),)
        except Exception as error:  # noqa: BLE001 - a defect of a decoder must not stop the stream; the message is kept
            _log.exception("decoder failed", source=self._source, topic=arrival.topic)
            quarantined = (self._quarantine(arrival, "decoder_failed", f"{type(error).__name__}: {error}"),)
        if decoded.refused is not None:
            quarantined = (self._quarantine(arrival, decoded.refused.reason, str(decoded.refused)),)
        return Delivery(
            source=self._source,
            token=arrival.token,
            received_mono_ns=arrival.received.mono_ns,
            readings=decoded.readings,
            facts=decoded.facts,
            frames=decoded.frames,
            quarantined=quarantined,
            mark=decoded.mark,
            waveforms=decoded.waveforms,
            silent=decoded.silent,
            behind=decoded.behind,
        )

    def _quarantine(self, arrival: Arrival, reason: str, detail: str) -> Quarantined:
        self.quarantined[reason] += 1
        digest = arrival.digest or digest_of(arrival.topic, arrival.payload)
        return Quarantined(
            key=f"{self._source}/{digest}",
            source=self._source,
            topic=arrival.topic,
            reason=reason,
            detail=detail[:DETAIL_CHARACTERS],
            payload=arrival.payload[:EVIDENCE_BYTES],
        )


def digest_of(topic: str, payload: bytes) -> str:
    """What tells a message from every other one, for the key of its quarantine."""
    return hashlib.sha256(topic.encode() + b"\0" + payload).hexdigest()[:32]
