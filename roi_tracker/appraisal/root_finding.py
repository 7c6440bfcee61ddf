"""A root between two points of opposite sign, to the precision of a float.

Chandrupatla's method: inverse quadratic interpolation where the three latest points promise it, bisection elsewhere, so
that the bracket always shrinks (Advances in Engineering Software 28, 1997, pages 145-149). Importing scipy.optimize for
its `brentq` takes longer than a whole appraisal; the tests hold both against each other.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_EPSILON = math.ulp(1.0)
_MOST_STEPS = 300


def root_between(function: Callable[[float], float], low: float, high: float, tolerance: float = 1e-15) -> float:
    """Where a continuous function is zero.

    Args:
        function: of opposite sign, or zero, at the two ends.
        low: one end.
        high: the other.
        tolerance: absolute, beside four units in the last place of the root.

    Raises:
        ValueError: both ends have the same sign.

    >>> root_between(lambda x: x * x - 2, 0.0, 2.0)  # doctest: +ELLIPSIS
    1.414213562373095...
    """
    newest, opposite = high, low
    at_newest, at_opposite = function(newest), function(opposite)
    if at_newest and at_opposite and (at_newest > 0) == (at_opposite > 0):
        raise ValueError(f"no change of sign between {low!r} and {high!r}")
    share = 0.5
    for _ in range(_MOST_STEPS):
        best, at_best = (newest, at_newest) if abs(at_newest) < abs(at_opposite) else (opposite, at_opposite)
        width = abs(opposite - newest)
        reach = 2 * _EPSILON * abs(best) + tolerance / 2
        if at_best == 0 or width <= 2 * reach:
            return best
        share = min(1 - reach / width, max(reach / width, share))
        point = newest + share * (opposite - newest)
        at_point = function(point)
        if (at_point > 0) == (at_newest > 0):
            oldest, at_oldest = newest, at_newest
        else:
            oldest, at_oldest = opposite, at_opposite
            opposite, at_opposite = newest, at_newest
        newest, at_newest = point, at_point
        share = _share((newest, at_newest), (opposite, at_opposite), (oldest, at_oldest))
    return newest  # pragma: no cover - bisection alone ends sooner


def _share(newest: tuple[float, float], opposite: tuple[float, float], oldest: tuple[float, float]) -> float:
    """Where between the newest and the opposite point to look next: by interpolation, or in the middle."""
    (x1, f1), (x2, f2), (x3, f3) = newest, opposite, oldest
    if f3 in {f1, f2} or x3 == x2:
        return 0.5
    along, up = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
    if not 0 <= along <= 1 or not 1 - math.sqrt(1 - along) < up < math.sqrt(along):
        return 0.5
    return f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
