"""The sources that read from the broker, as the settings name them: part of the composition root.

Messages, images and Sparkplug come over connections of their own: a station that is slower than its camera holds back
images and nothing else, and a few large pictures under way fill no memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.adapters.csv_codec import CsvCodec
from edge_agent.adapters.float32_codec import Float32Codec
from edge_agent.adapters.image_codec import ImageCodec, ImageStation
from edge_agent.adapters.json_codec import JsonCodec
from edge_agent.adapters.mqtt_source import MqttSource
from edge_agent.adapters.msgpack_codec import MsgpackCodec
from edge_agent.adapters.sparkplug_codec import SparkplugCodec
from edge_agent.adapters.sparkplug_host import SparkplugHost
from edge_agent.payloads.deriving import SignalCodec
from edge_agent.payloads.routing import CodecRouter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.metrics import Metrics
    from edge_agent.payloads.routing import FilteredCodec
    from edge_agent.ports import Clock, Source
    from edge_agent.settings.config import Settings
    from edge_agent.settings.mqtt import MqttSourceSettings

LARGEST_MQTT_PAYLOAD = 268_435_455  # MQTT 5 section 1.5.5; a station's limit says what its decoder takes
IMAGES_UNDER_WAY = 10


def message_codec(settings: MqttSourceSettings) -> CodecRouter:
    """The codec of all readings and facts, whatever their form.

    Raises:
        ConfigError: a topic filter or pattern is malformed.
    """
    codecs: Sequence[FilteredCodec] = (
        JsonCodec(settings),
        MsgpackCodec(settings),
        CsvCodec(settings),
        Float32Codec(settings),
    )
    return CodecRouter(codecs)


def mqtt_sources(settings: Settings, clock: Clock, metrics: Metrics) -> list[Source]:
    """Every source that the broker feeds; none where no topic is configured.

    Raises:
        ConfigError: a topic filter or pattern is malformed, or a TLS or password file cannot be used.
    """
    agent, broker, mqtt = settings.agent.name, settings.broker, settings.mqtt
    sources: list[Source] = []
    messages = message_codec(mqtt)
    if messages.filters:
        codec = SignalCodec(messages, settings.signals)
        sources.append(MqttSource(broker, f"{agent}-in", messages.filters, codec, clock, mqtt.max_payload_bytes))
    if mqtt.images:
        stations = [ImageStation(s.line, s.name, s.product, s.limits.max_bytes) for s in settings.stations]
        images = ImageCodec(mqtt.images, stations)
        few = broker.model_copy(update={"receive_maximum": min(IMAGES_UNDER_WAY, broker.receive_maximum)})
        sources.append(MqttSource(few, f"{agent}-images", images.filters, images, clock, LARGEST_MQTT_PAYLOAD))
    if mqtt.sparkplug.devices:
        nodes = dict.fromkeys((device.group, device.node) for device in mqtt.sparkplug.devices)
        host = SparkplugHost(broker, f"{agent}-host", mqtt.sparkplug.host_id, nodes, clock, metrics.rebirth_asked)
        births = SparkplugCodec(mqtt, host.ask_rebirth)
        client_id = f"{agent}-sparkplug"
        # the data first: a host that says it is there must be able to hear the births that follow
        sources.append(MqttSource(broker, client_id, births.filters, births, clock, mqtt.max_payload_bytes))
        sources.append(host)
    return sources
