from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge_agent.adapters.file_evidence import FileEvidence
from edge_agent.adapters.opencv_map_codec import encode_map
from edge_agent.errors import ImageRefusedError
from edge_agent.status.pictures import (
    LONGEST_SIDE_PX,
    Pictures,
    decode_map,
    decode_small,
    draw_heat,
    image_type,
)
from tests.edge_agent.status.rig import part_image, part_map

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def encoded(suffix: str, pixels: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(suffix, pixels)
    assert done
    return data.tobytes()


def bomb() -> bytes:
    """A small PNG that would inflate to 40,000 x 40,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_below_the_threshold_the_picture_is_untouched_and_above_it_is_marked() -> None:
    pixels = np.full((80, 100, 3), 90, np.uint8)
    values = np.full((8, 10), 0.5, np.float32)
    values[4, 5] = 3.0

    drawn = draw_heat(pixels, decode_map(encode_map(values, 1.0)))

    assert drawn.shape == (80, 100, 3)
    assert (drawn[:20, :30] == 90).all()
    assert (drawn[45, 55] != 90).any()
    assert (drawn == 255).all(axis=2).any(), "a white line around what is above the threshold"


def test_a_large_picture_is_brought_to_screen_size() -> None:
    pixels = np.zeros((1_200, 4_000, 3), np.uint8)
    pixels[:, 2_000:] = (0, 0, 255)  # OpenCV writes blue, green, red

    small = decode_small(encoded(".png", pixels))

    assert small.shape == (288, LONGEST_SIDE_PX, 3)
    assert small[100, 900].tolist() == [255, 0, 0]


def test_a_small_picture_keeps_its_size() -> None:
    assert decode_small(part_image(size=(320, 240))).shape == (240, 320, 3)


def test_a_large_grey_jpeg_is_read_at_reduced_size() -> None:
    assert decode_small(part_image(None, size=(2_400, 1_800))).shape == (720, 960, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bomb(), "image_too_many_pixels"),
        (part_image()[:2_000], "image_truncated"),
        (b"<html><script>alert(1)</script>", "image_format_unknown"),
        (b"", "image_empty"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_it_costs_memory(content: bytes, reason: str) -> None:
    with pytest.raises(ImageRefusedError) as refusal:
        decode_small(content)

    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    "content",
    [bomb(), part_image(), encoded(".png", np.zeros((8, 8, 3), np.uint8)), b"\x89PNG", part_map()[:60]],
    ids=["bomb", "jpeg", "colour", "short", "cut"],
)
def test_only_a_small_grey_png_is_a_map(content: bytes) -> None:
    with pytest.raises(ImageRefusedError) as refusal:
        decode_map(content)

    assert refusal.value.reason == "not_an_anomaly_map"


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [
        (".png", "image/png"),
        (".jpg", "image/jpeg"),
        (".bmp", "image/bmp"),
        (".tiff", "image/tiff"),
        (".webp", "image/webp"),
    ],
)
def test_media_types_by_content(suffix: str, media_type: str) -> None:
    assert image_type(encoded(suffix, np.zeros((16, 16, 3), np.uint8))) == media_type


def test_text_is_no_image() -> None:
    assert image_type(b"<svg xmlns='http://www.w3.org/2000/svg'/>") is None


def test_the_newest_pictures_are_kept_rendered(tmp_path: Path) -> None:
    evidence = FileEvidence(tmp_path / "evidence")
    digest, heat = evidence.put(part_image()), evidence.put(part_map())
    pictures = Pictures(evidence)

    first = pictures.overlay(digest, heat)

    assert first is not None
    assert pictures.overlay(digest, heat) is first
    assert pictures.preview(digest) != first
    assert pictures.overlay(digest, "0" * 64) is None
    assert pictures.preview("0" * 64) is None
