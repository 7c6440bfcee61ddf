"""Whether a short weekly series moves: the Mann-Kendall test, exact in its variance, no shape assumed."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Trend = Literal["rising", "falling", "steady", "too_short"]
SHORTEST = 6
"""Weeks; on fewer the normal approximation is poor and almost nothing but a strict order could be told from noise."""
_TWO_SIDED_10 = NormalDist().inv_cdf(0.95)


def trend(values: Sequence[float]) -> Trend:
    """Direction of a series at two-sided 10 %, normal approximation with continuity correction and ties.

    Source: Mann (1945), Kendall (1975).

    >>> trend([9, 8, 8, 7, 6, 5, 5, 4]), trend([5, 6, 5, 6, 5, 6, 5, 6]), trend([1, 2])
    ('falling', 'steady', 'too_short')
    """
    count = len(values)
    if count < SHORTEST:
        return "too_short"
    score = sum(
        (later > earlier) - (later < earlier) for place, earlier in enumerate(values) for later in values[place + 1 :]
    )
    ties = [values.count(value) for value in set(values)]
    variance = (count * (count - 1) * (2 * count + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    if variance <= 0 or abs(score) <= 1:
        return "steady"
    z = (abs(score) - 1) / variance**0.5
    if z < _TWO_SIDED_10:
        return "steady"
    return "rising" if score > 0 else "falling"
