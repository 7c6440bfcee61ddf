"""CSV payloads into readings: one sample a line, columns as configured, time and numbers as in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.errors import PoisonMessageError
from edge_agent.payloads.strict_csv import read_csv
from edge_agent.payloads.topic_entries import RESERVED, ReadingsPlan
from edge_agent.payloads.values import PayloadReader, decode_value

if TYPE_CHECKING:
    from edge_agent.instant import Instant
    from edge_agent.ports import Decoded
    from edge_agent.settings.mqtt import MqttSourceSettings

_ALWAYS_READ = frozenset({*RESERVED, "line"})


class CsvCodec:
    """Implements `ports.Codec` for lines of separated values.

    Raises:
        ConfigError: a topic filter is malformed, or a channel bears the name of a field with a meaning of its own.
    """

    def __init__(self, settings: MqttSourceSettings) -> None:
        self._reader = PayloadReader(settings, "csv")

    @property
    def filters(self) -> tuple[str, ...]:
        """Topic filters of what it decodes."""
        return self._reader.entries.filters

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """Decode one message.

        Raises:
            PoisonMessageError: the payload cannot be understood.
        """
        plan = self._reader.entries.find(topic)
        if not isinstance(plan, ReadingsPlan):
            raise PoisonMessageError("unmapped_topic", "facts are not read as CSV", field="topic", value=topic)
        form = plan.form
        delimiter = "\t" if form.delimiter == "tab" else form.delimiter
        wanted = _ALWAYS_READ | plan.channels.keys()
        samples = read_csv(payload, form.columns, wanted, delimiter, self._reader.max_bytes)
        return decode_value(plan, samples, self._reader.message(topic, payload, received, retained=retained))
