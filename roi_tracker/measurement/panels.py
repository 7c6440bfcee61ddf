"""Observations of one measure in one period, as the arrays that the statistics need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from roi_tracker.measurement.ruler import Ruler, StratumKey, populations, ruler_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from roi_tracker.business_case import Measure, Period
    from roi_tracker.observations.rows import Inspector, LineShift, Observation, Observations

Family = Literal["ratio", "rate"]
MINIMUM_DAY_COVERAGE = 0.5
"""A day on which less than this share of the expected shifts was measured is missing (CalTRACK 2.2, 2.2.2.2)."""
_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class AuditNoise:
    """How the audit of one stratum moves the estimate.

    Attributes:
        population: (rows,) parts of the stratum in each row.
        day_residual: (days,) found minus expected defects of the day's audit, scaled up to the stratum.
    """

    population: NDArray[np.float64]
    day_residual: NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """One measure in one period.

    Attributes:
        family: `ratio` (outcome out of exposure) or `rate` (outcome per exposure).
        days: production days in order; missing days are left out.
        day_index: (rows,) position of each row's day in `days`.
        terms: names of the covariates.
        labels: for each term, the level of each row.
        exposure: (rows,) parts inspected, or planned busy hours.
        outcome: (rows,) estimated true defects, stop hours, or hours worked.
        noise: audit sampling error; empty for measures that are read directly.
        ruler: audit rates behind the outcome, None for measures that are read directly.
        expected_days: working days of the period.
        missing_days: working days without enough data.
    """

    family: Family
    days: tuple[date, ...]
    day_index: NDArray[np.int64]
    terms: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    exposure: NDArray[np.float64]
    outcome: NDArray[np.float64]
    noise: tuple[AuditNoise, ...]
    ruler: Ruler | None
    expected_days: tuple[date, ...]
    missing_days: tuple[date, ...]

    def by_day(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum (rows,) or (rows, k) values within each day."""
        summed = np.zeros((len(self.days), *values.shape[1:]))
        np.add.at(summed, self.day_index, values)
        return summed

    @property
    def audit_residual(self) -> NDArray[np.float64]:
        """(days,) audit sampling error of all strata."""
        total = np.zeros(len(self.days))
        for noise in self.noise:
            total += noise.day_residual
        return total


@dataclass(frozen=True)
class Scope:
    """Which rows belong to a measurement.

    Attributes:
        measure: what is measured.
        lines: production lines.
        expected: whether production is expected on a day.
        shifts_per_day: shifts a line works on a full day.
    """

    measure: Measure
    lines: tuple[str, ...]
    expected: Callable[[date], bool]
    shifts_per_day: int


def panel_of(observations: Observations, scope: Scope, period: Period, when_unknown: Inspector) -> Panel:
    """Collect a measure's rows in a period.

    Args:
        observations: everything derived.
        scope: measure and lines.
        period: first and last day.
        when_unknown: inspection in force where a line never reported its mode.
    """
    if scope.measure == "defects":
        return _defects(observations.products, scope, period, when_unknown)
    return _hours(observations.line_shifts, scope, period)


def _expected_days(scope: Scope, period: Period) -> tuple[date, ...]:
    first = period.first.toordinal()
    return tuple(
        day for day in (period.first.fromordinal(first + n) for n in range(period.days)) if scope.expected(day)
    )


def _valid_days(shift_keys: set[tuple[str, date, str]], scope: Scope) -> set[date]:
    shifts: dict[date, int] = {}
    for _, day, _ in shift_keys:
        shifts[day] = shifts.get(day, 0) + 1
    needed = MINIMUM_DAY_COVERAGE * scope.shifts_per_day * len(scope.lines)
    return {day for day, count in shifts.items() if count >= needed}


def _index(days: Sequence[date]) -> tuple[tuple[date, ...], NDArray[np.int64]]:
    ordered = tuple(sorted(set(days)))
    position = {day: index for index, day in enumerate(ordered)}
    return ordered, np.array([position[day] for day in days], dtype=np.int64)


