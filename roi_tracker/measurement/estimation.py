"""What the programme avoided: the frozen counterfactual minus what was observed, with an honest interval.

avoided = sum over the reporting rows of (expected without the programme - observed). Its error has three parts: the
baseline's own coefficients, the noise of the reporting days (both with long-run variance, audits included) and, as a
floor, the exact sampling error of the audits. A placebo test inside the baseline widens it where the model promised
too much. Physical quantities only; money comes after.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from scipy.stats import t as student

from roi_tracker.measurement.longrun import long_run_covariance
from roi_tracker.measurement.regression import Model, predict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.measurement.panels.panel import Panel

CONFIDENCE = 0.95
"""One-sided; the interval from low to high covers 90 %."""
POWER = 0.80


class BaselineFloor(msgspec.Struct, frozen=True):
    """Exact sampling error of the baseline's audits, as a share of the baseline's outcome."""

    down: float = 0.0
    up: float = 0.0


class Counterfactual(msgspec.Struct, frozen=True):
    """What a measurement takes from a baseline.

    Attributes:
        inflation: factor from the placebo test, at least 1.
    """

    model: Model
    floor: BaselineFloor
    inflation: float


class Estimate(msgspec.Struct, frozen=True):
    """Avoided physical quantity, positive is better.

    Attributes:
        low, high: 90 % interval; `low` is the one-sided 95 % lower bound.
        standard_error: before inflation and floors.
        baseline_error, reporting_error: its two parts.
        minimum_detectable: effect this measurement would have found four times in five.
        days: measured days.
    """

    avoided: float
    low: float
    high: float
    expected: float
    observed: float
    standard_error: float
    baseline_error: float
    reporting_error: float
    dof: float
    inflation: float
    minimum_detectable: float
    days: int

    @property
    def relative(self) -> float:
        """Avoided share of what was expected."""
        return self.avoided / self.expected if self.expected else 0.0


class CumulativePoint(msgspec.Struct, frozen=True):
    """Avoided quantity from the start of reporting up to and including a day; the interval holds for this day alone."""

    day: date
    days: int
    avoided: float
    low: float
    high: float


def estimate(counterfactual: Counterfactual, panel: Panel) -> Estimate:
    """Measure a whole reporting period."""
    return _Measurement(counterfactual, panel).up_to(len(panel.days))


def cumulative(counterfactual: Counterfactual, panel: Panel) -> tuple[CumulativePoint, ...]:
    """The running total at the end of each month and at the last day."""
    measurement = _Measurement(counterfactual, panel)
    points: list[CumulativePoint] = []
    for position, day in enumerate(panel.days):
        last = position + 1 == len(panel.days)
        if last or panel.days[position + 1].month != day.month:
            found = measurement.up_to(position + 1)
            points.append(CumulativePoint(day, found.days, found.avoided, found.low, found.high))
    return tuple(points)


def days_needed(found: Estimate, target_per_day: float) -> int | None:
    """Days of reporting after which a true effect of `target_per_day` would be found four times in five; None when
    the baseline's own error never allows it.
    """
    factor = (float(student.ppf(CONFIDENCE, found.dof)) + float(student.ppf(POWER, found.dof))) * found.inflation
    noise_per_day = found.reporting_error**2 / found.days
    drift = target_per_day**2 - (factor * found.baseline_error / found.days) ** 2
    return int(np.ceil(factor**2 * noise_per_day / drift)) if drift > 0 else None


class _Measurement:
    """Everything that does not depend on the day up to which is counted."""

    def __init__(self, counterfactual: Counterfactual, panel: Panel) -> None:
        self._counterfactual = counterfactual
        self._panel = panel
        prediction = predict(counterfactual.model, panel)
        self._expected = panel.by_day(prediction.rows)
        self._observed = panel.by_day(panel.outcome)
        self._gradient = panel.by_day(prediction.gradient)
        self._noise, self._noise_dof = self._reporting_noise()
        self._audit_down, self._audit_up = (0.0, 0.0) if panel.ruler is None else panel.ruler.margins(CONFIDENCE)

    def _reporting_noise(self) -> tuple[float, int]:
        level = self._observed.sum() / self._expected.sum() if self._expected.sum() else 0.0
        daily: NDArray[np.float64] = self._observed - level * self._expected + self._panel.audit_residual
        found = long_run_covariance(daily[:, None])
        return float(found.covariance[0, 0]), found.dof

    def up_to(self, days: int) -> Estimate:
        model = self._counterfactual.model
        expected, observed = float(self._expected[:days].sum()), float(self._observed[:days].sum())
        gradient = self._gradient[:days].sum(axis=0)
        baseline_variance = float(gradient @ np.array(model.covariance) @ gradient)
        reporting_variance = days * self._noise
        variance = baseline_variance + reporting_variance
        dof = float(model.dof)
        if variance > 0:
            dof = variance**2 / (baseline_variance**2 / model.dof + reporting_variance**2 / self._noise_dof)
        quantile = float(student.ppf(CONFIDENCE, dof))
        share = observed / total if (total := float(self._observed.sum())) else 0.0
        floor = self._counterfactual.floor
        inflation = self._counterfactual.inflation
        margin_low = max(quantile * variance**0.5, float(np.hypot(expected * floor.down, share * self._audit_up)))
        margin_high = max(quantile * variance**0.5, float(np.hypot(expected * floor.up, share * self._audit_down)))
        return Estimate(
            avoided=expected - observed,
            low=expected - observed - inflation * margin_low,
            high=expected - observed + inflation * margin_high,
            expected=expected,
            observed=observed,
            standard_error=variance**0.5,
            baseline_error=baseline_variance**0.5,
            reporting_error=reporting_variance**0.5,
            dof=dof,
            inflation=inflation,
            minimum_detectable=(quantile + float(student.ppf(POWER, dof))) * variance**0.5 * inflation,
            days=days,
        )
