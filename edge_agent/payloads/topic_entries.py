"""What the settings say about a topic: which channels its payloads carry, or which fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from edge_agent.errors import ConfigError, PoisonMessageError
from edge_agent.payloads.topic_map import REMEMBERED_TOPICS, TopicMap, TopicPattern, problem_of
from edge_agent.readings import Channel, Quality, Reading
from edge_agent.settings.mqtt import FactTopic, ReadingsForm, UnifiedTopics

if TYPE_CHECKING:
    from edge_agent.settings.mqtt import ChannelTopic, MqttSourceSettings

RESERVED = ("ts", "seq", "epoch", "source")


class ReadingsPlan(msgspec.Struct, frozen=True):
    """How one topic's payloads become readings.

    Attributes:
        line: production line of all its channels.
        channels: channel by field; of a scalar topic one, under `value`.
        scalar: the payload is the channel's value itself.
        form: the payload's form, and which values are possible.
    """

    line: str
    channels: dict[str, Channel]
    scalar: bool
    form: ReadingsForm

    def reading(self, name: str, t_us: int, value: float) -> Reading:
        """A value of a field as a reading, BAD when it is impossible."""
        low, high = self.form.minimum, self.form.maximum
        impossible = (low is not None and value < low) or (high is not None and value > high)
        return Reading(self.channels[name], t_us, value, Quality.BAD if impossible else Quality.GOOD)


class TopicPlan(msgspec.Struct, frozen=True, gc=False):
    """A topic and the plan of its payloads."""

    topic: str
    readings: ReadingsPlan


class _Unified(msgspec.Struct, frozen=True):
    settings: UnifiedTopics
    pattern: TopicPattern


class TopicEntries:
    """The configured entries whose payloads have one form.

    Raises:
        ConfigError: a topic filter is malformed, or a channel bears the name of a field with a meaning of its own.
    """

    def __init__(self, settings: MqttSourceSettings, form: str) -> None:
        entries: list[tuple[str, ReadingsPlan | FactTopic | _Unified]] = [
            (_well_formed(topic.filter), _plan(topic)) for topic in settings.readings if topic.format == form
        ]
        for topics in settings.unified:
            pattern = TopicPattern(topics.pattern)
            if topics.format == form:
                entries.append((_well_formed(pattern.filter), _Unified(topics, pattern)))
        entries += [(_well_formed(fact.filter), fact) for fact in settings.facts if fact.format == form]
        self._entries = TopicMap(entries)
        self._resolved: dict[str, ReadingsPlan | FactTopic] = {}
        self.filters = tuple(topic_filter for topic_filter, _ in entries)

    def find(self, topic: str) -> ReadingsPlan | FactTopic:
        """The entry of a topic.

        Raises:
            PoisonMessageError: no entry takes it (`unmapped_topic`), or its levels name what no list has
                (`unknown_name`).
        """
        found = self._resolved.get(topic)
        if found is not None:
            return found
        entry = self._entries.find(topic)
        if entry is None:
            raise PoisonMessageError("unmapped_topic", "no configured filter matches", field="topic", value=topic)
        plan = _resolve(entry, topic) if isinstance(entry, _Unified) else entry
        if len(self._resolved) >= REMEMBERED_TOPICS:
            self._resolved.clear()
        self._resolved[topic] = plan
        return plan


def _well_formed(topic_filter: str) -> str:
    problem = problem_of(topic_filter)
    if problem is not None:
        hint = f"correct it: {problem}"
        raise ConfigError("a topic filter is malformed", field="filter", value=topic_filter, hint=hint)
    return topic_filter


def _plan(topic: ChannelTopic) -> ReadingsPlan:
    if topic.channel is not None:
        channels = {"value": Channel(topic.line, topic.asset, topic.channel, topic.unit)}
        return ReadingsPlan(topic.line, channels, scalar=True, form=topic)
    _refuse_reserved(topic.channels, topic.filter)
    channels = {name: Channel(topic.line, topic.asset, name, unit) for name, unit in topic.channels.items()}
    return ReadingsPlan(topic.line, channels, scalar=False, form=topic)


def _refuse_reserved(channels: dict[str, str], where: str) -> None:
    for name in channels:
        if name in RESERVED:
            raise ConfigError(
                f"{name!r} cannot be a channel", field="mqtt.readings.channels", value=where, hint="rename it"
            )


def _resolve(entry: _Unified, topic: str) -> ReadingsPlan:
    settings = entry.settings
    parts = {name: settings.names.get(level, level) for name, level in entry.pattern.parts(topic).items()}
    line = parts.get("line", settings.lines[0])
    asset = parts.get("asset", settings.assets[0])
    channel = parts.get("channel")
    for name, value, known in (("line", line, settings.lines), ("asset", asset, settings.assets)):
        if value not in known:
            raise PoisonMessageError(
                "unknown_name", f"no {name} of this name is listed in {name}s", field=name, value=value
            )
    if channel is None:
        _refuse_reserved(settings.channels, settings.pattern)
        channels = {name: Channel(line, asset, name, unit) for name, unit in settings.channels.items()}
        return ReadingsPlan(line, channels, scalar=False, form=settings)
    if channel not in settings.channels:
        raise PoisonMessageError(
            "unknown_name", "no channel of this name is listed in channels", field="channel", value=channel
        )
    only = {"value": Channel(line, asset, channel, settings.channels[channel])}
    return ReadingsPlan(line, only, scalar=True, form=settings)
