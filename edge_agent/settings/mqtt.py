"""Settings of what is read from the broker: which topic carries what, in which form."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from edge_agent.settings.products import ProductTopic
from edge_agent.settings.section import Name, Section

TopicFilter = Annotated[str, Field(min_length=1, max_length=512)]
TopicLevel = Annotated[str, Field(pattern=r"^[^/+#\x00]{1,256}$")]
"""One level of a topic: no separator and no wildcard."""
FactKind = Literal["machine_state", "production", "energy", "labour", "part", "escape"]
ReadingsFormat = Literal["json", "msgpack", "csv", "float32"]
Column = Annotated[str, Field(min_length=1, max_length=256)]


class ReadingsForm(Section):
    """In which form a topic's payloads carry readings, and which values are possible."""

    format: ReadingsFormat = Field(
        default="json", description="Form of the payload; `float32` is a waveform: little-endian, without a header."
    )
    columns: tuple[Column, ...] = Field(
        default=(), description="Columns of `csv` lines, in order; `ts`, `seq`, `epoch` and `source` as in JSON."
    )
    delimiter: Literal[",", ";", "|", "tab"] = Field(default=",", description="What separates columns of `csv`.")
    rate_hz: float | None = Field(default=None, gt=0, le=10_000_000, description="Sampling rate of `float32`, Hz.")
    minimum: float | None = Field(default=None, description="Below this a value is flagged BAD (impossible).")
    maximum: float | None = Field(default=None, description="Above this a value is flagged BAD (impossible).")

    @model_validator(mode="after")
    def _form_is_complete(self) -> ReadingsForm:
        if (self.format == "csv") != bool(self.columns):
            message = 'columns goes with format = "csv", and is needed there'
            raise ValueError(message)
        if len(set(self.columns)) != len(self.columns):
            message = "columns names a column twice"
            raise ValueError(message)
        if (self.format == "float32") != (self.rate_hz is not None):
            message = 'rate_hz goes with format = "float32", and is needed there'
            raise ValueError(message)
        return self


class ChannelTopic(ReadingsForm):
    """One topic filter that carries readings of one asset.

    A scalar payload is the channel's value; an object's fields are channels (`channels` maps field to channel and
    unit, other fields are ignored); an array of objects is a batch of samples.
    """

    filter: TopicFilter = Field(description="MQTT topic filter (+ and # allowed).")
    line: Name = Field(description="Production line.")
    asset: Name = Field(description="Machine or device.")
    channel: Name | None = Field(default=None, description="Channel of a scalar payload.")
    unit: str = Field(default="1", description="UCUM unit of a scalar payload.")
    channels: dict[str, str] = Field(
        default_factory=dict, description="Field name to unit, for object payloads; the field is the channel name."
    )

    @model_validator(mode="after")
    def _scalar_or_object(self) -> ChannelTopic:
        if (self.channel is None) == (not self.channels):
            message = "give either channel (scalar payloads) or channels (object payloads)"
            raise ValueError(message)
        if self.format == "float32" and self.channel is None:
            message = "a waveform is one channel: give channel, not channels"
            raise ValueError(message)
        if self.format == "csv" and not set(self.columns) & ({"value"} if self.channel else set(self.channels)):
            message = "no column is a channel; with `channel`, its column is called value"
            raise ValueError(message)
        return self


class UnifiedTopics(ReadingsForm):
    """Topics of a Unified Namespace: their levels say which line, machine and channel a payload belongs to.

    `{line}`, `{asset}` and `{channel}` in the pattern are named parts; any other name in braces stands for a level that
    says nothing here. What the lists below do not name is quarantined, never guessed.
    """

    pattern: TopicFilter = Field(description="Topic with named parts: `acme/{site}/{line}/{asset}/{channel}`.")
    lines: tuple[Name, ...] = Field(min_length=1, description="Lines that may appear; without `{line}` exactly one.")
    assets: tuple[Name, ...] = Field(min_length=1, description="Machines that may appear; without `{asset}` one.")
    channels: dict[str, str] = Field(
        min_length=1, description="Channel to unit; without `{channel}` the fields of object payloads."
    )
    names: dict[TopicLevel, Name] = Field(
        default_factory=dict, description="Topic level to our name, where they differ: `Press 01` to `press-1`."
    )

    @model_validator(mode="after")
    def _parts_are_known(self) -> UnifiedTopics:
        for part, values in (("line", self.lines), ("asset", self.assets)):
            if f"{{{part}}}" not in self.pattern and len(values) > 1:
                message = f"the pattern has no {{{part}}}, so that {part}s names exactly one"
                raise ValueError(message)
        if self.format == "float32" and "{channel}" not in self.pattern:
            message = "a waveform is one channel: the pattern needs {channel}"
            raise ValueError(message)
        named = {"value"} if "{channel}" in self.pattern else set(self.channels)
        if self.format == "csv" and not set(self.columns) & named:
            message = "no column is a channel; with `{channel}` in the pattern, its column is called value"
            raise ValueError(message)
        return self


class FactTopic(Section):
    """One topic filter that carries facts of one kind for one line."""

    filter: TopicFilter = Field(description="MQTT topic filter.")
    line: Name = Field(description="Production line; a payload that claims another is quarantined.")
    kind: FactKind = Field(description="What the payload states.")
    format: Literal["json", "msgpack"] = Field(default="json", description="Form of the payload.")


class ImageTopic(Section):
    """Topics whose payloads are image files (PNG, JPEG, BMP, TIFF, WebP) of one inspection station."""

    pattern: TopicFilter = Field(
        description="Topic, wildcards allowed; a level `{part}` is the part's identity, `{product}` its product."
    )
    station: Name = Field(description="Station that judges the images.")


