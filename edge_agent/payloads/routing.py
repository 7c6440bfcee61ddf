"""Which codec reads a message: the one whose topic filter fits the topic most exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from edge_agent.errors import PoisonMessageError
from edge_agent.payloads.topic_map import REMEMBERED_TOPICS, TopicMap
from edge_agent.ports.intake import Stretch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.instant import Instant
    from edge_agent.payloads.topic_entries import TopicPlan
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


@runtime_checkable
class PlannedCodec(FilteredCodec, Protocol):
    """A codec that reads runs of messages once it is known what each topic carries."""

    def plan(self, topic: str) -> TopicPlan | None:
        """Which readings a topic carries; None where messages must be read one by one."""
        ...

    def read_run(
        self, plans: Sequence[TopicPlan | None], payloads: Sequence[bytes], received_us: int
    ) -> Sequence[Stretch]:
        """As `ports.RunCodec.decode_run`."""
        ...


class CodecRouter:
    """Implements `ports.RunCodec` over several codecs, of which one may read runs."""

    def __init__(self, codecs: Sequence[FilteredCodec]) -> None:
        entries: list[tuple[str, Codec]] = [(each, codec) for codec in codecs for each in codec.filters]
        self._codecs = TopicMap(entries)
        self.filters = tuple(topic_filter for topic_filter, _ in entries)
        self._planned = next((codec for codec in codecs if isinstance(codec, PlannedCodec)), None)
        self._plans: dict[bytes, TopicPlan | None] = {}

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        """Decode one message with the codec of its topic.

        Raises:
            PoisonMessageError: the payload cannot be understood, or no codec reads this topic.
        """
        codec = self._codecs.find(topic)
        if codec is None:
            raise PoisonMessageError("unmapped_topic", "no configured filter matches", field="topic", value=topic)
        return codec.decode(topic, payload, received, retained=retained)

    def decode_run(self, topics: Sequence[bytes], payloads: Sequence[bytes], received_us: int) -> Sequence[Stretch]:
        """Decode what the codec of runs can read; the rest lies in stretches without readings."""
        if self._planned is None:
            return [Stretch(0, len(topics), None)]
        known = self._plans
        try:
            plans = [known[topic] for topic in topics]
        except KeyError:
            plans = [self._plan(topic) for topic in topics]
        return self._planned.read_run(plans, payloads, received_us)

    def _plan(self, topic: bytes) -> TopicPlan | None:
        """The plan of a topic that the codec of runs owns; nobody else may read it, whatever its filters say."""
        if topic in self._plans:
            return self._plans[topic]
        try:
            name = topic.decode()
        except UnicodeDecodeError:
            return None
        owner = self._planned if self._codecs.find(name) is self._planned else None
        plan = owner.plan(name) if owner is not None else None
        if len(self._plans) >= REMEMBERED_TOPICS:
            self._plans.clear()
        self._plans[topic] = plan
        return plan
