"""Which image format a file is in, by its first bytes and never by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.inspection.image_headers import bmp, jpeg, png, tiff, webp
from edge_agent.inspection.image_headers.header import refused

if TYPE_CHECKING:
    from edge_agent.inspection.image_headers.header import ImageHeader

_FOREIGN = {
    b"GIF8": "GIF (256 colours; a camera does not write it)",
    b"%PDF": "PDF",
    b"PK\x03\x04": "ZIP",
    b"<svg": "SVG",
    b"<?xm": "XML",
    b"\x1f\x8b": "gzip",
    b"P5": "PGM",
    b"P6": "PPM",
}


def read_header(encoded: bytes) -> ImageHeader:
    """Read the header and check that the file is complete, without decoding a pixel.

    Bytes after the end of the picture are ignored in every format: they change no pixel.

    Raises:
        ImageRefusedError: not a supported image, truncated, or in contradiction with itself.

    >>> read_header(b"hello, this is no image")
    Traceback (most recent call last):
    edge_agent.errors.ImageRefusedError: not an image in a known format: it begins with b'hello, this '
    """
    if not encoded:
        raise refused("image_empty", "0 bytes")
    if encoded.startswith(png.SIGNATURE):
        return png.read(encoded)
    if encoded.startswith(jpeg.SIGNATURE):
        return jpeg.read(encoded)
    if encoded.startswith(tiff.SIGNATURES):
        return tiff.read(encoded)
    if encoded.startswith(b"RIFF") and encoded[8:12] in {b"WEBP", b"WEB", b"WE", b"W", b""}:
        return webp.read(encoded)
    if encoded.startswith(bmp.SIGNATURE):
        return bmp.read(encoded)
    for magic, name in _FOREIGN.items():
        if encoded.startswith(magic):
            raise refused("image_format_unsupported", name)
    if any(signature.startswith(encoded) for signature in (png.SIGNATURE, jpeg.SIGNATURE, *tiff.SIGNATURES, b"RIFF")):
        raise refused("image_truncated", f"{len(encoded)} bytes")
    raise refused("image_format_unknown", f"it begins with {encoded[:12]!r}")