def _defects(rows: Sequence[Observation], scope: Scope, period: Period, when_unknown: Inspector) -> Panel:
    measured = [
        row
        for row in rows
        if row.line in scope.lines and row.day in period and row.inspected and row.rejected is not None
    ]
    valid = _valid_days({row.shift_key for row in measured}, scope)
    kept = [row for row in measured if row.day in valid]
    expected = _expected_days(scope, period)
    ruler = ruler_of(kept, when_unknown)
    days, day_index = _index([row.day for row in kept])
    parts = np.array([populations(row) for row in kept], dtype=np.float64).reshape(-1, 2)
    inspectors = [row.inspector or when_unknown for row in kept]
    rates = {stratum.key: stratum.rate for stratum in ruler.strata}
    false_omission = np.array(
        [rates[StratumKey(row.product, who, "PASS")] for row, who in zip(kept, inspectors, strict=True)]
    )
    precision = np.array(
        [rates[StratumKey(row.product, who, "FAIL")] for row, who in zip(kept, inspectors, strict=True)]
    )
    decided = np.array([float(row.review_defects) for row in kept])
    outcome = parts[:, 0] * false_omission + parts[:, 1] * precision + decided if kept else np.zeros(0)
    return Panel(
        family="ratio",
        days=days,
        day_index=day_index,
        terms=("line", "product", "shift"),
        labels=(
            tuple(row.line for row in kept),
            tuple(row.product for row in kept),
            tuple(row.shift for row in kept),
        ),
        exposure=np.array([float(row.inspected or 0) for row in kept]),
        outcome=outcome,
        noise=tuple(_noise(kept, inspectors, parts, ruler, (days, day_index))),
        ruler=ruler,
        expected_days=expected,
        missing_days=tuple(day for day in expected if day not in valid),
    )


def _noise(
    rows: Sequence[Observation],
    inspectors: Sequence[Inspector],
    parts: NDArray[np.float64],
    ruler: Ruler,
    index: tuple[tuple[date, ...], NDArray[np.int64]],
) -> list[AuditNoise]:
    days, day_index = index
    noises: list[AuditNoise] = []
    for stratum in ruler.strata:
        if not stratum.audited or not stratum.population:
            continue
        column = 0 if stratum.key.stratum == "PASS" else 1
        member = np.array(
            [
                row.product == stratum.key.product and who == stratum.key.inspector
                for row, who in zip(rows, inspectors, strict=True)
            ]
        )
        residual = np.zeros(len(days))
        scale = stratum.population / stratum.audited
        for position, (row, belongs) in enumerate(zip(rows, member, strict=True)):
            for audit in row.audits if belongs else ():
                if audit.inspector == stratum.key.inspector and audit.stratum == stratum.key.stratum:
                    residual[day_index[position]] += scale * (audit.defects_found - stratum.rate * audit.audited)
        noises.append(AuditNoise(np.where(member, parts[:, column], 0.0), residual))
    return noises


def _hours(rows: Sequence[LineShift], scope: Scope, period: Period) -> Panel:
    def hours(row: LineShift) -> float | None:
        if scope.measure == "labour":
            return row.labour_hours
        return None if row.unplanned_stop_s is None else row.unplanned_stop_s / _SECONDS_PER_HOUR

    measured = [
        row
        for row in rows
        if row.line in scope.lines and row.day in period and row.planned_busy_s and hours(row) is not None
    ]
    valid = _valid_days({row.shift_key for row in measured}, scope)
    kept = [row for row in measured if row.day in valid]
    expected = _expected_days(scope, period)
    days, day_index = _index([row.day for row in kept])
    return Panel(
        family="rate",
        days=days,
        day_index=day_index,
        terms=("line", "shift"),
        labels=(tuple(row.line for row in kept), tuple(row.shift for row in kept)),
        exposure=np.array([(row.planned_busy_s or 0.0) / _SECONDS_PER_HOUR for row in kept]),
        outcome=np.array([hours(row) or 0.0 for row in kept]),
        noise=(),
        ruler=None,
        expected_days=expected,
        missing_days=tuple(day for day in expected if day not in valid),
    )
