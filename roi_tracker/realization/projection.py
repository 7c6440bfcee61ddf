"""What the plan promised for given days: units and money a benefit line, costs on their days."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.appraisal.cash_flows import DAYS_OF_XIRR_YEAR, schedule_of
from roi_tracker.appraisal.model import Model
from roi_tracker.business_case import DAYS_PER_YEAR
from roi_tracker.ledger.entries import CostKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_tracker.business_case import BenefitLine, BusinessCase
    from roi_tracker.formulas import Values


class PlannedCost(msgspec.Struct, frozen=True):
    """Money that the plan spends on a day (running cost: up to that day, since the month before)."""

    day: date
    amount: Decimal
    kind: CostKind


def projected_money(line: BenefitLine, go_live: date, days: Sequence[date], working_days_per_year: Decimal) -> Decimal:
    """Projected units of a line over given days, each year of operation at its own ramp-up.

    >>> from types import SimpleNamespace
    >>> full = SimpleNamespace(projected_units_per_year=Decimal(365), ramp=lambda year: Decimal(1))
    >>> projected_money(full, date(2025, 1, 1), [date(2025, 1, 1)], Decimal(365))
    Decimal('1')
    """
    share = Decimal(0)
    for day in days:
        share += line.ramp(year_of(day, go_live))
    return line.projected_units_per_year * share / working_days_per_year


def year_of(day: date, go_live: date) -> int:
    """Year of operation, from 0.

    >>> year_of(date(2026, 7, 14), date(2025, 7, 15)), year_of(date(2026, 7, 15), date(2025, 7, 14))
    (0, 1)
    """
    return int((day - go_live).days // DAYS_PER_YEAR)


class Projection:
    """A case's promises on a calendar; everything is computed once."""

    def __init__(self, case: BusinessCase, expected: Callable[[date], bool]) -> None:
        self.case = case
        self.expected = expected
        year = [case.go_live + timedelta(days=number) for number in range(int(DAYS_PER_YEAR))]
        self.working_days_per_year = DAYS_PER_YEAR * sum(expected(day) for day in year) / len(year)
        self._amounts = Model(case).exact()
        self._per_day: dict[tuple[str, int], Decimal] = {}

    @property
    def end(self) -> date:
        """Last day of the analysis."""
        return self.case.start_date + timedelta(days=round(self.case.horizon_years * DAYS_PER_YEAR)) - timedelta(days=1)

    def working_days(self, first: date, last: date) -> tuple[date, ...]:
        """Days on which production is expected, both ends included."""
        every = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return tuple(day for day in every if self.expected(day))

    def money_per_day(self, line: BenefitLine, day: date) -> Decimal:
        """Projected money of a line on one working day, ramp-up included."""
        year = year_of(day, self.case.go_live)
        key = (line.id, year)
        if key not in self._per_day:
            self._per_day[key] = self._yearly(line, year) / self.working_days_per_year
        return self._per_day[key]

    def _yearly(self, line: BenefitLine, year: int) -> Decimal:
        if line.formula is None:
            return line.projected_units_per_year * line.ramp(year) * line.unit_value.amount
        return self._of_year(self._amounts.benefits[line.id], year)

    def _of_year(self, row: Values, year: int) -> Decimal:
        per_year = self.case.periods_per_year
        first = min(max(year, 0), self.case.horizon_years - 1) * per_year
        return sum(row[first : first + per_year], Decimal(0))

    def money(self, line: BenefitLine, days: Sequence[date]) -> Decimal:
        """Projected money of a line over working days."""
        return sum((self.money_per_day(line, day) for day in days), Decimal(0))

    def units(self, line: BenefitLine, days: Sequence[date]) -> Decimal:
        """Projected physical units; of a formula its money at the unit value, 0 where there is none."""
        if line.formula is None:
            return projected_money(line, self.case.go_live, days, self.working_days_per_year)
        value = line.stated_unit_value
        return self.money(line, days) / value.amount if value is not None and value.amount else Decimal(0)

    def costs(self, until: date | None) -> list[PlannedCost]:
        """Planned costs up to a day, in order: capital on its days, running cost from go-live month by month.

        Without a day only what is spent at t0.
        """
        case = self.case
        capital: Decimal = sum((amount[0] for amount in self._amounts.capex.values()), Decimal(0))
        year_days = Decimal(DAYS_OF_XIRR_YEAR) if case.conventions.capital == "dated" else DAYS_PER_YEAR
        found = [
            PlannedCost(case.start_date + timedelta(days=round(slot.time * year_days)), capital * slot.share, "capital")
            for slot in schedule_of(case, case.conventions).capital
        ]
        last = case.start_date if until is None else until
        found = [cost for cost in found if cost.day <= last]
        months: dict[date, Decimal] = defaultdict(Decimal)
        day = case.go_live
        while until is not None and day <= until:
            per_day = self._running(year_of(day, case.go_live)) / DAYS_PER_YEAR
            months[min(until, month_end(day))] += per_day
            day += timedelta(days=1)
        found += [PlannedCost(end, amount, "running") for end, amount in months.items()]
        return sorted(found, key=lambda cost: cost.day)

    def _running(self, year: int) -> Decimal:
        return sum((self._of_year(row, year) for row in self._amounts.opex.values()), Decimal(0))


def month_end(day: date) -> date:
    """Last day of the month.

    >>> month_end(date(2024, 2, 3))
    datetime.date(2024, 2, 29)
    """
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def month_ends(days: Sequence[date]) -> list[int]:
    """Places in a list of days at which a month, or the list, ends.

    >>> month_ends([date(2025, 1, 30), date(2025, 1, 31), date(2025, 2, 1)])
    [1, 2]
    """
    return [place for place, day in enumerate(days) if place + 1 == len(days) or days[place + 1].month != day.month]
