"""Which codec reads a message: the one whose topic filter fits the topic most exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edge_agent.errors import PoisonMessageError
from edge_agent.payloads.topic_map import TopicMap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.instant import Instant
    from edge_agent.ports import Codec, Decoded


class FilteredCodec(Protocol):
    """A codec that says which topics are its own; the call is that of `ports.Codec`."""

    @property
    def filters(self) -> tuple[str, ...]:
        """Topic filters of what it decodes."""
        ...

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """As `ports.Codec.decode`."""
        ...


class CodecRouter:
    """Implements `ports.Codec` over several of them."""

    def __init__(self, codecs: Sequence[FilteredCodec]) -> None:
        entries: list[tuple[str, Codec]] = [(each, codec) for codec in codecs for each in codec.filters]
        self._codecs = TopicMap(entries)
        self.filters = tuple(topic_filter for topic_filter, _ in entries)

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """Decode one message with the codec of its topic.

        Raises:
            PoisonMessageError: the payload cannot be understood, or no codec reads this topic.
        """
        codec = self._codecs.find(topic)
        if codec is None:
            raise PoisonMessageError("unmapped_topic", "no configured filter matches", field="topic", value=topic)
        return codec.decode(topic, payload, received, retained=retained)
