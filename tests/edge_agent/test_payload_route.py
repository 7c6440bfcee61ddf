"""Sparkplug and images from a real broker through the real route into a real store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from edge_agent.adapters.file_evidence import FileEvidence
from edge_agent.adapters.opencv_decoder import OpencvDecoder
from edge_agent.adapters.opencv_map_codec import encode_map
from edge_agent.adapters.sparkplug_payload import PAYLOAD
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.composition.mqtt_sources import mqtt_sources
from edge_agent.events import Gap, Health, Inspection
from edge_agent.inspection.inspections import Limits, Score
from edge_agent.machines.health import HealthScore
from edge_agent.metrics import Metrics
from edge_agent.pipeline import Line, Pace, Pipeline
from edge_agent.ports import ModelIdentity
from edge_agent.settings.config import AgentSettings, ImageLimits, Settings, StationSettings
from edge_agent.settings.mqtt import ImageTopic, MqttSourceSettings, SparkplugDevice, SparkplugSettings
from edge_agent.workers.inspecting import Eyes, StationPlan, StationWorker
from edge_agent.workers.monitoring import AssetMonitor, WatchPlan
from edge_agent.workers.publishing import StationPolicy
from tests.brokers import PlantPeer, start_broker, wait_for
from tests.faults.fuzz_payloads import NoSink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

REBIRTH = "spBv1.0/g/NCMD/cell-1"
MQTT = MqttSourceSettings(
    images=(ImageTopic(pattern="plant/camera/{part}", station="out"),),
    sparkplug=SparkplugSettings(
        rebirth_cooldown_s=1,
        devices=(
            SparkplugDevice(
                group="g", node="cell-1", device="press", line="press-1", asset="press", channels={"temp": "Cel"}
            ),
        ),
    ),
)


class Brightness:
    """An image model whose score is the mean brightness, 0 to 1."""

    identity = ModelIdentity("brightness@1", "b" * 64)
    limits = Limits(threshold=0.5, review_from=0.5)
    provider = "test"

    def score(self, pixels: NDArray[np.uint8]) -> Score:
        return Score(float(pixels.mean()) / 255, None)


class Mean:
    """A health model whose statistic is the window's mean over 100."""

    identity = ModelIdentity("mean@1", "d" * 64)
    provider = "test"
    channels = ("temp",)
    period_s = 1.0
    window_rows = 2

    def assess(self, window: NDArray[np.float32]) -> HealthScore:
        return HealthScore(float(window.mean()) / 100, 80.0, (1.0,))


class SilentSink(NoSink):
    """Takes verdicts and forgets them."""

    def send(self, message: object) -> None:
        del message


@dataclass
class Route:
    """A running route, and the plant before it."""

    store: SqliteStore
    plant: PlantPeer
    clock: SystemClock

    def events(self, kind: str) -> list[Any]:
        return [recorded.event for recorded in self.store.events_after(0, limit=1_000, kinds=frozenset({kind}))]

    def say(self, kind: str, seq: int | None, *metrics: dict[str, Any], device: str = "/press") -> None:
        now_ms = self.clock.now().utc_us // 1_000
        message = PAYLOAD(timestamp=now_ms)
        if seq is not None:
            message.seq = seq
        for metric in metrics:
            message.metrics.add(**metric)
        topic = f"spBv1.0/g/{kind}/cell-1{device}"
        self.plant.publish(topic, bytes(message.SerializeToString())).wait_for_publish(10)

    def temp(self, seq: int, value: float, seconds: int) -> None:
        stamp = self.clock.now().utc_us // 1_000 - 20_000 + seconds * 1_000
        self.say("DDATA", seq, {"alias": 1, "double_value": value, "timestamp": stamp})


