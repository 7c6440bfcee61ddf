"""From amounts to flows in time: phasing, prices, renewals, scenarios. The same for decimals and for many draws."""

from __future__ import annotations

import calendar
import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_tracker.appraisal.model import Amounts
    from roi_tracker.case.conventions import BenefitClass, Conventions
    from roi_tracker.case.evaluation import Scenario
    from roi_tracker.case.plan import BusinessCase
    from roi_tracker.formulas import Values

DAYS_OF_XIRR_YEAR = 365
"""Excel's XIRR and XNPV count years of 365 days."""
T0 = -1
"""Period of capital spent at t0, before the first period."""


@dataclass(frozen=True)
class Slot:
    """A moment at which capital is spent (or its residual returns).

    Attributes:
        time: years after t0.
        period: period it falls in, from 0; `T0` for t0.
        share: of the first capital; negative for a residual value that returns.
    """

    time: Decimal
    period: int
    share: Decimal


@dataclass(frozen=True)
class Schedule:
    """When things happen under given conventions, independent of amounts."""

    operations: tuple[Decimal, ...]
    capital: tuple[Slot, ...]


@dataclass(frozen=True)
class CashFlows:
    """Flows of one scenario, in the currency; last axis: operating periods, or capital slots. Costs are positive."""

    schedule: Schedule
    benefits: Values
    opex: Values
    capital: Values

    @property
    def operating(self) -> Values:
        """Benefits less running cost, by period."""
        return np.asarray(self.benefits - self.opex)


def schedule_of(case: BusinessCase, conventions: Conventions) -> Schedule:
    """Moments of all flows."""
    per_year = case.periods_per_year
    count = case.period_count
    if conventions.operations == "dated":
        operations = tuple(
            _years(case.start_date, _end_of(case.start_date, k + 1, 12 // per_year)) for k in range(count)
        )
    else:
        offset = Decimal("0.5") if conventions.operations == "mid_year" else Decimal(1)
        operations = tuple((k + offset) / per_year for k in range(count))
    return Schedule(operations, _with_renewals(case, conventions, _first_capital(case, conventions)))


def _first_capital(case: BusinessCase, conventions: Conventions) -> list[Slot]:
    phasing = case.capex_phasing
    if conventions.capital == "t0" or phasing is None:
        return [Slot(Decimal(0), T0, Decimal(1))]
    total = sum(phasing.value)
    shares = [value / total for value in phasing.value]
    if conventions.capital == "dated":
        times = [_years(case.start_date, day) for day in phasing.dates]
        return [
            Slot(time, T0 if time <= 0 else min(case.period_count, math.ceil(time * case.periods_per_year)) - 1, share)
            for time, share in zip(times, shares, strict=True)
        ]
    offset = {"start_of_period": Decimal(0), "mid_period": Decimal("0.5"), "end_of_period": Decimal(1)}
    return [
        Slot((period + offset[conventions.capital]) / case.periods_per_year, period, share)
        for period, share in enumerate(shares)
        if share
    ]


def _with_renewals(case: BusinessCase, conventions: Conventions, first: list[Slot]) -> tuple[Slot, ...]:
    rule = conventions.reinvestment
    if rule is None:
        return tuple(first)
    life, horizon, slots = rule.technology_life_years, case.horizon_years, list(first)
    for slot in first:
        renewal = slot.time + life
        while renewal < horizon:
            slots.append(Slot(renewal, _period_at(renewal, case), slot.share * rule.share))
            left = (renewal + life - horizon) / life
            if left > 0 and rule.residual == "straight_line":
                returned = -slot.share * rule.share * left
                slots.append(Slot(Decimal(horizon), case.period_count - 1, returned))
            renewal += life
    return tuple(slots)


def _period_at(time: Decimal, case: BusinessCase) -> int:
    return min(case.period_count, math.ceil(time * case.periods_per_year)) - 1


def _end_of(start: date, steps: int, months: int) -> date:
    month = start.month - 1 + steps * months
    year, month = start.year + month // 12, month % 12 + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


def _years(start: date, day: date) -> Decimal:
    return Decimal((day - start).days) / DAYS_OF_XIRR_YEAR


def cash_flows(
    case: BusinessCase,
    amounts: Amounts,
    scenario: Scenario,
    conventions: Conventions,
    number: Callable[[Any], Any] = Decimal,
) -> CashFlows:
    """Flows of a scenario.

    Args:
        case: the plan.
        amounts: evaluated, decimals or floats.
        scenario: multiplies benefits and costs.
        conventions: the case's own, or others to compare with; `counted` says which benefits enter.
        number: `Decimal` or `float`, as `amounts` is.
    """
    schedule = schedule_of(case, conventions)
    counted = counted_lines(case, conventions.counted)
    zero = np.array([number(0)] * case.period_count)
    prices = price_index(case, conventions, schedule.operations, number)
    benefits = sum((amounts.benefits[line] for line in counted), zero) * prices * number(scenario.benefits)
    opex = sum(amounts.opex.values(), zero) * prices * number(scenario.costs)
    shares = np.array([number(slot.share) for slot in schedule.capital])
    capital_prices = price_index(case, conventions, [slot.time for slot in schedule.capital], number)
    capital = sum(amounts.capex.values()) * shares * capital_prices * number(scenario.costs)
    draws = np.broadcast_shapes(benefits.shape[:-1], opex.shape[:-1], capital.shape[:-1])
    return CashFlows(schedule, *(np.broadcast_to(part, (*draws, part.shape[-1])) for part in (benefits, opex, capital)))


def counted_lines(case: BusinessCase, classes: Sequence[BenefitClass]) -> list[str]:
    """Ids of benefit lines of some classes."""
    return [line.id for line in case.benefits if line.benefit_class in classes]


def price_index(
    case: BusinessCase, conventions: Conventions, times: Sequence[Decimal], number: Callable[[Any], Any] = Decimal
) -> Values:
    """What brings the file's prices to those the discount rate belongs to."""
    power = {("constant", "nominal"): 1, ("current", "real"): -1}.get(
        (conventions.prices, conventions.discount_basis or ""), 0
    )
    if not power or conventions.inflation is None:
        return np.array([number(1)] * len(times))
    growth = 1 + case.money(conventions.inflation)
    return np.array([number(growth ** (power * time)) for time in times])
