"""Messages that say which product is made, as one fact a station that changes.

The payload is the product itself (a text or a number), or an object with the product in one field, and `key`, `seq` or
`ts` as in other facts. A retained message is taken as what holds now. What says nothing new makes no fact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_agent.errors import PoisonMessageError
from edge_agent.events import Event, ProductChange
from edge_agent.instant import MICROSECONDS_PER_SECOND, from_us
from edge_agent.payloads.strict_json import read_json, read_text
from edge_agent.payloads.strict_msgpack import read_msgpack
from edge_agent.payloads.topic_map import TopicMap
from edge_agent.payloads.values import Identity, Message, identity_of
from edge_agent.ports import Decoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_agent.inspection.products import ProductLog
    from edge_agent.instant import Instant
    from edge_agent.settings.mqtt import MqttSourceSettings
    from edge_agent.settings.products import ProductTopic

PRODUCT_CHARACTERS = 256
KIND = "product_change"
_READERS: Final = {"json": read_json, "msgpack": read_msgpack, "text": read_text}


class ProductCodec:
    """Implements `ports.Codec` for product changes; what it decodes is entered in the log at once.

    Args:
        settings: topics and limits.
        stations: names of the stations this codec speaks for, with their lines.
        log: which product is where.
        in_order: the stations' images come over the same connection: the facts wait behind those before them.

    Raises:
        ConfigError: a filter is malformed.
    """

    def __init__(
        self, settings: MqttSourceSettings, stations: Mapping[str, str], log: ProductLog, *, in_order: bool
    ) -> None:
        entries: list[tuple[str, tuple[ProductTopic, tuple[str, ...]]]] = []
        for topic in settings.products:
            wanted = [name for name, line in stations.items() if line == topic.line]
            changing = tuple(name for name in wanted if not topic.stations or name in topic.stations)
            if changing:
                entries.append((topic.filter, (topic, changing)))
        self._entries = TopicMap(entries)
        self.filters = tuple(topic_filter for topic_filter, _ in entries)
        self._settings = settings
        self._log = log
        self._in_order = in_order

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """Facts of the stations that change.

        Raises:
            PoisonMessageError: the payload names no product; its `reason` is a key of `payload_values.REASONS`.
        """
        entry = self._entries.find(topic)
        if entry is None:
            raise PoisonMessageError("unmapped_topic", "no configured filter matches", field="topic", value=topic)
        settings, stations = entry
        body = _READERS[settings.format](payload, self._settings.max_payload_bytes)
        skew_us = self._settings.max_clock_skew_s * MICROSECONDS_PER_SECOND
        future_us = self._settings.max_future_s * MICROSECONDS_PER_SECOND
        message = Message(topic, payload, received, retained, skew_us, future_us)
        identity = Identity("", received.utc_us, None)
        if isinstance(body, dict):
            if settings.field not in body:
                raise PoisonMessageError("missing_field", "the object names no product", field=settings.field)
            identity = identity_of(settings.line, KIND, body, message)
            body = body[settings.field]
        product = _product(body, settings)
        facts = [
            _fact(settings.line, station, product, identity, received)
            for station in stations
            if self._log.hear(station, product, received, f"{identity.key}/{station}" if identity.key else "")
            or identity.key
        ]
        return Decoded(facts=facts, mark=identity.mark, behind=stations if self._in_order else ())


def _product(value: object, settings: ProductTopic) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise PoisonMessageError("wrong_type", "a product is a text or an integer", field=settings.field)
    said = str(value)
    if not said.isprintable() or not 1 <= len(said) <= PRODUCT_CHARACTERS:
        raise PoisonMessageError(
            "wrong_value", f"1 to {PRODUCT_CHARACTERS} printable characters", field=settings.field, value=said[:80]
        )
    return settings.names.get(said, said)


def _fact(line: str, station: str, product: str, identity: Identity, received: Instant) -> Event:
    key = f"{identity.key or f'{line}/{KIND}/{received.boot_id}/{received.mono_ns}'}/{station}"
    return Event(key, line, from_us(identity.occurred_us), ProductChange(station, product))
