"""Realized against projected, for the days measured and no others: money, achievement, ROI and NPV to date.

Benefits enter at their lower bound. A line that is not proven counts nothing. Nothing is annualised: the projection is
cut down to the measured days instead.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.business_case import COUNTED_CLASSES, DAYS_PER_YEAR
from roi_tracker.proof.proving import NotProven, Proof, Realized

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_tracker.business_case import BenefitLine, BusinessCase, Period
    from roi_tracker.measurement.estimation import CumulativePoint

SCENARIO_BANDS = (Decimal("0.7"), Decimal(1), Decimal("1.3"))


class MoneyInterval(msgspec.Struct, frozen=True):
    """Money at the locked unit value: point, and the 90 % interval."""

    value: Decimal
    low: Decimal
    high: Decimal


class LineResult(msgspec.Struct, frozen=True):
    """One benefit line, realized beside projected.

    Attributes:
        projected_units, projected: for the measured days, ramp-up included.
        realized: money; None when not proven.
        counted: what enters the headline: the lower bound of a cashable or redeployed line, else 0.
        achievement: lower bound over projection; None when not proven or nothing was projected.
    """

    benefit_id: str
    proof: Proof
    projected_units: Decimal
    projected: Decimal
    realized: MoneyInterval | None
    counted: Decimal
    counts: bool
    achievement: float | None


class CurvePoint(msgspec.Struct, frozen=True):
    """Cumulative money up to and including a day: projected, and the counted lines as measured with their interval."""

    day: date
    projected: Decimal
    value: Decimal
    low: Decimal
    high: Decimal


class ToDate(msgspec.Struct, frozen=True):
    """Figures from t0 to the last measured day.

    Attributes:
        benefit: counted benefits at their lower bound.
        cost: actual cost, or planned cost where the ledger is empty (`cost_basis` says which).
        net: benefit - cost.
        roi: net / cost, None without cost.
        npv: discounted to t0; benefits and running cost month by month, capital on its day.
    """

    benefit: Decimal
    cost: Decimal
    net: Decimal
    roi: Decimal | None
    npv: Decimal


class Realization(msgspec.Struct, frozen=True):
    """The whole of page 1.

    Attributes:
        as_of: last measured day, None before any reporting data.
    """

    as_of: date | None
    lines: tuple[LineResult, ...]
    curve: tuple[CurvePoint, ...]
    realized: ToDate
    projected: ToDate
    cost_basis: Literal["actual", "planned"]
    achievement: float | None


def projected_money(line: BenefitLine, go_live: date, days: Sequence[date], working_days_per_year: Decimal) -> Decimal:
    """Projected units of a line over given days, each year of operation at its own ramp-up.

    >>> from types import SimpleNamespace
    >>> full = SimpleNamespace(projected_units_per_year=Decimal(365), ramp=lambda year: Decimal(1))
    >>> projected_money(full, date(2025, 1, 1), [date(2025, 1, 1)], Decimal(365))
    Decimal('1')
    """
    share = Decimal(0)
    for day in days:
        share += line.ramp(int((day - go_live).days // DAYS_PER_YEAR))
    return line.projected_units_per_year * share / working_days_per_year


def realize(
    case: BusinessCase,
    proofs: Sequence[Proof],
    reporting: Period | None,
    expected: Callable[[date], bool],
) -> Realization:
    """Set every proof beside its projection.

    Args:
        case: the plan.
        proofs: one a benefit line, in the case's order.
        reporting: first to last measured day.
        expected: whether production is expected on a day.
    """
    days = _days(reporting, expected)
    per_year = _working_days_per_year(case, expected)
    lines = tuple(
        _line_result(case, line, proof, days, per_year) for line, proof in zip(case.benefits, proofs, strict=True)
    )
    curve = _curve(case, lines, days, per_year)
    as_of = reporting.last if reporting else None
    basis: Literal["actual", "planned"] = "actual" if case.costs_actual else "planned"
    planned_costs = _planned_costs(case, as_of)
    actual_costs = (
        [(entry.day, entry.amount) for entry in case.costs_actual if as_of is None or entry.day <= as_of]
        if basis == "actual"
        else planned_costs
    )
    realized_flows = [(point.day, money) for point, money in _increments(curve, "low")]
    counted_projection = [(point.day, money) for point, money in _increments(curve, "projected")]
    realized = _to_date(case, realized_flows, actual_costs)
    projected = _to_date(case, counted_projection, planned_costs)
    achievement = float(realized.benefit / projected.benefit) if projected.benefit else None
    return Realization(as_of, lines, curve, realized, projected, basis, achievement)


def _days(reporting: Period | None, expected: Callable[[date], bool]) -> tuple[date, ...]:
    if reporting is None:
        return ()
    every = (reporting.first + timedelta(days=number) for number in range(reporting.days))
    return tuple(day for day in every if expected(day))


def _working_days_per_year(case: BusinessCase, expected: Callable[[date], bool]) -> Decimal:
    year = [case.go_live + timedelta(days=number) for number in range(int(DAYS_PER_YEAR))]
    return DAYS_PER_YEAR * sum(expected(day) for day in year) / len(year)


def _line_result(
    case: BusinessCase, line: BenefitLine, proof: Proof, days: tuple[date, ...], per_year: Decimal
) -> LineResult:
    units = projected_money(line, case.go_live, days, per_year)
    projected = units * line.unit_value.amount
    counts = line.benefit_class in COUNTED_CLASSES
    if isinstance(proof, NotProven):
        return LineResult(line.id, proof, units, projected, None, Decimal(0), counts, None)
    found = proof.estimate
    money = MoneyInterval(*(_money(line, quantity) for quantity in (found.avoided, found.low, found.high)))
    return LineResult(
        benefit_id=line.id,
        proof=proof,
        projected_units=units,
        projected=projected,
        realized=money,
        counted=money.low if counts else Decimal(0),
        counts=counts,
        achievement=float(money.low / projected) if projected else None,
    )


def _money(line: BenefitLine, quantity: float) -> Decimal:
    return Decimal(repr(quantity)) * line.unit_value.amount


def _curve(
    case: BusinessCase, lines: Sequence[LineResult], days: tuple[date, ...], per_year: Decimal
) -> tuple[CurvePoint, ...]:
    """Month ends and the last day. Bounds of lines are added, which is wider than 90 % needs but assumes nothing."""
    points: list[CurvePoint] = []
    for position, day in enumerate(days):
        if position + 1 < len(days) and days[position + 1].month == day.month:
            continue
        projected = value = low = high = Decimal(0)
        for line, result in zip(case.benefits, lines, strict=True):
            if not result.counts:
                continue
            units = projected_money(line, case.go_live, days[: position + 1], per_year)
            projected += units * line.unit_value.amount
            if isinstance(result.proof, Realized):
                point = _latest(result.proof.months, day)
                if point is not None:
                    value += _money(line, point.avoided)
                    low += _money(line, point.low)
                    high += _money(line, point.high)
        points.append(CurvePoint(day, projected, value, low, high))
    return tuple(points)


def _latest(points: Sequence[CumulativePoint], day: date) -> CumulativePoint | None:
    return max((point for point in points if point.day <= day), key=lambda point: point.day, default=None)


def _increments(curve: Sequence[CurvePoint], what: Literal["low", "projected"]) -> list[tuple[CurvePoint, Decimal]]:
    """What each month added to the running total."""
    before = Decimal(0)
    steps: list[tuple[CurvePoint, Decimal]] = []
    for point in curve:
        total = point.low if what == "low" else point.projected
        steps.append((point, total - before))
        before = total
    return steps


def _planned_costs(case: BusinessCase, as_of: date | None) -> list[tuple[date, Decimal]]:
    """Capital at t0, running cost from go-live month by month."""
    costs = [(case.start_date, case.money(line.amount)) for line in case.capex]
    if as_of is None:
        return costs
    per_day = sum((case.money(line.amount) for line in case.opex_per_year), Decimal(0)) / DAYS_PER_YEAR
    start = case.go_live
    while start <= as_of:
        next_month = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        end = min(as_of, next_month - timedelta(days=1))
        costs.append((end, per_day * ((end - start).days + 1)))
        start = next_month
    return costs


def _to_date(
    case: BusinessCase, benefits: Sequence[tuple[date, Decimal]], costs: Sequence[tuple[date, Decimal]]
) -> ToDate:
    benefit = sum((money for _, money in benefits), Decimal(0))
    cost = sum((money for _, money in costs), Decimal(0))
    flows = [*benefits, *((day, -money) for day, money in costs)]
    rate = 1 + case.rate
    npv = sum((money / rate ** ((day - case.start_date).days / DAYS_PER_YEAR) for day, money in flows), Decimal(0))
    return ToDate(benefit, cost, benefit - cost, (benefit - cost) / cost if cost else None, npv)
