"""How far an audit reaches in time: a rate pooled over a period says nothing of the weeks in which nobody audited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR_DAYS = 16
"""An audit speaks for this many days before and after it: one a month leaves no day out."""
FAIR_SHARE = 0.25
"""Parts audited near a day, against those that the period's own rate would give, before the day counts as audited: a
first week audited to the last part does not speak for a month with two samples.
"""
_TELLING = 8.0
"""Audited parts expected in a window before their absence tells anything: by chance alone, fewer than a quarter of 8
come in 0.3 % of windows (Poisson). Sparse audits are asked of over a longer window.
"""


def reached(
    days: NDArray[np.integer[Any]], parts: NDArray[np.number[Any]], audited: NDArray[np.number[Any]]
) -> NDArray[np.bool_]:
    """Days whose parts were audited near in time, at a fair share of the period's own rate.

    Args:
        days: (days,) ordinals with parts of one line, product, inspection and verdict, ascending.
        parts: (days,) parts of each day.
        audited: (days,) of them, audited.

    Returns:
        (days,) True where audits reach the day; nowhere without any audit.

    >>> days = np.arange(60)
    >>> first_week = np.where(days < 7, 40.0, 0.0)
    >>> int(reached(days, np.full(60, 500.0), first_week).sum())  # to day 6 + 16
    23
    >>> bool(reached(days, np.full(60, 500.0), np.full(60, 2.0)).all())
    True
    """
    total = parts.sum()
    if not len(days) or total <= 0 or audited.sum() <= 0:
        return np.zeros(len(days), dtype=np.bool_)
    expected = _sums(parts * (audited.sum() / total))
    seen = _sums(audited)
    found = np.zeros(len(days), dtype=np.bool_)
    open_ = np.ones(len(days), dtype=np.bool_)
    width = NEAR_DAYS
    while open_.any():
        low, high = np.searchsorted(days, days - width), np.searchsorted(days, days + width, side="right")
        due = expected[high] - expected[low]
        told = open_ & ((due >= _TELLING) | ((low == 0) & (high == len(days))))
        found[told] = (seen[high] - seen[low])[told] >= FAIR_SHARE * due[told]
        open_ &= ~told
        width *= 2
    return found


def _sums(values: NDArray[np.number[Any]]) -> NDArray[np.float64]:
    """Running sums that begin at 0."""
    return np.concatenate(([0.0], np.cumsum(values))).astype(np.float64)
