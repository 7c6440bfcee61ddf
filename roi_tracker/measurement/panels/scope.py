"""Which rows belong to a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from roi_tracker.case.benefits import Measure
    from roi_tracker.case.measuring import KpiDefinition
    from roi_tracker.case.plant import Period


@dataclass(frozen=True)
class Scope:
    """Which rows belong to a measurement.

    Attributes:
        measure: what is measured.
        lines: production lines, control lines included where a design compares with them.
        expected: whether production is expected on a day.
        shifts_per_day: shifts a line works on a full day.
        covariates: names of numeric covariates to adjust for, as imported.
        carriers, roles: energy carriers and labour roles that count; all where empty.
        kpi: the indicator, for the measure `kpi`.
        treated_lines, treated_shifts: which rows are to have the programme; all where empty.
    """

    measure: Measure
    lines: tuple[str, ...]
    expected: Callable[[date], bool]
    shifts_per_day: int
    covariates: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    kpi: KpiDefinition | None = None
    treated_lines: tuple[str, ...] = ()
    treated_shifts: tuple[str, ...] = ()

    @property
    def programme_lines(self) -> tuple[str, ...]:
        """Lines that are to have the programme, control lines left out."""
        return self.treated_lines or self.lines

    def expected_days(self, period: Period) -> tuple[date, ...]:
        """Working days of a period, in order."""
        first = period.first.toordinal()
        days = (period.first.fromordinal(first + offset) for offset in range(period.days))
        return tuple(day for day in days if self.expected(day))
