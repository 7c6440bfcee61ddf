"""The source against real brokers: nothing is lost, nothing reordered, nothing acknowledged too early."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from edge_agent.adapters.json_codec import JsonCodec
from edge_agent.adapters.mqtt_arrivals import MqttToken
from edge_agent.adapters.mqtt_connection import Backoff
from edge_agent.adapters.mqtt_source import MqttSource
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.errors import ConfigError
from edge_agent.ports import Decoded
from edge_agent.settings.config import BrokerSettings
from edge_agent.settings.mqtt import ChannelTopic, MqttSourceSettings
from tests.brokers import Broker, MosquittoBroker, PlantPeer, broker, mosquitto, plant, start_broker, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_agent.instant import Instant
    from edge_agent.ports import Codec, Delivery

__all__ = ["broker", "mosquitto", "plant"]  # fixtures

pytestmark = pytest.mark.broker

TOPIC = "plant/press-1/ram/temp"
FILTER = "plant/press-1/#"
READINGS = MqttSourceSettings(
    readings=(ChannelTopic(filter=FILTER, line="press-1", asset="ram", channel="temp"),), max_payload_bytes=4_096
)


class Recorder:
    """Stands for the pipeline: keeps deliveries, acknowledges when told to, blocks or fails when told to."""

    def __init__(self, settings: BrokerSettings, codec: Codec | None = None, client_id: str = "agent-source") -> None:
        self.deliveries: list[Delivery] = []
        self.gate = threading.Event()
        self.gate.set()
        self.failures = 0
        self.source = MqttSource(
            settings,
            client_id,
            [FILTER],
            codec or JsonCodec(READINGS),
            SystemClock(),
            READINGS.max_payload_bytes,
            backoff=Backoff(base_s=0.05, cap_s=0.2, jitter=lambda: 1.0),
        )
        self._committer: threading.Thread | None = None
        self._ended = threading.Event()

    def deliver(self, delivery: Delivery) -> None:
        self.gate.wait()
        if self.failures:
            self.failures -= 1
            message = "the pipeline is broken"
            raise RuntimeError(message)
        self.deliveries.append(delivery)

    def start(self) -> Recorder:
        self.source.start(self.deliver)
        wait_for(lambda: self.source.health().alive, "the source is connected")
        return self

    def commit_every(self, seconds: float) -> Recorder:
        """Acknowledge from another thread on a timer, as the writer does."""
        self._committer = threading.Thread(target=self._commit, args=(seconds,), daemon=True)
        self._committer.start()
        return self

    def _commit(self, seconds: float) -> None:
        done = 0
        while not self._ended.wait(seconds):
            upto = len(self.deliveries)
            self.source.acknowledge([delivery.token for delivery in self.deliveries[done:upto]])
            done = upto

    def acknowledge(self, count: int) -> None:
        self.source.acknowledge([delivery.token for delivery in self.deliveries[:count]])

    @property
    def values(self) -> list[int]:
        return [int(reading.value) for delivery in self.deliveries for reading in delivery.readings]

    def close(self) -> None:
        self._ended.set()
        self.gate.set()
        if self._committer is not None:
            self._committer.join()
        self.source.stop()


@pytest.fixture
def agent(broker: Broker) -> Iterator[Recorder]:
    recorder = Recorder(broker.settings())
    yield recorder
    recorder.close()


def payloads(first: int, last: int) -> list[bytes]:
    return [str(number).encode() for number in range(first, last + 1)]


def test_two_thousand_messages_arrive_in_order_and_without_a_stall(agent: Recorder, plant: PlantPeer) -> None:
    agent.start().commit_every(0.02)
    plant.publish_all(TOPIC, payloads(1, 2_000))
    wait_for(lambda: len(agent.deliveries) >= 2_000, "all messages delivered")
    assert agent.values == list(range(1, 2_001))
    wait_for(lambda: agent.source.counts.acknowledged == 2_000, "all messages acknowledged")
    assert agent.source.counts.stale_acknowledgements == 0
    assert agent.source.counts.connections == 1


def test_what_was_not_acknowledged_comes_again_to_the_next_process(broker: Broker, plant: PlantPeer) -> None:
    first = Recorder(broker.settings()).start()
    plant.publish_all(TOPIC, payloads(1, 50))
    wait_for(lambda: len(first.deliveries) == 50, "first 50 delivered")
    first.acknowledge(20)
    wait_for(lambda: first.source.counts.acknowledged == 20, "20 acknowledged")
    first.close()
    plant.publish_all(TOPIC, payloads(51, 60))

    second = Recorder(broker.settings()).start()
    wait_for(lambda: len(second.deliveries) >= 40, "the rest is delivered")
    assert second.values == list(range(21, 61))
    second.close()


def test_a_clean_restart_brings_nothing_again_that_was_committed(broker: Broker, plant: PlantPeer) -> None:
    """Unstamped readings have no key: one that is redelivered would be recorded twice."""
    first = Recorder(broker.settings())
    held = threading.Thread(target=plant.publish_all, args=(TOPIC, payloads(1, 300)))
    first.start()
    held.start()
    wait_for(lambda: len(first.deliveries) >= 50, "the stream flows")
    first.source.pause()
    taken = len(first.deliveries)
    first.acknowledge(taken)  # what the writer commits while it drains
    wait_for(lambda: first.source.counts.acknowledged == taken, "acknowledged over the connection that is still there")
    held.join()  # the rest has come by now, or waits at the broker; nobody delivers it
    assert len(first.deliveries) == taken
    assert not first.source.health().alive
    first.close()

    second = Recorder(broker.settings()).commit_every(0.02).start()  # iotcore confirms nothing while its window is full
    wait_for(lambda: len(second.deliveries) >= 300 - taken, "the rest is delivered")
    assert second.values == list(range(taken + 1, 301))
    second.close()


def test_acknowledgements_asked_for_just_before_the_stop_arrive(broker: Broker, plant: PlantPeer) -> None:
    first = Recorder(broker.settings()).start()
    count = 90 if broker.name == "iotcore" else 300  # iotcore's window is 100
    plant.publish_all(TOPIC, payloads(1, count))
    wait_for(lambda: len(first.deliveries) == count, "all delivered")
    plant.publish_all(TOPIC, payloads(count + 1, count + 5))
    first.source.pause()
    taken = len(first.deliveries)
    first.acknowledge(taken)
    first.source.stop()
    assert first.source.counts.acknowledged == taken

    second = Recorder(broker.settings()).start().commit_every(0.02)
    plant.publish_all(TOPIC, payloads(1_000, 1_000))
    wait_for(lambda: 1_000 in second.values, "the next message")
    assert second.values == [*range(taken + 1, count + 6), 1_000]
    second.close()


def test_a_pause_waits_for_the_delivery_in_hand(agent: Recorder, plant: PlantPeer) -> None:
    agent.gate.clear()
    agent.start()
    plant.publish_all(TOPIC, payloads(1, 3))
    wait_for(lambda: agent.source._delivering_since_s is not None, "one delivery is held back")
    pausing = threading.Thread(target=agent.source.pause)
    pausing.start()
    wait_for(agent.source._pausing.is_set, "the pause begins")
    assert agent.deliveries == []
    agent.gate.set()
    pausing.join()
    assert agent.values == [1]
    assert not agent.source._pump.is_alive()


def test_a_delivery_that_fails_during_a_pause_keeps_the_connection(agent: Recorder, plant: PlantPeer) -> None:
    agent.start()
    plant.publish_all(TOPIC, payloads(1, 2))
    wait_for(lambda: len(agent.deliveries) == 2, "two delivered")
    agent.gate.clear()
    agent.failures = 1
    plant.publish_all(TOPIC, payloads(3, 3))
    wait_for(lambda: agent.source._delivering_since_s is not None, "the third is in hand")
    pausing = threading.Thread(target=agent.source.pause)
    pausing.start()
    wait_for(agent.source._pausing.is_set, "the pause begins")
    agent.gate.set()
    pausing.join()
    agent.acknowledge(2)
    wait_for(lambda: agent.source.counts.acknowledged == 2, "both acknowledged")
    assert agent.source.counts.connections == 1


def test_a_killed_process_loses_nothing_it_had_not_acknowledged(broker: Broker, plant: PlantPeer) -> None:
    Recorder(broker.settings()).start().close()  # makes the session
    settings = broker.settings()
    password = settings.password.get_secret_value() if settings.password else ""
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(settings.port), settings.username or "", password], stdout=subprocess.PIPE
    )
    assert victim.stdout is not None
    assert victim.stdout.readline() == b"connected\n"
    plant.publish_all(TOPIC, payloads(1, 40))
    delivered = [victim.stdout.readline() for _ in range(40)]
    assert delivered[-1] == b"40\n"
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdout.close()

    heir = Recorder(settings).start()
    wait_for(lambda: len(heir.deliveries) >= 30, "the unacknowledged come again")
    assert heir.values == list(range(11, 41))
    heir.close()


VICTIM = textwrap.dedent("""
    import sys, time, structlog
    from edge_agent.adapters.json_codec import JsonCodec
    from edge_agent.adapters.mqtt_source import MqttSource
    from edge_agent.adapters.system_clock import SystemClock
    from edge_agent.settings.config import BrokerSettings
    from edge_agent.settings.mqtt import ChannelTopic, MqttSourceSettings
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    port, user, password = sys.argv[1:]
    account = {"username": user, "password": password} if user else {}
    topic = ChannelTopic(filter="plant/press-1/#", line="press-1", asset="ram", channel="temp")
    codec = JsonCodec(MqttSourceSettings(readings=(topic,)))
    broker = BrokerSettings(port=int(port), keepalive_s=5, **account)
    source = MqttSource(broker, "agent-source", ["plant/press-1/#"], codec, SystemClock(), 4096)
    tokens = []
    def deliver(delivery):
        tokens.append(delivery.token)
        if len(tokens) == 10:
            source.acknowledge(tokens)
            while source.counts.acknowledged < 10:
                time.sleep(0.001)
        print(int(delivery.readings[0].value), flush=True)
    source.start(deliver)
    while not source.health().alive:
        time.sleep(0.005)
    print("connected", flush=True)
    time.sleep(60)
