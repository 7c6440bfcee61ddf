"""Round positions on an axis, shared by all charts."""

from __future__ import annotations

import math

_WANTED = 5


def nice_ticks(low: float, high: float) -> tuple[float, ...]:
    """About five round positions that enclose [low, high].

    >>> nice_ticks(0.0, 9.3)
    (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)
    """
    span = (high - low) or 1.0
    raw = span / _WANTED
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return tuple(round(index * step, 10) for index in range(first, last + 1))
