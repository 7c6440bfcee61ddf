"""Realized against projected, for the days measured and no others: money, achievement, ROI and NPV to date, payback.

Benefits enter at their lower bound. A line that is not proven counts nothing. Nothing is annualised: the projection is
cut down to the measured days instead. Overlapping lines share one measured change, at every month end.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.baseline.adjustments import AdjustedCounterfactual
from roi_tracker.business_case import COUNTED_CLASSES
from roi_tracker.ledger.books import Books
from roi_tracker.ledger.claims import share, shared_groups
from roi_tracker.ledger.costs import CostLedger, paid_rows
from roi_tracker.ledger.harm import Harm, once
from roi_tracker.proof.proving import NotProven, Proof, Realized
from roi_tracker.realization.activity import Activity
from roi_tracker.realization.adjusted_units import AdjustedUnits
from roi_tracker.realization.bridge import bridge
from roi_tracker.realization.flows import Flow, Payback, payback, present_value
from roi_tracker.realization.forecast import CountedLine, counted_line, forecast
from roi_tracker.realization.intervals import MoneyInterval, RatioInterval, bounds_added, if_independent, over
from roi_tracker.realization.prices import UnitPrice, unit_price
from roi_tracker.realization.projection import Projection, month_ends, projected_money
from roi_tracker.realization.results import CurvePoint, LineMonth, LineResult, Realization, ToDate
from roi_tracker.realization.sides import Span, sides
from roi_tracker.realization.standing import gates_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from roi_tracker.business_case import BenefitLine, BusinessCase, Period
    from roi_tracker.ledger.claims import SharedGroup
    from roi_tracker.measurement.estimation import CumulativePoint, Estimate
    from roi_tracker.realization.bridge import Bridge

__all__ = [
    "SCENARIO_BANDS",
    "CurvePoint",
    "LineMonth",
    "LineResult",
    "MoneyInterval",
    "Payback",
    "RatioInterval",
    "Realization",
    "Surroundings",
    "ToDate",
    "projected_money",
    "realize",
]

SCENARIO_BANDS = (Decimal("0.7"), Decimal(1), Decimal("1.3"))
_BOUNDS: tuple[Literal["value", "low", "high"], ...] = ("value", "low", "high")


class Surroundings(msgspec.Struct, frozen=True):
    """What stands around the proofs.

    Attributes:
        books: the ledger of the case.
        harm: what the system itself cost.
        activity: what the lines did; without it there is no bridge.
        adjusted: counterfactuals of the lines with signed adjustments.
        on: day of asking; before any reporting data no later cost counts.
    """

    books: Books = Books()
    harm: Harm = Harm((), ())
    activity: Activity | None = None
    adjusted: tuple[AdjustedCounterfactual, ...] = ()
    on: date | None = None


def realize(
    case: BusinessCase,
    proofs: Sequence[Proof],
    reporting: Period | None,
    expected: Callable[[date], bool],
    around: Surroundings | None = None,
) -> Realization:
    """Set every proof beside its projection.

    Args:
        case: the plan.
        proofs: one a benefit line, in the case's order.
        reporting: first to last measured day.
        expected: whether production is expected on a day.
        around: ledger, harm and activity; left out, the case alone.
    """
    return _Standing(case, proofs, reporting, Projection(case, expected), around or Surroundings()).realization()


class _Standing:
    """One realization while it is computed."""

    def __init__(
        self,
        case: BusinessCase,
        proofs: Sequence[Proof],
        reporting: Period | None,
        projection: Projection,
        around: Surroundings,
    ) -> None:
        self._case, self._proofs, self._around, self._projection = case, proofs, around, projection
        self._as_of = reporting.last if reporting else None
        self._days = projection.working_days(reporting.first, reporting.last) if reporting else ()
        self._ends = month_ends(self._days)
        self._groups = shared_groups(case)
        self._adjustments = {
            line.id: AdjustedUnits(
                proof,
                next((one for one in around.adjusted if one.benefit_id == line.id), None),
                around.books.adjustments,
                self._days,
            )
            for line, proof in zip(case.benefits, proofs, strict=True)
        }
        self._prices: dict[str, UnitPrice] = {}

    def realization(self) -> Realization:
        case = self._case
        months = self._months()
        lines = tuple(
            self._line(line, proof, months[line.id]) for line, proof in zip(case.benefits, self._proofs, strict=True)
        )
        paid = paid_rows(case, self._around.books, self._as_of or self._around.on)
        harm = once(self._around.harm.rows, case, self._proofs)
        costs = CostLedger(paid, harm, self._around.harm.not_valued)
        planned = [Flow(cost.day, -cost.amount) for cost in self._projection.costs(self._as_of)]
        basis: Literal["actual", "planned"] = "actual" if paid or case.costs_actual else "planned"
        spent = [Flow(row.day, -row.amount) for row in paid] if basis == "actual" else planned
        spent = [*spent, *(Flow(row.day, -row.amount) for row in harm if row.counted)]
        curve = self._curve(lines, spent, planned)
        realized = _to_date(case, _increments(curve, "low"), spent, payback_of=None)
        projected = _to_date(case, _increments(curve, "projected"), planned, payback_of=self._planned_payback())
        parts = [line.shared for line in lines if line.counts and line.shared is not None]
        total = bounds_added(parts) if parts else None
        counted = self._counted(lines)
        found = Realization(
            as_of=self._as_of,
            lines=lines,
            curve=curve,
            realized=realized,
            projected=projected,
            cost_basis=basis,
            achievement=float(realized.benefit / projected.benefit) if projected.benefit else None,
            total=total,
            total_if_independent=if_independent(parts) if parts else None,
            achievement_interval=over(total, projected.benefit) if total is not None else None,
            costs=costs,
            groups=self._groups,
            forecast=forecast(self._projection, self._days, counted, spent, costs.harm_counted),
            ledger_head=self._around.books.head,
        )
        return msgspec.structs.replace(
            found,
            bridge=self._bridge(found),
            gates=gates_of(case, found, self._around.books.decisions),
        )

    def _months(self) -> dict[str, list[LineMonth]]:
        """Every line at every month end, measured and shared."""
        found: dict[str, list[LineMonth]] = {line.id: [] for line in self._case.benefits}
        projected = dict.fromkeys(found, Decimal(0))
        before = 0
        for place in self._ends:
            day, added = self._days[place], self._days[before : place + 1]
            before = place + 1
            measured: dict[str, MoneyInterval] = {}
            for line, proof in zip(self._case.benefits, self._proofs, strict=True):
                projected[line.id] += self._projection.money(line, added)
                if isinstance(proof, Realized):
                    point = proof.estimate if place == self._ends[-1] else _latest(proof.months, day)
                    measured[line.id] = self._money(line, (0, 0, 0) if point is None else _bounds_of(point), day)
            shared = _shared(self._groups, measured, projected)
            for name, rows in found.items():
                rows.append(LineMonth(day, projected[name], measured.get(name), shared.get(name)))
        return found

    def _money(self, line: BenefitLine, quantities: Sequence[float], day: date) -> MoneyInterval:
        """Avoided quantity with what signed adjustments add, at the unit value in force."""
        added, price = self._adjustments[line.id].up_to(day), self._price(line).amount
        return MoneyInterval(*((Decimal(repr(quantity)) + added) * price for quantity in quantities))

    def _price(self, line: BenefitLine) -> UnitPrice:
        if line.id not in self._prices:
            case, written = self._case, self._around.books.unit_values
            self._prices[line.id] = unit_price(line, case.go_live, self._as_of or case.go_live, written)
        return self._prices[line.id]

    def _line(self, line: BenefitLine, proof: Proof, months: Sequence[LineMonth]) -> LineResult:
        projected = self._projection.money(line, self._days)
        counts = line.benefit_class in COUNTED_CLASSES
        units = self._projection.units(line, self._days)
        if isinstance(proof, NotProven):
            return LineResult(line.id, proof, units, projected, None, Decimal(0), counts, None, months=tuple(months))
        found, day = proof.estimate, self._as_of or self._case.go_live
        money = self._money(line, (found.avoided, found.low, found.high), day)
        shared = months[-1].shared if months else None
        alone = shared is None or months[-1].measured == shared
        held = money if shared is None or alone else shared
        achieved = over(held, projected)
        price = self._price(line)
        group = next((one.id for one in self._groups if line.id in one.benefits), "")
        return LineResult(
            benefit_id=line.id,
            proof=proof,
            projected_units=units,
            projected=projected,
            realized=money,
            counted=held.low if counts else Decimal(0),
            counts=counts,
            achievement=achieved.low if achieved is not None else None,
            achievement_interval=achieved,
            shared=held,
            shared_by=group,
            adjusted=self._adjustments[line.id].up_to(day) * price.amount,
            adjustment=self._adjustments[line.id].counterfactual,
            unit_value=price.amount,
            price=price,
            adjusted_units=self._adjustments[line.id].up_to(day),
            months=tuple(months),
        )

    def _curve(
        self, lines: Sequence[LineResult], spent: Sequence[Flow], planned: Sequence[Flow]
    ) -> tuple[CurvePoint, ...]:
        """Month ends and the last day. Bounds of lines are added: wider than 90 % needs, but assumes nothing."""
        points: list[CurvePoint] = []
        counted = [line for line in lines if line.counts]
        for number, place in enumerate(self._ends):
            day = self._days[place]
            total = bounds_added(m.shared for line in counted if (m := line.months[number]).shared is not None)
            projected = sum((line.months[number].projected for line in counted), Decimal(0))
            cost, plan = (
                -sum((flow.amount for flow in flows if flow.day <= day), Decimal(0)) for flows in (spent, planned)
            )
            points.append(CurvePoint(day, projected, total.value, total.low, total.high, cost, plan))
        return tuple(points)

    def _planned_payback(self) -> Payback:
        """Of the plan over its whole horizon, on its calendar."""
        days = self._projection.working_days(self._case.go_live, self._projection.end)
        flows = [Flow(cost.day, -cost.amount) for cost in self._projection.costs(self._projection.end)]
        counted = [line for line in self._case.benefits if line.benefit_class in COUNTED_CLASSES]
        before = 0
        for place in month_ends(days):
            money = sum((self._projection.money(line, days[before : place + 1]) for line in counted), Decimal(0))
            flows.append(Flow(days[place], money))
            before = place + 1
        return payback(flows, "never")

    def _counted(self, lines: Sequence[LineResult]) -> list[CountedLine]:
        found: list[CountedLine] = []
        for line, result in zip(self._case.benefits, lines, strict=True):
            if result.counts and isinstance(result.proof, Realized) and result.shared is not None:
                steps = _steps(result.months)
                found.append(counted_line(line, result.proof, result.shared, steps))
        return found

    def _bridge(self, found: Realization) -> Bridge | None:
        activity, days = self._around.activity, self._days
        if activity is None or not days:
            return None
        span = Span(days[0], days[-1], days)
        both = [
            sides(self._projection, line, result, span, activity)
            for line, result in zip(self._case.benefits, found.lines, strict=True)
            if result.counts
        ]
        return bridge(both, found.projected.cost, found.realized.cost)


def _shared(
    groups: Sequence[SharedGroup], measured: Mapping[str, MoneyInterval], projected: Mapping[str, Decimal]
) -> dict[str, MoneyInterval]:
    """Every bound shared by itself, so that none exceeds the measured change; a line's bounds stay in order."""
    found = dict(measured)
    for group in groups:
        own = {name: measured[name] for name in group.benefits if name in measured}
        by_bound = {
            bound: share(group, {name: getattr(money, bound) for name, money in own.items()}, projected)
            for bound in _BOUNDS
        }
        for name in own:
            value, low, high = (by_bound[bound][name] for bound in _BOUNDS)
            found[name] = MoneyInterval(value, min(low, value), max(high, value))
    return found