@pytest.fixture
def route(tmp_path: Path) -> Iterator[Route]:
    broker = start_broker("iotcore", tmp_path)
    station = StationSettings(name="out", line="press-1", model="./brightness", limits=ImageLimits(max_bytes=100_000))
    agent = AgentSettings(name="route", data_dir=str(tmp_path))
    settings = Settings(agent=agent, broker=broker.settings(), mqtt=MQTT, stations=(station,))
    clock, metrics = SystemClock(), Metrics()
    store = SqliteStore.open(tmp_path / "lineproof.sqlite")
    eyes = Eyes(OpencvDecoder(station.limits), Brightness(), FileEvidence(tmp_path / "evidence"), encode_map)
    plan = StationPlan("out", "press-1", "shadow", frozenset({"FAIL"}))
    watch = WatchPlan("press-1", "press", stale_us=60_000_000, record_every_us=3_600_000_000)
    sources = mqtt_sources(settings, clock, metrics)
    assert [source.name for source in sources] == ["mqtt:route-images", "mqtt:route-sparkplug", "mqtt:route-host"]
    pipeline = Pipeline(
        Line(
            store=store,
            clock=clock,
            metrics=metrics,
            sink=SilentSink(),
            sources=sources,
            workers={"out": StationWorker(plan, eyes, clock, metrics, queue_size=4)},
            monitors={"press-1/press": AssetMonitor(watch, Mean(), [])},
            stops={},
            policies={"out": StationPolicy(2_000.0, "none")},
            observers=(),
            names=("press-1",),
            prefix="lineproof",
            pace=Pace(commit_messages=50, commit_s=0.005, queue_messages=100),
        )
    )
    plant = PlantPeer(broker.settings())
    plant.subscribe("spBv1.0/g/NCMD/#")
    pipeline.start()
    pipeline.open()
    wait_for(lambda: all(source.health().alive for source in sources), "all connections stand")
    yield Route(store, plant, clock)
    plant.close()
    pipeline.stop()
    store.close()
    broker.close()


def png(low: int, high: int) -> bytes:
    """A picture of noise; one of a single colour is refused, for a camera that sees nothing makes such."""
    noise = np.random.default_rng(low).integers(low, high, (32, 32, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".png", noise)[1])


def test_images_over_mqtt_are_judged_once_each_whatever_they_are(route: Route) -> None:
    dark, bright = png(10, 90), png(160, 250)
    for part, content in (("17", dark), ("18", bright), ("18", bright), ("19", b"no image"), ("20", b"\xff" * 200_000)):
        route.plant.publish(f"plant/camera/{part}", content).wait_for_publish(10)
    route.plant.publish("plant/camera/21", dark).wait_for_publish(10)
    wait_for(lambda: len(route.events("inspection")) == 5, "five parts are judged")
    bodies = [event.body for event in route.events("inspection")]
    assert all(isinstance(body, Inspection) for body in bodies)
    assert [(body.part_id, body.verdict) for body in bodies] == [
        ("17", "PASS"),
        ("18", "FAIL"),
        ("19", "NO_VERDICT"),
        ("20", "NO_VERDICT"),
        ("21", "PASS"),
    ]
    assert route.store.totals().quarantined == 1  # the giant


def test_a_node_is_asked_for_births_its_gap_is_recorded_and_its_death_makes_the_health_unknown(route: Route) -> None:
    wait_for(lambda: len(route.plant.payloads(REBIRTH)) == 1, "asked at the start")
    route.temp(9, 1.0, 0)  # before any birth
    wait_for(lambda: route.store.totals().quarantined == 1, "quarantined")
    wait_for(lambda: len(route.plant.payloads(REBIRTH)) == 2, "asked again")

    route.say("NBIRTH", 0, {"name": "bdSeq", "datatype": 4, "long_value": 3}, device="")
    route.say("DBIRTH", 1, {"name": "temp", "alias": 1, "datatype": 10, "is_null": True})
    for number in range(6):
        route.temp(2 + number, 40.0 + number, number)
    wait_for(lambda: route.store.totals().readings == 6, "readings are stored")
    assert [event.body.reason for event in route.events("health")][-1] == "ok"

    route.temp(10, 50.0, 7)  # 8 and 9 are lost
    wait_for(lambda: route.events("gap"), "the gap is recorded")
    (gap,) = [event.body for event in route.events("gap")]
    assert isinstance(gap, Gap)
    assert (gap.source, gap.first, gap.last) == ("sparkplug/g/cell-1", 8, 9)
    assert route.store.totals().missing_messages == 2

    route.say("NDEATH", None, {"name": "bdSeq", "datatype": 4, "long_value": 3}, device="")
    wait_for(lambda: route.events("health")[-1].body.reason == "stale_channel", "the health is unknown")
    last = route.events("health")[-1].body
    assert isinstance(last, Health)
    assert last.health is None
