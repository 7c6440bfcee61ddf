"""No verdict on a stale picture, whatever happens between the camera and the agent.

Served by GStreamer's RTSP server where Debian has it, and by the tests' own; the network between fails in every way.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.edge_agent.cameras.camera_rig import RATE_HZ, CameraStation
from tests.edge_agent.cameras.faulty_network import FaultyNetwork
from tests.edge_agent.cameras.gst_camera import GstCamera, missing
from tests.edge_agent.cameras.rtsp_camera import RtspCamera

if TYPE_CHECKING:
    from collections.abc import Iterator

CLAIM_S = 2 / RATE_HZ
"""A picture's number tells its moment to one frame; the moment that the agent claims may be off by another."""


@pytest.fixture(params=["own server", "gstreamer"])
def network(request: pytest.FixtureRequest) -> Iterator[FaultyNetwork]:
    with ExitStack() as stack:
        if request.param == "gstreamer":
            if missing():
                pytest.skip(missing())
            port = stack.enter_context(GstCamera(RATE_HZ)).port
        else:
            port = stack.enter_context(RtspCamera(RATE_HZ)).port
        yield stack.enter_context(FaultyNetwork(port))


def address(network: FaultyNetwork) -> str:
    return f"rtsp://127.0.0.1:{network.port}/line"


def test_no_verdict_on_stale_frames_through_all_faults(network: FaultyNetwork) -> None:
    network.go_down()
    with CameraStation(address(network)) as station:
        station.wait_fault("camera_unreachable")  # refuses
        network.come_up()
        station.wait_delivering(10)  # comes back
        for _ in range(2):
            ended = station.count("lineproof_camera_faults_total", reason="camera_ended")
            network.cut()  # drops, wherever the frame stands
            station.wait_count_above(ended, "lineproof_camera_faults_total", reason="camera_ended")
            station.wait_delivering(10)
        network.held = True  # stalls, connection and all
        station.wait_fault("camera_stalled")
        network.held = False
        station.wait_delivering(10)
        judged = len(station.verdicts)
        for _ in range(3):  # short hiccups: what was held comes at once and late
            network.held = True
            seen = station.count("lineproof_camera_frames_total", fate="usable")
            station.wait(partial(silent_for, station, 0.4), "held")
            network.held = False
            station.wait_count_above(seen, "lineproof_camera_frames_total", fate="usable")
        assert len(station.verdicts) > judged
        assert station.count("lineproof_camera_frames_total", fate="late") > 0
        network.bytes_per_s = 20_000.0  # a thin line: frames come slowly and ever later
        station.wait_fault("camera_late", "camera_trickling", "camera_stalled", "camera_silent")
        network.bytes_per_s = None
        station.wait_delivering(10)
        assert len(station.passed()) >= 50
        assert station.stale() == []
        assert max(abs(verdict.claim_error_s or 0.0) for verdict in station.passed()) <= CLAIM_S + 0.3


def silent_for(station: CameraStation, seconds: float) -> bool:
    """Whether no usable frame has come for so long."""
    last_ns = station.source.health().last_activity_mono_ns or 0
    return station.clock.now().mono_ns - last_ns > seconds * 1e9


def moved_or_down(station: CameraStation, seen: float) -> bool:
    """Whether another frame has come, or none will."""
    return station.count("lineproof_camera_frames_total", fate="usable") != seen or not station.source.health().alive


def test_triggers_through_faults_end_as_one_verdict_each_on_their_own_picture(network: FaultyNetwork) -> None:
    with CameraStation(address(network), trigger={"tolerance_ms": 100.0}) as station:
        moments: dict[str, int] = {}

        def announce(prefix: str, count: int) -> None:
            for part in range(count):
                seen = station.count("lineproof_camera_frames_total", fate="usable")
                moments[f"{prefix}-{part}"] = station.trigger(f"{prefix}-{part}")
                station.wait(partial(moved_or_down, station, seen), "the next frame")

        station.wait(lambda: station.source.health().alive, "alive")
        announce("well", 10)
        network.held = True
        announce("held", 5)
        network.held = False
        station.wait(lambda: station.source.health().alive, "alive")
        network.cut()
        announce("cut", 5)
        station.wait(lambda: len(station.verdicts) == len(moments), "a verdict each")
    assert sorted(verdict.body.part_id for verdict in station.verdicts) == sorted(moments)
    reasons = {verdict.body.reason for verdict in station.verdicts if verdict.body.verdict == "NO_VERDICT"}
    assert reasons <= {"no_frame_near_trigger"}
    passed = station.passed()
    assert len([verdict for verdict in passed if verdict.body.part_id.startswith("well")]) >= 8
    for verdict in passed:
        moment = moments[verdict.body.part_id]
        assert abs(verdict.captured_ns - moment) <= 100e6
        behind_s = (verdict.claim_error_s or 0.0) + (moment - verdict.captured_ns) / 1e9
        assert abs(behind_s) <= 0.1 + CLAIM_S + 0.3
