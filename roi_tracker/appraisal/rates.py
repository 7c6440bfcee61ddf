"""Internal rates of return: every real one above -100 %, found by construction and not by luck of a starting value.

With u = ln(1 + r) the NPV is f(u) = sum c_k exp(-t_k u). Multiplied by exp(tau u), with tau between two times at
which the signs of c change, its derivative has the coefficients c_k (tau - t_k): the same flows with one sign change
less. Its roots therefore separate those of f (Descartes' rule proved by Rolle's theorem: Polya and Szego, part V),
and between neighbours f exp(tau u) is monotone. Any times will do: years, months, days.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from roi_tracker.appraisal.root_finding import root_between

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

_Floats = npt.NDArray[np.float64]
_TOUCHING = 1e-13
"""Share of the largest term below which a turning point lies on zero: a double root, not a near miss."""
_FURTHEST = 600.0
"""Bound on |ln(1 + r)|: rates beyond it do not fit a float."""
_SAME = 1e-9
_NEAR_TOTAL_LOSS = -0.99


class Irr(msgspec.Struct, frozen=True):
    """Internal rate of return, a ratio a year.

    Attributes:
        value: the rate where exactly one exists.
        exists: False when no real rate above -100 % makes the NPV zero, or none can.
        roots: every real root above -100 %, ascending.
        reason: `unique`, `no_sign_change`, `no_real_root` or `several_roots`.
    """

    value: float | None
    exists: bool
    roots: tuple[float, ...]
    reason: Literal["unique", "no_sign_change", "no_real_root", "several_roots"]


def irr(flows: Sequence[Decimal], times: Sequence[Decimal] | None = None) -> Irr:
    """All internal rates of return.

    Args:
        flows: money in, positive, or out.
        times: years after t0 of each; left out 0, 1, 2, ...

    >>> from decimal import Decimal
    >>> irr([Decimal(-100), Decimal(110)]).roots
    (0.1,)
    >>> irr([Decimal(100), Decimal(110)]).reason
    'no_sign_change'
    >>> irr([Decimal(-100), Decimal(230), Decimal(-132)]).roots
    (0.1, 0.2)
    """
    at: Sequence[Decimal | int] = range(len(flows)) if times is None else times
    together: dict[Decimal | int, Decimal] = {}
    for time, flow in zip(at, flows, strict=True):
        together[time] = together.get(time, 0 * flow) + flow
    points = sorted((time, flow) for time, flow in together.items() if flow != 0)
    if len({flow > 0 for _, flow in points}) < 2:  # noqa: PLR2004 - both signs are needed
        return Irr(None, exists=False, roots=(), reason="no_sign_change")
    scale = max(abs(flow) for _, flow in points)
    coefficients = np.array([float(flow / scale) for _, flow in points])
    when = np.array([float(time) for time, _ in points])
    found = (_tidy(float(np.expm1(root))) for root in _distinct(_roots(coefficients, when)))
    rates = sorted({rate for rate in found if rate > -1})
    if not rates:
        return Irr(None, exists=False, roots=(), reason="no_real_root")
    if len(rates) > 1:
        return Irr(None, exists=True, roots=tuple(rates), reason="several_roots")
    return Irr(rates[0], exists=True, roots=tuple(rates), reason="unique")


def _tidy(rate: float) -> float:
    """The rate to twelve decimals; near -100 % every digit of 1 + rate matters, so it stays as it is."""
    return round(rate, 12) if rate > _NEAR_TOTAL_LOSS else rate


def _distinct(roots: Sequence[float]) -> list[float]:
    kept: list[float] = []
    for root in sorted(roots):
        if not kept or root - kept[-1] > _SAME * max(1.0, abs(root)):
            kept.append(root)
    return kept


def _roots(coefficients: _Floats, times: _Floats) -> list[float]:
    """Roots in u of sum c exp(-t u)."""
    turns = np.flatnonzero(np.signbit(coefficients[1:]) != np.signbit(coefficients[:-1]))
    if not turns.size:
        return []
    middle = turns[turns.size // 2]
    tau = float(times[middle] + times[middle + 1]) / 2
    separators = _distinct(_roots(coefficients * (tau - times), times)) if turns.size > 1 else []

    def scaled(u: float) -> float:
        exponents = -(times - tau) * u
        terms = coefficients * np.exp(exponents - exponents.max())
        return float(terms.sum() / np.abs(terms).sum())

    touching = [point for point in separators if abs(scaled(point)) <= _TOUCHING]
    found = list(touching)
    fences = (None, *separators, None)
    ends = (float(coefficients[-1]), float(coefficients[0]))  # the last flow rules as u falls, the first as it rises
    for left, right in itertools.pairwise(fences):
        if left in touching or right in touching:
            continue  # monotone from a zero: no other one here
        root = _between(scaled, left, right, ends)
        if root is not None:
            found.append(root)
    return found


def _between(
    function: Callable[[float], float], left: float | None, right: float | None, ends: tuple[float, float]
) -> float | None:
    """The root between two separators (None: no bound), where the function is monotone; None where it has no root."""
    at_left = ends[0] if left is None else function(left)
    at_right = ends[1] if right is None else function(right)
    if (at_left > 0) == (at_right > 0):
        return None
    low = _step_out(function, right if right is not None else 0.0, -1, at_left) if left is None else left
    high = _step_out(function, left if left is not None else 0.0, 1, at_right) if right is None else right
    if low is None or high is None:
        return None
    return root_between(function, low, high)


def _step_out(function: Callable[[float], float], start: float, direction: int, wanted: float) -> float | None:
    """A point beyond `start` where the function has the sign of `wanted`; None past every rate a float can hold."""
    step = 0.5
    while step <= 2 * _FURTHEST:
        point = max(-_FURTHEST, min(_FURTHEST, start + direction * step))
        if (function(point) > 0) == (wanted > 0) and function(point) != 0:
            return point
        step *= 2
    return None
