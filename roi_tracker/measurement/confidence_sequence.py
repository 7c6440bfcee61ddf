"""An interval that may be looked at every day: it holds on all days at once, however often somebody looks.

Normal-mixture confidence sequence (Robbins, Annals of Mathematical Statistics 41, 1970; Howard, Ramdas, McAuliffe and
Sekhon, Annals of Statistics 49(2), 2021), with the long-run standard deviation of a day. The baseline's own error is
the same on all days, so it gets a share of alpha of its own: its coefficients' confidence set, widened by the tube
formula (Naiman, Annals of Statistics 14, 1986; Sun and Loader, Annals of Statistics 22(3), 1994) for the ways in
which a changing mix of lines and products asks different questions of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.measurement.quantiles import normal_quantile, student_quantile, student_tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOISE_SHARE = 0.3
"""Share of alpha that the noise of the reporting days gets; the rest is for the baseline's coefficients, which is the
larger error wherever reporting outlasts the baseline."""
TIGHTEST_DAY = 90.0
"""Day of reporting on which the sequence is tightest: a quarter, when most programmes are judged."""


def noise_radius(days: int, alpha: float, dof: float) -> float:
    """Bound on the absolute sum of `days` days of unit long-run variance, on all days at once with 1 - alpha.

    Args:
        days: days so far, at least 1.
        alpha: chance of being wrong on any day, both sides together.
        dof: degrees of freedom of the standard deviation that the bound will be multiplied by.

    >>> round(noise_radius(90, 0.05, 1e9) / 90**0.5, 2)  # 1.96 on a single registered day
    3.04
    """
    density = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha)) + 1) / TIGHTEST_DAY
    spread = days * density + 1
    radius = (2 * spread / density * np.log(spread**0.5 / alpha)) ** 0.5
    estimated = student_quantile(1 - alpha / 2, dof) / normal_quantile(1 - alpha / 2)
    return float(radius) * estimated


def root_of(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, k) R with R R' = covariance; where outcomes never vary it is zero but for rounding, and has no Cholesky root.

    >>> root_of(np.zeros((2, 2))).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    try:
        return np.linalg.cholesky(covariance + 1e-12 * np.trace(covariance) * np.eye(len(covariance)))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)), dtype=np.float64)


def path_length(directions: NDArray[np.float64]) -> float:
    """Length on the unit sphere of the path of (steps, k) directions; 0 where the mix never changes."""
    size = np.linalg.norm(directions, axis=1)
    unit = directions[size > 0] / size[size > 0, None]
    cosine = np.clip((unit[1:] * unit[:-1]).sum(axis=1), -1.0, 1.0)
    return float(np.arccos(cosine).sum())


def baseline_factor(length: float, alpha: float, dof: float) -> float:
    """Standard errors by which the baseline's error is bounded along a path of questions, all at once with 1 - alpha.

    Args:
        length: length of the path on the unit sphere.
        alpha: chance of being wrong anywhere on it, both sides together.
        dof: degrees of freedom of the standard errors.

    >>> round(baseline_factor(0.0, 0.05, 1e9), 2)  # one question: the ordinary quantile
    1.96
    """

    def wrong(factor: float) -> float:
        tube = length / np.pi * (1 + factor**2 / dof) ** (-dof / 2)
        return float(tube + 2 * student_tail(factor, dof))

    low, high = 0.0, 1.0
    while wrong(high) > alpha:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if wrong(middle) > alpha else (low, middle)
    return high
