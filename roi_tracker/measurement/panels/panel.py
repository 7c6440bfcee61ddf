"""The arrays that the statistics work on: one measure in one period."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from roi_tracker.measurement.ruler import Ruler

Family = Literal["ratio", "rate", "linear"]


@dataclass(frozen=True)
class Factor:
    """A categorical covariate: `levels[codes[row]]` is the level of a row."""

    name: str
    levels: tuple[str, ...]
    codes: NDArray[np.int64]

    @property
    def seen(self) -> tuple[str, ...]:
        """Levels that occur, in the order of `levels`."""
        return tuple(self.levels[code] for code in np.unique(self.codes))

    def where(self, rows: NDArray[np.bool_]) -> Factor:
        """The same factor on some of the rows."""
        return Factor(self.name, self.levels, self.codes[rows])

    def among(self, levels: tuple[str, ...]) -> NDArray[np.bool_]:
        """(rows,) whether the row has one of these levels."""
        return np.isin(self.codes, [self.levels.index(level) for level in levels if level in self.levels])


@dataclass(frozen=True)
class Covariates:
    """Numeric covariates: `values` is (rows, len(names))."""

    names: tuple[str, ...]
    values: NDArray[np.float64]

    @staticmethod
    def none(rows: int) -> Covariates:
        """No covariate."""
        return Covariates((), np.zeros((rows, 0)))

    def where(self, rows: NDArray[np.bool_]) -> Covariates:
        """The same covariates on some of the rows."""
        return Covariates(self.names, self.values[rows])


@dataclass(frozen=True)
class AuditNoise:
    """How the audit of one stratum moves the estimate.

    Attributes:
        parts: (rows,) parts of the stratum's verdict in each row; strata share the array.
        group, member: (rows,) which rows belong to the stratum: those whose group is this one; shared as well.
        day_residual: (days,) found minus expected defects of the day's audit, scaled up to the stratum.
    """

    parts: NDArray[np.float64]
    group: NDArray[np.int64]
    member: int
    day_residual: NDArray[np.float64]

    @property
    def population(self) -> NDArray[np.float64]:
        """(rows,) parts of the stratum in each row."""
        population: NDArray[np.float64] = np.where(self.group == self.member, self.parts, 0.0)
        return population


@dataclass(frozen=True)
class Panel:
    """One measure in one period.

    Attributes:
        family: `ratio` (outcome out of exposure), `rate` (outcome per exposure, log link), `linear` (outcome per
            exposure, a weighted mean of the exposure).
        days: production days in order; missing days are left out.
        day_index: (rows,) position of each row's day in `days`.
        factors: categorical covariates that may enter the model.
        exposure: (rows,) parts inspected, planned busy hours, or 1.
        outcome: (rows,) estimated true defects, stop hours, hours worked, energy, a numerator.
        noise: audit sampling error; empty for measures that are read directly.
        ruler: audit rates behind the outcome, None for measures that are read directly.
        expected_days: working days of the period.
        missing_days: working days without enough data.
        covariates: numeric covariates that may enter the model.
        line, shift: where each row belongs, whether or not they are among the factors.
        treated: (rows,) whether the row belongs to lines and shifts that are to have the programme.
    """

    family: Family
    days: tuple[date, ...]
    day_index: NDArray[np.int64]
    factors: tuple[Factor, ...]
    exposure: NDArray[np.float64]
    outcome: NDArray[np.float64]
    noise: tuple[AuditNoise, ...]
    ruler: Ruler | None
    expected_days: tuple[date, ...]
    missing_days: tuple[date, ...]
    covariates: Covariates
    line: Factor
    shift: Factor
    treated: NDArray[np.bool_] = field(repr=False)

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the factors."""
        return tuple(factor.name for factor in self.factors)

    @property
    def ordinals(self) -> NDArray[np.int64]:
        """(days,) proleptic day numbers."""
        return np.array([day.toordinal() for day in self.days], dtype=np.int64)

    def factor(self, name: str) -> Factor:
        """The factor of a name.

        Raises:
            KeyError: the panel has none of that name.
        """
        return {factor.name: factor for factor in self.factors}[name]

    def by_day(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum (rows,) or (rows, k) values within each day."""
        days = len(self.days)
        if values.ndim == 1:
            return np.bincount(self.day_index, weights=values, minlength=days).astype(np.float64)
        summed = np.empty((days, values.shape[1]))
        for column in range(values.shape[1]):
            summed[:, column] = np.bincount(self.day_index, weights=values[:, column], minlength=days)
        return summed

    def where(self, rows: NDArray[np.bool_]) -> Panel:
        """Some of the rows, on the same days. Audit noise is per day, so it cannot be split and is refused.

        Raises:
            ValueError: the outcome rests on audits; select lines before the panel is made.
        """
        if self.noise:
            message = "audit noise belongs to days, not rows: select lines in the scope instead"
            raise ValueError(message)
        return Panel(
            family=self.family,
            days=self.days,
            day_index=self.day_index[rows],
            factors=tuple(factor.where(rows) for factor in self.factors),
            exposure=self.exposure[rows],
            outcome=self.outcome[rows],
            noise=(),
            ruler=None,
            expected_days=self.expected_days,
            missing_days=self.missing_days,
            covariates=self.covariates.where(rows),
            line=self.line.where(rows),
            shift=self.shift.where(rows),
            treated=self.treated[rows],
        )

    def on_days(self, kept: NDArray[np.bool_]) -> Panel:
        """Only some of the (days,) days."""
        rows = kept[self.day_index]
        cut = self.where(rows)
        return replace(
            cut,
            days=tuple(day for day, stays in zip(self.days, kept, strict=True) if stays),
            day_index=(np.cumsum(kept) - 1)[cut.day_index],
        )

    @property
    def audit_residual(self) -> NDArray[np.float64]:
        """(days,) audit sampling error of all strata."""
        total = np.zeros(len(self.days))
        for noise in self.noise:
            total += noise.day_residual
        return total
