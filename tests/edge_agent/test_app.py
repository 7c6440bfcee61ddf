"""The whole agent in its own process: real broker, a model taught here, real store, real page."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge_agent.virtual_plant.good_phase import record_good_pictures
from edge_agent.virtual_plant.parts import Defect, PartCamera
from edge_agent.virtual_plant.picture_folder import put_picture
from tests.brokers import PlantPeer, start_broker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]
PATIENCE_S = 40.0

SETTINGS = """
[agent]
name = "app-test"
data_dir = "data"
[broker]
port = {broker}
[[mqtt.readings]]
filter = "plant/press-1/press/signals"
line = "press-1"
asset = "press"
channels = {{ die_temperature = "Cel" }}
[[mqtt.facts]]
filter = "plant/press-1/press/state"
line = "press-1"
kind = "machine_state"
[[stations]]
name = "camera"
line = "press-1"
product = "bracket-a"
model = "{model}"
mode = "live"
keep_evidence = ["PASS", "FAIL", "REVIEW", "NO_VERDICT"]
on_late = "stop"
[stations.audit]
parts_per_shift = 1
shifts = 1
[stations.folder]
path = "images"
poll_ms = 50
settle_ms = 50
[[alarms]]
name = "hot-die"
line = "press-1"
asset = "press"
signal = "die_temperature"
above = 80.0
action = "Open the die cooling valve"
[[downtime]]
line = "press-1"
asset = "press"
[sink]
heartbeat_s = 0.2
[status]
port = 0
"""


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_S:g} s: {what}"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("taught")
    record_good_pictures(place / "good", "bracket-a", 40, seed=5)
    command = ["teach", "images", "--good", str(place / "good"), "--out", str(place / "model"), "--size", "128"]
    subprocess.run([sys.executable, "-m", "models", *command], check=True, capture_output=True)
    return place / "model"


class RunningAgent:
    """`edge-agent run` as a child process, and its page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = (folder / "agent.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge_agent", "run", "--config", str(folder / "lineproof.toml"), "--json"],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, (folder / "agent.log").read_text()
        self.page = httpx.Client(base_url=json.loads(line)["page"], timeout=20)

    def events(self, kind: str) -> list[dict[str, Any]]:
        text = self.page.get("/api/events", params={"after": 0, "kind": kind, "limit": 1000}).raise_for_status().text
        return [json.loads(line)["event"] for line in text.splitlines()]

    def stop(self) -> int:
        self.page.close()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=40)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()
        return status


@pytest.fixture
def plant(tmp_path: Path, model: Path) -> Iterator[tuple[Path, PlantPeer]]:
    broker = start_broker("iotcore", tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "lineproof.toml").write_text(SETTINGS.format(broker=broker.port, model=model))
    peer = PlantPeer(broker.plant_settings())
    peer.subscribe("lineproof/#")
    yield tmp_path, peer
    peer.close()
    broker.close()


def put_parts(folder: Path) -> None:
    camera = PartCamera("bracket-a", seed=5)
    camera.wait(30)
    put_picture(folder, "good-part", camera.take().pixels)
    put_picture(folder, "bad-part", camera.take(Defect("missing_hole", 1.0)).pixels)
    (folder / "broken-part.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing of the kind")


def people_say_what_happened(agent: RunningAgent) -> None:
    """The one alarm gets its outcome and the one stop another reason."""
    (told,) = agent.page.get("/api/alarms", params={"line": "press-1"}).json()["alarms"]
    outcome = {"alarm_key": told["key"], "outcome": "confirmed", "reviewer": "kim", "acted": True}
    assert agent.page.post("/api/alarms/outcome", json=outcome).status_code == 201
    (recorded,) = agent.page.get("/api/stops", params={"line": "press-1"}).json()["stops"]
    revision = {"act": "relabel", "stops": [recorded["key"]], "reason": "changeover", "reviewer": "kim"}
    assert agent.page.post("/api/stops/revision", json=revision).status_code == 201
    (revised,) = agent.page.get("/api/stops", params={"line": "press-1"}).json()["stops"]
    assert (revised["reason"], revised["planned"]) == ("changeover", True)


