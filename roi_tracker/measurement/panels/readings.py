"""What was read of a measure, row by row over all days, and how a period of it becomes a panel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

import numpy as np

from roi_tracker.measurement.panels.panel import Covariates, Factor, Family, Panel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.case.plant import Period
    from roi_tracker.measurement.panels.scope import Scope

MINIMUM_DAY_COVERAGE = 0.5
"""A day on which less than this share of the expected shifts was measured is missing (CalTRACK 2.2, 2.2.2.2)."""


class Source(Protocol):
    """A measure's readings; a panel of any period can be cut from it. Made once, cut often (placebo windows)."""

    def panel(self, period: Period) -> Panel:
        """The rows of a period, days without enough data left out."""
        ...


@dataclass(frozen=True)
class Readings:
    """Measured rows of a scope, in time order: rows where anything needed is not measured are left out.

    Attributes:
        day: (rows,) proleptic day number.
        line, shift: where the row belongs.
        factors: categorical covariates that may enter the model.
        exposure, outcome: (rows,) as in `Panel`.
    """

    family: Family
    day: NDArray[np.int64]
    line: Factor
    shift: Factor
    factors: tuple[Factor, ...]
    exposure: NDArray[np.float64]
    outcome: NDArray[np.float64]
    covariates: Covariates

    def where(self, rows: NDArray[np.bool_]) -> Readings:
        """Some of the rows."""
        return Readings(
            family=self.family,
            day=self.day[rows],
            line=self.line.where(rows),
            shift=self.shift.where(rows),
            factors=tuple(factor.where(rows) for factor in self.factors),
            exposure=self.exposure[rows],
            outcome=self.outcome[rows],
            covariates=self.covariates.where(rows),
        )

    @property
    def known(self) -> NDArray[np.bool_]:
        """(rows,) whether exposure, outcome and every covariate are measured and there is exposure."""
        known = np.isfinite(self.exposure) & np.isfinite(self.outcome) & np.isfinite(self.covariates.values).all(axis=1)
        return known & (np.nan_to_num(self.exposure) > 0)

    def complete(self) -> Readings:
        """Only the known rows."""
        return self.where(self.known)

    def valid(self, period: Period, scope: Scope) -> NDArray[np.bool_]:
        """(rows,) whether the row lies in the period, on a day on which enough shifts were measured."""
        inside = (self.day >= period.first.toordinal()) & (self.day <= period.last.toordinal())
        if not inside.any():
            return inside
        first = int(self.day[inside].min())
        slots = len(self.line.levels) * len(self.shift.levels)
        slot = (self.day[inside] - first) * slots + self.line.codes[inside] * len(self.shift.levels)
        worked = np.unique(slot + self.shift.codes[inside]) // slots
        needed = MINIMUM_DAY_COVERAGE * scope.shifts_per_day * len(scope.lines)
        good = np.bincount(worked) >= needed
        inside[inside] = good[self.day[inside] - first]
        return inside


@dataclass(frozen=True)
class DirectSource:
    """Readings that need no audit: hours, energy, indicators."""

    readings: Readings
    scope: Scope

    def panel(self, period: Period) -> Panel:
        """The rows of a period, days without enough data left out."""
        return panel_from(self.readings.where(self.readings.valid(period, self.scope)), self.scope, period)


def panel_from(readings: Readings, scope: Scope, period: Period) -> Panel:
    """Number the days of valid rows; audits are added by whoever has them."""
    ordinals, day_index = np.unique(readings.day, return_inverse=True)
    days = tuple(date.fromordinal(int(ordinal)) for ordinal in ordinals)
    expected, present = scope.expected_days(period), set(days)
    treated = np.ones(len(day_index), dtype=np.bool_)
    if scope.treated_lines:
        treated &= readings.line.among(scope.treated_lines)
    if scope.treated_shifts:
        treated &= readings.shift.among(scope.treated_shifts)
    return Panel(
        family=readings.family,
        days=days,
        day_index=day_index.astype(np.int64),
        factors=readings.factors,
        exposure=readings.exposure,
        outcome=readings.outcome,
        noise=(),
        ruler=None,
        expected_days=expected,
        missing_days=tuple(day for day in expected if day not in present),
        covariates=readings.covariates,
        line=readings.line,
        shift=readings.shift,
        treated=treated,
    )
