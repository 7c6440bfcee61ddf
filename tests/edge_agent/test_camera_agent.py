"""The whole agent with a camera: parts announced over MQTT, pictures over RTSP, verdicts and interlock to the plant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.brokers import PlantPeer, start_broker
from tests.edge_agent.cameras.numbered_pictures import HEIGHT, WIDTH
from tests.edge_agent.cameras.rtsp_camera import RtspCamera
from tests.edge_agent.test_app import RunningAgent, model, until

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["model"]
pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

SECRET = "v3ry:secret@/%"  # noqa: S105 - a test's own
SETTINGS = """
[agent]
name = "camera-test"
data_dir = "data"
[broker]
port = {broker}
[[mqtt.facts]]
filter = "plant/press-1/part"
line = "press-1"
kind = "part"
[[stations]]
name = "eye"
line = "press-1"
product = "bracket-a"
model = "{model}"
mode = "live"
keep_evidence = ["PASS", "FAIL", "REVIEW", "NO_VERDICT"]
on_late = "stop"
deadline_ms = 10000.0
[stations.camera]
kind = "rtsp"
address = "{address}"
username = "lineproof"
password_file = "camera-password"
rate_hz = 20.0
stall_after_s = 1.0
retry_least_s = 0.1
retry_most_s = 0.5
[stations.camera.trigger]
tolerance_ms = 150.0
[sink]
heartbeat_s = 0.2
[status]
port = 0
"""


def test_parts_before_a_camera_that_goes_and_comes(tmp_path: Path, model: Path) -> None:
    broker = start_broker("iotcore", tmp_path)
    peer = PlantPeer(broker.plant_settings())
    peer.subscribe("lineproof/#")
    (tmp_path / "camera-password").write_text(SECRET)
    (tmp_path / "camera-password").chmod(0o600)
    with RtspCamera(20.0, account=("lineproof", SECRET)) as camera:
        text = SETTINGS.format(broker=broker.port, model=model, address=camera.address)
        (tmp_path / "lineproof.toml").write_text(text)
        camera.go_down()
        agent = RunningAgent(tmp_path)

        def announce(number: int) -> None:
            fact = {"station": "eye", "part_id": f"A-{number}", "seq": number}
            peer.publish("plant/press-1/part", json.dumps(fact).encode())

        def verdicts() -> dict[str, dict[str, Any]]:
            return {event["body"]["part_id"]: event["body"] for event in agent.events("inspection")}

        def interlock() -> tuple[str, str]:
            told = peer.payloads("lineproof/press-1/interlock")
            newest = json.loads(told[-1]) if told else {"state": "", "reason": ""}
            return newest["state"], newest["reason"]

        until(lambda: interlock() == ("stop", "camera_blind"), "the line stands while its camera is down")
        announce(1)
        until(lambda: "A-1" in verdicts(), "a verdict without a camera")
        assert (verdicts()["A-1"]["verdict"], verdicts()["A-1"]["reason"]) == ("NO_VERDICT", "no_frame_near_trigger")

        camera.come_up()
        until(lambda: interlock() == ("run", ""), "the line runs when the camera is there")
        announce(2)
        until(lambda: "A-2" in verdicts(), "a verdict of the model")
        judged = verdicts()["A-2"]
        assert judged["verdict"] != "NO_VERDICT"
        assert judged["score"] is not None
        kept = agent.page.get(f"/evidence/{judged['image']}").raise_for_status().content
        assert kept.startswith(b"\x89PNG")
        assert (int.from_bytes(kept[16:20], "big"), int.from_bytes(kept[20:24], "big")) == (WIDTH, HEIGHT)

        camera.silent = True
        until(lambda: interlock() == ("stop", "camera_blind"), "a stall stops the line")
        metrics = agent.page.get("/metrics").text
        assert 'lineproof_camera_faults_total{reason="camera_unreachable",station="eye"}' in metrics
        pages = metrics + agent.page.get("/").text + agent.page.get("/readyz").text
        assert agent.stop() == 0
    peer.close()
    broker.close()
    log = (tmp_path / "agent.log").read_text()
    assert "camera lost" in log
    for part in (SECRET, "v3ry", "secret@"):
        assert part not in log + pages
