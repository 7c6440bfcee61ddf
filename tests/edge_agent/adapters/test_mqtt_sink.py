"""The sink against real brokers: settled once, in order, after the broker's acknowledgement and not before."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.mqtt_connection import Backoff
from edge_agent.adapters.mqtt_sink import IN_FLIGHT, MqttSink, OutboundQueue
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.ports import OutboxMessage
from tests.brokers import PLC, Broker, MosquittoBroker, PlantPeer, broker, mosquitto, plant, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.settings.config import BrokerSettings

__all__ = ["broker", "mosquitto", "plant"]  # fixtures

TOPIC = "lineproof/press-1/reject"
STATE = "lineproof/press-1/state"


def message(number: int, topic: str = TOPIC, *, retain: bool = False) -> OutboxMessage:
    return OutboxMessage(
        key=f"k{number}",
        subject_key=f"s{number}",
        topic=topic,
        payload=str(number).encode(),
        created_us=number,
        line="press-1",
        retain=retain,
    )


def numbers(first: int, last: int) -> list[bytes]:
    return [str(number).encode() for number in range(first, last + 1)]


class Sending:
    """A sink and what it settled."""

    def __init__(self, settings: BrokerSettings) -> None:
        self.settled: list[str] = []
        self.sink = MqttSink(
            settings,
            "agent-sink",
            SystemClock(),
            STATE,
            "agent-1",
            backoff=Backoff(base_s=0.05, cap_s=0.2, jitter=lambda: 1.0),
        )

    def start(self) -> Sending:
        self.sink.start(self.settled.append)
        wait_for(lambda: self.sink.health().alive, "the sink is connected")
        return self

    def send(self, first: int, last: int) -> None:
        for number in range(first, last + 1):
            self.sink.send(message(number))


@pytest.fixture
def sending(broker: Broker) -> Iterator[Sending]:
    made = Sending(broker.settings())
    yield made
    made.sink.stop()


@pytest.mark.broker
def test_messages_arrive_in_order_and_are_settled_once(sending: Sending, plant: PlantPeer) -> None:
    plant.subscribe("lineproof/press-1/#")
    sending.start().send(1, 1_000)
    sending.send(990, 1_000)  # the writer offers again what is not settled yet
    wait_for(lambda: len(sending.settled) >= 1_000, "all settled")
    assert sending.settled[:1_000] == [f"k{number}" for number in range(1, 1_001)]
    wait_for(lambda: len(plant.payloads(TOPIC)) >= 1_000, "all heard")
    assert plant.payloads(TOPIC)[:1_000] == numbers(1, 1_000)
    assert sending.sink.waiting == 0


@pytest.mark.broker
def test_what_is_sent_while_the_broker_is_away_follows_in_order(broker: Broker, sending: Sending) -> None:
    sending.start().send(1, 3)
    wait_for(lambda: len(sending.settled) == 3, "three settled")
    broker.kill()
    wait_for(lambda: not sending.sink.health().alive, "the loss is seen")
    sending.send(4, 400)
    sending.sink.announce("lineproof/press-1/interlock", b"dropped")
    assert sending.sink.waiting == 397
    broker.start()
    plant = PlantPeer(broker.plant_settings())
    plant.subscribe("lineproof/press-1/#")
    wait_for(lambda: len(sending.settled) == 400, "the rest is settled")
    assert sending.settled == [f"k{number}" for number in range(1, 401)]
    assert plant.payloads("lineproof/press-1/interlock") == []
    plant.close()


@pytest.mark.broker
def test_birth_announcement_and_goodbye_are_retained(broker: Broker, sending: Sending, plant: PlantPeer) -> None:
    sending.start()
    sending.sink.announce("lineproof/press-1/interlock", b"run")
    plant.subscribe("lineproof/press-1/#")
    wait_for(lambda: plant.payloads("lineproof/press-1/interlock"), "the announcement")
    wait_for(lambda: plant.payloads(STATE), "the birth")
    assert json.loads(plant.payloads(STATE)[0]) == {"state": "online", "agent": "agent-1"}
    sending.sink.stop()
    wait_for(lambda: len(plant.payloads(STATE)) == 2, "the goodbye")
    late = PlantPeer(broker.plant_settings())
    late.subscribe("lineproof/press-1/#")
    wait_for(lambda: late.payloads(STATE), "the retained state")
    assert json.loads(late.payloads(STATE)[0]) == {"state": "offline", "agent": "agent-1", "reason": "stopped"}
    assert late.payloads("lineproof/press-1/interlock") == [b"run"]
    late.close()


INTERLOCK = "lineproof/press-1/interlock"


@pytest.mark.broker
def test_an_expiring_announcement_is_taken_and_retained(broker: Broker, sending: Sending, plant: PlantPeer) -> None:
    plant.subscribe(INTERLOCK)
    sending.start()
    sending.sink.announce(INTERLOCK, b"run", expiry_s=60.0)
    wait_for(lambda: plant.payloads(INTERLOCK) == [b"run"], "the announcement")
    assert sending.sink.health().detail == ""
    late = PlantPeer(broker.plant_settings())
    late.subscribe(INTERLOCK)
    wait_for(lambda: late.payloads(INTERLOCK) == [b"run"], "the retained announcement")
    assert 0 < late.heard[0].properties.MessageExpiryInterval <= 60  # type: ignore[union-attr] # MQTT 5 always has them
    late.close()


@pytest.mark.broker
def test_a_dead_agents_word_greets_nobody_after_its_expiry(mosquitto: MosquittoBroker) -> None:
    sending = Sending(mosquitto.settings()).start()
    plant = PlantPeer(mosquitto.plant_settings())
    plant.subscribe(INTERLOCK)
    sending.sink.announce(INTERLOCK, b"run", expiry_s=1.2)  # rounded up to 2 s
    wait_for(lambda: plant.payloads(INTERLOCK) == [b"run"], "the announcement")
    plant.close()

    def greetings() -> list[bytes]:
        """What a controller hears that comes now; the state, asked for later, marks the end of what is retained."""
        late = PlantPeer(mosquitto.plant_settings())
        late.subscribe(INTERLOCK)
        late.subscribe(STATE)
        wait_for(lambda: late.payloads(STATE), "the retained state")
        late.close()
        return late.payloads(INTERLOCK)

    assert greetings() == [b"run"]
    wait_for(lambda: greetings() == [], "the announcement is forgotten")
    sending.sink.stop()


VICTIM = textwrap.dedent("""
    import sys, time, structlog
    from edge_agent.adapters.mqtt_sink import MqttSink
    from edge_agent.adapters.system_clock import SystemClock
    from edge_agent.settings.config import BrokerSettings
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    port, user, password = sys.argv[1:]
    account = {"username": user, "password": password} if user else {}
    broker = BrokerSettings(port=int(port), keepalive_s=5, **account)
    sink = MqttSink(broker, "agent-sink", SystemClock(), "lineproof/press-1/state", "agent-1")
    sink.start(lambda key: None)
    while not sink.health().alive:
        time.sleep(0.005)
    print("connected", flush=True)
    time.sleep(60)
