"""How a camera's process hands frames to the agent: pixels in shared memory, 48-byte records over a pipe.

The memory is anonymous (memfd): nothing is left behind by a killed process, and no name can be taken. It holds a number
of slots. The process owns the free ones, writes a frame into one, and sends its record; from then on the slot belongs
to the agent, which gives it back by sending its number. Nobody ever reads what another writes, and the two pipes order
the memory accesses on every processor. When no slot is free the newest frame is dropped and counted.

A slot holds the frame as an uncompressed bitmap (BMP, top row first), so that it takes the same way as every other
image.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

_RECORD = struct.Struct("<BBxxIqqIIQQ")
RECORD_BYTES = _RECORD.size
HEADER_BYTES = 54
PAGE_BYTES = 4_096
_BITS = 24
_PIXELS_PER_METRE = 2_835  # 72 dpi; nobody reads it


class RecordKind(IntEnum):
    """What a record tells."""

    STARTED = 1
    OPENED = 2
    FRAME = 3
    DROPPED = 4
    ENDED = 5


class Ending(IntEnum):
    """Why a camera's process ended by itself."""

    NOT_OPENED = 1
    STREAM_ENDED = 2
    REFUSED_SIZE = 3
    FAILED = 4


ENDING_FAULTS: dict[int, str] = {
    Ending.NOT_OPENED: "camera_unreachable",
    Ending.STREAM_ENDED: "camera_ended",
    Ending.REFUSED_SIZE: "camera_refused",
    Ending.FAILED: "camera_failed",
}


class Record(msgspec.Struct, frozen=True, gc=False):
    """One message of a camera's process.

    Attributes:
        kind: a `RecordKind`.
        detail: the slot of a frame; the `Ending` of an end.
        number: frames seen by the process, dropped ones included.
        arrived_ns: monotonic time of the frame's arrival.
        pts_ns: its presentation time.
        width, height: of the picture, pixels.
        size: bytes of the bitmap in the slot.
        slot_bytes: distance of two slots.
    """

    kind: int
    detail: int = 0
    number: int = 0
    arrived_ns: int = 0
    pts_ns: int = 0
    width: int = 0
    height: int = 0
    size: int = 0
    slot_bytes: int = 0

    def pack(self) -> bytes:
        """The record as it goes through the pipe.

        >>> Record.unpack(Record(RecordKind.FRAME, 2, 7, 10, -4, 640, 480, 921_654, 925_696).pack()).pts_ns
        -4
        """
        return _RECORD.pack(*(getattr(self, name) for name in self.__struct_fields__))

    @classmethod
    def unpack(cls, data: bytes) -> Record:
        """Read a record of `RECORD_BYTES`."""
        return cls(*_RECORD.unpack(data))


class CameraRequest(msgspec.Struct, frozen=True):
    """What a camera's process is told, as a line of JSON on its stdin: no secret stands in arguments or environment.

    Attributes:
        kind: rtsp, usb or file.
        address: without user and password.
        username, password: of a network camera; empty when it needs none.
        rate_hz: frames a second asked of a USB camera.
        open_timeout_ms, read_timeout_ms: FFmpeg's own limits; the agent kills the process by limits of its own.
        max_pixels: larger pictures are refused.
        slots: frames that the memory holds.
        memory: file descriptor of the shared memory.
        loop: a file begins again at its end.
    """

    kind: str
    address: str
    username: str
    password: str
    rate_hz: float
    open_timeout_ms: int
    read_timeout_ms: int
    max_pixels: int
    slots: int
    memory: int
    loop: bool

    def __repr__(self) -> str:
        return f"CameraRequest(kind={self.kind!r})"


def row_bytes(width: int) -> int:
    """Bytes of a bitmap's row, 24 bits a pixel, padded to four bytes.

    >>> row_bytes(640), row_bytes(5)
    (1920, 16)
    """
    return (width * 3 + 3) // 4 * 4


def bitmap_bytes(width: int, height: int) -> int:
    """Bytes of a whole bitmap."""
    return HEADER_BYTES + row_bytes(width) * height


def bitmap_header(width: int, height: int) -> bytes:
    """The 54 bytes before the pixels; the negative height says that the top row comes first.

    >>> len(bitmap_header(640, 480)), bitmap_header(640, 480)[:2]
    (54, b'BM')
    """
    pixels = row_bytes(width) * height
    file = struct.pack("<2sIHHI", b"BM", HEADER_BYTES + pixels, 0, 0, HEADER_BYTES)
    return file + struct.pack(
        "<IiiHHIIiiII", 40, width, -height, 1, _BITS, 0, pixels, _PIXELS_PER_METRE, _PIXELS_PER_METRE, 0, 0
    )


def slot_bytes(width: int, height: int) -> int:
    """Distance of two slots: a whole bitmap, rounded up to pages."""
    return -(-bitmap_bytes(width, height) // PAGE_BYTES) * PAGE_BYTES
