"""The process that holds one camera: `python -m edge_agent.adapters.camera_child`, started by the agent only.

A driver or network read may hang where no thread can be ended, so it hangs here, where the agent can kill it. It reads
its request from stdin, writes records to stdout, and ends when stdin closes: no camera stays taken by an orphan. What
FFmpeg prints may hold the address with its password, so stderr goes nowhere.
"""

from __future__ import annotations

import mmap
import os
import queue
import resource
import sys
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

import cv2
import msgspec
import numpy as np

from edge_agent.adapters.camera_frames import (
    HEADER_BYTES,
    CameraRequest,
    Ending,
    Record,
    RecordKind,
    bitmap_bytes,
    bitmap_header,
    row_bytes,
    slot_bytes,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FFMPEG_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay|max_delay;0"
"""TCP only: over UDP a lost packet gives a smeared picture that decodes without an error."""


def address_of(request: CameraRequest) -> str:
    """The address with user and password in it, as FFmpeg wants it; stays within this process."""
    if not request.username:
        return request.address
    url = urlsplit(request.address)
    account = f"{quote(request.username, safe='')}:{quote(request.password, safe='')}"
    return urlunsplit(url._replace(netloc=f"{account}@{url.netloc}"))


def opened(request: CameraRequest) -> cv2.VideoCapture:
    """Open the camera; the result may be closed, then it could not be opened. May hang."""
    if request.kind == "usb":
        capture = cv2.VideoCapture(request.address, cv2.CAP_V4L2)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        capture.set(cv2.CAP_PROP_FPS, request.rate_hz)
        return capture
    limits = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        request.open_timeout_ms,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        request.read_timeout_ms,
        cv2.CAP_PROP_N_THREADS,  # more threads hold a frame back each
        1,
    ]
    return cv2.VideoCapture(address_of(request), cv2.CAP_FFMPEG, limits)


class Handover:
    """The process's end of memory and pipe.

    Args:
        request: names the memory.
        records: file descriptor that records are written to.
    """

    def __init__(self, request: CameraRequest, records: int) -> None:
        self._request = request
        self._records = records
        self._free: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._memory: mmap.mmap | None = None
        self._views: list[NDArray[np.uint8]] = []
        self._size = (0, 0)
        self._number = 0
        for slot in range(request.slots):
            self._free.put(slot)

    def tell(self, record: Record) -> None:
        """Send a record."""
        os.write(self._records, record.pack())  # shorter than PIPE_BUF: written whole

    def take_back(self) -> None:
        """Receive slots that the agent gives back, until it goes away; then end this process at once."""
        while slots := os.read(sys.stdin.fileno(), 64):
            for slot in slots:
                self._free.put(slot)
        os._exit(0)

    def fits(self, width: int, height: int) -> bool:
        """Whether frames of this size can be handed over; the first frame's size holds."""
        if self._memory is None:
            if not 0 < width * height <= self._request.max_pixels:
                return False
            self._lay_out(width, height)
        return (width, height) == self._size

    def _lay_out(self, width: int, height: int) -> None:
        distance = slot_bytes(width, height)
        os.ftruncate(self._request.memory, distance * self._request.slots)
        self._memory = mmap.mmap(self._request.memory, distance * self._request.slots)
        self._size = (width, height)
        row = row_bytes(width)
        for slot in range(self._request.slots):
            begin = slot * distance
            self._memory[begin : begin + HEADER_BYTES] = bitmap_header(width, height)
            rows = np.frombuffer(self._memory, np.uint8, row * height, begin + HEADER_BYTES).reshape(height, row)
            self._views.append(rows[:, : width * 3].reshape(height, width, 3))
        self.tell(Record(RecordKind.OPENED, width=width, height=height, slot_bytes=distance))

    def hand_over(self, pixels: NDArray[np.uint8], arrived_ns: int, pts_ns: int) -> None:
        """Hand over one frame, or tell that it was dropped because the agent holds every slot."""
        self._number += 1
        width, height = self._size
        try:
            slot = self._free.get_nowait()
        except queue.Empty:
            self.tell(Record(RecordKind.DROPPED, 0, self._number, arrived_ns, pts_ns))
            return
        np.copyto(self._views[slot], pixels)
        size = bitmap_bytes(width, height)
        self.tell(Record(RecordKind.FRAME, slot, self._number, arrived_ns, pts_ns, width, height, size))


def watch(request: CameraRequest, handover: Handover) -> Ending:
    """Hand over frames until the camera ends; says why it ended."""
    capture = opened(request)
    if not capture.isOpened():
        return Ending.NOT_OPENED
    pace = Pace(request) if request.kind == "file" else None
    while True:
        if not capture.grab():
            if pace is None or not request.loop or not pace.again(capture):
                return Ending.STREAM_ENDED
            continue
        pts_ns = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        if pace is not None:
            pts_ns = pace.wait(pts_ns)
        arrived_ns = time.monotonic_ns()
        whole, pixels = capture.retrieve()
        if not whole or pixels.ndim != 3 or pixels.dtype != np.uint8:  # noqa: PLR2004 - rows, columns, colours
            continue  # a frame cut off on its way is no frame
        if not handover.fits(pixels.shape[1], pixels.shape[0]):
            return Ending.REFUSED_SIZE
        handover.hand_over(pixels.astype(np.uint8, copy=False), arrived_ns, pts_ns)


class Pace:
    """Plays a recording as fast as it was taken, however often."""

    def __init__(self, request: CameraRequest) -> None:
        self._frame_ns = round(1e9 / request.rate_hz)
        self._began_ns: int | None = None
        self._offset_ns = 0
        self._last_ns = 0

    def again(self, capture: cv2.VideoCapture) -> bool:
        """Go back to the first frame, whose time follows that of the last one; whether the file can."""
        self._offset_ns = self._last_ns + self._frame_ns
        return capture.set(cv2.CAP_PROP_POS_FRAMES, 0)

    def wait(self, pts_ns: int) -> int:
        """Wait until a frame's moment has come; returns its time since the first frame ever."""
        self._last_ns = self._offset_ns + pts_ns
        if self._began_ns is None:
            self._began_ns = time.monotonic_ns() - self._last_ns
        time.sleep(max(0, self._began_ns + self._last_ns - time.monotonic_ns()) / 1e9)
        return self._last_ns


def main() -> None:
    """Run until the camera ends or the agent goes away."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold the password
    records = os.dup(sys.stdout.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # libraries may print
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _FFMPEG_OPTIONS
    cv2.setNumThreads(1)
    line = b""
    while not line.endswith(b"\n"):  # unbuffered: what follows the line are slots
        piece = os.read(sys.stdin.fileno(), 1)
        if not piece:
            return
        line += piece
    request = msgspec.json.decode(line, type=CameraRequest)
    handover = Handover(request, records)
    threading.Thread(target=handover.take_back, name="slots", daemon=True).start()
    handover.tell(Record(RecordKind.STARTED))
    try:
        ending = watch(request, handover)
    except Exception:  # noqa: BLE001 - the process's boundary; the text may hold the address, so only the fact leaves
        ending = Ending.FAILED
    handover.tell(Record(RecordKind.ENDED, ending))
    os._exit(0)  # a driver's clean-up may hang


if __name__ == "__main__":
    main()
