"""Image files published over MQTT, as frames of an inspection station.

The effect key is made of the topic's part and the bytes: the same image delivered twice is one inspection. Whatever the
bytes are, the part gets a verdict: the decoder refuses what is no image, and that is NO_VERDICT.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from edge_agent.errors import PoisonMessageError
from edge_agent.inspection.inspections import Frame
from edge_agent.payloads.topic_map import TopicMap, TopicPattern
from edge_agent.ports import Decoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.instant import Instant
    from edge_agent.settings.mqtt import ImageTopic

PART_CHARACTERS = 256


class ImageStation(msgspec.Struct, frozen=True):
    """What the codec must know of a station.

    Attributes:
        line, name, product: the station.
        max_bytes: larger files are handed on cut off, so that the decoder refuses them.
    """

    line: str
    name: str
    product: str
    max_bytes: int


class ImageCodec:
    """Implements `ports.Codec` for image bytes.

    Raises:
        ConfigError: a pattern is malformed.
    """

    def __init__(self, topics: Sequence[ImageTopic], stations: Sequence[ImageStation]) -> None:
        known = {station.name: station for station in stations}
        entries = [(TopicPattern(topic.pattern), known[topic.station]) for topic in topics]
        self._entries = TopicMap((pattern.filter, (pattern, station)) for pattern, station in entries)
        self.filters = tuple(pattern.filter for pattern, _ in entries)

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """One frame.

        Raises:
            PoisonMessageError: `empty`, `retained_without_ts`, `bad_part` or `unmapped_topic`.
        """
        entry = self._entries.find(topic)
        if entry is None:
            raise PoisonMessageError("unmapped_topic", "no configured pattern matches", field="topic", value=topic)
        pattern, station = entry
        if retained:
            raise PoisonMessageError("retained_without_ts", "a retained image does not say when it was taken")
        named = pattern.parts(topic)
        if not payload and "part" not in named:
            raise PoisonMessageError("empty", "the payload is empty, and the topic names no part")
        digest = hashlib.sha256(payload).hexdigest()[:32]
        part = named.get("part", digest[:16])
        if not part.isprintable() or not 1 <= len(part) <= PART_CHARACTERS:
            raise PoisonMessageError(
                "bad_part", f"a part is 1 to {PART_CHARACTERS} printable characters", field="part", value=part[:80]
            )
        frame = Frame(
            key=f"{station.line}/{station.name}/{part}/{digest}",
            line=station.line,
            station=station.name,
            part_id=part,
            product=named.get("product", station.product),
            captured=received,
            encoded=payload[: station.max_bytes + 1],
            name=part,
        )
        refused = None if payload else PoisonMessageError("empty", "the payload is empty")
        if len(payload) > station.max_bytes:
            detail = f"{len(payload)} bytes; the limit is {station.max_bytes} (limits.max_bytes)"
            refused = PoisonMessageError("image_too_large", detail)
        return Decoded(frames=(frame,), refused=refused)
