"""The header of an image file and the reasons for which a file is refused."""

from __future__ import annotations

import msgspec

from edge_agent.errors import ImageRefusedError

REFUSAL_REASONS: dict[str, str] = {
    "image_empty": "the file has no content",
    "image_too_large": "more bytes than the station allows",
    "image_too_many_pixels": "more pixels than the station allows",
    "image_too_small": "a side is shorter than the station allows",
    "image_format_unknown": "not an image in a known format",
    "image_format_unsupported": "a kind of image that cannot be shown faithfully",
    "cmyk_unsupported": "a print-colour (CMYK) image, whose camera colours are lost",
    "image_animated": "more than one picture in one file",
    "image_truncated": "the file ends before the picture does",
    "image_damaged": "the file contradicts itself",
    "image_transparent": "parts of the picture are transparent",
    "bit_depth_unclear": "a 16-bit image that uses less than 1/16 of its range",
    "image_undecodable": "the header is sound but the pixels cannot be decoded",
    "image_blank": "every pixel has the same value",
}
"""Every `ImageRefusedError.reason` of this agent with what it means; codes are stable."""


class ImageHeader(msgspec.Struct, frozen=True):
    """What a complete image file declares.

    Attributes:
        kind: file format: `png`, `jpeg`, `bmp`, `tiff`, `webp`.
        width, height: pixels, both 1 or greater.
        bits: bits a sample, 8 or 16 for the decoder (1, 2 and 4 are expanded to 8).
        alpha: a fourth (or second) sample is transparency; False where a fourth sample is padding.
    """

    kind: str
    width: int
    height: int
    bits: int
    alpha: bool


def refused(reason: str, detail: str, *, field: str | None = None, value: object = None) -> ImageRefusedError:
    """An error with one of `REFUSAL_REASONS`, the reason's meaning and what was found.

    >>> refused("image_empty", "0 bytes").reason
    'image_empty'
    """
    return ImageRefusedError(reason, f"{REFUSAL_REASONS[reason]}: {detail}", field=field, value=value)
