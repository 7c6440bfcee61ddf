"""Quantiles of Student's t, the normal, the beta and Fisher's F, without importing scipy.stats for seconds."""

from __future__ import annotations

from scipy import special


def student_quantile(probability: float, dof: float) -> float:
    """Value below which Student's t lies with a probability.

    >>> round(student_quantile(0.95, 10), 4)
    1.8125
    """
    return float(special.stdtrit(dof, probability))


def student_tail(value: float, dof: float) -> float:
    """Probability that Student's t exceeds a value.

    >>> round(student_tail(1.8125, 10), 4)
    0.05
    """
    return float(special.stdtr(dof, -value))


def normal_quantile(probability: float) -> float:
    """Value below which the standard normal lies with a probability.

    >>> round(normal_quantile(0.975), 4)
    1.96
    """
    return float(special.ndtri(probability))


def beta_quantile(probability: float, successes: float, failures: float) -> float:
    """Value below which a beta variable lies with a probability.

    >>> round(beta_quantile(0.95, 1, 59), 4)  # none of 59: up to 5 %
    0.0495
    """
    return float(special.betaincinv(successes, failures, probability))


def fisher_exceeded(tail: float, numerator: float, denominator: float) -> float:
    """Value that Fisher's F exceeds with a probability.

    >>> round(fisher_exceeded(0.05, 6, 20), 2)
    2.6
    """
    return float(special.fdtri(numerator, denominator, 1.0 - tail))
