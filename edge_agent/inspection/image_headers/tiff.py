"""TIFF: one page of grey or RGB strips or tiles (TIFF revision 6.0, sections 2 to 8 and 15)."""

from __future__ import annotations

from typing import Literal

from edge_agent.inspection.image_headers.header import ImageHeader, refused

SIGNATURES = (b"II*\x00", b"MM\x00*")
_HEADER = 8
_ENTRY = 12
_FIELD_BYTES = {1: 1, 3: 2, 4: 4}  # BYTE, SHORT, LONG: the types of every tag read here
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _ORIENTATION, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES, _PLANAR = 273, 274, 277, 278, 279, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 322, 323, 324, 325, 338, 339
_WANTED = frozenset(
    {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _ORIENTATION, _SAMPLES, _ROWS_PER_STRIP}
    | {_STRIP_BYTES, _PLANAR, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _EXTRA_SAMPLES, _SAMPLE_FORMAT}
)
_NONE = 1
_LOSSLESS = frozenset({_NONE, 5, 8, 32_773, 32_946})  # none, LZW, deflate, PackBits, old deflate
_BLACK_IS_ZERO, _RGB, _SEPARATED = 1, 2, 5
_UNSIGNED = 1
_UPRIGHT = 1
_ALL_ROWS = 0xFFFF_FFFF


def read(encoded: bytes) -> ImageHeader:
    """Read the first directory and check that every strip or tile is within the file.

    Raises:
        ImageRefusedError: truncated, damaged, several pages, rotated, CMYK, floating point, lossy or planar.
    """
    if len(encoded) < _HEADER:
        raise refused("image_truncated", f"{len(encoded)} bytes")
    order: Literal["little", "big"] = "little" if encoded[:2] == b"II" else "big"
    tags = _directory(encoded, order)
    width, height = _one(tags, _WIDTH), _one(tags, _HEIGHT)
    if not width or not height:
        raise refused("image_damaged", f"size {width} x {height}")
    samples = _one(tags, _SAMPLES, 1)
    bits = set(tags.get(_BITS, (1,)))
    _refuse_unfaithful(tags, samples, bits)
    depth = bits.pop()
    _pieces_within(encoded, tags, (width, height), samples * depth // 8)
    return ImageHeader("tiff", width, height, depth, alpha=samples in {2, 4})


def _directory(encoded: bytes, order: Literal["little", "big"]) -> dict[int, tuple[int, ...]]:
    at = int.from_bytes(encoded[4:8], order)
    count = int.from_bytes(encoded[at : at + 2], order)
    end = at + 2 + count * _ENTRY
    if at < _HEADER or end + 4 > len(encoded):
        raise refused("image_truncated", "the directory is not within the file")
    if int.from_bytes(encoded[end : end + 4], order):
        raise refused("image_animated", "a TIFF of several pages")
    tags: dict[int, tuple[int, ...]] = {}
    for entry in range(at + 2, end, _ENTRY):
        tag = int.from_bytes(encoded[entry : entry + 2], order)
        if tag in _WANTED:
            tags[tag] = _values(encoded, entry, order)
    return tags


def _values(encoded: bytes, entry: int, order: Literal["little", "big"]) -> tuple[int, ...]:
    size = _FIELD_BYTES.get(int.from_bytes(encoded[entry + 2 : entry + 4], order))
    count = int.from_bytes(encoded[entry + 4 : entry + 8], order)
    if size is None or not count:
        raise refused("image_damaged", "a tag of an impossible type")
    inline = size * count <= 4  # noqa: PLR2004 - values of up to four bytes stand in the entry itself
    start = entry + 8 if inline else int.from_bytes(encoded[entry + 8 : entry + 12], order)
    if start + size * count > len(encoded):
        raise refused("image_truncated", "a tag's values are not within the file")
    return tuple(int.from_bytes(encoded[i : i + size], order) for i in range(start, start + size * count, size))


def _refuse_unfaithful(tags: dict[int, tuple[int, ...]], samples: int, bits: set[int]) -> None:
    photometric = _one(tags, _PHOTOMETRIC)
    if photometric == _SEPARATED:
        raise refused("cmyk_unsupported", "separated inks")
    unsupported = {
        f"photometric interpretation {photometric}": photometric not in {_BLACK_IS_ZERO, _RGB},
        f"{samples} samples a pixel": samples not in ({1, 2} if photometric == _BLACK_IS_ZERO else {3, 4}),
        f"bits a sample {sorted(bits)}": bits not in ({8}, {16}),
        "floating point or signed samples": set(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))) != {_UNSIGNED},
        f"compression {_one(tags, _COMPRESSION, _NONE)}": _one(tags, _COMPRESSION, _NONE) not in _LOSSLESS,
        "separate colour planes": _one(tags, _PLANAR, 1) != 1,
        f"orientation {_one(tags, _ORIENTATION, _UPRIGHT)}": _one(tags, _ORIENTATION, _UPRIGHT) != _UPRIGHT,
    }
    for what, holds in unsupported.items():
        if holds:
            raise refused("image_format_unsupported", f"TIFF with {what}")


def _pieces_within(encoded: bytes, tags: dict[int, tuple[int, ...]], size: tuple[int, int], pixel_bytes: int) -> None:
    width, height = size
    if _TILES in tags:
        tile_width, tile_height = _one(tags, _TILE_WIDTH), _one(tags, _TILE_HEIGHT)
        if not tile_width or not tile_height:
            raise refused("image_damaged", "tiles without a size")
        offsets, lengths = tags[_TILES], tags.get(_TILE_BYTES, ())
        pieces = -(-width // tile_width) * -(-height // tile_height)
        needed = tile_width * tile_height * pixel_bytes * pieces
    else:
        rows = min(_one(tags, _ROWS_PER_STRIP, _ALL_ROWS), height)
        if not rows:
            raise refused("image_damaged", "strips of no rows")
        offsets, lengths = tags.get(_STRIPS, ()), tags.get(_STRIP_BYTES, ())
        pieces, needed = -(-height // rows), width * height * pixel_bytes
    if len(offsets) != pieces or len(lengths) != pieces:
        raise refused("image_damaged", f"{len(offsets)} pieces where {pieces} belong")
    if any(start + length > len(encoded) for start, length in zip(offsets, lengths, strict=True)):
        raise refused("image_truncated", "a piece of the picture is not within the file")
    if not all(lengths) or (_one(tags, _COMPRESSION, _NONE) == _NONE and sum(lengths) < needed):
        raise refused("image_truncated", f"{sum(lengths)} of {needed} bytes of pixels")


def _one(tags: dict[int, tuple[int, ...]], tag: int, default: int = 0) -> int:
    return tags.get(tag, (default,))[0]
