"""The contract of the MQTT clients, for the plain and the fast one, at real brokers."""

from __future__ import annotations

import select
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge_agent.adapters.mqtt_client import PlantClient, Session, make_client
from edge_agent.adapters.mqtt_fast_client import FastClient
from tests.brokers import DEADLINE_S, Broker, MosquittoBroker, PlantPeer, broker, mosquitto, plant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from paho.mqtt import client as mqtt

    from edge_agent.settings.config import BrokerSettings

__all__ = ["broker", "mosquitto", "plant"]  # fixtures

pytestmark = pytest.mark.broker

TOPIC = "plant/press-1/ram/temp"
FILTER = "plant/press-1/#"
LARGE = 200_000  # three receive buffers


class Reader:
    """Drives one client as `mqtt_connection` does, and keeps what it hears."""

    def __init__(self, client: PlantClient) -> None:
        self.client = client
        self.heard: list[mqtt.MQTTMessage] = []
        self.connected = self.subscribed = False
        client.on_message = self._hear
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe

    def _hear(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        self.heard.append(message)

    def _on_connect(self, *given: Any) -> None:
        assert not given[3].is_failure, given[3]
        self.connected = True

    def _on_subscribe(self, *_: Any) -> None:
        self.subscribed = True

    def connect(self) -> Reader:
        self.client.reconnect()
        self.until(lambda: self.connected, "the broker accepts us")
        return self

    def subscribe(self, qos: int = 1, properties: Properties | None = None) -> Reader:
        if self.client.protocol == MQTTProtocolVersion.MQTTv5:
            self.client.subscribe(FILTER, options=SubscribeOptions(qos=qos), properties=properties)
        else:
            self.client.subscribe(FILTER, qos=qos)
        self.until(lambda: self.subscribed, "the broker confirms the subscription")
        return self

    def until(self, condition: Callable[[], object], what: str) -> None:
        until_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < until_s, f"not in time: {what}"
            self.turn()

    def turn(self) -> None:
        client = self.client
        sock: Any = client.socket()
        assert sock is not None, "the connection is over"
        if client.want_write():
            assert client.loop_write() == MQTTErrorCode.MQTT_ERR_SUCCESS
        waits = not client.has_unparsed and not (isinstance(sock, ssl.SSLSocket) and sock.pending())
        if not waits or select.select([sock], [], [], 0.01)[0]:
            assert client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS
        client.loop_misc()

    def hear(self, count: int) -> list[mqtt.MQTTMessage]:
        self.until(lambda: len(self.heard) >= count, f"{count} messages")
        return self.heard

    def acknowledge(self, messages: list[mqtt.MQTTMessage]) -> None:
        """As the source does it: QoS 1 in one piece."""
        self.client.puback(message.mid for message in messages if message.qos == 1)
        for message in messages:
            if message.qos == 2:
                self.client.ack(message.mid, 2)
        self.until(lambda: not self.client.want_write(), "the acknowledgements are written")

    def close(self) -> None:
        self.client.disconnect()
        while self.client.want_write() and self.client.socket() is not None:
            self.client.loop_write()


@pytest.fixture(params=[PlantClient, FastClient], ids=["plain", "fast"])
def kind(request: pytest.FixtureRequest) -> type[PlantClient]:
    """Each client in turn."""
    chosen: type[PlantClient] = request.param
    return chosen


def durable(kind: type[PlantClient], settings: BrokerSettings) -> Reader:
    return Reader(make_client(settings, Session("contract", keep=True), kind))


@pytest.fixture
def reader(kind: type[PlantClient], broker: Broker) -> Iterator[Reader]:
    subscribed = durable(kind, broker.settings()).connect().subscribe()
    yield subscribed
    subscribed.close()


def payloads(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


def values(messages: list[mqtt.MQTTMessage]) -> list[bytes]:
    return [bytes(message.payload) for message in messages]


@pytest.mark.parametrize("qos", [0, 1])
def test_messages_arrive_whole_and_in_order(reader: Reader, plant: PlantPeer, broker: Broker, qos: int) -> None:
    for number in range(50):
        plant.publish(TOPIC, str(number).encode(), qos=qos)
    heard = reader.hear(50)
    assert values(heard) == payloads(50)
    expected = 1 if broker.name == "iotcore" else qos  # iotcore delivers at the subscription's quality of service
    assert {(message.topic, message.qos, message.retain) for message in heard} == {(TOPIC, expected, False)}
    reader.acknowledge(heard)


def test_the_three_qualities_of_service_mixed(kind: type[PlantClient], mosquitto: MosquittoBroker) -> None:
    reader = durable(kind, mosquitto.settings()).connect().subscribe(qos=2)
    plant = PlantPeer(mosquitto.plant_settings())
    for qos in (0, 1, 2, 1, 0):
        plant.publish_all(TOPIC, payloads(15), qos=qos)
    plant.close()
    heard = reader.hear(75)
    for qos, count in ((0, 2), (1, 2), (2, 1)):  # order holds within one of them: QoS 2 waits for its handshake
        assert values([message for message in heard if message.qos == qos]) == payloads(15) * count
    reader.acknowledge(heard)
    reader.close()


def test_acknowledged_messages_never_come_again(kind: type[PlantClient], broker: Broker, plant: PlantPeer) -> None:
    first = durable(kind, broker.settings()).connect().subscribe()
    plant.publish_all(TOPIC, payloads(90))
    heard = first.hear(90)
    first.acknowledge(heard[:60])
    first.close()

    second = durable(kind, broker.settings()).connect()
    again = second.hear(30)
    assert values(again) == payloads(90)[60:]
    if broker.name == "mosquitto":  # iotcore redelivers without the flag
        assert {message.dup for message in again} == {True}
    second.acknowledge(again)
    second.close()

    third = durable(kind, broker.settings()).connect()
    plant.publish_all(TOPIC, [b"next"])
    assert values(third.hear(1)) == [b"next"]
    third.acknowledge(third.heard)
    third.close()


def test_retained_messages_say_so(kind: type[PlantClient], broker: Broker, plant: PlantPeer) -> None:
    plant.publish(TOPIC, b"kept", retain=True).wait_for_publish(DEADLINE_S)
    reader = durable(kind, broker.settings()).connect().subscribe()
    (message,) = reader.hear(1)
    assert (message.retain, message.payload) == (True, b"kept")
    reader.acknowledge([message])
    reader.close()


def test_long_properties_arrive_and_plain_messages_around_them(reader: Reader, plant: PlantPeer) -> None:
    properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
    pairs = [(f"key-{number}", "값" * 50) for number in range(100)]
    for pair in pairs:
        properties.UserProperty = pair
    properties.ContentType = "application/json"
    properties.CorrelationData = b"\x00\x01"
    plant.publish_all(TOPIC, [b"before"])
    plant._client.publish(TOPIC, b"with", 1, properties=properties).wait_for_publish(DEADLINE_S)
    plant.publish_all(TOPIC, [b"after"])
    before, found, after = reader.hear(3)
    assert values([before, found, after]) == [b"before", b"with", b"after"]
    given: Any = found.properties
    assert (given.UserProperty, given.ContentType, given.CorrelationData) == (pairs, "application/json", b"\x00\x01")
    plain: Any = before.properties
    assert plain.isEmpty()
    reader.acknowledge(reader.heard)


def test_a_packet_larger_than_the_buffer_among_small_ones(reader: Reader, plant: PlantPeer) -> None:
    large = bytes(range(250)) * (LARGE // 250)
    sent = [b"1", b"2", large, b"3", b"", large + b"!", b"4"]
    plant.publish_all(TOPIC, sent)
    assert values(reader.hear(len(sent))) == sent
    reader.acknowledge(reader.heard)


def test_a_stream_under_acknowledgement_neither_stalls_nor_repeats(reader: Reader, plant: PlantPeer) -> None:
    sent = [plant.publish(TOPIC, payload) for payload in payloads(3_000)]
    done = 0
    while done < 3_000:
        reader.hear(done + 1)
        group = reader.heard[done:]
        reader.acknowledge(group)
        done += len(group)
    for info in sent:
        info.wait_for_publish(DEADLINE_S)
    assert values(reader.heard) == payloads(3_000)


def test_subscription_identifiers_arrive(kind: type[PlantClient], mosquitto: MosquittoBroker) -> None:
    properties: Any = Properties(PacketTypes.SUBSCRIBE)  # type: ignore[no-untyped-call] # paho leaves it untyped
    properties.SubscriptionIdentifier = 268_435
    reader = durable(kind, mosquitto.settings()).connect().subscribe(properties=properties)
    plant = PlantPeer(mosquitto.plant_settings())
    plant.publish_all(TOPIC, [b"1"])
    plant.close()
    (message,) = reader.hear(1)
    given: Any = message.properties
    assert given.SubscriptionIdentifier == [268_435]
    reader.acknowledge([message])
    reader.close()


def test_mqtt_3_1_1(kind: type[PlantClient], mosquitto: MosquittoBroker) -> None:
    settings = mosquitto.settings()
    client = kind("old", MQTTProtocolVersion.MQTTv311)
    assert settings.password is not None
    client.username_pw_set(settings.username, settings.password.get_secret_value())
    client.connect_async(settings.host, settings.port, settings.keepalive_s)
    reader = Reader(client).connect().subscribe(qos=2)
    plant = PlantPeer(mosquitto.plant_settings())
    for qos in (0, 1, 2):
        plant.publish_all(TOPIC, payloads(15), qos=qos)
    plant.close()
    heard = reader.hear(45)
    for qos in (0, 1, 2):
        assert values([message for message in heard if message.qos == qos]) == payloads(15)
    assert {message.properties for message in heard} == {None}
    reader.acknowledge(heard)
    reader.close()


def test_tls(kind: type[PlantClient], mosquitto: MosquittoBroker) -> None:
    mosquitto.add_tls()
    reader = durable(kind, mosquitto.tls_settings("ca.crt")).connect().subscribe()
    plant = PlantPeer(mosquitto.plant_settings())
    sent = [*payloads(500), b"x" * LARGE, b"last"]
    infos = [plant.publish(TOPIC, payload) for payload in sent]
    done = 0
    while done < len(sent):
        reader.hear(done + 1)
        group = reader.heard[done:]
        reader.acknowledge(group)
        done += len(group)
    for info in infos:
        info.wait_for_publish(DEADLINE_S)
    plant.close()
    assert values(reader.heard) == sent
    reader.close()


def test_a_broker_that_breaks_the_protocol_is_left(kind: type[PlantClient]) -> None:
    """A real socket whose peer sends a PUBLISH that ends within its topic."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    client: Any = kind("contract")
    lost: list[str] = []
    client.on_disconnect = lambda *given: lost.append(str(given[3]))
    client._sock = ours
    theirs.sendall(b"\x32\x03\x00\x09a")
    assert client.loop_read() == MQTTErrorCode.MQTT_ERR_PROTOCOL
    assert client.socket() is None
    assert len(lost) == 1
    theirs.close()
