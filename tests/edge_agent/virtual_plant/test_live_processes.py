"""The live line as a process against a real broker: what arrives, that nothing is lost, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.adapters.embedded_broker import EmbeddedBroker
from edge_agent.virtual_plant import plant_topics as topics
from edge_agent.virtual_plant.plant_publisher import PlantPublisher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.broker
DEADLINE_S = 30.0


class Listener:
    """Keeps everything published under `plant/`, by topic."""

    def __init__(self, port: int) -> None:
        self.messages: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
        self.changed = threading.Condition()
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener", protocol=mqtt.MQTTv5)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe("plant/#", qos=1)
        assert self._subscribed.wait(DEADLINE_S)

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        with self.changed:
            self.messages[message.topic].append(json.loads(message.payload))
            self.changed.notify_all()

    def wait_for(self, topic: str, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.messages[topic]) >= count, DEADLINE_S), topic

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker.start(data_dir=tmp_path / "broker") as running:
        yield running


@pytest.fixture
def listener(broker: EmbeddedBroker) -> Iterator[Listener]:
    heard = Listener(broker.port)
    yield heard
    heard.close()


def test_messages_are_numbered_by_topic_and_labelled(broker: EmbeddedBroker, listener: Listener) -> None:
    publisher = PlantPublisher(broker.port, "plant", "run-1")
    at = datetime(2025, 3, 1, tzinfo=UTC)
    for value in range(3):
        publisher.publish("plant/a", at, {"value": value})
    publisher.publish("plant/b", at, {"value": 9})
    assert publisher.close(DEADLINE_S)
    listener.wait_for("plant/a", 3)
    listener.wait_for("plant/b", 1)
    assert [message["seq"] for message in listener.messages["plant/a"]] == [0, 1, 2]
    assert listener.messages["plant/b"] == [
        {
            "ts": "2025-03-01T00:00:00+00:00",
            "seq": 0,
            "epoch": "run-1",
            "source": "plant/b",
            "origin": "simulated",
            "value": 9,
        }
    ]


def test_messages_wait_for_a_broker_that_comes_later(tmp_path: Path) -> None:
    first = EmbeddedBroker.start(data_dir=tmp_path)
    port = first.port
    first.stop()
    publisher = PlantPublisher(port, "plant", "run-1")
    for value in range(5):
        publisher.publish("plant/a", datetime.now(UTC), {"value": value})
    assert publisher.acknowledged == 0
    with EmbeddedBroker.start(port, data_dir=tmp_path):
        assert publisher.close(DEADLINE_S)
    assert publisher.acknowledged == publisher.published == 5


@pytest.mark.parametrize("ending", ["SIGTERM", "end of stdin"])
def test_the_process_runs_the_line_and_ends_when_told(
    broker: EmbeddedBroker, listener: Listener, tmp_path: Path, ending: str
) -> None:
    command = (
        *(sys.executable, "-m", "edge_agent.virtual_plant.live_line", "--broker-port", str(broker.port)),
        *("--images", str(tmp_path / "images"), "--truth", str(tmp_path / "truth.jsonl")),
        *("--sample-period", "0.05", "--part-every", "0.1"),
    )
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            listener.wait_for(topics.PART, 5)
            if ending == "SIGTERM":
                process.terminate()
            else:
                process.stdin.close()
            counts = json.loads(process.stdout.readline())
            assert process.wait(DEADLINE_S) == 0
        finally:
            process.kill()
    assert counts["complete"] is True
    assert counts["acknowledged"] == counts["published"]
    listener.wait_for(topics.PART, counts["parts"])
    for messages in listener.messages.values():
        assert [message["seq"] for message in messages] == list(range(len(messages)))
        assert {message["origin"] for message in messages} == {"simulated"}
    assert sum(map(len, listener.messages.values())) == counts["published"]
    named = {str(message["part_id"]) for message in listener.messages[topics.PART]}
    assert {path.stem for path in (tmp_path / "images").iterdir()} == named
