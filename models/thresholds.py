"""Decision limits from the scores of good parts that the model had not seen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from models.errors import TeachingError
from models.manifest import DecisionLimits

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_HELD_OUT = 5


def limits_from_good(
    scores: NDArray[np.float64], *, expected_overkill: float, expected_review: float
) -> DecisionLimits:
    """Limits that about `expected_overkill` of good parts reach, with a REVIEW band for `expected_review` more.

    The limit lies just above the order statistic of rank ceil((n + 1)(1 - share)), which a new good part exceeds
    with at most that share (split conformal prediction, Vovk et al. 2005). With too few scores for a share the limit
    is the largest score, and the manifest states the larger share, 1 / (n + 1).

    Raises:
        TeachingError: fewer than five finite scores, or shares outside 0 to 0.5.

    >>> limits = limits_from_good(np.arange(1.0, 100.0), expected_overkill=0.02, expected_review=0.08)
    >>> round(limits.threshold, 3), round(limits.review_from, 3), limits.expected_overkill
    (98.0, 90.0, 0.02)
    """
    finite = np.sort(scores[np.isfinite(scores)])
    if finite.size < MIN_HELD_OUT:
        raise TeachingError(
            "too few held-out good parts for a threshold", field="good parts", value=int(finite.size), hint="add images"
        )
    if not (0 < expected_overkill < 0.5 and 0 <= expected_review < 0.5):  # noqa: PLR2004 - half of all good parts
        raise TeachingError(
            "expected overkill and review must be shares below one half",
            field="expected_overkill",
            value=(expected_overkill, expected_review),
        )
    threshold, overkill = _upper_limit(finite, expected_overkill)
    review_from, reached = _upper_limit(finite, expected_overkill + expected_review)
    return DecisionLimits(
        threshold=threshold,
        review_from=min(review_from, threshold),
        origin="held_out_good_quantile",
        expected_overkill=overkill,
        expected_review=max(0.0, round(reached - overkill, 12)),
        n_held_out=int(finite.size),
    )


def verdict_of(score: float, limits: DecisionLimits) -> str:
    """The verdict the limits give a score; a score that is not finite gives none.

    >>> limits = DecisionLimits(2.0, 1.0, "held_out_good_quantile", 0.01, 0.05, 100)
    >>> [verdict_of(score, limits) for score in (0.5, 1.0, 2.0, math.nan)]
    ['PASS', 'REVIEW', 'FAIL', 'NO_VERDICT']
    """
    if not math.isfinite(score):
        return "NO_VERDICT"
    if score >= limits.threshold:
        return "FAIL"
    return "REVIEW" if score >= limits.review_from else "PASS"


def _upper_limit(ordered: NDArray[np.float64], share: float) -> tuple[float, float]:
    n = ordered.size
    # 1e-9 keeps (n + 1)(1 - share) = 98.00000000000001 from becoming rank 99
    rank = math.ceil((n + 1) * (1 - share) - 1e-9)
    if rank > n:
        rank, share = n, 1 / (n + 1)
    # scores at or above a limit reach it, so the limit must lie above the order statistic itself
    return float(np.nextafter(np.float32(ordered[rank - 1]), np.float32(np.inf))), share
