"""The sources that read from the broker, as the settings name them: part of the composition root.

Messages, images and Sparkplug come over connections of their own: a station that is slower than its camera holds back
images and nothing else, and a few large pictures under way fill no memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.adapters.csv_codec import CsvCodec
from edge_agent.adapters.float32_codec import Float32Codec
from edge_agent.adapters.image_codec import ImageCodec, ImageStation
from edge_agent.adapters.json_codec import JsonCodec
from edge_agent.adapters.mqtt_source import MqttSource
from edge_agent.adapters.msgpack_codec import MsgpackCodec
from edge_agent.adapters.product_codec import ProductCodec
from edge_agent.adapters.sparkplug_codec import SparkplugCodec
from edge_agent.adapters.sparkplug_host import SparkplugHost
from edge_agent.inspection.products import ProductLog
from edge_agent.payloads.deriving import SignalCodec
from edge_agent.payloads.routing import CodecRouter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.metrics import Metrics
    from edge_agent.payloads.routing import FilteredCodec
    from edge_agent.ports import Clock, Codec, Source
    from edge_agent.settings.config import Settings
    from edge_agent.settings.mqtt import MqttSourceSettings

LARGEST_MQTT_PAYLOAD = 268_435_455  # MQTT 5 section 1.5.5; a station's limit says what its decoder takes
IMAGES_UNDER_WAY = 10


def message_codec(settings: MqttSourceSettings, *others: FilteredCodec) -> CodecRouter:
    """The codec of all readings and facts, whatever their form, and of what `others` read.

    Raises:
        ConfigError: a topic filter or pattern is malformed.
    """
    codecs: Sequence[FilteredCodec] = (
        JsonCodec(settings),
        MsgpackCodec(settings),
        CsvCodec(settings),
        Float32Codec(settings),
        *others,
    )
    return CodecRouter(codecs)


@dataclass(frozen=True, slots=True)
class Intake:
    """What one connection to the broker reads.

    Attributes:
        client_id: its session at the broker.
        codec, filters: what it reads, and how.
        under_way: messages that the broker may have under way to us at most, None for what the settings say.
        largest: larger payloads are quarantined, bytes.
    """

    client_id: str
    codec: Codec
    filters: Sequence[str]
    largest: int
    under_way: int | None = None


def messages_intake(settings: Settings, products: ProductLog) -> Intake:
    """Readings and facts of all lines, and product changes of stations whose images come from elsewhere.

    Raises:
        ConfigError: a topic filter or pattern is malformed.
    """
    mqtt = settings.mqtt
    others = {s.name: s.line for s in settings.stations if s.name not in _fed_by_topic(settings)}
    changes = ProductCodec(mqtt, others, products, in_order=False)
    messages = message_codec(mqtt, changes)
    codec = SignalCodec(messages, settings.signals)
    return Intake(f"{settings.agent.name}-in", codec, messages.filters, mqtt.max_payload_bytes)


def images_intake(settings: Settings, products: ProductLog) -> Intake:
    """Images, and the product changes of the stations they belong to, in one order.

    Raises:
        ConfigError: a topic filter or pattern is malformed.
    """
    fed = _fed_by_topic(settings)
    stations = [ImageStation(s.line, s.name, "", s.limits.max_bytes) for s in settings.stations if s.name in fed]
    changes = ProductCodec(
        settings.mqtt, {s.name: s.line for s in settings.stations if s.name in fed}, products, in_order=True
    )
    codec = CodecRouter((ImageCodec(settings.mqtt.images, stations), changes))
    under_way = min(IMAGES_UNDER_WAY, settings.broker.receive_maximum)
    return Intake(f"{settings.agent.name}-images", codec, codec.filters, LARGEST_MQTT_PAYLOAD, under_way)


def mqtt_source(intake: Intake, settings: Settings, clock: Clock) -> MqttSource:
    """The source of an intake.

    Raises:
        ConfigError: a TLS or password file cannot be used.
    """
    broker = settings.broker
    if intake.under_way is not None:
        broker = broker.model_copy(update={"receive_maximum": intake.under_way})
    return MqttSource(broker, intake.client_id, intake.filters, intake.codec, clock, intake.largest)


def mqtt_sources(
    settings: Settings, clock: Clock, metrics: Metrics, products: ProductLog | None = None
) -> list[Source]:
    """Every source that the broker feeds; none where no topic is configured.

    Raises:
        ConfigError: a topic filter or pattern is malformed, or a TLS or password file cannot be used.
    """
    log = products if products is not None else ProductLog()
    intakes = (messages_intake(settings, log), images_intake(settings, log))
    sources: list[Source] = [mqtt_source(intake, settings, clock) for intake in intakes if intake.filters]
    return [*sources, *sparkplug_sources(settings, clock, metrics)]


def sparkplug_sources(settings: Settings, clock: Clock, metrics: Metrics) -> list[Source]:
    """The data of Sparkplug edge nodes, and the host that asks for their births at its start; none without devices.

    Raises:
        ConfigError: a TLS or password file cannot be used.
    """
    agent, broker, mqtt = settings.agent.name, settings.broker, settings.mqtt
    if not mqtt.sparkplug.devices:
        return []
    nodes = dict.fromkeys((device.group, device.node) for device in mqtt.sparkplug.devices)
    host = SparkplugHost(broker, f"{agent}-host", mqtt.sparkplug.host_id, nodes, clock, metrics.rebirth_asked)
    births = sparkplug_codec(settings, host)
    # the data first: a host that says it is there must be able to hear the births that follow
    data = MqttSource(broker, f"{agent}-sparkplug", births.filters, births, clock, mqtt.max_payload_bytes)
    return [data, host]


def sparkplug_codec(settings: Settings, host: SparkplugHost) -> SparkplugCodec:
    """The codec of Sparkplug data; it knows no birth yet."""
    return SparkplugCodec(settings.mqtt, host.ask_rebirth)


def _fed_by_topic(settings: Settings) -> frozenset[str]:
    return frozenset(topic.station for topic in settings.mqtt.images)