def _bounds_of(point: CumulativePoint | Estimate) -> tuple[float, float, float]:
    return (point.avoided, point.low, point.high)


def _latest(points: Sequence[CumulativePoint], day: date) -> CumulativePoint | None:
    return max((point for point in points if point.day <= day), key=lambda point: point.day, default=None)


def _steps(months: Sequence[LineMonth]) -> list[tuple[date, MoneyInterval]]:
    """What each month added to what a line may count."""
    before = MoneyInterval(Decimal(0), Decimal(0), Decimal(0))
    steps: list[tuple[date, MoneyInterval]] = []
    for month in months:
        now = month.shared or before
        steps.append((month.day, MoneyInterval(now.value - before.value, now.low - before.low, now.high - before.high)))
        before = now
    return steps


def _increments(curve: Sequence[CurvePoint], what: Literal["low", "projected"]) -> list[Flow]:
    """What each month added to the running total."""
    before = Decimal(0)
    steps: list[Flow] = []
    for point in curve:
        total = point.low if what == "low" else point.projected
        steps.append(Flow(point.day, total - before))
        before = total
    return steps


def _to_date(
    case: BusinessCase, benefits: Sequence[Flow], costs: Sequence[Flow], *, payback_of: Payback | None
) -> ToDate:
    benefit = sum((flow.amount for flow in benefits), Decimal(0))
    cost = -sum((flow.amount for flow in costs), Decimal(0))
    flows = [*benefits, *costs]
    reached = payback_of or (payback(flows, "not_yet") if benefits else Payback(None, "no_data"))
    return ToDate(
        benefit=benefit,
        cost=cost,
        net=benefit - cost,
        roi=(benefit - cost) / cost if cost else None,
        npv=present_value(case, flows),
        payback=reached,
    )
