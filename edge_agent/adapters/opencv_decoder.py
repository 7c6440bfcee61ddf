"""Untrusted bytes to pixels, by OpenCV, after the header has been read by us. In doubt an image is refused.

One rule a case, so that the same file always gives the same pixels:

- grey is repeated into three channels; 1, 2 and 4 bits and palettes are expanded;
- 16 bits become 8 by dropping the low byte, as OpenCV's own 8-bit reading does (exactly for PNG, within one level for
  TIFF), so that a model taught from the same files sees the same; a 16-bit image that stays below 4096 (12-bit data in
  a 16-bit file) is refused, because its true range is unknown;
- transparency is dropped where every pixel is opaque, else the image is refused: what lies behind is unknown;
- EXIF orientation is ignored: the camera is bolted to the line, and a rotated header must not turn the part;
- colour profiles and gamma are ignored; bytes after the picture's end are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_agent.inspection.image_headers.header import refused
from edge_agent.inspection.image_headers.sniff import read_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_agent.inspection.image_headers.header import ImageHeader
    from edge_agent.settings.config import ImageLimits

_LEAST_16_BIT_PEAK = 4_096
_OPAQUE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65_535}
_GREY_ALPHA, _RGB, _RGBA = 2, 3, 4


class OpencvDecoder:
    """Decodes PNG, JPEG, BMP, TIFF and WebP (port `ImageDecoder`); any thread.

    Args:
        limits: what an image may be; checked on the header, before memory is spent.
    """

    def __init__(self, limits: ImageLimits) -> None:
        self._limits = limits
        cv2.setNumThreads(1)  # stations run beside one another; OpenCV's pool would only add jitter
        cv2.utils.logging.setLogLevel(
            cv2.utils.logging.LOG_LEVEL_SILENT
        )  # our errors tell more than OpenCV's lines on stderr

    def decode(self, encoded: bytes) -> NDArray[np.uint8]:
        """Return uint8 (height, width, 3), RGB.

        Raises:
            ImageRefusedError: with a reason of `REFUSAL_REASONS`.
        """
        limits = self._limits
        if len(encoded) > limits.max_bytes:
            raise refused("image_too_large", f"more than {limits.max_bytes} bytes", field="limits.max_bytes")
        header = read_header(encoded)
        size = f"{header.width} x {header.height}"
        if header.width * header.height > limits.max_pixels:
            raise refused("image_too_many_pixels", size, field="limits.max_pixels", value=limits.max_pixels)
        if min(header.width, header.height) < limits.min_side_px:
            raise refused("image_too_small", size, field="limits.min_side_px", value=limits.min_side_px)
        pixels = _rgb(_eight_bits(_opaque(_raw(encoded, header), header)))
        first = pixels[0, 0]
        if (pixels[0] == first).all() and (pixels == first).all():
            raise refused("image_blank", f"all {size} pixels are {first.tolist()}")
        return pixels


def _raw(encoded: bytes, header: ImageHeader) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The pixels as they stand in the file: any channels, 8 or 16 bits, never rotated."""
    try:
        decoded = cv2.imdecode(np.frombuffer(encoded, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise refused("image_undecodable", str(error.err or error)) from error
    if decoded is None:
        raise refused("image_undecodable", f"{header.kind} {header.width} x {header.height}")
    if decoded.shape[:2] != (header.height, header.width) or decoded.dtype not in _OPAQUE:
        found = f"{decoded.shape[1]} x {decoded.shape[0]} {decoded.dtype}"
        raise refused("image_damaged", f"the header says {header.width} x {header.height}, the pixels are {found}")
    if decoded.dtype == np.uint16:
        return decoded.astype(np.uint16, copy=False)
    return decoded.astype(np.uint8, copy=False)


def _opaque(
    pixels: NDArray[np.uint8] | NDArray[np.uint16], header: ImageHeader
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Grey (h, w) or BGR (h, w, 3), without the transparency that must not be there."""
    if pixels.ndim == 2 or pixels.shape[2] == _RGB:  # noqa: PLR2004 - grey has two axes
        return pixels
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    if pixels.shape[2] not in {_GREY_ALPHA, _RGBA}:
        raise refused("image_format_unsupported", f"{pixels.shape[2]} channels")
    if header.alpha and (pixels[:, :, -1] != _OPAQUE[pixels.dtype]).any():
        raise refused("image_transparent", "compose it on the real background, or save without transparency")
    return pixels[:, :, 0] if pixels.shape[2] == _GREY_ALPHA else pixels[:, :, :3]


def _eight_bits(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    peak = int(pixels.max())
    if 0 < peak < _LEAST_16_BIT_PEAK:
        raise refused(
            "bit_depth_unclear", f"its brightest value is {peak}; let the camera write 8 bits, or scale to 16"
        )
    return (pixels >> 8).astype(np.uint8)


def _rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    code = cv2.COLOR_GRAY2RGB if pixels.ndim == 2 else cv2.COLOR_BGR2RGB  # noqa: PLR2004 - grey has two axes
    return cv2.cvtColor(np.ascontiguousarray(pixels), code).astype(np.uint8, copy=False)
