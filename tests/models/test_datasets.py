from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.datasets import ImageBytes, ImageFile, data_digest, decode, encode_png, list_images, read_mask
from models.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path


def test_png_keeps_every_colour_in_place() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [1, 2, 3]]], dtype=np.uint8)
    np.testing.assert_array_equal(decode(ImageBytes("a.png", encode_png(pixels))), pixels)


def test_a_grey_image_becomes_three_equal_channels() -> None:
    grey = np.array([[0, 7], [128, 255]], dtype=np.uint8)
    np.testing.assert_array_equal(decode(ImageBytes("g.png", encode_png(grey))), np.repeat(grey[:, :, None], 3, axis=2))


def test_exif_rotation_is_not_applied() -> None:
    import cv2

    done, jpeg = cv2.imencode(".jpg", np.zeros((10, 20, 3), np.uint8))
    assert done
    # an APP1 segment with orientation 6 (turn by 90 degrees), put after the start marker
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
    exif = b"Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01" + entry + b"\x00\x00\x00\x00"
    turned = jpeg.tobytes()[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg.tobytes()[2:]
    with_rotation = cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR)
    assert with_rotation is not None
    assert with_rotation.shape == (20, 10, 3)
    assert decode(ImageBytes("turned.jpg", turned)).shape == (10, 20, 3)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_bytes_that_are_no_image(content: bytes) -> None:
    with pytest.raises(DatasetError, match="not an image that can be decoded"):
        decode(ImageBytes("x.png", content))


def test_images_are_listed_in_path_order_and_other_files_left_out(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/2.PNG", "a.jpg", "notes.txt", "c.bmp"):
        (tmp_path / name).write_bytes(b"")
    assert [image.path.relative_to(tmp_path).as_posix() for image in list_images(tmp_path)] == [
        "a.jpg",
        "b/2.PNG",
        "c.bmp",
    ]


def test_no_folder_no_images_no_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        list_images(tmp_path / "none")
    with pytest.raises(DatasetError, match="no images"):
        list_images(tmp_path)
    with pytest.raises(DatasetError, match="cannot be read"):
        ImageFile(tmp_path / "none.png").read()


def test_a_mask_is_what_lies_above_half(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(encode_png(np.array([[127, 128]], dtype=np.uint8)))
    assert read_mask(tmp_path / "m.png").tolist() == [[False, True]]


def test_the_data_digest_knows_no_order_but_every_file() -> None:
    assert data_digest(["a", "b"]) == data_digest(["b", "a"])
    assert data_digest(["a", "b"]) != data_digest(["a", "b", "b"])
