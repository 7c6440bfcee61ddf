"""Folders of images as data sets: which files, in which order, and how each becomes pixels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import msgspec
import numpy as np

from models.errors import DatasetError
from models.manifest import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
# What the camera delivered is judged: no rotation by EXIF, which an agent reading raw frames would not apply either.
_READ_FLAGS = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


class EncodedImage(Protocol):
    """An image with a name, still encoded."""

    @property
    def name(self) -> str:
        """What people know it by."""
        ...

    def read(self) -> bytes:
        """The encoded bytes; may read a file."""
        ...


class ImageFile(msgspec.Struct, frozen=True):
    """An image in a file."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            DatasetError: the file cannot be read.
        """
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise DatasetError(f"the image cannot be read: {error.strerror}", field="file", value=self.name) from error


class ImageBytes(msgspec.Struct, frozen=True):
    """An image that is in memory already."""

    name: str
    content: bytes

    def read(self) -> bytes:
        """The bytes."""
        return self.content


def list_images(folder: Path) -> list[ImageFile]:
    """All images below a folder, in path order, subfolders included.

    Raises:
        DatasetError: no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise DatasetError("no such folder", field="folder", value=str(folder), hint="give a folder of images")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    if not found:
        raise DatasetError(
            "no images in the folder",
            field="folder",
            value=str(folder),
            hint=f"images end in {', '.join(sorted(IMAGE_SUFFIXES))}",
        )
    return [ImageFile(path) for path in found]


def decode(image: EncodedImage) -> NDArray[np.uint8]:
    """Pixels of an image: uint8 (h, w, 3), RGB.

    Raises:
        DatasetError: the bytes are no image.
    """
    content = np.frombuffer(image.read(), dtype=np.uint8)
    pixels = cv2.imdecode(content, _READ_FLAGS) if content.size else None
    if pixels is None:
        raise DatasetError(
            "the file is not an image that can be decoded", field="file", value=image.name, hint="remove or replace it"
        )
    return np.asarray(pixels, dtype=np.uint8)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels (h, w, 3) RGB, or (h, w) grey, as PNG bytes."""
    ordered = pixels if pixels.ndim == 2 else pixels[:, :, ::-1]  # noqa: PLR2004 - a grey image has two axes
    done, content = cv2.imencode(".png", np.ascontiguousarray(ordered))
    if not done:
        raise DatasetError("an image cannot be written as PNG", field="shape", value=pixels.shape)
    return content.tobytes()


def read_mask(path: Path) -> NDArray[np.bool_]:
    """A defect mask (h, w); True where the grey value is above 127.

    Raises:
        DatasetError: the file is no image.
    """
    return np.asarray(decode(ImageFile(path))[:, :, 0] > 127)  # noqa: PLR2004 - half of the grey range


def data_digest(digests: Sequence[str]) -> str:
    """One digest for a set of files, whatever their order.

    >>> data_digest(["b", "a"]) == data_digest(["a", "b"])
    True
    """
    return digest_of("\n".join(sorted(digests)).encode())
