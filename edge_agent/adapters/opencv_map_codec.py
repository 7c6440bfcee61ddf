"""Anomaly maps as small 8-bit PNG pictures, to be kept as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD_LEVEL = 128
"""Grey level of the model's threshold, so that a map can be read without its model."""


def encode_map(anomaly_map: NDArray[np.float32], threshold: float) -> bytes:
    """Encode a float32 (h, w) map as PNG; level 128 is the threshold, 255 twice the threshold or more.

    Raises:
        ValueError: the map is not two-dimensional.
    """
    if anomaly_map.ndim != 2:  # noqa: PLR2004 - height and width
        message = f"an anomaly map is (h, w), not {anomaly_map.shape}"
        raise ValueError(message)
    scale = THRESHOLD_LEVEL / threshold if threshold > 0 else 1.0
    levels = np.clip(np.nan_to_num(anomaly_map, nan=2 * threshold) * scale, 0, 255).astype(np.uint8)
    encoded, data = cv2.imencode(".png", levels)
    if not encoded:
        message = f"OpenCV could not encode a map of {anomaly_map.shape}"
        raise ValueError(message)
    return data.tobytes()
