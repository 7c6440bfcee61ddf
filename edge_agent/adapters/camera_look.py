"""A short look through a camera: whether it opens, what it shows, how fast."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from edge_agent.adapters.camera_frames import ENDING_FAULTS, CameraRequest, Record, RecordKind
from edge_agent.adapters.camera_process import CameraProcess

if TYPE_CHECKING:
    from edge_agent.settings.config import StationSettings

_START_S = 20.0
_LOOK_S = 2.0
_TICK_S = 0.05
_SLOTS = 4


class Look(msgspec.Struct, frozen=True):
    """What was seen.

    Attributes:
        fault: a key of `CAMERA_FAULTS`, empty when frames came.
        rate_hz: frames a second, counted between the first and the last.
        width, height: of the pictures, pixels.
    """

    fault: str
    rate_hz: float = 0.0
    width: int = 0
    height: int = 0


def look(station: StationSettings, password: str) -> Look:
    """Open a station's camera, count its frames for two seconds, and close it.

    Raises:
        OSError: no process can be started.
        ValueError: the station has no camera.
    """
    camera = station.camera
    if camera is None:
        message = f"station {station.name} has no camera"
        raise ValueError(message)
    limit_ms = round(camera.open_timeout_s * 1e3)
    request = CameraRequest(
        kind=camera.kind, address=camera.address, username=camera.username or "", password=password,
        rate_hz=camera.rate_hz, open_timeout_ms=limit_ms, read_timeout_ms=limit_ms,
        max_pixels=station.limits.max_pixels, slots=_SLOTS, memory=-1, loop=camera.loop,
    )  # fmt: skip
    process = CameraProcess(request)
    try:
        return _watched(process, camera.open_timeout_s)
    finally:
        process.kill()


def _watched(process: CameraProcess, open_timeout_s: float) -> Look:
    until_s = time.monotonic() + _START_S
    frames: list[Record] = []
    while time.monotonic() < until_s:
        for record in process.poll(_TICK_S):
            if record.kind == RecordKind.STARTED:
                until_s = time.monotonic() + open_timeout_s
            elif record.kind == RecordKind.ENDED and not frames:
                return Look(ENDING_FAULTS.get(record.detail, "camera_failed"))
            elif record.kind == RecordKind.FRAME:
                process.give_back(record)
                if not frames:
                    until_s = time.monotonic() + max(_LOOK_S, open_timeout_s / 2)
                frames.append(record)
    if not frames:
        return Look("camera_silent")
    span_s = (frames[-1].arrived_ns - frames[0].arrived_ns) / 1e9
    rate_hz = (len(frames) - 1) / span_s if span_s > 0 else 0.0
    return Look("", rate_hz, frames[0].width, frames[0].height)
