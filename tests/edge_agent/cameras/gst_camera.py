"""A camera served by GStreamer's RTSP server, where Debian has it."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.edge_agent.cameras.numbered_pictures import HEIGHT, WIDTH, jpeg, number_at

if TYPE_CHECKING:
    from types import TracebackType

_PYTHON = "/usr/bin/python3"
_NEEDED = """import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
assert Gst.ElementFactory.find("rtpjpegpay")
"""


def missing() -> str:
    """Why the server cannot run here, empty when it can."""
    if not Path(_PYTHON).exists():
        return f"no {_PYTHON}"
    probe = subprocess.run([_PYTHON, "-c", _NEEDED], capture_output=True, check=False, timeout=60)
    packages = "gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-base and gstreamer1.0-plugins-good"
    return "" if probe.returncode == 0 else f"install {packages}"


class GstCamera:
    """Numbered pictures, live, through GStreamer."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._stopping = threading.Event()
        self.port = 0

    def __enter__(self) -> Self:
        program = Path(__file__).with_name("gst_server.py")
        command = [_PYTHON, str(program), str(WIDTH), str(HEIGHT), f"{self._rate_hz:.0f}"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        told = self._process.stdout.readline()
        if not told:
            self._end()
            raise RuntimeError("the server did not start; what it printed is above")
        self.port = int(told)
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()
        return self

    def _feed(self) -> None:
        assert self._process.stdin is not None
        while not self._stopping.wait(1 / self._rate_hz):
            content = jpeg(number_at(time.monotonic_ns(), self._rate_hz))
            self._process.stdin.write(len(content).to_bytes(4, "big") + content)
            self._process.stdin.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(5)
        self._end()

    def _end(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.kill()
        self._process.wait(10)