""")


@pytest.mark.broker
def test_the_last_will_appears_when_the_agent_is_killed(broker: Broker, plant: PlantPeer) -> None:
    plant.subscribe(STATE)
    settings = broker.settings()
    password = settings.password.get_secret_value() if settings.password else ""
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(settings.port), settings.username or "", password], stdout=subprocess.PIPE
    ) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"connected\n"
        wait_for(lambda: len(plant.payloads(STATE)) == 1, "the birth")
        victim.send_signal(signal.SIGKILL)
    wait_for(lambda: len(plant.payloads(STATE)) == 2, "the last will")
    assert json.loads(plant.payloads(STATE)[1]) == {
        "state": "offline",
        "agent": "agent-1",
        "reason": "connection lost",
    }


@pytest.mark.broker
def test_a_message_the_broker_refuses_is_kept_and_shown(mosquitto: MosquittoBroker) -> None:
    """The plant's account may not write rejects: the shipped access list says so."""
    assert mosquitto.plant_settings().username == PLC
    sending = Sending(mosquitto.plant_settings())
    sending.start()
    sending.sink.send(message(1))
    sending.sink.send(message(2, "plant/press-1/note"))
    wait_for(lambda: sending.settled == ["k2"], "the allowed message")
    wait_for(lambda: "Not authorized" in sending.sink.health().detail, "the refusal shows")
    assert f"{TOPIC}: Not authorized" in sending.sink.health().detail
    assert sending.sink.waiting == 1
    sending.sink.stop()
    assert sending.settled == ["k2"]