class SparkplugDevice(Section):
    """One Sparkplug B device, or an edge node's own metrics, as a machine."""

    group: TopicLevel = Field(description="Sparkplug group id.")
    node: TopicLevel = Field(description="Edge node id.")
    device: TopicLevel | None = Field(default=None, description="Device id; unset for the node's own metrics.")
    line: Name = Field(description="Production line.")
    asset: Name = Field(description="Machine.")
    channels: dict[Name, str] = Field(min_length=1, description="Channel to UCUM unit; other metrics are ignored.")
    metrics: dict[str, Name] = Field(
        default_factory=dict, description="Metric name to channel, where they differ: `Inputs/A3` to `temperature`."
    )
    minimum: float | None = Field(default=None, description="Below this a value is flagged BAD (impossible).")
    maximum: float | None = Field(default=None, description="Above this a value is flagged BAD (impossible).")

    @model_validator(mode="after")
    def _metrics_lead_to_channels(self) -> SparkplugDevice:
        strangers = sorted(set(self.metrics.values()) - set(self.channels))
        if strangers:
            message = f"metrics leads to {strangers[0]!r}, which channels does not list"
            raise ValueError(message)
        if len(set(self.metrics.values())) != len(self.metrics):
            message = "metrics leads to one channel twice"
            raise ValueError(message)
        return self


class SparkplugSettings(Section):
    """The agent as a Sparkplug B host application."""

    host_id: TopicLevel = Field(default="lineproof", description="Host id; edge nodes watch spBv1.0/STATE/<host_id>.")
    rebirth_cooldown_s: float = Field(
        default=30.0, ge=1, le=3_600, description="An edge node is asked for its birth at most this often, seconds."
    )
    devices: tuple[SparkplugDevice, ...] = Field(default=(), description="Devices and nodes that are read.")

    @model_validator(mode="after")
    def _devices_once(self) -> SparkplugSettings:
        names = [(device.group, device.node, device.device) for device in self.devices]
        if len(set(names)) != len(names):
            message = "a Sparkplug device is given twice"
            raise ValueError(message)
        return self


class MqttSourceSettings(Section):
    """What is read from the broker."""

    readings: tuple[ChannelTopic, ...] = Field(default=(), description="Topics with sensor readings.")
    unified: tuple[UnifiedTopics, ...] = Field(default=(), description="Topics of a Unified Namespace.")
    facts: tuple[FactTopic, ...] = Field(default=(), description="Topics with facts.")
    images: tuple[ImageTopic, ...] = Field(default=(), description="Topics with images.")
    products: tuple[ProductTopic, ...] = Field(default=(), description="Topics that say which product is made.")
    sparkplug: SparkplugSettings = Field(default_factory=SparkplugSettings, description="Sparkplug B edge nodes.")
    max_payload_bytes: int = Field(
        default=262_144, ge=64, le=16_777_216, description="Larger payloads are quarantined, bytes."
    )
    max_clock_skew_s: float = Field(
        default=86_400.0,
        gt=0,
        description="A stamp further than this behind our clock is quarantined, s; replays of old data raise it.",
    )
    max_future_s: float = Field(
        default=60.0,
        gt=0,
        description="A stamp further than this ahead of our clock is quarantined, s: time would run ahead of alarms.",
    )

    @property
    def topics(self) -> list[str]:
        """Every topic filter and pattern, as written."""
        return [
            *(topic.filter for topic in self.readings),
            *(topics.pattern for topics in self.unified),
            *(topic.filter for topic in self.facts),
            *(topic.pattern for topic in self.images),
            *(topic.filter for topic in self.products),
        ]

    def product_problems(self, stations: dict[str, str]) -> list[str]:
        """What is wrong with the product topics of these stations, by name and line."""
        return [
            *(
                f"mqtt.products: {name!r} is no station of line {topic.line!r}. Fix: name one of [[stations]]"
                for topic in self.products
                for name in topic.stations
                if stations.get(name) != topic.line
            ),
            *(
                f"mqtt.products: the line {topic.line!r} has no station. Fix: name the line of a station"
                for topic in self.products
                if topic.line not in stations.values()
            ),
        ]

    @property
    def lines(self) -> tuple[str, ...]:
        """Lines named by any topic, in order of first mention."""
        named = [topic.line for topic in self.readings]
        named += [line for topics in self.unified for line in topics.lines]
        named += [device.line for device in self.sparkplug.devices]
        named += [topic.line for topic in self.facts]
        return tuple(dict.fromkeys(named))

    @property
    def channels_of(self) -> dict[str, frozenset[str]]:
        """Channel names that some topic carries, by `line/asset`; a waveform carries what is derived of its blocks."""
        found: dict[str, set[str]] = {}
        for topic in self.readings:
            names = [topic.channel] if topic.channel is not None else list(topic.channels)
            found.setdefault(f"{topic.line}/{topic.asset}", set()).update(_derived(names, topic.format))
        for topics in self.unified:
            for key in (f"{line}/{asset}" for line in topics.lines for asset in topics.assets):
                found.setdefault(key, set()).update(_derived(list(topics.channels), topics.format))
        for device in self.sparkplug.devices:
            found.setdefault(f"{device.line}/{device.asset}", set()).update(device.channels)
        return {key: frozenset(names) for key, names in found.items()}


WAVEFORM_CHANNELS = ("rms", "peak")
"""What is derived of each block of a waveform: channels `<channel>_rms` and `<channel>_peak`."""


def _derived(names: list[str], form: ReadingsFormat) -> list[str]:
    if form != "float32":
        return names
    return [f"{name}_{derived}" for name in names for derived in WAVEFORM_CHANNELS]
