"""Arithmetic that fails on one benefit line's data is that line's refusal, with its reason, and stops no other line."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from roi_tracker.baseline.rules import check
from roi_tracker.errors import TrackerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roi_tracker.baseline.rules import Check, PeriodName
    from roi_tracker.measurement.estimation import Estimate
    from roi_tracker.measurement.regression import Model

FAILURES = (ArithmeticError, LookupError, RuntimeError, TrackerError, ValueError)
"""What corrupt data makes of arithmetic: singular matrices (`LinAlgError` is a `ValueError`), infinities, a deviance
that is no number. A `TypeError` or `AttributeError` is a fault of the program, and is not taken for one of the data."""
_LONGEST = 200


def not_computed(period: PeriodName, failure: Exception) -> Check:
    """The rule that failed because of a failure.

    Args:
        period: of the data it failed on.
        failure: what arithmetic said.
    """
    said = " ".join(str(failure).split())[:_LONGEST]
    return check("computed", period, passed=False, reason=f"{type(failure).__name__}: {said}" if said else "-")


def computed(period: PeriodName, found: Estimate) -> Check:
    """Whether every figure of an estimate is a number: no comparison with one that is not means anything."""
    figures = {
        "avoided": found.avoided,
        "low": found.low,
        "high": found.high,
        "expected": found.expected,
        "observed": found.observed,
        "minimum_detectable": found.minimum_detectable,
    }
    return _all_numbers(period, figures)


def finite_model(model: Model) -> Check:
    """Whether every figure of a fitted baseline is a number; one that is not could not even be hashed."""
    figures = dict(zip(model.specification.columns, model.coefficients, strict=True))
    figures |= {
        f"variance of {name}": row[i] for i, (name, row) in enumerate(zip(figures, model.covariance, strict=True))
    }
    figures |= {"variance of a day": model.day_variance, "mean of a day": model.day_mean, "trend": model.trend_t}
    return _all_numbers("baseline", figures)


def _all_numbers(period: PeriodName, figures: Mapping[str, float]) -> Check:
    odd = [f"{name} = {value}" for name, value in figures.items() if not isfinite(value)]
    return check("computed", period, passed=not odd, reason="; ".join(odd)[:_LONGEST] or "-")
