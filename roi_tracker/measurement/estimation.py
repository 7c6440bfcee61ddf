"""What the programme avoided: the frozen counterfactual minus what was observed, with an honest interval.

avoided = sum over the reporting rows of (expected without the programme - observed). Its error has three parts: the
baseline's own coefficients, the noise of the reporting days (both with long-run variance, audits included) and, as a
floor, the exact sampling error of the audits. A placebo test inside the baseline widens it where the model promised
too much. Physical quantities only; money comes after.

Two intervals. On a closing date that was registered beforehand the ordinary one holds. On any other day somebody chose
to look, so only the anytime-valid one does: it holds on all days at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from roi_tracker.measurement import confidence_sequence
from roi_tracker.measurement.longrun import noise_of
from roi_tracker.measurement.quantiles import student_quantile
from roi_tracker.measurement.regression import Model, predict

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from roi_tracker.measurement.panels.panel import Panel

CONFIDENCE = 0.95
"""One-sided; the interval from low to high covers 90 %."""
POWER = 0.80
IntervalKind = Literal["closing", "anytime"]
_LEAST_SHARE = 1e-3
"""Smallest ratio of expected to baseline outcome for which the noise of one says something about the other."""
_FEWEST_DAYS = 5
_MOST_DAYS = 36_525
"""A century: what shows no sooner never does."""
_LEAST_LEVEL = 0.25
"""Where less than a quarter is left, what is left is mostly counting noise, which does not scale."""


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
        interval: whether `low` and `high` hold on this day alone (`closing`) or on all days at once (`anytime`).
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
    interval: IntervalKind = "closing"

    @property
    def relative(self) -> float:
        """Avoided share of what was expected."""
        return self.avoided / self.expected if self.expected else 0.0


class CumulativePoint(msgspec.Struct, frozen=True):
    """Avoided quantity from the start of reporting up to and including a day.

    Attributes:
        low, high: 90 %, on this day alone where it is a registered closing date, else on all days at once.
    """

    day: date
    days: int
    avoided: float
    low: float
    high: float
    interval: IntervalKind = "closing"


@dataclass(frozen=True)
class Contrast:
    """A measurement reduced to days, whatever its design; all sums run over the days.

    Attributes:
        days: measured days.
        expected: (days,) outcome expected without the programme.
        observed: (days,) outcome.
        gradient: (days, k) derivative of avoided by the model's coefficients.
        noise: (days,) what is left of a day once the effect itself is taken out; its long-run variance counts.
        baseline_noise: (baseline days,) the same days' figure before the programme.
        baseline_level: mean outcome of a baseline day, to which its noise belongs.
        audit_down, audit_up: exact sampling error of the reporting audits.
        linear: the noise does not grow with the level.
        floor_error: an error that no number of days removes (few control lines), in units of the whole outcome.
        floor_dof: its degrees of freedom.
    """

    days: tuple[date, ...]
    expected: NDArray[np.float64]
    observed: NDArray[np.float64]
    gradient: NDArray[np.float64]
    noise: NDArray[np.float64]
    baseline_noise: NDArray[np.float64]
    baseline_level: float
    audit_down: float = 0.0
    audit_up: float = 0.0
    linear: bool = False
    floor_error: float = 0.0
    floor_dof: float = 1.0


def before_and_after(counterfactual: Counterfactual, panel: Panel) -> Contrast:
    """Reduce an interrupted time series: the frozen baseline is all there is to compare with."""
    model = counterfactual.model
    prediction = predict(model, panel)
    expected, observed = panel.by_day(prediction.rows), panel.by_day(panel.outcome)
    down, up = (0.0, 0.0) if panel.ruler is None else panel.ruler.margins(CONFIDENCE)
    return Contrast(
        days=panel.days,
        expected=expected,
        observed=observed,
        gradient=prediction.gradient,
        noise=left_over(observed, expected, linear=model.family == "linear") + panel.audit_residual,
        baseline_noise=np.array(model.daily),
        baseline_level=model.day_mean,
        audit_down=down,
        audit_up=up,
        linear=model.family == "linear",
    )


def left_over(observed: NDArray[np.float64], expected: NDArray[np.float64], *, linear: bool) -> NDArray[np.float64]:
    """(days,) what a day deviates by, the programme's effect taken out: on the scale of what would have happened
    without it, because it is that day's bad or good luck that the counterfactual does not know. Good luck at 70 % of
    the defects would have been as much more at 100 %.
    """
    if linear or expected.sum() <= 0:
        return observed - expected
    level = observed.sum() / expected.sum()
    deviation: NDArray[np.float64] = (observed - level * expected) / min(1.0, max(level, _LEAST_LEVEL))
    return deviation


def estimate(counterfactual: Counterfactual, panel: Panel, interval: IntervalKind = "closing") -> Estimate:
    """Measure a whole reporting period against the frozen baseline alone."""
    return Measurement(counterfactual, before_and_after(counterfactual, panel)).whole(interval)


def cumulative(
    counterfactual: Counterfactual, panel: Panel, closing_days: Collection[date] = ()
) -> tuple[CumulativePoint, ...]:
    """The running total at the end of each month and at the last day, against the frozen baseline alone."""
    return Measurement(counterfactual, before_and_after(counterfactual, panel)).points(closing_days)


def days_needed(found: Estimate, target_per_day: float) -> int | None:
    """Days of reporting after which a true effect of `target_per_day` would be found four times in five, by the
    interval that the estimate carries; None when the baseline's own error never allows it.
    """
    if target_per_day <= 0:
        return None
    if found.interval == "anytime":
        return _days_needed_anytime(found, target_per_day)
    factor = (student_quantile(CONFIDENCE, found.dof) + student_quantile(POWER, found.dof)) * found.inflation
    noise_per_day = found.reporting_error**2 / found.days
    drift = target_per_day**2 - (factor * found.baseline_error / found.days) ** 2
    return int(np.ceil(factor**2 * noise_per_day / drift)) if drift > 0 else None


def _days_needed_anytime(found: Estimate, target_per_day: float) -> int | None:
    """What is detectable falls, per day, as days go by: the baseline's part of the margin grows with them, the
    noise's more slowly.
    """
    power, alpha = student_quantile(POWER, found.dof), 2 * (1 - CONFIDENCE) * confidence_sequence.NOISE_SHARE
    day_error, baseline_error = found.reporting_error / found.days**0.5, found.baseline_error / found.days
    margin = found.minimum_detectable / found.inflation - power * found.standard_error
    noise = day_error * confidence_sequence.noise_radius(found.days, alpha, found.dof)
    of_baseline = max(0.0, margin - noise) / found.days

    def shows(days: int) -> bool:
        radius = day_error * confidence_sequence.noise_radius(days, alpha, found.dof)
        error = float(np.hypot(baseline_error * days, day_error * days**0.5))
        return bool(found.inflation * (of_baseline * days + radius + power * error) <= target_per_day * days)

    if not shows(_MOST_DAYS):
        return None
    low, high = 0, _MOST_DAYS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high


class Measurement:
    """A contrast and its intervals up to any day; everything that does not depend on the day is computed once."""

    def __init__(self, counterfactual: Counterfactual, contrast: Contrast) -> None:
        self._counterfactual = counterfactual
        self._contrast = contrast
        self._covariance = np.array(counterfactual.model.covariance)
        self._gradients = contrast.gradient.cumsum(axis=0)

    def since(self, first: date) -> Measurement | None:
        """The measured days from `first` on, as a measurement of their own; None where there are none. The error that
        no number of days removes stays whole.
        """
        contrast = self._contrast
        start = sum(day < first for day in contrast.days)
        if start == len(contrast.days):
            return None
        return Measurement(
            self._counterfactual,
            replace(
                contrast,
                days=contrast.days[start:],
                expected=contrast.expected[start:],
                observed=contrast.observed[start:],
                gradient=contrast.gradient[start:],
                noise=contrast.noise[start:],
            ),
        )

    def whole(self, interval: IntervalKind) -> Estimate:
        """All days."""
        return self.up_to(len(self._contrast.days), interval)

    def points(self, closing_days: Collection[date]) -> tuple[CumulativePoint, ...]:
        """The running total at the end of each month, on closing days and on the last day."""
        points: list[CumulativePoint] = []
        days = self._contrast.days
        for position, day in enumerate(days):
            last = position + 1 == len(days)
            closing = day in closing_days
            if position + 1 >= _FEWEST_DAYS and (last or closing or days[position + 1].month != day.month):
                found = self.up_to(position + 1, "closing" if closing else "anytime")
                points.append(CumulativePoint(day, found.days, found.avoided, found.low, found.high, found.interval))
        return tuple(points)

    def up_to(self, days: int, interval: IntervalKind) -> Estimate:
        """The first `days` measured days, with what was known on the last of them."""
        contrast = self._contrast
        expected, observed = float(contrast.expected[:days].sum()), float(contrast.observed[:days].sum())
        before, after, dof = self._noise(days)
        gradient = self._gradients[days - 1]
        baseline_variance = float(gradient @ self._covariance @ gradient) * before
        share = observed / total if (total := float(contrast.observed.sum())) else 0.0
        lasting = (contrast.floor_error * days / len(contrast.days)) ** 2
        if lasting > baseline_variance + days * after:
            dof = min(dof, contrast.floor_dof)
        reporting_variance = max(days * after, lasting - baseline_variance)
        error = (baseline_variance + reporting_variance) ** 0.5
        quantile = student_quantile(CONFIDENCE, dof)
        margin = quantile * error
        if interval == "anytime":
            margin = max(margin, self._anytime(days, baseline_variance**0.5, after**0.5, dof))
        floor, inflation = self._counterfactual.floor, self._counterfactual.inflation
        low = max(margin, float(np.hypot(expected * floor.down, share * contrast.audit_up)))
        high = max(margin, float(np.hypot(expected * floor.up, share * contrast.audit_down)))
        return Estimate(
            avoided=expected - observed,
            low=expected - observed - inflation * low,
            high=expected - observed + inflation * high,
            expected=expected,
            observed=observed,
            standard_error=error,
            baseline_error=baseline_variance**0.5,
            reporting_error=reporting_variance**0.5,
            dof=dof,
            inflation=inflation,
            minimum_detectable=(margin + student_quantile(POWER, dof) * error) * inflation,
            days=days,
            interval=interval,
        )

    def _noise(self, days: int) -> tuple[float, float, float]:
        """Factor on the baseline's frozen variance, long-run variance of a reporting day, degrees of freedom."""
        contrast, model = self._contrast, self._counterfactual.model
        before, after = contrast.baseline_noise, contrast.noise[:days]
        if len(before) < _FEWEST_DAYS or len(after) < _FEWEST_DAYS:
            return 1.0, model.day_variance, model.dof
        level = 1.0
        if not contrast.linear and contrast.baseline_level > 0:
            level = max(_LEAST_SHARE, float(contrast.expected[:days].mean()) / contrast.baseline_level)
        noise = noise_of([before, after], [1.0, level])
        own = noise_of([before], [1.0]).variances[0]
        factor = noise.variances[0] / own if own > 0 else 1.0
        return max(1.0, factor), noise.variances[1], noise.dof

    def _anytime(self, days: int, baseline_error: float, day_error: float, dof: float) -> float:
        alpha = 2 * (1 - CONFIDENCE)
        noise = day_error * confidence_sequence.noise_radius(days, alpha * confidence_sequence.NOISE_SHARE, dof)
        first = min(days, _FEWEST_DAYS) - 1
        scale = confidence_sequence.root_of(self._covariance)
        length = confidence_sequence.path_length(self._gradients[first:days] @ scale)
        share = alpha * (1 - confidence_sequence.NOISE_SHARE)
        return noise + confidence_sequence.baseline_factor(length, share, dof) * baseline_error
