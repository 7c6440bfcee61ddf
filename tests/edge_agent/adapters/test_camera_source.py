"""Cameras over a real RTSP stream on loopback, with everything that can go wrong on the way."""

from __future__ import annotations

import logging
import os
import signal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge_agent.adapters.camera_frames import RecordKind
from edge_agent.adapters.camera_look import look
from edge_agent.adapters.camera_process import CameraProcess
from edge_agent.adapters.camera_source import CameraSource
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.commands.doctor import _camera
from edge_agent.errors import ConfigError
from edge_agent.metrics import Metrics
from edge_agent.settings.config import StationSettings
from tests.edge_agent.cameras.camera_rig import RATE_HZ, CameraStation
from tests.edge_agent.cameras.numbered_pictures import HEIGHT, WIDTH, number_of, picture
from tests.edge_agent.cameras.rtsp_camera import RtspCamera

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FRAME_S = 1 / RATE_HZ
SECRET = "Ge/heim@42:%"  # noqa: S105 - a test's own


@pytest.fixture
def camera() -> Iterator[RtspCamera]:
    with RtspCamera(RATE_HZ) as camera:
        yield camera


def test_fresh_frames_are_judged_and_their_moment_is_theirs(camera: RtspCamera) -> None:
    with CameraStation(camera.address) as station:
        station.wait_delivering(20)
    assert station.stale() == []
    keys = [verdict.key for verdict in station.verdicts]
    assert len(set(keys)) == len(keys)
    errors = [abs(verdict.claim_error_s or 0.0) for verdict in station.passed()]
    assert max(errors) <= FRAME_S + 0.05
    assert station.verdicts[0].body.product == "bracket"


def test_starts_with_the_camera_down_and_connects_when_it_comes(camera: RtspCamera) -> None:
    camera.go_down()
    with CameraStation(camera.address) as station:
        station.wait(lambda: station.count("lineproof_camera_faults_total", reason="camera_unreachable") >= 2, "tries")
        assert station.source.health().alive is False
        assert station.verdicts == []
        camera.come_up()
        station.wait_delivering()


def test_a_cut_in_the_middle_of_a_frame_gives_no_verdict_on_half_a_picture(camera: RtspCamera) -> None:
    with CameraStation(camera.address) as station:
        for _ in range(3):
            station.wait_delivering()
            ended = station.count("lineproof_camera_faults_total", reason="camera_ended")
            camera.cut_mid_frame = True
            station.wait_count_above(ended, "lineproof_camera_faults_total", reason="camera_ended")
        station.wait_delivering()
    assert station.stale() == []
    assert max(abs(verdict.claim_error_s or 0.0) for verdict in station.passed()) <= FRAME_S + 0.05


def test_a_stall_is_seen_the_process_is_replaced_and_nothing_old_is_judged(camera: RtspCamera) -> None:
    with CameraStation(camera.address) as station:
        station.wait_delivering()
        first = station.source.pid
        camera.silent = True
        station.wait_fault("camera_stalled")
        judged = len(station.verdicts)
        station.wait(lambda: station.source.pid != first, "another process")
        assert len(station.verdicts) == judged
        camera.silent = False
        station.wait_delivering()
        assert station.stale() == []


def test_a_hung_process_is_killed(camera: RtspCamera) -> None:
    with CameraStation(camera.address) as station:
        station.wait_delivering()
        hung = station.source.pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)  # as hard as a driver that never returns: only SIGKILL ends it
        station.wait(lambda: station.source.pid != hung, "another process")
        station.wait_delivering()
        assert not Path(f"/proc/{hung}").exists()
    assert station.stale() == []


def test_no_process_outlives_the_agent(camera: RtspCamera) -> None:
    request = CameraStation(camera.address).source._request()
    process = CameraProcess(request)
    for _ in range(2_000):
        if any(record.kind == RecordKind.FRAME for record in process.poll(0.02)):
            break
    else:
        pytest.fail("no frame came")
    assert process._process.stdin is not None
    process._process.stdin.close()  # as when the agent is killed
    assert process._process.wait(20) == 0
    process.kill()


def test_repeated_frames_are_told_by_their_time_stamp_though_their_pixels_change(camera: RtspCamera) -> None:
    with CameraStation(camera.address) as station:
        station.wait_delivering()
        camera.repeating = True
        station.wait_fault("camera_repeating", "camera_stalled")
        judged = len(station.verdicts)
        station.wait(lambda: station.source.health().reason == "camera_silent", "given up")
        assert len(station.verdicts) == judged
        camera.repeating = False
        station.wait_delivering()


