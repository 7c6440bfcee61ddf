"""PNG: chunks with checksums (W3C Portable Network Graphics, third edition, clauses 5 and 11)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from edge_agent.inspection.image_headers.header import ImageHeader, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FRAME = 12  # length, type and checksum around a chunk's data
_IHDR_BYTES = 13
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_WITH_ALPHA = frozenset({4, 6})


def read(encoded: bytes) -> ImageHeader:
    """Walk the chunks to IEND, checking every checksum, so that one flipped bit is seen.

    Raises:
        ImageRefusedError: truncated, damaged or animated.
    """
    header: ImageHeader | None = None
    seen: set[bytes] = set()
    for kind, data in _chunks(encoded):
        if header is None:
            header = _ihdr(kind, data)
        elif kind == b"IHDR":
            raise refused("image_damaged", "two headers")
        elif kind == b"acTL":
            raise refused("image_animated", "an animated PNG")
        seen.add(kind)
    if header is None or b"IDAT" not in seen:
        raise refused("image_truncated", "no IDAT chunk")
    return ImageHeader(header.kind, header.width, header.height, header.bits, header.alpha or b"tRNS" in seen)


def _chunks(encoded: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Name and data of every chunk up to IEND, each with a right checksum."""
    at, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        if at + _FRAME > len(encoded):
            raise refused("image_truncated", f"no IEND chunk within {len(encoded)} bytes")
        length = int.from_bytes(encoded[at : at + 4], "big")
        kind = encoded[at + 4 : at + 8]
        end = at + _FRAME + length
        if not kind.isalpha():
            raise refused("image_damaged", f"no chunk name at byte {at + 4}")
        if end > len(encoded):
            raise refused("image_truncated", f"chunk {kind!r} ends {end - len(encoded)} bytes after the file")
        data = memoryview(encoded)[at + 8 : end - 4]
        if zlib.crc32(data, zlib.crc32(kind)) != int.from_bytes(encoded[end - 4 : end], "big"):
            raise refused("image_damaged", f"checksum of chunk {kind!r} is wrong")
        yield kind, data
        at = end


def _ihdr(kind: bytes, data: memoryview) -> ImageHeader:
    if kind != b"IHDR" or len(data) != _IHDR_BYTES:
        raise refused("image_damaged", "the first chunk is not a header")
    width, height = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
    depth, colour = data[8], data[9]
    if not width or not height or depth not in _DEPTHS.get(colour, ()) or data[10] or data[11] or data[12] > 1:
        raise refused("image_damaged", f"impossible header {data.hex()}")
    return ImageHeader("png", width, height, depth, alpha=colour in _WITH_ALPHA)
