from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.adapters.opencv_decoder import OpencvDecoder
from edge_agent.errors import ImageRefusedError
from edge_agent.inspection.image_headers.header import REFUSAL_REASONS
from edge_agent.inspection.image_headers.sniff import read_header
from edge_agent.settings.config import ImageLimits

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECODER = OpencvDecoder(ImageLimits(min_side_px=1))
WIDTH, HEIGHT = 50, 40


def picture(seed: int = 0) -> NDArray[np.uint8]:
    """A smooth BGR picture of 50 x 40."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (5, 5), 0).astype(np.uint8)


def encoded(suffix: str, pixels: NDArray[np.uint8] | NDArray[np.uint16], *options: int) -> bytes:
    done, data = cv2.imencode(suffix, pixels, list(options))
    assert done
    return data.tobytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(size: tuple[int, int], rows: bytes, *, depth: int = 8, colour: int = 2, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def refusal(data: bytes, limits: ImageLimits | None = None) -> str:
    decoder = OpencvDecoder(limits) if limits else DECODER
    with pytest.raises(ImageRefusedError) as caught:
        decoder.decode(data)
    assert caught.value.reason in REFUSAL_REASONS
    return caught.value.reason


# ---- what is decoded --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff"])
def test_lossless_formats_give_the_exact_pixels_in_rgb_order(suffix: str) -> None:
    pixels = picture()
    decoded = DECODER.decode(encoded(suffix, pixels))
    assert decoded.dtype == np.uint8
    assert decoded.flags.c_contiguous
    np.testing.assert_array_equal(decoded, pixels[:, :, ::-1])


def test_lossless_webp_gives_the_exact_pixels() -> None:
    pixels = picture()
    np.testing.assert_array_equal(DECODER.decode(encoded(".webp", pixels, 64, 101)), pixels[:, :, ::-1])


@pytest.mark.parametrize(
    "data",
    [
        encoded(".jpg", picture()),
        encoded(".jpg", picture(), cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encoded(".jpg", picture(), cv2.IMWRITE_JPEG_RST_INTERVAL, 3),
        encoded(".jpg", picture(), cv2.IMWRITE_JPEG_RST_INTERVAL, 1, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encoded(".jpg", picture(), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
        encoded(".jpg", picture(), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
        encoded(".webp", picture(), cv2.IMWRITE_WEBP_QUALITY, 80),
    ],
    ids=["baseline", "progressive", "restarts", "progressive-restarts", "444", "411", "webp"],
)
def test_lossy_formats_give_the_picture_nearly(data: bytes) -> None:
    difference = DECODER.decode(data).astype(int) - picture()[:, :, ::-1]
    assert np.abs(difference).mean() < 12


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff"])
def test_grey_is_repeated_into_three_channels(suffix: str) -> None:
    decoded = DECODER.decode(encoded(suffix, picture()[:, :, 0]))
    assert decoded.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(decoded[:, :, 0], decoded[:, :, 2])


def test_fill_bytes_before_a_marker_belong_to_no_picture_data() -> None:
    data = encoded(".jpg", picture())
    filled = data[:-2] + b"\xff\xff\xff\xd9"
    np.testing.assert_array_equal(DECODER.decode(filled), DECODER.decode(data))
    scan = data.rindex(b"\xff\xda")
    begin = scan + 2 + int.from_bytes(data[scan + 2 : scan + 4], "big")
    for end in (b"\xff\xd9", b"\xff\xff\xff\xd9"):
        assert refusal(data[:begin] + end) == "image_truncated"


# ---- smaller pictures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("least", "size"), [(64, None), (32, (38, 50)), (20, (38, 50)), (19, (19, 25)), (10, (10, 13)), (2, (10, 13))]
)
def test_a_jpeg_is_decoded_as_small_as_the_model_allows(least: int, size: tuple[int, int] | None) -> None:
    data = encoded(".jpg", cv2.resize(picture(), (100, 76)).astype(np.uint8))
    reduced = DECODER.decode_reduced(data, least)
    assert (reduced.shape[:2] if reduced is not None else None) == size
    if reduced is not None:
        divisor = -(-100 // reduced.shape[1])
        rows, columns = 76 // divisor, 100 // divisor
        whole = DECODER.decode(data)[: rows * divisor, : columns * divisor].astype(int)
        means = whole.reshape(rows, divisor, columns, divisor, 3).mean(axis=(1, 3))
        assert np.abs(reduced[:rows, :columns] - means).mean() < 3


def test_a_smaller_grey_or_rotated_jpeg_is_as_the_full_one() -> None:
    grey = encoded(".jpg", picture()[:, :, 0])
    reduced = DECODER.decode_reduced(grey, 20)
    assert reduced is not None
    assert reduced.shape == (20, 25, 3)
    np.testing.assert_array_equal(reduced[:, :, 0], reduced[:, :, 2])
    rotated = encoded(".jpg", picture())
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    rotated = rotated[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + rotated[2:]
    turned = DECODER.decode_reduced(rotated, 20)
    assert turned is not None
    assert turned.shape == (20, 25, 3)
    assert DECODER.decode(rotated).shape == (40, 50, 3)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp"])
def test_only_a_jpeg_has_a_smaller_picture(suffix: str) -> None:
    assert DECODER.decode_reduced(encoded(suffix, picture()), 2) is None


def test_a_smaller_picture_that_shows_nothing_leaves_it_to_the_full_one() -> None:
    checkered = np.indices((64, 64)).sum(axis=0) % 2 * 2 + 127
    data = encoded(".jpg", checkered.astype(np.uint8), cv2.IMWRITE_JPEG_QUALITY, 100)
    assert np.ptp(DECODER.decode(data)) > 0
    assert DECODER.decode_reduced(data, 8) is None


def test_a_smaller_picture_is_refused_as_the_full_one() -> None:
    data = encoded(".jpg", picture())
    with pytest.raises(ImageRefusedError) as caught:
        DECODER.decode_reduced(data[:-40], 10)
    assert caught.value.reason == refusal(data[:-40])
    with pytest.raises(ImageRefusedError) as caught:
        OpencvDecoder(ImageLimits(max_pixels=1_024)).decode_reduced(data, 10)
    assert caught.value.reason == "image_too_many_pixels"


@pytest.mark.parametrize(("suffix", "levels"), [(".png", 0), (".tiff", 1)])
def test_16_bits_lose_their_low_byte_as_in_opencvs_own_8_bit_reading(suffix: str, levels: int) -> None:
    wide = picture().astype(np.uint16) * 256 + 255
    data = encoded(suffix, wide)
    decoded = DECODER.decode(data)
    np.testing.assert_array_equal(decoded, picture()[:, :, ::-1])
    taught = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert taught is not None
    assert np.abs(decoded.astype(int) - taught[:, :, ::-1]).max() <= levels


def test_one_bit_palette_and_grey_are_expanded() -> None:
    rows = (b"\0" + bytes([0b01010000])) * 2
    palette = chunk(b"PLTE", bytes([1, 2, 3, 200, 100, 50]))
    decoded = DECODER.decode(png((4, 2), rows, depth=1, colour=3, extra=palette))
    assert decoded[0].tolist() == [[1, 2, 3], [200, 100, 50], [1, 2, 3], [200, 100, 50]]
    assert DECODER.decode(png((4, 2), rows, depth=1, colour=0))[0, :, 0].tolist() == [0, 255, 0, 255]


def test_opaque_alpha_is_dropped_and_padding_of_a_bitmap_is_no_alpha() -> None:
    opaque = np.dstack([picture(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    np.testing.assert_array_equal(DECODER.decode(encoded(".png", opaque)), picture()[:, :, ::-1])
    pixels = np.dstack([picture(), np.zeros((HEIGHT, WIDTH), np.uint8)])[::-1].tobytes()
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 32, 0, 0, 0, 0, 0, 0)
    bitmap = b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + header + pixels
    np.testing.assert_array_equal(DECODER.decode(bitmap), picture()[:, :, ::-1])


def test_exif_orientation_does_not_turn_the_part() -> None:
    plain = encoded(".jpg", picture())
    tags = b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0" + tags
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    following = cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR)
    assert following is not None
    assert following.shape == (WIDTH, HEIGHT, 3)  # the header is one that OpenCV would follow
    np.testing.assert_array_equal(DECODER.decode(turned), DECODER.decode(plain))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff", ".webp"])
def test_bytes_after_the_picture_change_nothing(suffix: str) -> None:
    data = encoded(suffix, picture())
    np.testing.assert_array_equal(DECODER.decode(data + b"PK\x03\x04 polyglot <script>"), DECODER.decode(data))


# ---- what is refused --------------------------------------------------------------------------------------------


def test_a_small_file_that_inflates_to_gigabytes_is_refused_by_its_header() -> None:
    bomb = png((60_000, 30_000), b"\0" * 100_000)
    assert len(bomb) < 1_000
    assert refusal(bomb, ImageLimits()) == "image_too_many_pixels"


def test_limits_of_bytes_pixels_and_sides() -> None:
    data = encoded(".png", picture())
    assert refusal(data, ImageLimits(max_bytes=len(data) - 1)) == "image_too_large"
    assert OpencvDecoder(ImageLimits(max_bytes=len(data), max_pixels=2_000)).decode(data).shape == (40, 50, 3)
    assert refusal(data, ImageLimits(max_pixels=1_999)) == "image_too_many_pixels"
    assert refusal(data, ImageLimits(min_side_px=41)) == "image_too_small"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff", ".webp"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.999])
def test_a_truncated_file_is_refused(suffix: str, share: float) -> None:
    data = encoded(suffix, picture())
    assert refusal(data[: int(len(data) * share)]) in {"image_truncated", "image_format_unknown"}


def test_a_jpeg_cut_short_and_closed_is_refused_when_restart_markers_tell() -> None:
    data = encoded(".jpg", picture(), cv2.IMWRITE_JPEG_RST_INTERVAL, 1)
    assert refusal(data[: int(len(data) * 0.8)] + b"\xff\xd9") == "image_truncated"


def test_a_progressive_jpeg_without_its_last_scans_is_refused() -> None:
    data = encoded(".jpg", picture(), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    last_scan = data.rindex(b"\xff\xda")
    assert refusal(data[:last_scan] + b"\xff\xd9") == "image_truncated"


def test_restart_markers_out_of_order_are_refused() -> None:
    data = encoded(".jpg", picture(), cv2.IMWRITE_JPEG_RST_INTERVAL, 1)
    assert refusal(data.replace(b"\xff\xd1", b"\xff\xd5", 1)) == "image_damaged"


@pytest.mark.parametrize("value", [0, 255, 77])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_a_frame_of_one_value_is_refused(suffix: str, value: int) -> None:
    assert refusal(encoded(suffix, np.full((HEIGHT, WIDTH, 3), value, np.uint8))) == "image_blank"


def test_one_different_pixel_is_not_blank() -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[-1, -1, 0] = 1
    assert DECODER.decode(encoded(".png", pixels)).sum() == 1


def test_transparency_12_bits_in_16_and_animations_are_refused() -> None:
    veiled = np.dstack([picture(), np.full((HEIGHT, WIDTH), 254, np.uint8)])
    assert refusal(encoded(".png", veiled)) == "image_transparent"
    assert refusal(encoded(".png", picture().astype(np.uint16) * 16)) == "bit_depth_unclear"
    rows = b"".join(b"\0" + bytes(picture()[y].tobytes()) for y in range(HEIGHT))
    animated = png((WIDTH, HEIGHT), rows, extra=chunk(b"acTL", struct.pack(">II", 2, 0)))
    assert refusal(animated) == "image_animated"


def test_cmyk_is_refused() -> None:
    plain = encoded(".jpg", picture(), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
    at = plain.index(b"\xff\xc0")
    frame = plain[at : at + 2] + struct.pack(">H", 20) + plain[at + 4 : at + 9] + b"\x04" + plain[at + 10 : at + 19]
    assert refusal(plain[:at] + frame + b"\x04\x11\x00" + plain[at + 19 :]) == "cmyk_unsupported"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "image_empty"),
        (b"\x89PN", "image_truncated"),
        (b"hello", "image_format_unknown"),
        (b"GIF89a" + bytes(40), "image_format_unsupported"),
        (b"%PDF-1.7", "image_format_unsupported"),
        (b"<svg xmlns=''/>", "image_format_unsupported"),
        (b"\xff\xd8\xff\xd9", "image_truncated"),
        (png((0, 5), b""), "image_damaged"),
        (b"II*\0" + struct.pack("<I", 8) + bytes(30), "image_damaged"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, reason: str) -> None:
    assert refusal(data) == reason


def test_pixels_that_end_before_the_header_says_are_refused_although_all_checksums_are_right() -> None:
    rows = b"".join(b"\0" + bytes(picture()[y].tobytes()) for y in range(HEIGHT // 2))
    assert refusal(png((WIDTH, HEIGHT), rows)) == "image_undecodable"


@pytest.mark.parametrize(
    ("tag", "value", "reason"),
    [
        (262, 5, "cmyk_unsupported"),  # separated inks
        (274, 6, "image_format_unsupported"),  # rotated
        (284, 2, "image_format_unsupported"),  # separate planes
        (257, 41, "image_truncated"),  # one row more than there is
        (256, 0, "image_damaged"),
    ],
)
def test_a_tiff_that_cannot_be_shown_faithfully_is_refused(tag: int, value: int, reason: str) -> None:
    tags = {256: WIDTH, 257: HEIGHT, 258: 8, 259: 1, 262: 1, 274: 1, 277: 1, 284: 1, 278: 100}
    pixels = picture()[:, :, 0].tobytes()

    def written(changed: dict[int, int]) -> bytes:
        entries = {**changed, 273: 8, 279: len(pixels)}
        directory = b"".join(struct.pack("<HHII", number, 4, 1, entries[number]) for number in sorted(entries))
        head = b"II*\0" + struct.pack("<I", 8 + len(pixels))
        return head + pixels + struct.pack("<H", len(entries)) + directory + bytes(4)

    np.testing.assert_array_equal(DECODER.decode(written(tags))[:, :, 0], picture()[:, :, 0])
    assert refusal(written({**tags, tag: value})) == reason


# ---- whatever comes ---------------------------------------------------------------------------------------------


def _whole_or_refused(data: bytes) -> None:
    reasons: list[str] = []
    try:
        decoded = DECODER.decode(data)
    except ImageRefusedError as error:
        reasons.append(error.reason)
    else:
        header = read_header(data)
        assert decoded.shape == (header.height, header.width, 3)
        assert decoded.dtype == np.uint8
    assert REFUSAL_REASONS.keys() >= set(reasons)


_WHOLE = {suffix: encoded(suffix, picture()) for suffix in (".png", ".jpg", ".bmp", ".tiff", ".webp")}
_WHOLE[".progressive.jpg"] = encoded(".jpg", picture(), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"RIFF"]), st.binary())
def test_random_bytes_never_crash(magic: bytes, data: bytes) -> None:
    _whole_or_refused(magic + data)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(sorted(_WHOLE)), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 7)), max_size=4))
def test_flipped_bits_give_the_whole_picture_or_a_refusal(which: str, flips: list[tuple[int, int]]) -> None:
    data = bytearray(_WHOLE[which])
    for position, bit in flips:
        data[position % len(data)] ^= 1 << bit
    _whole_or_refused(bytes(data))


@settings(max_examples=200, deadline=None)
@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_flipped_bit_of_a_png_is_always_seen(position: int, bit: int) -> None:
    data = bytearray(_WHOLE[".png"])
    data[position % len(data)] ^= 1 << bit
    with pytest.raises(ImageRefusedError):
        DECODER.decode(bytes(data))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(_WHOLE)), st.integers(0, 10_000))
def test_no_prefix_of_a_file_is_taken_for_the_whole(which: str, length: int) -> None:
    data = _WHOLE[which]
    with pytest.raises(ImageRefusedError):
        DECODER.decode(data[: length % len(data)])
