"""Limits of a share that was counted on a sample, on one registered day and on all days at once.

One day: Clopper and Pearson, Biometrika 26, 1934: exact, and honest where nothing was found. All days at once: the
beta-binomial mixture (Robbins, Annals of Mathematical Statistics 41, 1970), whose likelihood ratio exceeds 1 / alpha
at any time with a probability of at most alpha (Ville's inequality).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from scipy import special

from roi_tracker.measurement.quantiles import beta_quantile

if TYPE_CHECKING:
    from collections.abc import Callable

_PRIOR = 0.5
"""Jeffreys' prior as the mixture: narrow where shares are near 0 or 1, as those of audits are."""
_STEPS = 60


class Share(msgspec.Struct, frozen=True):
    """A counted share.

    Attributes:
        found: of the parts looked at, those that were so.
        tried: parts looked at, drawn at random.
        population: parts drawn from; 0 where the share is that of a process, not of these parts.
    """

    found: int
    tried: int
    population: int = 0

    @property
    def value(self) -> float:
        """The share, 0 where nobody looked."""
        return self.found / self.tried if self.tried else 0.0


class Limits(msgspec.Struct, frozen=True):
    """Bounds of a share, each by itself at the confidence asked for."""

    low: float
    high: float


def exact_limits(share: Share, confidence: float) -> Limits:
    """One-sided limits after Clopper and Pearson, drawn in by what of the population was looked at.

    >>> found = exact_limits(Share(0, 59), 0.95)
    >>> (found.low, round(found.high, 4))
    (0.0, 0.0495)
    >>> exact_limits(Share(0, 0), 0.95)  # nobody looked: anything may be
    Limits(low=0.0, high=1.0)
    """
    if not share.tried:
        return Limits(0.0, 1.0)
    found, rest, tail = share.found, share.tried - share.found, 1 - confidence
    low = beta_quantile(tail, found, rest + 1) if found else 0.0
    high = beta_quantile(1 - tail, found + 1, rest) if rest else 1.0
    unseen = max(0.0, 1.0 - share.tried / share.population) ** 0.5 if share.population else 1.0
    return Limits(share.value - (share.value - low) * unseen, share.value + (high - share.value) * unseen)


def anytime_limits(share: Share, alpha: float) -> Limits:
    """Limits that hold at all numbers of parts at once, both sides together with 1 - alpha.

    >>> found = anytime_limits(Share(5, 100), 0.05)
    >>> (round(found.low, 4), round(found.high, 4))  # Clopper and Pearson: 0.0164 to 0.1128
    (0.0071, 0.1558)
    """
    if not share.tried:
        return Limits(0.0, 1.0)
    found, rest = share.found, share.tried - share.found
    mixed = special.betaln(found + _PRIOR, rest + _PRIOR) - special.betaln(_PRIOR, _PRIOR)

    def outside(level: float) -> bool:
        return bool(mixed - special.xlogy(found, level) - special.xlog1py(rest, -level) > -np.log(alpha))

    return Limits(_border(outside, 0.0, share.value), _border(outside, 1.0, share.value))


def _border(outside: Callable[[float], bool], far: float, inside: float) -> float:
    """Where a level stops being refused, between one that may be refused and one that is not."""
    if not outside(far):
        return far
    for _ in range(_STEPS):
        middle = (far + inside) / 2
        far, inside = (middle, inside) if outside(middle) else (far, middle)
    return far