def test_the_route_from_plant_to_page_and_back(plant: tuple[Path, PlantPeer]) -> None:
    folder, peer = plant
    agent = RunningAgent(folder)
    put_parts(folder / "images")
    found = until(lambda: len(agent.events("inspection")) == 3 and agent.events("inspection"), "three verdicts")
    bodies = {event["body"]["part_id"]: event["body"] for event in found}
    assert bodies["bad-part"]["verdict"] == "FAIL"
    assert bodies["good-part"]["verdict"] in {"PASS", "REVIEW"}
    assert bodies["broken-part"]["verdict"] == "NO_VERDICT"
    assert bodies["good-part"]["score"] < bodies["bad-part"]["score"]

    # so few parts are expected that all of them are drawn for the audit, and only PASS and FAIL ones
    draws = {event["key"]: event["body"]["probability"] for event in agent.events("audit_draw")}
    judged_keys = [event["key"] for event in found if event["body"]["verdict"] in {"PASS", "FAIL"}]
    assert draws == pytest.approx({f"audit_draw/{key}": 1.0 for key in judged_keys})

    # verdicts and rejects reach the plant; what is not PASS is held or rejected
    def gates() -> dict[str, str]:
        told = (json.loads(payload) for payload in peer.payloads("lineproof/press-1/camera/reject"))
        return {message["part_id"]: message["gate"] for message in told}

    until(lambda: {"bad-part", "broken-part"} <= set(gates()), "the rejects")
    assert (gates()["bad-part"], gates()["broken-part"]) == ("reject", "hold")
    until(lambda: len(peer.payloads("lineproof/press-1/camera/verdict")) == 3, "the verdicts")
    until(lambda: peer.payloads("lineproof/press-1/interlock"), "the interlock's beat")
    assert json.loads(peer.payloads("lineproof/press-1/interlock")[-1])["state"] == "run"

    # readings make alarms, states make stops
    now = time.strftime("%Y-%m-%dT%H:%M:", time.gmtime())
    for second, value in ((10, 70.0), (20, 85.0)):
        reading = {"ts": f"{now}{second}+00:00", "seq": second, "source": "press", "die_temperature": value}
        peer.publish("plant/press-1/press/signals", json.dumps(reading).encode())
    for number, (second, state) in enumerate(((11, "unplanned_stop"), (41, "producing"))):
        fact = {"ts": f"{now}{second}+00:00", "seq": number, "source": "plc", "asset": "press", "state": state}
        peer.publish("plant/press-1/press/state", json.dumps(fact | {"reason": "jam"}).encode())
    (alarm,) = until(lambda: agent.events("alarm"), "the alarm")
    assert (alarm["body"]["state"], alarm["body"]["action"]) == ("raised", "Open the die cooling valve")
    (stop,) = until(lambda: agent.events("downtime"), "the stop")
    assert stop["body"]["duration_s"] == 30.0
    until(lambda: peer.payloads("lineproof/press-1/press/alarm/hot-die"), "the alarm's message")

    # the operator overrules, and it is durable when it is answered
    key = next(event["key"] for event in found if event["body"]["part_id"] == "bad-part")
    judged = {"inspection_key": key, "judgement": "good", "reviewer": "kim", "id": "one"}
    agent.page.post("/api/inspections/disposition", json=judged).raise_for_status()
    (disposition,) = agent.events("disposition")
    assert (disposition["body"]["agrees"], disposition["body"]["blind"]) == (False, True)

    people_say_what_happened(agent)
    for path in ("/", "/review", "/stops", "/alarms", "/audit", "/api/state", "/healthz", "/readyz"):
        assert agent.page.get(path).status_code == 200, path
    metrics = agent.page.get("/metrics").text
    assert 'stage="infer"' in metrics
    assert agent.stop() == 0
    until(
        lambda: json.loads(peer.payloads("lineproof/press-1/interlock")[-1])["state"] == "stop", "the stop at the end"
    )
    assert json.loads(peer.payloads("lineproof/press-1/interlock")[-1])["reason"] == "agent_stopped"

    # a restart sees the same images and repeats no effect
    again = RunningAgent(folder)
    put_picture(folder / "images", "after-restart", PartCamera("bracket-a", seed=6).take().pixels)
    until(lambda: len(again.events("inspection")) == 4, "the new image's verdict")
    assert len(again.events("alarm")) == 1
    assert len(again.events("mode")) == 1
    assert again.stop() == 0


def test_an_agent_that_cannot_start_says_what_to_do(plant: tuple[Path, PlantPeer]) -> None:
    folder, _ = plant
    settings = (folder / "lineproof.toml").read_text()
    settings = re.sub('model = ".*"', 'model = "no/such/model"', settings)
    (folder / "lineproof.toml").write_text(settings)
    command = [sys.executable, "-m", "edge_agent", "run", "--config", str(folder / "lineproof.toml")]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "no/such/model" in ended.stderr
    assert "Fix:" in ended.stderr
    assert "Traceback" not in ended.stderr
