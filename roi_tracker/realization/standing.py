"""How the programme stands, as figures with intervals that a gate can ask for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from roi_tracker.money import UNIT_FACTORS
from roi_tracker.proof.proving import Realized
from roi_tracker.realization.flows import discount
from roi_tracker.realization.gates import GateResult, Measured, evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.case.evaluation import GateCondition
    from roi_tracker.ledger.entries import GateDecision
    from roi_tracker.realization.intervals import MoneyInterval, RatioInterval
    from roi_tracker.realization.results import LineResult, Realization


def gates_of(case: BusinessCase, found: Realization, decisions: Sequence[GateDecision] = ()) -> tuple[GateResult, ...]:
    """Every gate of the case on a realization."""
    return evaluate(case, found.as_of, lambda condition: figure(case, found, condition), decisions)


def figure(case: BusinessCase, found: Realization, condition: GateCondition) -> Measured | None:
    """A condition's figure with its interval; None where nothing is proven that it could rest on."""
    unit = UNIT_FACTORS[case.display_unit]
    if condition.benefit is not None:
        line = next((line for line in found.lines if line.benefit_id == condition.benefit), None)
        return None if line is None else _of_line(line, condition.figure, unit)
    if condition.figure in {"forecast_npv", "probability_npv_positive"}:
        if found.forecast is None:
            return None
        probability = found.forecast.probability_npv_positive
        if condition.figure == "forecast_npv":
            return _money(found.forecast.npv, unit)
        return Measured(probability, probability, probability)
    return _of_programme(case, found, condition.figure, unit)


def _of_line(line: LineResult, name: str, unit: int) -> Measured | None:
    if not isinstance(line.proof, Realized) or line.shared is None:
        return None
    if name == "benefit":
        return _money(line.shared, unit)
    if name == "achievement":
        return _ratio(line.achievement_interval)
    estimate = line.proof.estimate
    if estimate.expected <= 0:
        return None
    return Measured(*(part / estimate.expected for part in (estimate.avoided, estimate.low, estimate.high)))


def _of_programme(case: BusinessCase, found: Realization, name: str, unit: int) -> Measured | None:
    total, cost = found.total, found.realized.cost
    if total is None:
        return None
    if name == "benefit":
        return _money(total, unit)
    if name == "achievement":
        return _ratio(found.achievement_interval)
    bounds = (total.value, total.low, total.high)
    if name == "roi":
        return Measured(*(float((bound - cost) / cost) for bound in bounds)) if cost else None
    return _npv(case, found, unit)


def _npv(case: BusinessCase, found: Realization, unit: int) -> Measured:
    """NPV to date at every bound: what the cumulative curve added month by month, beside the costs of the headline."""
    value, low, high = Decimal(0), Decimal(0), Decimal(0)
    before = (Decimal(0), Decimal(0), Decimal(0))
    for point in found.curve:
        factor = discount(case, point.day)
        value += factor * (point.value - before[0])
        low += factor * (point.low - before[1])
        high += factor * (point.high - before[2])
        before = (point.value, point.low, point.high)
    costs = found.realized.npv - low
    return Measured(*(float((bound + costs) / unit) for bound in (value, low, high)))


def _money(interval: MoneyInterval, unit: int) -> Measured:
    return Measured(*(float(bound / unit) for bound in (interval.value, interval.low, interval.high)))


def _ratio(interval: RatioInterval | None) -> Measured | None:
    return None if interval is None else Measured(interval.value, interval.low, interval.high)
