"""Variance of sums of autocorrelated series, honest in small samples.

The equally weighted cosine estimator with Student t quantiles of its own degrees of freedom: Lazarus, Lewis, Stock
and Watson, "HAR Inference: Recommendations for Practice", Journal of Business & Economic Statistics 36(4), 2018.
Newey-West with normal quantiles rejects a true null 6-12 % of the time at a nominal 5 %; this does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BASIS_FACTOR = 0.4
_BASIS_POWER = 2 / 3
MINIMUM_BASES = 2


@dataclass(frozen=True)
class LongRun:
    """Long-run covariance of a (days, k) series.

    Attributes:
        covariance: (k, k); the variance of a sum over n days is n times this.
        dof: degrees of freedom of the estimate (number of cosines).
    """

    covariance: NDArray[np.float64]
    dof: int


def long_run_covariance(series: NDArray[np.float64]) -> LongRun:
    """Estimate the long-run covariance from the lowest cosine frequencies; a constant level does not matter.

    Args:
        series: (days, k) in time order, at least 6 days.

    >>> alternating = np.tile([[1.0], [-1.0]], (50, 1))
    >>> bool(long_run_covariance(alternating).covariance[0, 0] < 0.1)  # the variance of a day is 1, but it cancels
    True
    """
    days = series.shape[0]
    bases = max(MINIMUM_BASES, int(_BASIS_FACTOR * days**_BASIS_POWER))
    position = (np.arange(days) + 0.5) / days
    frequencies = np.arange(1, bases + 1)[:, None]
    cosines = np.sqrt(2.0 / days) * np.cos(np.pi * frequencies * position[None, :])
    transformed = cosines @ series
    return LongRun(transformed.T @ transformed / bases, bases)


def effective_days(series: NDArray[np.float64]) -> float:
    """How many independent days carry the information of this (days,) series; at most its length."""
    variance = float(np.var(series))
    long_run = float(long_run_covariance(series[:, None]).covariance[0, 0])
    if variance == 0 or long_run <= 0:
        return float(len(series))
    return float(min(len(series), len(series) * variance / long_run))


def lag_one_autocorrelation(series: NDArray[np.float64]) -> float:
    """Correlation of a (days,) series with itself a day earlier; 0 for a constant one."""
    centred = series - series.mean()
    power = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / power if power > 0 else 0.0
