"""Pictures for the page from kept evidence: downscaled, and with the anomaly drawn over them."""

from __future__ import annotations

import struct
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_agent.errors import ImageRefusedError
from edge_agent.inspection.image_headers.sniff import read_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_agent.ports import EvidenceStore

LONGEST_SIDE_PX = 960
"""Twice the picture's place on a 7-inch panel; an office screen shows it at about its own size."""

THRESHOLD_LEVEL = 128
"""Grey level of the model's threshold in a kept anomaly map (see `adapters/opencv_map_codec`)."""

PIXELS_MAX = 100_000_000
"""Larger images are not decoded for show, 300 MB of memory; their original can still be opened."""

_KEPT = 64
_REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))
_JPEG_QUALITY = 88
_MAP_BYTES_MAX = 1_048_576
_MAP_SIDE_MAX = 2_048
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER = struct.Struct(">8s4x4sIIBB")
_FADE_FROM, _FADE_TO = 0.6, 1.4
"""Heat begins to show at 0.6 of the threshold and is full at 1.4."""
_HEAT_OPACITY = 0.45

_MAGIC: tuple[tuple[bytes, int, str], ...] = (
    (_PNG_SIGNATURE, 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"BM", 0, "image/bmp"),
    (b"II*\0", 0, "image/tiff"),
    (b"MM\0*", 0, "image/tiff"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
)


def image_type(content: bytes) -> str | None:
    """The media type by the content's first bytes, None for anything that is not a known image format.

    >>> image_type(bytes.fromhex("ffd8ffe0"))
    'image/jpeg'
    >>> image_type(b"<html>") is None
    True
    """
    for magic, offset, media_type in _MAGIC:
        if content[offset : offset + len(magic)] == magic:
            return media_type
    return None


class Pictures:
    """Renders evidence, one picture at a time so that large images cannot add up, and keeps the newest results."""

    def __init__(self, evidence: EvidenceStore) -> None:
        self._evidence = evidence
        self._rendering = threading.Lock()
        self._kept: OrderedDict[tuple[str, str | None], bytes] = OrderedDict()

    def original(self, digest: str) -> bytes | None:
        """The bytes as they were kept, None when they are not (or no longer) kept."""
        return self._evidence.get(digest)

    def preview(self, digest: str) -> bytes | None:
        """The picture as JPEG, at most `LONGEST_SIDE_PX`; None when it is not kept.

        Raises:
            ImageRefusedError: it cannot be decoded.
        """
        return self._rendered(digest, None)

    def overlay(self, digest: str, map_digest: str) -> bytes | None:
        """The picture with the anomaly map as heat over it, a line around what is at or above the threshold.

        Raises:
            ImageRefusedError: picture or map cannot be decoded.
        """
        return self._rendered(digest, map_digest)

    def _rendered(self, digest: str, map_digest: str | None) -> bytes | None:
        with self._rendering:
            kept = self._kept.get((digest, map_digest))
            if kept is not None:
                self._kept.move_to_end((digest, map_digest))
                return kept
            content = self._evidence.get(digest)
            map_content = self._evidence.get(map_digest) if map_digest is not None else None
            if content is None or (map_digest is not None and map_content is None):
                return None
            pixels = decode_small(content)
            if map_content is not None:
                pixels = draw_heat(pixels, decode_map(map_content))
            jpeg = _jpeg(pixels)
            self._kept[(digest, map_digest)] = jpeg
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return jpeg


def decode_small(content: bytes) -> NDArray[np.uint8]:
    """Decode an image for show: uint8 (height, width, 3), RGB, no side longer than `LONGEST_SIDE_PX`.

    The header is read first, so that a small file cannot cost much memory; orientation marks are ignored as at the
    station, so that an anomaly map fits.

    Raises:
        ImageRefusedError: not an image, damaged, or larger than `PIXELS_MAX`.
    """
    header = read_header(content)
    if header.width * header.height > PIXELS_MAX:
        raise ImageRefusedError("image_too_many_pixels", f"{header.width} x {header.height} is too large to show")
    spare = max(header.width, header.height) / LONGEST_SIDE_PX
    mode = next((mode for factor, mode in _REDUCED if spare >= factor), cv2.IMREAD_COLOR)
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), mode | cv2.IMREAD_IGNORE_ORIENTATION)
    if decoded is None:
        raise ImageRefusedError("image_undecodable", "the header is sound but the pixels cannot be decoded")
    return _downscaled(np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8))


def decode_map(content: bytes) -> NDArray[np.uint8]:
    """Decode a kept anomaly map: 8-bit grey PNG (h, w).

    Raises:
        ImageRefusedError: it is something else; nothing large is decoded to find out.
    """
    if len(content) < _PNG_HEADER.size or len(content) > _MAP_BYTES_MAX:
        raise ImageRefusedError("not_an_anomaly_map", "an anomaly map is a small PNG")
    signature, chunk, width, height, depth, colour = _PNG_HEADER.unpack_from(content)
    grey8 = (signature, chunk, depth, colour) == (_PNG_SIGNATURE, b"IHDR", 8, 0)
    if not grey8 or not (0 < width <= _MAP_SIDE_MAX and 0 < height <= _MAP_SIDE_MAX):
        raise ImageRefusedError("not_an_anomaly_map", "an anomaly map is a small 8-bit grey PNG")
    levels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if levels is None:
        raise ImageRefusedError("not_an_anomaly_map", "the anomaly map is damaged")
    return np.asarray(levels, np.uint8)


def draw_heat(pixels: NDArray[np.uint8], levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw an anomaly map over a picture.

    Args:
        pixels: uint8 (height, width, 3), RGB.
        levels: uint8 (h, w), the same view at any resolution; 128 is the threshold.

    Returns:
        uint8 (height, width, 3), RGB; unchanged where the map is below 0.6 of the threshold.
    """
    height, width = pixels.shape[:2]
    fitted = np.asarray(cv2.resize(levels, (width, height), interpolation=cv2.INTER_LINEAR))
    relative = fitted.astype(np.float32) / THRESHOLD_LEVEL
    opacity = _HEAT_OPACITY * np.clip((relative - _FADE_FROM) / (_FADE_TO - _FADE_FROM), 0, 1)[..., np.newaxis]
    heat = cv2.cvtColor(cv2.applyColorMap(fitted, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    mixed = (pixels * (1 - opacity) + heat * opacity).round().astype(np.uint8)
    above = (fitted >= THRESHOLD_LEVEL).astype(np.uint8)
    edges, _ = cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    stroke = max(1, round(max(height, width) / 320))
    cv2.drawContours(mixed, edges, -1, (0, 0, 0), stroke + 2, cv2.LINE_AA)
    cv2.drawContours(mixed, edges, -1, (255, 255, 255), stroke, cv2.LINE_AA)
    return mixed


def _downscaled(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    factor = LONGEST_SIDE_PX / max(height, width)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    encoded, data = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    if not encoded:
        raise ImageRefusedError("picture_not_drawn", f"OpenCV could not encode a picture of {pixels.shape}")
    return data.tobytes()
