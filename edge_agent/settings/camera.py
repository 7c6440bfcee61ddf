"""Settings of a station's camera: where it is, how fast it delivers, and what makes its pictures too old to judge."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, model_validator

from edge_agent.settings.section import Section

CameraKind = Literal["rtsp", "usb", "file"]

_SECRET_WORD = re.compile(r"pass|pwd|token|secret|auth|user|login", re.IGNORECASE)


class CameraTriggerSettings(Section):
    """Which frame belongs to a part: the one nearest to the part's `part` fact."""

    tolerance_ms: float = Field(
        default=100.0, gt=0, le=10_000, description="The frame nearest to a trigger is at most this far from it, ms."
    )
    offset_ms: float = Field(
        default=0.0, ge=-10_000, le=10_000, description="The part is before the camera this long after its fact, ms."
    )


class CameraSettings(Section):
    """One camera, read through OpenCV in a process of its own."""

    kind: CameraKind = Field(description="rtsp: network camera over TCP; usb: V4L2 device; file: a recording.")
    address: str = Field(
        min_length=1,
        description="rtsp://host:port/path, without user and password; a device (/dev/video0); or a video file.",
    )
    username: str | None = Field(default=None, description="User of the network camera.")
    password_file: str | None = Field(default=None, description="File holding the password, readable by us only.")
    rate_hz: float = Field(gt=0, le=1_000, description="Frames a second that the camera is set to.")
    least_rate_ratio: float = Field(
        default=0.5, gt=0, le=0.95, description="Below this share of rate_hz the camera only trickles (ratio)."
    )
    stall_after_s: float = Field(
        default=1.0, ge=0.1, le=60, description="Without a frame for this long the camera counts as stalled, seconds."
    )
    stale_after_ms: float = Field(
        default=500.0, ge=20, le=60_000, description="A frame older than this gets NO_VERDICT, never PASS, ms."
    )
    open_timeout_s: float = Field(
        default=5.0, ge=0.5, le=60, description="Time the camera has to open and show its first frame, seconds."
    )
    fault_limit_s: float = Field(
        default=3.0, ge=0.2, le=600, description="Late, repeated or too few frames for this long: reconnect, seconds."
    )
    retry_least_s: float = Field(default=0.5, ge=0.05, le=60, description="Wait before the first new try, seconds.")
    retry_most_s: float = Field(default=30.0, ge=0.1, le=600, description="Longest wait between two tries, seconds.")
    interval_ms: float = Field(
        default=200.0, ge=0, le=3_600_000, description="Without trigger: a frame is judged at most this often, ms."
    )
    loop: bool = Field(default=False, description="A video file begins again at its end.")
    trigger: CameraTriggerSettings | None = Field(
        default=None, description="Set to judge one frame a part, chosen by the part's fact."
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> CameraSettings:
        problems = list(_problems(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _problems(camera: CameraSettings) -> list[str]:
    """What contradicts itself; no text names a part of the address, which may hold a secret put there by mistake."""
    found: list[str] = []
    if camera.kind == "rtsp":
        found += _of_url(camera.address)
    elif not camera.address.startswith("/"):
        found.append("address is no absolute path. Fix: write the device or file with its full path")
    if camera.kind != "rtsp" and (camera.username or camera.password_file):
        found.append("username and password_file belong to kind 'rtsp'. Fix: remove them")
    if (camera.username is None) != (camera.password_file is None):
        found.append("username and password_file go together. Fix: write both")
    if camera.loop and camera.kind != "file":
        found.append("loop belongs to kind 'file'. Fix: remove it")
    if camera.retry_least_s > camera.retry_most_s:
        found.append("retry_least_s is more than retry_most_s. Fix: make it less")
    if camera.stall_after_s * camera.rate_hz < 1.5:  # noqa: PLR2004 - one frame's time and half of another
        found.append(f"stall_after_s is shorter than one and a half frames. Fix: write {2 / camera.rate_hz:g} or more")
    if camera.stale_after_ms * camera.rate_hz < 1_000:  # noqa: PLR2004 - milliseconds of a second
        least_ms = 2_000 / camera.rate_hz
        found.append(f"stale_after_ms is less than the time between two frames. Fix: write {least_ms:g} or more")
    return found


def _of_url(address: str) -> list[str]:
    try:
        url = urlsplit(address)
        _ = url.port
    except ValueError:
        return ["address is no address. Fix: write rtsp://host:port/path"]
    if url.scheme != "rtsp" or not url.hostname:
        return ["address is no RTSP address. Fix: write rtsp://host:port/path"]
    if "@" in address or any(_SECRET_WORD.search(name) for name, _ in parse_qsl(url.query, keep_blank_values=True)):
        return ["address holds a user or password. Fix: write username and password_file, and the address without them"]
    return []