""")


def test_the_source_reconnects_by_itself_and_drops_old_acknowledgements(broker: Broker) -> None:
    agent = Recorder(broker.settings()).start()
    plant = PlantPeer(broker.plant_settings())
    plant.publish_all(TOPIC, payloads(1, 5))
    wait_for(lambda: len(agent.deliveries) == 5, "five delivered")
    plant.close()
    broker.kill()
    wait_for(lambda: not agent.source.health().alive, "the loss is seen")
    assert "cannot reach" in agent.source.health().detail or "lost" in agent.source.health().detail
    broker.start()
    wait_for(lambda: agent.source.health().alive, "the source is back")
    assert agent.source.counts.connections == 2
    agent.acknowledge(5)  # of the old connection: their packet identifiers may name other messages now
    wait_for(lambda: agent.source.counts.stale_acknowledgements + agent.source.counts.acknowledged == 5, "acknowledged")
    assert agent.source.counts.acknowledged == 0
    plant = PlantPeer(broker.plant_settings())
    plant.publish_all(TOPIC, payloads(6, 8))
    wait_for(lambda: 8 in agent.values, "the stream goes on")
    assert agent.values[-3:] == [6, 7, 8]
    plant.close()
    agent.close()


def test_a_restarted_mosquitto_still_has_what_was_not_acknowledged(mosquitto: MosquittoBroker) -> None:
    agent = Recorder(mosquitto.settings()).start()
    plant = PlantPeer(mosquitto.plant_settings())
    plant.publish_all(TOPIC, payloads(1, 10))
    wait_for(lambda: len(agent.deliveries) == 10, "ten delivered")
    agent.acknowledge(4)
    wait_for(lambda: agent.source.counts.acknowledged == 4, "four acknowledged")
    plant.close()
    mosquitto.restart()
    wait_for(lambda: len(agent.deliveries) >= 16, "the other six come again")
    assert agent.values[10:] == [5, 6, 7, 8, 9, 10]
    assert agent.source.counts.sessions_lost == 0
    agent.close()


def test_the_shipped_configuration_queues_past_mosquittos_default(mosquitto: MosquittoBroker) -> None:
    """By default Mosquitto drops what follows the first 1,000 messages for an absent client."""
    Recorder(mosquitto.settings()).start().close()  # makes the session
    plant = PlantPeer(mosquitto.plant_settings())
    plant.publish_all(TOPIC, payloads(1, 3_000))
    plant.close()
    mosquitto.restart()
    agent = Recorder(mosquitto.settings()).start().commit_every(0.02)
    wait_for(lambda: len(agent.deliveries) >= 3_000, "everything queued is delivered")
    assert agent.values == list(range(1, 3_001))
    agent.close()


def test_the_shipped_configuration_admits_nobody_without_a_name(mosquitto: MosquittoBroker) -> None:
    agent = Recorder(BrokerSettings(port=mosquitto.port))
    agent.source.start(agent.deliver)
    wait_for(lambda: agent.source.health().detail == "the broker refused us: Not authorized", "the refusal shows")
    agent.close()


def test_an_old_token_never_acknowledges_another_message(agent: Recorder, plant: PlantPeer) -> None:
    agent.start()
    plant.publish_all(TOPIC, payloads(1, 2))
    wait_for(lambda: len(agent.deliveries) == 2, "two delivered")
    token = agent.deliveries[0].token
    assert isinstance(token, MqttToken)
    stranger = MqttToken(serial=token.serial + 1_000, mid=token.mid, qos=1)
    agent.source.acknowledge([stranger, token, token])
    wait_for(lambda: agent.source.counts.stale_acknowledgements == 2, "stranger and repetition dropped")
    assert agent.source.counts.acknowledged == 1


def test_a_full_pipeline_holds_back_without_losing_order_or_the_connection(broker: Broker, plant: PlantPeer) -> None:
    agent = Recorder(broker.settings())
    agent.gate.clear()
    agent.start().commit_every(0.02)
    count = 90 if broker.name == "iotcore" else 300  # iotcore answers no ping once its window of 100 is full
    plant.publish_all(TOPIC, payloads(1, count))
    full_ns = time.monotonic_ns()
    # A client that does not ping is thrown out after 1.5 keepalives of 5 s; nothing but pings is answered here.
    wait_for(
        lambda: (agent.source.health().last_activity_mono_ns or 0) - full_ns > 7_500_000_000, "a late ping is answered"
    )
    health = agent.source.health()
    assert health.alive
    assert "held back by the pipeline" in health.detail
    assert agent.deliveries == []
    agent.gate.set()
    wait_for(lambda: len(agent.deliveries) >= count, "everything delivered")
    assert agent.values == list(range(1, count + 1))
    assert agent.source.counts.connections == 1
    agent.close()


def test_poison_is_quarantined_and_the_stream_goes_on(agent: Recorder, plant: PlantPeer) -> None:
    agent.start()
    plant.publish_all(TOPIC, [b"1", b"3,14", b"", b"9" * 5_000, b"2"])
    wait_for(lambda: len(agent.deliveries) == 5, "all delivered")
    assert agent.values == [1, 2]
    poison = [item for delivery in agent.deliveries for item in delivery.quarantined]
    assert [item.reason for item in poison] == ["decimal_comma", "empty", "too_large"]
    assert poison[2].payload == b"9" * 4_096
    assert poison[2].detail == "5000 bytes; mqtt.max_payload_bytes is 4096"
    assert len({item.key for item in poison}) == 3
    assert agent.source.counts.quarantined == {"decimal_comma": 1, "empty": 1, "too_large": 1}
    agent.acknowledge(5)
    wait_for(lambda: agent.source.counts.acknowledged == 5, "poison is acknowledged like anything else")


class BrokenCodec:
    """A decoder with a defect."""

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:  # noqa: ARG002 - the port
        if payload == b"2":
            message = "boom"
            raise ZeroDivisionError(message)
        return Decoded()


def test_a_failing_decoder_quarantines_the_message(broker: Broker, plant: PlantPeer) -> None:
    agent = Recorder(broker.settings(), BrokenCodec()).start()
    plant.publish_all(TOPIC, payloads(1, 3))
    wait_for(lambda: len(agent.deliveries) == 3, "all delivered")
    assert [[(item.reason, item.detail) for item in delivery.quarantined] for delivery in agent.deliveries] == [
        [],
        [("decoder_failed", "ZeroDivisionError: boom")],
        [],
    ]
    assert agent.source.health().alive
    agent.close()


def test_a_failed_delivery_is_redelivered(agent: Recorder, plant: PlantPeer) -> None:
    agent.failures = 1
    agent.start().commit_every(0.02)
    plant.publish_all(TOPIC, payloads(1, 20))
    wait_for(lambda: set(agent.values) == set(range(1, 21)), "every message in the end")
    assert agent.source.counts.connections == 2
    wait_for(lambda: agent.source.health().alive, "all is well again")


def test_retained_messages_are_told_apart(agent: Recorder, plant: PlantPeer) -> None:
    plant.publish(TOPIC, b"7", retain=True).wait_for_publish(10)
    agent.start()
    wait_for(lambda: len(agent.deliveries) == 1, "the retained message")
    assert agent.deliveries[0].quarantined[0].reason == "retained_without_ts"
    plant.publish_all(TOPIC, [b"8"])
    wait_for(lambda: agent.values == [8], "a live one is not flagged")


@pytest.mark.parametrize("qos", [0, 2])
def test_other_qualities_of_service_are_taken(broker: Broker, agent: Recorder, plant: PlantPeer, qos: int) -> None:
    agent.start().commit_every(0.02)
    plant.publish_all(TOPIC, payloads(1, 100), qos=qos)
    wait_for(lambda: len(agent.deliveries) == 100, "all delivered")
    assert agent.values == list(range(1, 101))
    granted = {delivery.token.qos for delivery in agent.deliveries if isinstance(delivery.token, MqttToken)}
    assert granted == {
        1 if broker.name == "iotcore" else min(qos, 1)
    }  # iotcore raises QoS 0 to that of the subscription


def test_a_refused_login_is_told(mosquitto: MosquittoBroker) -> None:
    agent = Recorder(mosquitto.settings().model_copy(update={"password": SecretStr("wrong")}))
    agent.source.start(agent.deliver)
    wait_for(lambda: "refused" in agent.source.health().detail, "the refusal shows")
    assert agent.source.health().detail == "the broker refused us: Not authorized"
    assert not agent.source.health().alive
    agent.close()


def test_tls_protects_the_connection(tmp_path: Path) -> None:
    broker = start_broker("mosquitto", tmp_path)
    assert isinstance(broker, MosquittoBroker)
    try:
        broker.add_tls()
        plant = PlantPeer(broker.plant_settings())
        agent = Recorder(broker.tls_settings("ca.crt")).start().commit_every(0.02)
        plant.publish_all(TOPIC, [payload + b" " * 3_000 for payload in payloads(1, 500)])  # many records of 16 KiB
        wait_for(lambda: len(agent.deliveries) == 500, "all delivered over TLS")
        assert agent.values == list(range(1, 501))
        agent.close()
        plant.close()

        deceived = Recorder(broker.tls_settings("other.crt"), client_id="deceived")
        deceived.source.start(deceived.deliver)
        wait_for(lambda: "certificate verify failed" in deceived.source.health().detail, "a stranger is refused")
        assert not deceived.source.health().alive
        deceived.close()
        with pytest.raises(ConfigError, match="TLS files cannot be used"):
            Recorder(broker.tls_settings("absent.crt"))
    finally:
        broker.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # the thread dies on purpose
def test_a_thread_that_has_died_shows(agent: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    agent.start()

    def die(*_: Any) -> float:
        raise SystemExit

    monkeypatch.setattr(agent.source, "turn", die)
    agent.source._connection.wake()
    wait_for(lambda: agent.source.health().detail == "its network thread does not run", "its end shows")
    assert not agent.source.health().alive


def test_an_exception_in_the_network_thread_reconnects(agent: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    agent.start()
    turn = agent.source.turn

    def fail_once(*_: Any) -> float:
        monkeypatch.setattr(agent.source, "turn", turn)
        message = "a defect"
        raise ValueError(message)

    monkeypatch.setattr(agent.source, "turn", fail_once)
    agent.source._connection.wake()
    wait_for(lambda: agent.source.counts.connections == 2, "connected again")
    assert agent.source._connection.crashes == 1
    wait_for(lambda: agent.source.health().alive, "alive again")


@pytest.mark.parametrize(
    ("mode", "content", "problem"),
    [(0o644, "secret", "open to every user"), (0o600, "\n", "is empty"), (None, "", "cannot be read")],
)
def test_a_password_file_that_cannot_be_used_is_refused(
    tmp_path: Path, mode: int | None, content: str, problem: str
) -> None:
    path = tmp_path / "password"
    if mode is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(ConfigError, match=problem):
        Recorder(BrokerSettings(username="agent", password_file=str(path)))