@pytest.mark.broker
def test_a_topic_the_protocol_cannot_carry_does_not_stop_the_others(sending: Sending) -> None:
    sending.start()
    sending.sink.send(message(1, "lineproof/press-1/+"))
    sending.sink.send(message(2))
    wait_for(lambda: sending.settled == ["k2"], "the good one")
    assert "lineproof/press-1/+" in sending.sink.health().detail
    assert sending.sink.health().alive


def taken(queue: OutboundQueue, now_s: float = 0.0) -> list[tuple[int, OutboxMessage]]:
    """Everything that may be sent now, in order."""
    found = []
    while (entry := queue.take(now_s)) is not None:
        found.append(entry)
    return found


def keys(entries: list[tuple[int, OutboxMessage]]) -> list[str]:
    return [entry[1].key for entry in entries]


def test_a_retained_topic_has_one_message_under_way() -> None:
    queue = OutboundQueue()
    for number in (1, 2, 3):
        queue.add(message(number, "state", retain=True))
    queue.add(message(4, "other"))
    first = taken(queue)
    assert keys(first) == ["k1", "k4"]
    for mid, entry in enumerate(first, 1):
        queue.sent(mid, entry)
    assert queue.accepted(1) == "k1"
    assert keys(taken(queue)) == ["k2"]
    assert len(queue) == 3


def test_a_refused_message_is_not_overtaken_on_its_topic() -> None:
    queue = OutboundQueue()
    for number in (1, 2):
        queue.add(message(number, "a"))
    for mid, entry in enumerate(taken(queue), 1):
        queue.sent(mid, entry)
    assert queue.answered_badly(1, "Quota exceeded", 100.0)
    assert queue.answered_badly(2, "Quota exceeded", 100.0)
    queue.add(message(3, "a"))
    queue.add(message(4, "b"))
    assert keys(taken(queue, 100.1)) == ["k4"]
    assert queue.refusals == {"a": "Quota exceeded"}
    retry_s = queue.next_retry_s()
    assert retry_s is not None
    assert 100.5 <= retry_s <= 101.0
    again = taken(queue, 102.0)
    assert keys(again) == ["k1"]
    queue.sent(5, again[0])
    assert queue.accepted(5) == "k1"
    assert queue.refusals == {}
    assert keys(taken(queue, 102.0)) == ["k2", "k3"]


def test_after_a_loss_everything_unsettled_is_sent_in_its_first_order() -> None:
    queue = OutboundQueue()
    for number in range(1, 6):
        queue.add(message(number, "a" if number % 2 else "b", retain=number == 3))
    entries = taken(queue)
    assert keys(entries) == ["k1", "k2", "k3", "k4"]
    for mid, entry in enumerate(entries, 1):
        queue.sent(mid, entry)
    queue.accepted(2)
    queue.answered_badly(4, "Unspecified error", 0.0)
    queue.reconnect()
    assert queue.in_flight == 0
    assert keys(taken(queue)) == ["k1", "k3", "k4"]
    assert not queue.add(message(5, "a"))
    assert queue.accepted(99) is None
    assert IN_FLIGHT < 65_535
