"""WebP: a RIFF container (RFC 9649) with one VP8 (lossy) or VP8L (lossless) picture."""

from __future__ import annotations

from edge_agent.inspection.image_headers.header import ImageHeader, refused

_RIFF_HEADER = 12
_ANIMATION = 0x02
_ALPHA = 0x10
_KEY_FRAME_START = b"\x9d\x01\x2a"
_LOSSLESS_START = 0x2F
_SIDE = 0x3FFF  # 14 bits


def read(encoded: bytes) -> ImageHeader:
    """Walk the chunks and read the picture's own size.

    Raises:
        ImageRefusedError: truncated, damaged or animated.
    """
    if len(encoded) < _RIFF_HEADER:
        raise refused("image_truncated", f"{len(encoded)} bytes")
    end = 8 + int.from_bytes(encoded[4:8], "little")
    if end > len(encoded):
        raise refused("image_truncated", f"{len(encoded)} of {end} bytes")
    at, alpha = _RIFF_HEADER, False
    while at + 8 <= end:
        kind = encoded[at : at + 4]
        length = int.from_bytes(encoded[at + 4 : at + 8], "little")
        data = encoded[at + 8 : at + 8 + min(length, 10)]
        if at + 8 + length > end:
            raise refused("image_truncated", f"chunk {kind!r} ends after the file")
        if kind == b"VP8X" and data:
            if data[0] & _ANIMATION:
                raise refused("image_animated", "an animated WebP")
            alpha = bool(data[0] & _ALPHA)
        elif kind == b"VP8 ":
            return _lossy(data, alpha=alpha)
        elif kind == b"VP8L":
            return _lossless(data)
        at += 8 + length + length % 2
    raise refused("image_truncated", "no picture in the container")


def _lossy(data: bytes, *, alpha: bool) -> ImageHeader:
    width, height = (int.from_bytes(data[start : start + 2], "little") & _SIDE for start in (6, 8))
    if data[3:6] != _KEY_FRAME_START or data[0] & 1 or not width or not height:
        raise refused("image_damaged", "no VP8 key frame")
    return ImageHeader("webp", width, height, bits=8, alpha=alpha)


def _lossless(data: bytes) -> ImageHeader:
    packed = int.from_bytes(data[1:5], "little")
    if len(data) < 5 or data[0] != _LOSSLESS_START or packed >> 29:  # noqa: PLR2004 - RFC 9649 clause 3.4
        raise refused("image_damaged", "no VP8L header")
    return ImageHeader("webp", (packed & _SIDE) + 1, (packed >> 14 & _SIDE) + 1, bits=8, alpha=bool(packed >> 28 & 1))
