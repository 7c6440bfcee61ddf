"""The source handing over what arrived together, as the pipeline asks for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.json_codec import JsonCodec
from edge_agent.adapters.mqtt_arrivals import MqttTokens
from edge_agent.adapters.mqtt_connection import Backoff
from edge_agent.adapters.mqtt_source import MqttSource
from edge_agent.instant import Instant
from edge_agent.payloads.routing import CodecRouter
from edge_agent.ports import BatchSource
from edge_agent.settings.mqtt import ChannelTopic, MqttSourceSettings
from tests.brokers import Broker, PlantPeer, broker, plant, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_agent.ports import Codec, Delivery

__all__ = ["broker", "plant"]  # fixtures

pytestmark = pytest.mark.broker

TOPIC = "plant/press-1/ram/temp"
SETTINGS = MqttSourceSettings(readings=(ChannelTopic(filter=TOPIC, line="press-1", asset="ram", channel="temp"),))


class StoppedClock:
    """All messages come within one microsecond, until the clock is set."""

    def __init__(self) -> None:
        self.utc_us = 1_000_000

    def now(self) -> Instant:
        return Instant(self.utc_us, 5, "boot")


class Batches:
    """Takes what comes, holds it back or refuses it when told to, and acknowledges at once."""

    def __init__(self, broker: Broker, codec: Codec) -> None:
        self.clock = StoppedClock()
        self.taken: list[Sequence[Delivery]] = []
        self.refusals = 0
        self.gate = threading.Event()
        self.gate.set()
        backoff = Backoff(base_s=0.05, cap_s=0.2, jitter=lambda: 1.0)
        self.source = MqttSource(broker.settings(), "batches", [TOPIC], codec, self.clock, 4_096, backoff=backoff)
        self.source.start_batches(self.take)
        wait_for(lambda: self.source.health().alive, "the source is connected")

    def take(self, deliveries: Sequence[Delivery]) -> None:
        self.gate.wait()
        if self.refusals:
            self.refusals -= 1
            message = "the pipeline is broken"
            raise RuntimeError(message)
        self.taken.append(deliveries)
        self.source.acknowledge([delivery.token for delivery in deliveries])

    @property
    def values(self) -> list[int]:
        return [int(reading.value) for taken in self.taken for delivery in taken for reading in delivery.readings]


@pytest.fixture(params=["one by one", "runs"])
def batches(broker: Broker, request: pytest.FixtureRequest) -> Iterator[Batches]:
    one_by_one = JsonCodec(SETTINGS)
    made = Batches(broker, CodecRouter([one_by_one]) if request.param == "runs" else one_by_one)
    yield made
    made.gate.set()
    made.source.stop()


def payloads(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


def test_the_source_offers_batches(batches: Batches) -> None:
    assert isinstance(batches.source, BatchSource)


def test_what_piles_up_comes_together_in_order_and_each_message_keeps_its_token(
    batches: Batches, plant: PlantPeer
) -> None:
    plant.publish_all(TOPIC, payloads(1_000))
    wait_for(lambda: len(batches.values) == 1_000, "all delivered")
    assert batches.values == list(range(1_000))
    assert len(batches.taken) < 1_000
    wait_for(lambda: batches.source.counts.acknowledged == 1_000, "all acknowledged")
    assert batches.source.counts.stale_acknowledgements == 0


def test_readings_without_a_stamp_never_share_a_time(batches: Batches, plant: PlantPeer) -> None:
    plant.publish_all(TOPIC, payloads(50))
    wait_for(lambda: len(batches.values) == 50, "all delivered")
    times = [reading.t_us for taken in batches.taken for delivery in taken for reading in delivery.readings]
    assert times == list(range(1_000_000, 1_000_050))


def test_a_clock_that_was_set_back_is_believed(batches: Batches, plant: PlantPeer) -> None:
    plant.publish_all(TOPIC, payloads(1))
    wait_for(lambda: len(batches.values) == 1, "the first")
    batches.clock.utc_us = 900_000
    plant.publish_all(TOPIC, payloads(1))
    wait_for(lambda: len(batches.values) == 2, "the second")
    assert batches.taken[-1][0].readings[0].t_us == 900_000


def test_a_refused_batch_comes_again(batches: Batches, plant: PlantPeer) -> None:
    batches.refusals = 1
    plant.publish_all(TOPIC, payloads(20))
    wait_for(lambda: set(batches.values) == set(range(20)), "all delivered after the refusal")
    assert batches.source.counts.connections >= 2
    assert batches.values == list(range(20))


def test_a_pause_waits_for_the_batch_in_hand_and_delivers_nothing_more(batches: Batches, plant: PlantPeer) -> None:
    batches.gate.clear()
    plant.publish_all(TOPIC, payloads(1))
    wait_for(lambda: batches.source._delivering_since_s is not None, "one batch is held back")
    plant.publish_all(TOPIC, [b"1", b"2"])
    pausing = threading.Thread(target=batches.source.pause)
    pausing.start()
    wait_for(batches.source._pausing.is_set, "the pause begins")
    batches.gate.set()
    pausing.join()
    assert batches.values == [0]
    assert not batches.source._pump.is_alive()


def test_messages_of_a_run_share_a_delivery_and_old_tokens_acknowledge_none_of_them(
    broker: Broker, plant: PlantPeer
) -> None:
    batches = Batches(broker, CodecRouter([JsonCodec(SETTINGS)]))
    batches.gate.clear()
    plant.publish_all(TOPIC, [*payloads(60), b"poison", *payloads(20)])
    wait_for(lambda: batches.source.counts.received == 81, "all received")
    batches.gate.set()
    wait_for(lambda: batches.source.counts.acknowledged == 81, "all acknowledged")
    deliveries = [delivery for taken in batches.taken for delivery in taken]
    assert sum(delivery.messages for delivery in deliveries) == 81
    assert max(delivery.messages for delivery in deliveries) > 1
    assert [len(delivery.quarantined) for delivery in deliveries if delivery.quarantined] == [1]
    assert batches.values == [*range(60), *range(20)]
    assert batches.source.counts.quarantined == {"not_json": 1}
    run = next(delivery.token for delivery in deliveries if delivery.messages > 1)
    assert isinstance(run, MqttTokens)
    batches.source.acknowledge([run])
    wait_for(lambda: batches.source.counts.stale_acknowledgements == len(run.mids), "the repetition is dropped")
    assert batches.source.counts.acknowledged == 81
    batches.source.stop()