def test_equal_pictures_with_times_of_their_own_are_judged() -> None:
    with RtspCamera(RATE_HZ) as camera:
        camera.numbered_hz = 0.0  # a part stands still: every picture is the same
        with CameraStation(camera.address, rate_hz=1e-9) as station:
            station.wait_delivering(10)


def test_a_trickle_is_a_fault(camera: RtspCamera) -> None:
    with CameraStation(camera.address, stall_after_s=1.0, fault_limit_s=60.0) as station:
        station.wait_delivering()
        camera.rate_hz = 4.0
        station.wait_fault("camera_trickling")
        camera.rate_hz = RATE_HZ
        station.wait_delivering()
    assert station.stale() == []


def test_a_busy_station_gets_the_newest_frame_and_never_an_old_one(camera: RtspCamera) -> None:
    with CameraStation(camera.address) as station:
        station.model.takes_s = 0.15
        station.wait_delivering(12)
        moments = [verdict.captured_ns for verdict in station.verdicts]
    assert station.stale() == []
    assert min(later - earlier for earlier, later in pairwise(moments)) > 0
    assert station.count("lineproof_camera_frames_total", fate="usable") > 2 * len(moments)


def test_a_station_too_slow_for_its_limit_says_no_verdict(camera: RtspCamera) -> None:
    with CameraStation(camera.address) as station:
        station.model.takes_s = 0.5  # longer than stale_after_ms, so the frame that waits meanwhile grows stale
        station.wait(lambda: any(v.body.reason == "frame_stale" for v in station.verdicts), "stale")
    stale = [verdict for verdict in station.verdicts if verdict.body.reason == "frame_stale"]
    assert {verdict.body.verdict for verdict in stale} == {"NO_VERDICT"}
    assert station.stale() == []


# ---- triggers ---------------------------------------------------------------------------------------------------


def test_a_trigger_gets_the_frame_nearest_to_it(camera: RtspCamera) -> None:
    with CameraStation(camera.address, trigger={"tolerance_ms": 80.0}) as station:
        station.wait(lambda: station.source.health().alive, "alive")
        station.wait(lambda: station.count("lineproof_camera_frames_total", fate="usable") > 20, "history")
        moments = {part: station.trigger(part, back_s=back_s) for part, back_s in (("a", 0.0), ("b", 0.2), ("c", 0.4))}
        station.wait(lambda: len(station.verdicts) == 3, "three verdicts")
    found = {verdict.body.part_id: verdict for verdict in station.verdicts}
    assert {verdict.body.verdict for verdict in station.verdicts} == {"PASS"}
    assert {verdict.body.product for verdict in station.verdicts} == {"hinge"}
    assert {verdict.key for verdict in station.verdicts} == {
        f"press-1/eye/triggered/press-1/part/{part}" for part in "abc"
    }
    for part, moment in moments.items():
        apart_ns = abs(found[part].captured_ns - moment)
        assert apart_ns <= 0.75 * FRAME_S * 1e9
        assert abs(found[part].claim_error_s or 0.0) <= FRAME_S + 0.05


def test_a_trigger_without_a_frame_near_it_is_no_verdict_and_no_trigger_is_lost(camera: RtspCamera) -> None:
    with CameraStation(camera.address, trigger={"tolerance_ms": 80.0}) as station:
        station.wait(lambda: station.source.health().alive, "alive")
        station.trigger("long ago", back_s=30.0)
        camera.go_down()
        station.wait(lambda: not station.source.health().alive, "down")
        for part in range(20):
            station.trigger(f"blind-{part}")
        station.wait(lambda: len(station.verdicts) == 21, "21 verdicts")
    assert {(verdict.body.verdict, verdict.body.reason) for verdict in station.verdicts} == {
        ("NO_VERDICT", "no_frame_near_trigger")
    }


def test_parts_left_over_from_before_the_start_get_no_verdict(camera: RtspCamera) -> None:
    station = CameraStation(camera.address, trigger={})
    station.source.recover([station.part("left-1"), station.part("left-2")])
    with station:
        station.wait(lambda: len(station.verdicts) == 2, "verdicts")
    assert [(verdict.body.part_id, verdict.body.verdict, verdict.body.reason) for verdict in station.verdicts] == [
        ("left-1", "NO_VERDICT", "agent_was_away"),
        ("left-2", "NO_VERDICT", "agent_was_away"),
    ]


# ---- secrets ----------------------------------------------------------------------------------------------------


