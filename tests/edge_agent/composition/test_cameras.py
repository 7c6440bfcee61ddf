from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from edge_agent.adapters.camera_frames import bitmap_header, row_bytes
from edge_agent.adapters.opencv_decoder import OpencvDecoder
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.adapters.toml_config import problems
from edge_agent.composition.cameras import evidence_of, unjudged
from edge_agent.events import Event, Inspection, PartIdentity
from edge_agent.inspection.camera_triggers import inspection_key
from edge_agent.ports import Batch
from edge_agent.settings.config import ImageLimits, StationSettings

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = SystemClock()
STATION = StationSettings.model_validate(
    {
        "name": "eye",
        "line": "press-1",
        "model": "m",
        "camera": {"kind": "usb", "address": "/dev/video0", "rate_hz": 10.0, "trigger": {}},
    }
)
CONFIG = """
[agent]
name = "a"
data_dir = "data"
[[stations]]
name = "eye"
line = "press-1"
model = "m"
[stations.camera]
kind = "{kind}"
address = "{address}"
rate_hz = 10.0
{more}
"""


def told(folder: Path, kind: str, address: str, more: str = "") -> list[str]:
    (folder / "data/models/m").mkdir(parents=True, exist_ok=True)
    file = folder / "lineproof.toml"
    file.write_text(CONFIG.format(kind=kind, address=address, more=more))
    return [problem.text(file.name) for problem in problems(file)]


def test_a_camera_is_well_configured(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "secret").chmod(0o600)
    account = 'username = "u"\npassword_file = "secret"'
    assert told(tmp_path, "rtsp", "rtsp://10.0.0.9:554/h264?channel=1", account) == []
    assert told(tmp_path, "usb", "/dev/video0") == []
    assert told(tmp_path, "file", "/srv/line.mp4", "loop = true") == []


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://admin:hunter22@10.0.0.9/h264",
        "rtsp://10.0.0.9/h264?user=admin&password=hunter22",
        "rtsp://10.0.0.9/h264?PWD=hunter22",
    ],
)
def test_an_address_with_a_secret_is_refused_and_not_repeated(tmp_path: Path, address: str) -> None:
    (problem,) = told(tmp_path, "rtsp", address)
    assert problem == (
        "lineproof.toml:11: stations[1].camera.address: address holds a user or password. "
        "Fix: write username and password_file, and the address without them"
    )
    (other,) = told(tmp_path, "rtsp", address, "stall_after_s = 0.0")  # another fault beside it repeats it neither
    assert "stall_after_s" in other
    assert "hunter22" not in other


@pytest.mark.parametrize(
    ("kind", "address", "more", "expected"),
    [
        ("rtsp", "http://10.0.0.9/h264", "", "address is no RTSP address"),
        ("rtsp", "rtsp://10.0.0.9:70000/h264", "", "address is no address"),
        ("usb", "video0", "", "address is no absolute path"),
        ("usb", "/dev/video0", "loop = true", "loop belongs to kind 'file'"),
        ("rtsp", "rtsp://10.0.0.9/h", 'username = "u"', "username and password_file go together"),
        ("rtsp", "rtsp://10.0.0.9/h", "stall_after_s = 0.1", "stall_after_s is shorter than one and a half frames"),
        ("rtsp", "rtsp://10.0.0.9/h", "stale_after_ms = 99.0", "stale_after_ms is less than the time between"),
        ("rtsp", "rtsp://10.0.0.9/h", "retry_most_s = 0.2", "retry_least_s is more than retry_most_s"),
    ],
)
def test_what_does_not_fit_together_is_told(tmp_path: Path, kind: str, address: str, more: str, expected: str) -> None:
    (problem,) = told(tmp_path, kind, address, more)
    assert expected in problem
    assert "Fix: " in problem


def test_a_station_has_one_source_and_a_recording_is_never_live(tmp_path: Path) -> None:
    (both,) = told(tmp_path, "usb", "/dev/video0", '[stations.folder]\npath = "in"')
    assert "'eye' has a folder and a camera" in both
    file = tmp_path / "lineproof.toml"
    file.write_text(CONFIG.format(kind="file", address="/srv/a.mp4", more="").replace(
        'model = "m"', 'model = "m"\nmode = "live"\non_late = "stop"'))  # fmt: skip
    (live,) = [problem.text(file.name) for problem in problems(file)]
    assert "'eye' is live and looks at a recording" in live


# ---- parts left over --------------------------------------------------------------------------------------------


def part(number: int, station: str = "eye") -> Event:
    occurred = CLOCK.now().utc - timedelta(seconds=60 - number)
    return Event(f"press-1/part/{station}-{number}", "press-1", occurred, PartIdentity(station, f"A-{number}"))


def judged(event: Event) -> Event:
    assert isinstance(event.body, PartIdentity)
    body: Any = Inspection("eye", event.body.part_id, "", "PASS", "score_below_review", "shadow")
    return Event(inspection_key(event), "press-1", event.occurred_at, body)


def test_parts_announced_since_the_newest_verdict_are_found_once(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "store.sqlite")
    parts = [part(number) for number in range(5)]
    store.commit(Batch(CLOCK.now(), events=[*parts[:3], part(9, "other")]))
    assert unjudged(store, STATION) == []  # nothing was ever judged here: the camera is new

    store.commit(Batch(CLOCK.now(), events=[judged(parts[1])]))
    store.commit(Batch(CLOCK.now(), events=parts[3:]))
    assert [event.key for event in unjudged(store, STATION)] == [event.key for event in parts[2:]]

    store.commit(Batch(CLOCK.now(), events=[judged(event) for event in parts[2:]]))
    assert unjudged(store, STATION) == []
    store.close()


# ---- pictures ---------------------------------------------------------------------------------------------------


class Memory:
    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def put(self, content: bytes) -> str:
        self.kept.append(content)
        return str(len(self.kept) - 1)

    def get(self, digest: str) -> bytes | None:
        return self.kept[int(digest)]


@pytest.mark.parametrize("width", [40, 41, 42, 43])
def test_a_frame_is_a_bitmap_that_our_decoder_reads_and_evidence_keeps_exactly(width: int) -> None:
    rows = np.zeros((24, row_bytes(width)), np.uint8)
    bgr = np.random.default_rng(width).integers(0, 256, (24, width, 3), dtype=np.uint8)
    rows[:, : width * 3] = bgr.reshape(24, width * 3)
    frame = bitmap_header(width, 24) + rows.tobytes()
    assert np.array_equal(OpencvDecoder(ImageLimits()).decode(frame), bgr[:, :, ::-1])

    memory = Memory()
    evidence = evidence_of(STATION, memory)
    digest = evidence.put(frame)
    assert evidence.get(digest) == memory.kept[0]
    assert memory.kept[0].startswith(b"\x89PNG")
    kept = cv2.imdecode(np.frombuffer(memory.kept[0], np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(np.asarray(kept), bgr)
    evidence.put(b"\xff\xd8 anything else")
    assert memory.kept[1] == b"\xff\xd8 anything else"


def test_a_station_with_a_folder_keeps_files_as_they_came() -> None:
    memory = Memory()
    folder = StationSettings.model_validate({"name": "a", "line": "l", "model": "m", "folder": {"path": "/in"}})
    assert evidence_of(folder, memory) is memory
