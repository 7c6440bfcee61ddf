"""Topics that change on a living connection, on real brokers: nothing lost, nothing read in the wrong way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from edge_agent.adapters.mqtt_source import MqttSource
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.errors import PoisonMessageError
from edge_agent.ports import Decoded, Delivery
from tests.brokers import Broker, PlantPeer, broker, plant, wait_for

if TYPE_CHECKING:
    from edge_agent.instant import Instant

__all__ = ["broker", "plant"]
OLD, STAYS, NEW = "plant/press-1/old", "plant/press-1/stays", "plant/press-1/new"


class Noting:
    """A codec that notes what it read, and refuses what is not its own, as all of ours do."""

    def __init__(self, *topics: str) -> None:
        self.topics = topics
        self.read: list[tuple[str, bytes]] = []

    def decode(self, topic: str, payload: bytes, received: Instant, *, retained: bool) -> Decoded:
        if topic not in self.topics:
            raise PoisonMessageError("unmapped_topic", f"{received.utc_us} {retained}", field="topic", value=topic)
        self.read.append((topic, payload))
        return Decoded()


class Taking:
    """Stands for the pipeline: acknowledges at once."""

    def __init__(self, settings: Broker, codec: Noting) -> None:
        self.source = MqttSource(settings.settings(), "change-in", codec.topics, codec, SystemClock(), 10_000)
        self.quarantined = 0
        self.source.start(self._take)
        wait_for(lambda: self.source.health().alive, "the first subscriptions")

    def _take(self, delivery: Delivery) -> None:
        self.quarantined += len(delivery.quarantined)
        self.source.acknowledge([delivery.token])


def test_topics_change_while_messages_come(broker: Broker, plant: PlantPeer) -> None:
    before, after = Noting(OLD, STAYS), Noting(STAYS, NEW)
    taking = Taking(broker, before)
    ending = threading.Event()
    sent: list[bytes] = []

    def publish() -> None:
        while not ending.is_set():
            sent.append(b"%d" % len(sent))
            plant.publish(OLD, sent[-1])
            plant.publish(STAYS, sent[-1]).wait_for_publish(20)

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        wait_for(lambda: len(before.read) > 50, "messages read in the old way")
        assert taking.source.change(after.topics, after, 20)
        wait_for(lambda: len(after.read) > 50, "messages read in the new way")
    finally:
        ending.set()
        publisher.join()
    plant.publish_all(NEW, [b"first"])
    wait_for(lambda: (NEW, b"first") in after.read, "the new topic")
    wait_for(lambda: len({p for t, p in [*before.read, *after.read] if t == STAYS}) == len(sent), "every message")
    assert [payload for topic, payload in after.read if topic == OLD] == []
    assert taking.quarantined == 0
    taking.source.stop()


def test_a_change_while_the_broker_is_away_holds_when_it_is_back(broker: Broker, plant: PlantPeer) -> None:
    before, after = Noting(OLD), Noting(NEW)
    taking = Taking(broker, before)
    plant.publish_all(OLD, [b"1"])
    wait_for(lambda: len(before.read) == 1, "the old topic")
    broker.kill()
    wait_for(lambda: not taking.source.health().alive, "the loss is seen")
    assert taking.source.change(after.topics, after, 20)
    broker.start()
    wait_for(lambda: taking.source.health().alive, "the broker is back")
    peer = PlantPeer(broker.plant_settings())
    peer.publish_all(NEW, [b"2"])
    wait_for(lambda: after.read == [(NEW, b"2")], "the new topic")
    peer.close()
    taking.source.stop()