def test_the_password_opens_the_camera_and_stands_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []
    with (
        RtspCamera(RATE_HZ, account=("lineproof", SECRET)) as camera,
        CameraStation(
            camera.address, username="lineproof", password_file=str(tmp_path / "p"), password=lambda: SECRET
        ) as station,
    ):
        station.wait_delivering()
        process = Path(f"/proc/{station.source.pid}")
        seen += [(process / name).read_bytes().decode("latin-1") for name in ("cmdline", "environ")]
        camera.account = ("lineproof", "changed")
        camera.cut_mid_frame = True
        station.wait_fault("camera_unreachable")
        seen += [repr(station.source.health()), repr(station.station), repr(station.source._request())]
        seen += [repr(verdict.body) for verdict in station.verdicts]
        seen.append(station.metrics.render().decode())
    out, err = capfd.readouterr()
    seen += [out, err, caplog.text]
    for secret in (SECRET, "Ge%2Fheim", "heim@42"):
        assert [text for text in seen if secret in text] == []
    assert "camera lost" in out + err + caplog.text


def test_an_unreadable_password_is_told_and_tried_again(camera: RtspCamera, tmp_path: Path) -> None:
    answers = iter([ConfigError("the secret in /etc/camera is open to every user", hint="chmod 600")])

    def password() -> str:
        for error in answers:
            raise error
        return "x"

    with CameraStation(camera.address, username="u", password_file=str(tmp_path / "p"), password=password) as station:
        station.wait_delivering()
    assert station.count("lineproof_camera_faults_total", reason="camera_unreachable") == 1


# ---- other kinds ------------------------------------------------------------------------------------------------


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "line.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE_HZ, (WIDTH, HEIGHT))
    for number in range(30):
        writer.write(picture(number))
    writer.release()
    return path


def test_a_recording_plays_at_its_own_pace_and_again(recording: Path) -> None:
    with CameraStation(str(recording), kind="file", loop=True) as station:
        station.wait(lambda: len(station.passed()) > 45, "more than one round")
        verdicts = station.passed()
    took_s = (verdicts[45].captured_ns - verdicts[5].captured_ns) / 1e9
    assert took_s >= 40 * FRAME_S - 0.05  # never faster than it was taken
    numbers = {number_of(decoded(verdict.picture)) for verdict in verdicts}
    assert numbers <= set(range(30))
    assert len(numbers) > 20


def test_the_end_of_a_recording_is_told(recording: Path) -> None:
    with CameraStation(str(recording), kind="file", retry_least_s=5.0, retry_most_s=5.0) as station:
        station.wait_fault("camera_ended")


@pytest.mark.parametrize(("kind", "address"), [("usb", "/dev/no-such-camera"), ("file", "/no/such/recording.mp4")])
def test_what_is_not_there_is_unreachable_and_tried_again(kind: str, address: str) -> None:
    with CameraStation(address, kind=kind) as station:
        station.wait(lambda: station.count("lineproof_camera_faults_total", reason="camera_unreachable") >= 2, "tries")
        assert station.source.health().reason == "camera_unreachable"


def test_pictures_beyond_the_limit_are_refused(camera: RtspCamera) -> None:
    station = CameraStation(camera.address)
    small = station.station.limits.model_copy(update={"max_pixels": WIDTH * HEIGHT - 1})
    settings = station.station.model_copy(update={"limits": small})
    station.source = CameraSource(settings, SystemClock(), None, Metrics())
    with station:
        station.wait_fault("camera_refused")
    assert station.verdicts == []


def test_a_look_counts_frames_or_says_what_is_wrong(camera: RtspCamera) -> None:
    station = CameraStation(camera.address).station
    seen = look(station, "")
    assert (seen.fault, seen.width, seen.height) == ("", WIDTH, HEIGHT)
    assert RATE_HZ / 2 < seen.rate_hz < RATE_HZ * 1.2
    finding = _camera(station)
    assert finding.subject == "camera eye"
    assert finding.found.startswith(f"{WIDTH} x {HEIGHT}, ")
    camera.go_down()
    assert look(station, "").fault == "camera_unreachable"
    assert _camera(station).state == "fail"


def test_a_station_without_camera_has_no_camera_source() -> None:
    settings = StationSettings.model_validate({"name": "a", "line": "l", "model": "m", "folder": {"path": "/in"}})
    with pytest.raises(ConfigError, match=r"stations\.camera"):
        CameraSource(settings, SystemClock(), None, Metrics())


def decoded(encoded: bytes) -> NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels.astype(np.uint8, copy=False)
