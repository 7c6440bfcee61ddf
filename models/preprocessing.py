"""How pixels become the network's input: one description, built into the graph for teaching and for running alike.

The graph takes uint8 RGB of any size; resizing and exposure are nodes of the graph, so teaching and running cannot
differ. With fixed grey values (exposure `none`) the normalisation is folded into the first convolution and costs
nothing. This file only describes the steps and gives their arithmetic after the resize in numpy, for parity checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from models.errors import TeachingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# EfficientNet-lite was trained on (value - 127) / 128.
PIXEL_MEAN = 127.0
PIXEL_SCALE = 128.0
# Exposure is set to this spread of grey values, about that of a well exposed photograph; the floor keeps the noise of
# a nearly uniform image from being blown up to full contrast.
EXPOSURE_SPREAD = 50.0
EXPOSURE_FLOOR = 8.0
SIZE_STEP = 16
MIN_SIZE = 64
MAX_SIZE = 1024


class ImagePreprocessing(msgspec.Struct, frozen=True):
    """What happens to an image before the network.

    Attributes:
        size: side of the square the image is resized to, linear with antialiasing, pixels.
        exposure: `image` sets mean and spread of each image to fixed values, so that drifting light does not count as
            an anomaly; `none` keeps grey values as they are.
    """

    size: int = 256
    exposure: Literal["image", "none"] = "image"

    def __post_init__(self) -> None:
        if self.size % SIZE_STEP or not MIN_SIZE <= self.size <= MAX_SIZE:
            raise TeachingError(
                "the image size does not fit the network",
                field="size",
                value=self.size,
                hint=f"use a multiple of {SIZE_STEP} from {MIN_SIZE} to {MAX_SIZE}",
            )


def normalise(resized: NDArray[np.float32], preprocessing: ImagePreprocessing) -> NDArray[np.float32]:
    """What the graph does after the resize, in numpy: float32 (n, 3, h, w) of 0 to 255 to the network's input.

    >>> flat = np.full((1, 3, 2, 2), 127, np.float32)
    >>> float(np.abs(normalise(flat, ImagePreprocessing(exposure="none"))).max())
    0.0
    """
    if preprocessing.exposure == "none":
        return ((resized - np.float32(PIXEL_MEAN)) / np.float32(PIXEL_SCALE)).astype(np.float32)
    centred = resized - resized.mean(axis=(1, 2, 3), keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=(1, 2, 3), keepdims=True))
    scaled = centred * np.float32(EXPOSURE_SPREAD / PIXEL_SCALE) / (spread + np.float32(EXPOSURE_FLOOR))
    return np.asarray(scaled, dtype=np.float32)
