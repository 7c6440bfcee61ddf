"""JPEG: markers, scans and restart intervals (ITU-T T.81, annexes B and G).

JPEG data carries no checksum. What can be known without decoding is checked: all segments, the end marker, the order
and number of restart markers, and that every coefficient of every component arrives at full precision. A flipped bit
inside entropy-coded data can still decode to a wrong picture of the right size; PNG has no such hole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from edge_agent.inspection.image_headers.header import ImageHeader, refused

SIGNATURE = b"\xff\xd8"
_END = 0xD9
_SCAN = 0xDA
_RESTART_INTERVAL = 0xDD
_RESTARTS = range(0xD0, 0xD8)
_FRAMES = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive"}
_OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
# begins with one fixed byte, which the search leaps to: with a repeated one it takes nearly twenty times as long
_MARKER = re.compile(rb"\xff([^\x00\xff])")
_COEFFICIENTS = 64
_GREY, _COLOUR, _CMYK = 1, 3, 4
_MAX_SAMPLING = 4


@dataclass(slots=True)
class _Component:
    """A colour component: its sampling factors and, by coefficient, the precision still missing (-1: all)."""

    across: int
    down: int
    missing: list[int] = field(default_factory=lambda: [-1] * _COEFFICIENTS)


@dataclass(slots=True)
class _Frame:
    width: int
    height: int
    progressive: bool
    components: dict[int, _Component]


def read(encoded: bytes) -> ImageHeader:
    """Walk the segments to the end marker.

    Raises:
        ImageRefusedError: truncated, damaged, CMYK, or a coding that is not baseline, extended or progressive Huffman.
    """
    frame: _Frame | None = None
    interval = 0
    at = len(SIGNATURE)
    while True:
        marker, at = _next_marker(encoded, at)
        if marker == _END:
            break
        data, at = _segment(encoded, at, marker)
        if marker in _FRAMES and frame is not None:
            raise refused("image_damaged", "two frame headers")
        if marker in _FRAMES or marker in _OTHER_FRAMES:
            frame = _frame(marker, data)
        elif marker == _RESTART_INTERVAL:
            interval = int.from_bytes(data[:2], "big")
        elif marker == _SCAN:
            at = _scan(encoded, at, frame, data, interval)
    if frame is None or any(any(component.missing) for component in frame.components.values()):
        raise refused("image_truncated", "not every scan of the picture is there")
    return ImageHeader("jpeg", frame.width, frame.height, bits=8, alpha=False)


def _next_marker(encoded: bytes, at: int) -> tuple[int, int]:
    end = at
    while end < len(encoded) and encoded[end] == 0xFF:  # noqa: PLR2004 - the marker prefix, repeated as fill
        end += 1
    if end >= len(encoded):
        raise refused("image_truncated", "no end marker")
    if end == at or encoded[end] == 0 or encoded[end] in _RESTARTS:
        raise refused("image_damaged", f"no marker at byte {at}")
    return encoded[end], end + 1


def _segment(encoded: bytes, at: int, marker: int) -> tuple[bytes, int]:
    length = int.from_bytes(encoded[at : at + 2], "big")
    if at + max(length, 2) > len(encoded):
        raise refused("image_truncated", f"segment {marker:#x} ends after the file")
    if length < 2:  # noqa: PLR2004 - the length counts its own two bytes
        raise refused("image_damaged", f"segment {marker:#x} has length {length}")
    return encoded[at + 2 : at + length], at + length


def _frame(marker: int, data: bytes) -> _Frame:
    if marker in _OTHER_FRAMES:
        raise refused("image_format_unsupported", f"JPEG coding {marker:#x} (lossless, arithmetic or hierarchical)")
    if len(data) < 6 or len(data) != 6 + 3 * data[5]:  # noqa: PLR2004 - T.81 table B.2
        raise refused("image_damaged", "frame header of the wrong length")
    height, width = int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:5], "big")
    if data[0] != 8:  # noqa: PLR2004 - bits a sample
        raise refused("image_format_unsupported", f"{data[0]}-bit JPEG")
    if not width or not height:
        raise refused("image_format_unsupported", "a JPEG that states its height after the picture")
    if data[5] == _CMYK:
        raise refused("cmyk_unsupported", "four colour components")
    if data[5] not in {_GREY, _COLOUR}:
        raise refused("image_format_unsupported", f"{data[5]} colour components")
    components: dict[int, _Component] = {}
    for start in range(6, len(data), 3):
        across, down = data[start + 1] >> 4, data[start + 1] & 15
        if not 1 <= across <= _MAX_SAMPLING or not 1 <= down <= _MAX_SAMPLING:
            raise refused("image_damaged", f"sampling factors {across} x {down}")
        components[data[start]] = _Component(across, down)
    if len(components) != data[5]:
        raise refused("image_damaged", "two components of one name")
    return _Frame(width, height, _FRAMES[marker] == "progressive", components)


def _scan(encoded: bytes, at: int, frame: _Frame | None, data: bytes, interval: int) -> int:
    """Take in a scan whose header is `data`; returns where the next marker begins."""
    if frame is None:
        raise refused("image_damaged", "a scan before its frame header")
    return _entropy_coded(encoded, at, _restarts(frame, _scanned(frame, data), interval))


def _scanned(frame: _Frame, data: bytes) -> list[_Component]:
    """The components of a scan, with what the scan brings taken off what is missing."""
    count = data[0] if data else 0
    if not 1 <= count <= len(frame.components) or len(data) != 4 + 2 * count:
        raise refused("image_damaged", "scan header of the wrong length")
    names = [data[1 + 2 * index] for index in range(count)]
    if any(name not in frame.components for name in names) or len(set(names)) != count:
        raise refused("image_damaged", "a scan of an unknown component")
    scanned = [frame.components[name] for name in names]
    first, last, low = (data[-3], data[-2], data[-1] & 15) if frame.progressive else (0, _COEFFICIENTS - 1, 0)
    if not first <= last < _COEFFICIENTS:
        raise refused("image_damaged", f"a scan of coefficients {first} to {last}")
    for component in scanned:
        component.missing[first : last + 1] = [low] * (last + 1 - first)
    return scanned


def _restarts(frame: _Frame, scanned: list[_Component], interval: int) -> int:
    """How many restart markers a scan needs (T.81 clauses A.2 and E.1.4)."""
    if not interval:
        return 0
    across = max(component.across for component in frame.components.values())
    down = max(component.down for component in frame.components.values())
    if len(scanned) == 1:
        own = scanned[0]
        columns = _ceil(_ceil(frame.width * own.across, across), 8)
        rows = _ceil(_ceil(frame.height * own.down, down), 8)
    else:
        columns, rows = _ceil(frame.width, 8 * across), _ceil(frame.height, 8 * down)
    return _ceil(columns * rows, interval) - 1


def _entropy_coded(encoded: bytes, at: int, restarts: int) -> int:
    """Skip entropy-coded data; returns where the next marker begins."""
    start, seen = at, 0
    while True:
        match = _MARKER.search(encoded, at)
        if match is None:
            raise refused("image_truncated", "the picture data does not end")
        marker = match.group(1)[0]
        if marker not in _RESTARTS:
            break
        if marker != _RESTARTS[seen % 8]:
            raise refused("image_damaged", f"restart marker {marker:#x} out of order")
        seen += 1
        at = match.end()
    if seen < restarts:
        raise refused("image_truncated", f"{seen} of {restarts} restart markers")
    if seen > restarts + 1 or (seen and not restarts):  # some encoders close the last interval too
        raise refused("image_damaged", f"{seen} restart markers where {restarts} belong")
    end = match.start()
    while end > start and encoded[end - 1] == 0xFF:  # noqa: PLR2004 - fill before the marker
        end -= 1
    if end == start:
        raise refused("image_truncated", "a scan without data")
    return end


def _ceil(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
