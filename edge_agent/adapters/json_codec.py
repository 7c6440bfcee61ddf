"""JSON payloads into readings and facts; how their values are read is told in `payloads.values`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.payloads.strict_json import read_json
from edge_agent.payloads.values import PayloadReader, decode_value

if TYPE_CHECKING:
    from edge_agent.instant import Instant
    from edge_agent.ports import Decoded
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
