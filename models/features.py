"""Causal features of one window of sensor values: the level and the spread of every channel.

Only values inside the window count, never its position or the time since a start: on some public test sets an alarm
by position alone beats published detectors. The graph builds the same features; this is their reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURE_NAMES = ("level", "spread")


def window_features(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean, then standard deviation, of each channel: (n, rows, channels) to (n, 2 * channels).

    >>> window_features(np.array([[[1.0, 5.0], [3.0, 5.0]]])).tolist()
    [[2.0, 5.0, 1.0, 0.0]]
    """
    return np.concatenate([windows.mean(axis=1), windows.std(axis=1)], axis=1)


def feature_channels(channels: int) -> NDArray[np.int64]:
    """Which channel each feature belongs to.

    >>> feature_channels(2).tolist()
    [0, 1, 0, 1]
    """
    return np.tile(np.arange(channels), len(FEATURE_NAMES))
