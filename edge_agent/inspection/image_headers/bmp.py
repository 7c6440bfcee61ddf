"""BMP: uncompressed Windows bitmaps with a BITMAPINFOHEADER or a later one."""

from __future__ import annotations

from edge_agent.inspection.image_headers.header import ImageHeader, refused

SIGNATURE = b"BM"
_FILE_HEADER = 14
_INFO_HEADER = 40
_UNCOMPRESSED = 0
_DEPTHS = (8, 24, 32)


def read(encoded: bytes) -> ImageHeader:
    """Read the header and check that all rows are within the file.

    The fourth byte of an uncompressed 32-bit pixel is padding, not transparency.

    Raises:
        ImageRefusedError: truncated, damaged, compressed, or of a depth other than 8, 24 or 32 bits a pixel.
    """
    if len(encoded) < _FILE_HEADER + _INFO_HEADER:
        raise refused("image_truncated", f"{len(encoded)} bytes")
    pixels_at = int.from_bytes(encoded[10:14], "little")
    header_bytes = int.from_bytes(encoded[14:18], "little")
    width = int.from_bytes(encoded[18:22], "little", signed=True)
    height = abs(int.from_bytes(encoded[22:26], "little", signed=True))
    bits = int.from_bytes(encoded[28:30], "little")
    compression = int.from_bytes(encoded[30:34], "little")
    if header_bytes < _INFO_HEADER or width <= 0 or not height or pixels_at < _FILE_HEADER + header_bytes:
        raise refused("image_damaged", "impossible bitmap header")
    if compression != _UNCOMPRESSED or bits not in _DEPTHS:
        raise refused("image_format_unsupported", f"BMP with {bits} bits a pixel, compression {compression}")
    row = (width * bits + 31) // 32 * 4
    if pixels_at + row * height > len(encoded):
        raise refused("image_truncated", f"{len(encoded)} of {pixels_at + row * height} bytes")
    return ImageHeader("bmp", width, height, bits=8, alpha=False)
