"""How well scores separate good from defective parts: ranking, escapes at a fixed overkill, pixels, intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Scores = NDArray[np.float64]

BOOTSTRAP_ROUNDS = 1000
INTERVAL = 0.95
PRO_MAX_FALSE_POSITIVE = 0.3
_LEVELS = 4096


class Interval(msgspec.Struct, frozen=True):
    """A figure with its bootstrap interval."""

    value: float
    low: float
    high: float


class PixelFigures(msgspec.Struct, frozen=True):
    """How well maps find the marked pixels.

    Attributes:
        pixel_auroc: over all pixels of all images.
        pro: per-region overlap (Bergmann et al. 2020), area up to 30 % false positive pixels, scaled to 0-1.
    """

    pixel_auroc: float
    pro: float


def auroc(good: Scores, bad: Scores) -> float:
    """Probability that a defective part scores above a good one, ties counted half.

    >>> auroc(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.875
    """
    ordered = np.sort(good)
    below = np.searchsorted(ordered, bad, side="left") + np.searchsorted(ordered, bad, side="right")
    return float(below.mean() / (2 * good.size))


def average_precision(good: Scores, bad: Scores) -> float:
    """Area under precision over recall, as the step sum; equal scores enter together.

    >>> average_precision(np.array([1.0, 2.0]), np.array([3.0, 1.5]))
    0.8333333333333333
    """
    cuts = np.unique(bad)[::-1]
    found = bad.size - np.searchsorted(np.sort(bad), cuts, side="left")
    false = good.size - np.searchsorted(np.sort(good), cuts, side="left")
    precision = found / (found + false)
    return float((precision * np.diff(found, prepend=0)).sum() / bad.size)


def escape_at_overkill(good: Scores, bad: Scores, overkill: float) -> float:
    """Share of defective parts that pass when at most `overkill` of the good parts fail.

    The limit is the smallest one that this share of good scores reaches at most, so equal scores cannot cheat.

    >>> escape_at_overkill(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.5, 5.0]), overkill=0.25)
    0.0
    >>> escape_at_overkill(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.5, 5.0]), overkill=0.0)
    0.5
    """
    ordered = np.sort(good)
    allowed = int(np.floor(overkill * good.size + 1e-9))
    # a part fails when it scores above every good part that must pass
    highest_passing = ordered[good.size - allowed - 1] if allowed < good.size else -np.inf
    return float((bad <= highest_passing).mean())


def bootstrap_auroc(good: Scores, bad: Scores, *, seed: int = 0, rounds: int = BOOTSTRAP_ROUNDS) -> Interval:
    """AUROC with its 95 % percentile interval, good and defective parts drawn anew each by itself."""
    rng = np.random.default_rng(seed)
    drawn = [auroc(rng.choice(good, good.size), rng.choice(bad, bad.size)) for _ in range(rounds)]
    low, high = np.quantile(drawn, [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2])
    return Interval(auroc(good, bad), float(low), float(high))


def pixel_figures(
    maps: Sequence[NDArray[np.float32]], masks: Sequence[NDArray[np.bool_] | None]
) -> PixelFigures | None:
    """Pixel AUROC and PRO of maps against masks; a mask of None is a good part.

    Each map is enlarged to its mask (good parts: to the size of the first mask). Scores are counted in 4096 levels.
    None when no pixel is marked.
    """
    first = next((mask for mask in masks if mask is not None and mask.any()), None)
    if first is None:
        return None
    low = min(float(m.min()) for m in maps)
    step = max(max(float(m.max()) for m in maps) - low, 1e-12) / _LEVELS
    clean = np.zeros(_LEVELS)
    marked = np.zeros(_LEVELS)
    regions: list[NDArray[np.float64]] = []
    for anomaly_map, mask in zip(maps, masks, strict=True):
        truth = mask if mask is not None else np.zeros(first.shape, dtype=bool)
        height, width = truth.shape
        enlarged = cv2.resize(anomaly_map, (width, height), interpolation=cv2.INTER_LINEAR)
        level = np.minimum(((enlarged - low) / step).astype(np.int64), _LEVELS - 1)
        clean += np.bincount(level[~truth], minlength=_LEVELS)
        marked += np.bincount(level[truth], minlength=_LEVELS)
        count, labels = cv2.connectedComponents(truth.astype(np.uint8), connectivity=8)
        for index in range(1, count):
            region = np.bincount(level[labels == index], minlength=_LEVELS)
            regions.append(region / region.sum())
    false_rate = np.cumsum(clean[::-1]) / clean.sum()
    true_rate = np.cumsum(marked[::-1]) / marked.sum()
    overlap = np.cumsum(np.mean(regions, axis=0)[::-1])
    return PixelFigures(
        pixel_auroc=_area(false_rate, true_rate, 1.0),
        pro=_area(false_rate, overlap, PRO_MAX_FALSE_POSITIVE) / PRO_MAX_FALSE_POSITIVE,
    )


def _area(x: Scores, y: Scores, up_to: float) -> float:
    """Area under a curve through the origin, by the trapezoidal rule, for x from 0 to `up_to`."""
    x, y = np.concatenate([[0.0], x]), np.concatenate([[0.0], y])
    # the first point at or beyond the end: where the curve rises upright there, the rise does not count
    last = int(np.searchsorted(x, up_to, side="left"))
    share = (up_to - x[last - 1]) / (x[last] - x[last - 1])
    end = y[last - 1] + share * (y[last] - y[last - 1])
    return float(np.trapezoid(np.append(y[:last], end), np.append(x[:last], up_to)))
