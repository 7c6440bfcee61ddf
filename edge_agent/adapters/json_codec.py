"""JSON payloads into readings and facts; how their values are read is told in `payloads.values`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.instant import MICROSECONDS_PER_SECOND
from edge_agent.payloads.reading_runs import RunReader
from edge_agent.payloads.strict_json import read_json
from edge_agent.payloads.values import PayloadReader, decode_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.instant import Instant
    from edge_agent.payloads.topic_entries import TopicPlan
    from edge_agent.ports import Decoded, Stretch
    from edge_agent.settings.mqtt import MqttSourceSettings


class JsonCodec:
    """Implements `ports.Codec` for JSON.

    Raises:
        ConfigError: a topic filter is malformed, or a channel bears the name of a field with a meaning of its own.

    >>> from edge_agent.instant import Instant
    >>> from edge_agent.settings.mqtt import ChannelTopic, MqttSourceSettings
    >>> topic = ChannelTopic(filter="press/temp", line="press-1", asset="ram", channel="temp", unit="Cel")
    >>> codec = JsonCodec(MqttSourceSettings(readings=(topic,)))
    >>> codec.decode("press/temp", b"21.5", Instant(5, 0, ""), retained=False).readings[0].value
    21.5
    """

    def __init__(self, settings: MqttSourceSettings) -> None:
        self._reader = PayloadReader(settings, "json")
        self._runs = RunReader(
            settings.max_payload_bytes,
            settings.max_clock_skew_s * MICROSECONDS_PER_SECOND,
            settings.max_future_s * MICROSECONDS_PER_SECOND,
        )

    @property
    def filters(self) -> tuple[str, ...]:
        """Topic filters of what it decodes."""
        return self._reader.entries.filters

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """Decode one message.

        Raises:
            PoisonMessageError: the payload cannot be understood; its `reason` is a key of `payload_values.REASONS`.
        """
        entry = self._reader.entries.find(topic)
        body = read_json(payload, self._reader.max_bytes)
        return decode_value(entry, body, self._reader.message(topic, payload, received, retained=retained))

    def plan(self, topic: str) -> TopicPlan | None:
        """Which readings a topic carries; None where `read_run` has nothing to do."""
        return self._reader.plan(topic)

    def read_run(
        self, plans: Sequence[TopicPlan | None], payloads: Sequence[bytes], received_us: int
    ) -> Sequence[Stretch]:
        """As `ports.RunCodec.decode_run`, for topics whose plans are known."""
        return self._runs.read(plans, payloads, received_us)
