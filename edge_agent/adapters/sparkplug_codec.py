"""Sparkplug B messages into readings (Sparkplug 3.0), with births, aliases, deaths and the sequence kept in mind.

Only metrics that the settings map to channels become readings; others are passed over. Values need a birth that we
heard. Without one a message is quarantined and the node is asked for its births, as it is after a gap in its sequence,
at most once in a cooldown. After a gap the values are kept and flagged UNCERTAIN until the next birth, because what was
lost may have been a birth that changed the aliases.

Messages of the recent past are remembered by their digest, with the births that held for them: a redelivery is
decoded as it was the first time and counts no gap.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import msgspec

from edge_agent.adapters.sparkplug_payload import parse
from edge_agent.errors import PoisonMessageError
from edge_agent.instant import MICROSECONDS_PER_SECOND
from edge_agent.payloads.sparkplug.session import BD_SEQ, NUMBERS, Cooldown, NodeSession, Vocabulary
from edge_agent.payloads.sparkplug.topics import SparkplugTopic, filters_of, parse_topic
from edge_agent.payloads.sparkplug.values import RawMetric, RawPayload, number_of, value_of
from edge_agent.payloads.values import Message, trusted_time
from edge_agent.ports import Decoded
from edge_agent.readings import Channel, Quality, Reading, SequenceMark, Silence
from edge_agent.settings.mqtt import SparkplugDevice

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.instant import Instant
    from edge_agent.settings.mqtt import MqttSourceSettings

SPARKPLUG_REASONS: Final = {
    "bad_topic": "the topic is none of a Sparkplug birth, death or data",
    "missing_seq": "a message without its number, or with one beyond 0 to 255",
    "no_birth": "values of a node or device whose birth was not heard; it is asked for",
    "not_sparkplug": "the payload is not a Sparkplug B payload",
    "unknown_metric": "a metric that no birth names; the node is asked for its births",
    "unsupported_datatype": "a mapped metric is a DataSet, a Template or of no known type",
}
REMEMBERED_MESSAGES = 4_096  # more than a broker may have under way to us
MICROSECONDS_PER_MILLISECOND = 1_000


class _Mapped(msgspec.Struct, frozen=True):
    """A configured device with its channels by metric name."""

    settings: SparkplugDevice
    channels: dict[str, Channel]


class _Heard(msgspec.Struct, frozen=True):
    """How a message was understood when it came first."""

    vocabulary: Vocabulary
    mark: SequenceMark
    doubtful: bool


class SparkplugCodec:
    """Implements `ports.Codec` for Sparkplug B. Called from one thread.

    Args:
        settings: devices and limits.
        ask_rebirth: called with group and node when births are needed; never blocks.
    """

    def __init__(self, settings: MqttSourceSettings, ask_rebirth: Callable[[str, str], None]) -> None:
        devices = settings.sparkplug.devices
        self.filters = filters_of(devices)
        self._ask = ask_rebirth
        self._cooldown = Cooldown(settings.sparkplug.rebirth_cooldown_s)
        self._max_bytes = settings.max_payload_bytes
        self._max_skew_us = settings.max_clock_skew_s * MICROSECONDS_PER_SECOND
        self._max_future_us = settings.max_future_s * MICROSECONDS_PER_SECOND
        self._mapped = {(device.group, device.node, device.device): _mapped(device) for device in devices}
        self._sessions: dict[tuple[str, str], NodeSession] = {}
        self._heard: OrderedDict[bytes, _Heard] = OrderedDict()

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """Decode one message.

        Raises:
            PoisonMessageError: the message cannot be understood; its `reason` is a key of `SPARKPLUG_REASONS` or of
                `payload_values.REASONS`.
        """
        who = parse_topic(topic)
        if retained:
            raise PoisonMessageError("retained_without_ts", "Sparkplug messages are not retained; this one is old")
        content = parse(payload, self._max_bytes)
        message = Message(topic, payload, received, retained, self._max_skew_us, self._max_future_us)
        if who.type == "NDEATH":
            return self._node_death(who, content, message)
        digest = hashlib.blake2b(topic.encode() + b"\0" + payload, digest_size=16).digest()
        heard = self._heard.get(digest)
        if heard is None:
            heard = self._hear(who, content, message)
            self._heard[digest] = heard
            if len(self._heard) > REMEMBERED_MESSAGES:
                self._heard.popitem(last=False)
        if who.type == "DDEATH":
            return Decoded(mark=heard.mark, silent=self._silent(who, message))
        return self._readings(who, content, heard, message)

    # ---- births, deaths and the sequence ------------------------------------------------------------------------

    def _hear(self, who: SparkplugTopic, content: RawPayload, message: Message) -> _Heard:
        """Enter a message that comes for the first time."""
        seq = content.seq
        if seq is None or not 0 <= seq < NUMBERS:
            raise PoisonMessageError("missing_seq", "a message bears a number from 0 to 255", field="seq", value=seq)
        if who.type == "NBIRTH":
            session = self._born(who, content, seq)
            return _Heard(session.vocabulary, session.mark, doubtful=False)
        known = self._sessions.get((who.group, who.node))
        if known is None or not known.alive:
            self._ask_rebirth(who, message)
            raise PoisonMessageError("no_birth", f"the birth of node {who.node} was not heard", field="topic")
        arrival = known.arrive(seq)
        if arrival.lost:
            self._ask_rebirth(who, message)
        if who.type == "DBIRTH":
            known.vocabulary = known.vocabulary.born(who.device, content.metrics)
        elif who.type == "DDEATH":
            known.bury(who.device)
        return _Heard(known.vocabulary, arrival.mark, known.doubtful)

    def _born(self, who: SparkplugTopic, content: RawPayload, seq: int) -> NodeSession:
        if content.timestamp_ms is None:
            raise PoisonMessageError("missing_ts", "a birth needs its time", field="timestamp")
        session = NodeSession(f"sparkplug/{who.group}/{who.node}", content.timestamp_ms, _bd_seq(content), seq)
        session.vocabulary = session.vocabulary.born(None, content.metrics)
        self._sessions[who.group, who.node] = session
        return session

    def _node_death(self, who: SparkplugTopic, content: RawPayload, message: Message) -> Decoded:
        """The end of a node; one of an earlier life says nothing about this one."""
        session = self._sessions.get((who.group, who.node))
        died = _bd_seq(content)
        if session is not None:
            if not session.alive or (died is not None and session.bd_seq is not None and died != session.bd_seq):
                return Decoded()
            session.bury(None)
        return Decoded(silent=self._silent(who, message))

    def _silent(self, who: SparkplugTopic, message: Message) -> tuple[Silence, ...]:
        """Machines that a death concerns; told at the time of receipt, for a death bears the time of its making."""
        gone = [
            mapped.settings
            for (group, node, device), mapped in self._mapped.items()
            if (group, node) == (who.group, who.node) and (who.type == "NDEATH" or device == who.device)
        ]
        machines = dict.fromkeys((device.line, device.asset) for device in gone)
        return tuple(Silence(line, asset, message.received.utc_us) for line, asset in machines)

    def _ask_rebirth(self, who: SparkplugTopic, message: Message) -> None:
        if self._cooldown.passes(f"{who.group}/{who.node}", message.received.mono_ns):
            self._ask(who.group, who.node)

    # ---- values -------------------------------------------------------------------------------------------------

    def _readings(self, who: SparkplugTopic, content: RawPayload, heard: _Heard, message: Message) -> Decoded:
        mapped = self._mapped.get((who.group, who.node, who.device))
        if mapped is None:
            return Decoded(mark=heard.mark)
        is_birth = who.type in {"NBIRTH", "DBIRTH"}
        if not is_birth and who.device not in heard.vocabulary.devices:
            self._ask_rebirth(who, message)
            refused = PoisonMessageError("no_birth", f"the birth of device {who.device} was not heard", field="topic")
            return Decoded(mark=heard.mark, refused=refused)
        readings: list[Reading] = []
        refused_first: PoisonMessageError | None = None
        for metric in content.metrics:
            try:
                reading = _reading(mapped, who.device, metric, content, heard, message)
            except PoisonMessageError as error:
                refused_first = refused_first or error
                if error.reason == "unknown_metric":
                    self._ask_rebirth(who, message)
                continue
            if reading is not None:
                readings.append(reading)
        return Decoded(readings=readings, mark=heard.mark, refused=refused_first)


def _mapped(device: SparkplugDevice) -> _Mapped:
    renamed = {channel: metric for metric, channel in device.metrics.items()}
    channels = {
        renamed.get(name, name): Channel(device.line, device.asset, name, unit)
        for name, unit in device.channels.items()
    }
    return _Mapped(device, channels)


def _bd_seq(content: RawPayload) -> int | None:
    for metric in content.metrics:
        if metric.name == BD_SEQ and not metric.null and metric.datatype is not None:
            value = value_of(metric.datatype, metric)
            return value if isinstance(value, int) else None
    return None


def _reading(
    mapped: _Mapped,
    device: str | None,
    metric: RawMetric,
    content: RawPayload,
    heard: _Heard,
    message: Message,
) -> Reading | None:
    """A mapped metric's reading; None for one that is not mapped, or null."""
    if metric.name is not None and metric.name not in mapped.channels:
        return None
    known = heard.vocabulary.definition(device, metric)
    channel = mapped.channels.get(known.name)
    if channel is None or metric.null:
        return None
    stamp_ms = metric.timestamp_ms if metric.timestamp_ms is not None else content.timestamp_ms
    if stamp_ms is None:
        raise PoisonMessageError("missing_ts", "neither the metric nor the payload has a time", field=known.name)
    t_us = trusted_time(stamp_ms * MICROSECONDS_PER_MILLISECOND, known.name, message, historical=metric.historical)
    value = number_of(metric.datatype if metric.datatype is not None else known.datatype, metric)
    if value - value != 0:  # NaN and infinities
        raise PoisonMessageError("not_finite", "NaN and Infinity are not values", field=known.name)
    low, high = mapped.settings.minimum, mapped.settings.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return Reading(channel, t_us, value, Quality.BAD)
    return Reading(channel, t_us, value, Quality.UNCERTAIN if heard.doubtful else Quality.GOOD)
