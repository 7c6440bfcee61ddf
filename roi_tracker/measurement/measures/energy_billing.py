"""Energy known by the month alone: a regression on months, with the Guideline's uncertainty for billing data.

Days of such a month carry no news of their own, so nothing may be learned from how they scatter.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.measurement import confidence_sequence
from roi_tracker.measurement.estimation import CONFIDENCE, POWER, CumulativePoint, Estimate, IntervalKind
from roi_tracker.measurement.measures.energy import EnergyFit, fit_of, savings_error
from roi_tracker.measurement.panels.panel import Covariates, Factor, Panel
from roi_tracker.measurement.quantiles import normal_quantile, student_quantile
from roi_tracker.measurement.regression import fit, predict

if TYPE_CHECKING:
    from collections.abc import Collection

    from roi_tracker.case.plant import Period

FEWEST_MONTHS = 12
"""Months of baseline bills (CalTRACK 2.2.1: a year before the change)."""
FEWEST_LEFT = 3
"""Months beyond the number of parameters, below which the fit says nothing about its own error."""
ALPHA = 2 * (1 - CONFIDENCE)


def monthly(panel: Panel) -> Panel:
    """Add up a panel's rows within line and calendar month; a month is dated by its first day."""
    months = sorted({day.replace(day=1) for day in panel.days})
    place = {month: index for index, month in enumerate(months)}
    of_day = np.array([place[day.replace(day=1)] for day in panel.days], dtype=np.int64)
    key = of_day[panel.day_index] * len(panel.line.levels) + panel.line.codes
    unique, row = np.unique(key, return_inverse=True)
    exposure = np.bincount(row, panel.exposure, len(unique)).astype(np.float64)
    values = panel.covariates.values
    means = [np.bincount(row, panel.exposure * values[:, k], len(unique)) / exposure for k in range(values.shape[1])]
    line = Factor("line", panel.line.levels, unique % len(panel.line.levels))
    treated = np.bincount(row, panel.treated, len(unique)) > 0
    return replace(
        panel,
        days=tuple(months),
        day_index=unique // len(panel.line.levels),
        factors=(line,),
        exposure=exposure,
        outcome=np.bincount(row, panel.outcome, len(unique)).astype(np.float64),
        covariates=Covariates(panel.covariates.names, np.stack(means, axis=1) if means else np.zeros((len(unique), 0))),
        expected_days=tuple(months),
        missing_days=(),
        line=line,
        shift=Factor("shift", ("all",), np.zeros(len(unique), dtype=np.int64)),
        treated=treated,
    )


def whole_months(panel: Panel, period: Period) -> Panel:
    """The days of months that lie wholly within a period: a bill of another month tells of other days too."""
    kept = [day.replace(day=1) >= period.first and month_end(day) <= period.last for day in panel.days]
    return panel.on_days(np.array(kept, dtype=np.bool_))


def month_end(day: date) -> date:
    """Last day of a day's month.

    >>> month_end(date(2024, 2, 3))
    datetime.date(2024, 2, 29)
    """
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


class BillingMeasurement:
    """Energy expected of the reporting months less energy used."""

    def __init__(self, baseline: Panel, reporting: Panel) -> None:
        """Fit the months of the baseline.

        Args:
            baseline: panel by day; its months are added up here.
            reporting: likewise.
        """
        days = [day.replace(day=1) for day in reporting.days]
        baseline, reporting = monthly(baseline), monthly(reporting)
        self._days = np.cumsum([days.count(month) for month in reporting.days])
        model = fit(baseline)
        parameters = sum(1 for value in model.coefficients if value)
        self.fit: EnergyFit = fit_of(
            baseline.by_day(baseline.outcome), baseline.by_day(predict(model, baseline).rows), parameters
        )
        self.model = model
        self.months = reporting.days
        self._expected = reporting.by_day(predict(model, reporting).rows)
        self._observed = reporting.by_day(reporting.outcome)

    @property
    def left(self) -> int:
        """Baseline months beyond the number of parameters."""
        return self.fit.readings - self.fit.parameters

    def whole(self, interval: IntervalKind) -> Estimate:
        """All months."""
        return self._up_to(len(self.months), interval)

    def points(self, closing_days: Collection[date]) -> tuple[CumulativePoint, ...]:
        """The running total, month by month, dated by the month's last day."""
        points: list[CumulativePoint] = []
        for position, month in enumerate(self.months):
            closes = any(day.replace(day=1) == month for day in closing_days)
            found = self._up_to(position + 1, "closing" if closes else "anytime")
            points.append(
                CumulativePoint(month_end(month), found.days, found.avoided, found.low, found.high, found.interval)
            )
        return tuple(points)

    def _up_to(self, months: int, interval: IntervalKind) -> Estimate:
        expected, observed = float(self._expected[:months].sum()), float(self._observed[:months].sum())
        margin = savings_error(self.fit, expected, months, CONFIDENCE, "billing")
        dof = float(max(1, self.left))
        error = margin / student_quantile(CONFIDENCE, dof)
        if interval == "anytime":
            margin *= confidence_sequence.noise_radius(months, ALPHA, 1e6) / (normal_quantile(CONFIDENCE) * months**0.5)
        return Estimate(
            avoided=expected - observed,
            low=expected - observed - margin,
            high=expected - observed + margin,
            expected=expected,
            observed=observed,
            standard_error=error,
            baseline_error=0.0,
            reporting_error=error,
            dof=dof,
            inflation=1.0,
            minimum_detectable=margin + student_quantile(POWER, dof) * error,
            days=int(self._days[months - 1]),
            interval=interval,
        )
