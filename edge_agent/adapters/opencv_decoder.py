"""Untrusted bytes to pixels, by OpenCV, after the header has been read by us. In doubt an image is refused.

One rule a case, so that the same file always gives the same pixels:

- grey is repeated into three channels; 1, 2 and 4 bits and palettes are expanded;
- 16 bits become 8 by dropping the low byte, as OpenCV's own 8-bit reading does (exactly for PNG, within one level for
  TIFF), so that a model taught from the same files sees the same; a 16-bit image that stays below 4096 (12-bit data in
  a 16-bit file) is refused, because its true range is unknown;
- transparency is dropped where every pixel is opaque, else the image is refused: what lies behind is unknown;
- a JPEG comes in RGB straight from its decoder; asked for a smaller picture, it is decoded at a half, a quarter or an
  eighth, which the decoder does with the first coefficients of each block (a mean over its pixels, very nearly);
- EXIF orientation is ignored: the camera is bolted to the line, and a rotated header must not turn the part;
- colour profiles and gamma are ignored; bytes after the picture's end are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edge_agent.inspection.image_headers.header import refused
from edge_agent.inspection.image_headers.sniff import read_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_agent.errors import ImageRefusedError
    from edge_agent.inspection.image_headers.header import ImageHeader
    from edge_agent.settings.config import ImageLimits

_LEAST_16_BIT_PEAK = 4_096
_OPAQUE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65_535}
_GREY_ALPHA, _RGB, _RGBA = 2, 3, 4
_JPEG = "jpeg"
# OpenCV names these sizes for grey and for BGR only; the bits are the same for RGB, which stands beside them
_REDUCED = {
    1: 0,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


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
        header = self._header(encoded)
        if header.kind == _JPEG:
            pixels = _jpeg(encoded, header, 1)
        else:
            pixels = _rgb(_eight_bits(_opaque(_raw(encoded, header), header)))
        if _blank(pixels):
            raise refused("image_blank", f"all {_size(header)} pixels are {pixels[0, 0].tolist()}")
        return pixels

    def decode_reduced(self, encoded: bytes, least_side_px: int) -> NDArray[np.uint8] | None:
        """Return the smallest picture with no side below `least_side_px`, uint8 (height, width, 3), RGB; None for what
        is no JPEG, is too small to be halved, or shows nothing at the smaller size.

        Raises:
            ImageRefusedError: with a reason of `REFUSAL_REASONS`.
        """
        header = self._header(encoded)
        divisor = reduction(min(header.width, header.height), least_side_px) if header.kind == _JPEG else 1
        if divisor == 1:
            return None
        pixels = _jpeg(encoded, header, divisor)
        return None if _blank(pixels) else pixels

    def _header(self, encoded: bytes) -> ImageHeader:
        """The header of a file within the station's limits."""
        limits = self._limits
        if len(encoded) > limits.max_bytes:
            raise refused("image_too_large", f"more than {limits.max_bytes} bytes", field="limits.max_bytes")
        header = read_header(encoded)
        size = _size(header)
        if header.width * header.height > limits.max_pixels:
            raise refused("image_too_many_pixels", size, field="limits.max_pixels", value=limits.max_pixels)
        if min(header.width, header.height) < limits.min_side_px:
            raise refused("image_too_small", size, field="limits.min_side_px", value=limits.min_side_px)
        return header


def reduction(side_px: int, least_side_px: int) -> int:
    """The greatest of 1, 2, 4 and 8 that leaves a side at least so long; JPEG rounds a reduced side up.

    >>> [reduction(side, 256) for side in (500, 511, 512, 1023, 1080, 2048, 9000)]
    [1, 2, 2, 4, 4, 8, 8]
    """
    return max(divisor for divisor in _REDUCED if divisor == 1 or -(-side_px // divisor) >= least_side_px)


def _size(header: ImageHeader) -> str:
    return f"{header.width} x {header.height}"


def _blank(pixels: NDArray[np.uint8]) -> bool:
    first = pixels[0, 0]
    return bool((pixels[0] == first).all() and (pixels == first).all())


def _jpeg(encoded: bytes, header: ImageHeader, divisor: int) -> NDArray[np.uint8]:
    """A JPEG in RGB at 1/divisor of its size: one pass, grey repeated and colour ordered by the JPEG decoder itself."""
    flags = _REDUCED[divisor] | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = _decoded(encoded, header, flags)
    want = (-(-header.height // divisor), -(-header.width // divisor), _RGB)
    if pixels.shape != want or pixels.dtype != np.uint8:
        raise _contradicted(pixels, header)
    return pixels.astype(np.uint8, copy=False)


def _raw(encoded: bytes, header: ImageHeader) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The pixels as they stand in the file: any channels, 8 or 16 bits, never rotated."""
    decoded = _decoded(encoded, header, cv2.IMREAD_UNCHANGED)
    if decoded.shape[:2] != (header.height, header.width) or decoded.dtype not in _OPAQUE:
        raise _contradicted(decoded, header)
    if decoded.dtype == np.uint16:
        return decoded.astype(np.uint16, copy=False)
    return decoded.astype(np.uint8, copy=False)


def _decoded(encoded: bytes, header: ImageHeader, flags: int) -> NDArray[Any]:
    try:
        decoded = cv2.imdecode(np.frombuffer(encoded, dtype=np.uint8), flags)
    except cv2.error as error:
        raise refused("image_undecodable", str(error.err or error)) from error
    if decoded is None:
        raise refused("image_undecodable", f"{header.kind} {_size(header)}")
    return decoded


def _contradicted(pixels: NDArray[Any], header: ImageHeader) -> ImageRefusedError:
    found = f"{pixels.shape[1]} x {pixels.shape[0]} {pixels.dtype}"
    return refused("image_damaged", f"the header says {_size(header)}, the pixels are {found}")


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
