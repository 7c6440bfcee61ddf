"""MessagePack payloads into readings and facts: the same values as in JSON, in a quarter of the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.payloads.strict_msgpack import read_msgpack
from edge_agent.payloads.values import PayloadReader, decode_value

if TYPE_CHECKING:
    from edge_agent.instant import Instant
    from edge_agent.ports import Decoded
    from edge_agent.settings.mqtt import MqttSourceSettings


class MsgpackCodec:
    """Implements `ports.Codec` for MessagePack; how values are read is told in `payloads.values`.

    Raises:
        ConfigError: a topic filter is malformed, or a channel bears the name of a field with a meaning of its own.
    """

    def __init__(self, settings: MqttSourceSettings) -> None:
        self._reader = PayloadReader(settings, "msgpack")

    @property
    def filters(self) -> tuple[str, ...]:
        """Topic filters of what it decodes."""
        return self._reader.entries.filters

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """Decode one message.

        Raises:
            PoisonMessageError: the payload cannot be understood.
        """
        entry = self._reader.entries.find(topic)
        body = read_msgpack(payload, self._reader.max_bytes)
        return decode_value(entry, body, self._reader.message(topic, payload, received, retained=retained))
