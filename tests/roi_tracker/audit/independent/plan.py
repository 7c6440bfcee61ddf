"""Plans of the second generator, and their figures by its own arithmetic.

Written from docs/reference/business_case.md alone. It imports neither the audit nor the engine, so that on clean plans
a finding is a disagreement between two computations.
"""

from __future__ import annotations

import calendar
import itertools
import math
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, getcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

getcontext().prec = 40
D = Decimal
ONE = D(1)
ZERO = D(0)
SCENARIOS = ("conservative", "realistic", "optimistic", "worst")


@dataclass(frozen=True)
class Given:
    """An assumption: as written, and what one written unit is in base units."""

    values: tuple[Decimal, ...]
    unit: str
    factor: Decimal = ONE


@dataclass(frozen=True)
class Step:
    """A calculation: formula as written, values a year in its unit."""

    formula: str
    unit: str
    values: tuple[Decimal, ...]


@dataclass(frozen=True)
class Benefit:
    """A benefit line; `full` is money a year before the ramp-up."""

    id: str
    kind: str
    axis: str
    formula: str
    full: tuple[Decimal, ...]
    ramp: tuple[Decimal, ...] = (ONE,)

    @property
    def yearly(self) -> tuple[Decimal, ...]:
        return tuple(money * self.ramp[min(year, len(self.ramp) - 1)] for year, money in enumerate(self.full))


@dataclass(frozen=True)
class Running:
    """A running cost: money a year, before growth."""

    id: str
    amounts: tuple[Decimal, ...]
    growth: Decimal

    def yearly(self, *, grown: bool = True) -> tuple[Decimal, ...]:
        return tuple(money * (1 + self.growth * grown) ** year for year, money in enumerate(self.amounts))


@dataclass(frozen=True)
class Timing:
    """Conventions of time."""

    capital: str
    operations: str
    period: str


@dataclass(frozen=True)
class Plan:
    """A whole clean plan; money in the currency itself."""

    id: str
    currency: str
    unit: str
    factor: Decimal
    rate: Decimal
    start: date
    labels: tuple[str, ...]
    timing: Timing
    assumptions: Mapping[str, Given]
    steps: Mapping[str, Step]
    benefits: tuple[Benefit, ...]
    capex: Mapping[str, Decimal]
    opex: tuple[Running, ...]
    counted: tuple[str, ...]
    phasing: tuple[Decimal, ...] = ()
    dates: tuple[date, ...] = ()
    inflation: Decimal | None = None
    scenarios: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @property
    def years(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Slip:
    """How somebody's own sheet differs from the plan; the plan itself where nothing is set.

    Attributes:
        savings: lines whose money a year is another.
        offset: when in a period its flows are taken to fall, 0 its start, 1 its end.
        later: everything discounted by so many years too much.
        horizon: years counted, instead of all; one more repeats the last year.
        twice, without: benefit lines counted twice, or left out.
        prices: every flow multiplied by (1 + this) ** time.
    """

    savings: Mapping[str, tuple[Decimal, ...]] = field(default_factory=dict)
    rate: Decimal | None = None
    offset: Decimal | None = None
    later: Decimal = ZERO
    horizon: int | None = None
    twice: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    grown: bool = True
    prices: Decimal = ZERO


RIGHT = Slip()
Flow = tuple[Decimal, int, Decimal]
"""Time in years, index of its year (-1 for t0), money."""


@dataclass(frozen=True)
class Sheet:
    """A plan computed with a slip, or rightly."""

    plan: Plan
    slip: Slip = RIGHT

    def _fit(self, yearly: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        wanted = self.slip.horizon
        if wanted is None:
            return yearly
        return (*yearly, yearly[-1])[:wanted]

    def saving(self, benefit: Benefit) -> tuple[Decimal, ...]:
        own = self.slip.savings.get(benefit.id, benefit.yearly)
        weight = 1 + (benefit.id in self.slip.twice) - (benefit.id in self.slip.without)
        return self._fit(tuple(money * weight for money in own))

    def group(self, name: str) -> tuple[Decimal, ...]:
        kinds = {
            "direct": ("cashable", "redeployed"),
            "indirect": ("indirect",),
            "counted": self.plan.counted,
            "all": ("cashable", "redeployed", "released", "indirect"),
        }[name]
        rows = [self.saving(one) for one in self.plan.benefits if one.kind in kinds]
        return _added(rows, self.slip.horizon or self.plan.years)

    def running(self) -> tuple[Decimal, ...]:
        rows = [self._fit(one.yearly(grown=self.slip.grown)) for one in self.plan.opex]
        return _added(rows, self.slip.horizon or self.plan.years)

    def spread(self, yearly: Sequence[Decimal]) -> list[Flow]:
        """Operating money in time."""
        timing, start = self.plan.timing, self.plan.start
        if timing.operations == "dated":
            ends = [_anniversary(start, year + 1) for year in range(len(yearly))]
            return [(D((day - start).days) / 365, year, yearly[year]) for year, day in enumerate(ends)]
        own = D("0.5") if timing.operations == "mid_year" else D(1)
        offset = own if self.slip.offset is None else self.slip.offset
        parts = 12 if timing.period == "month" else 1
        return [
            ((year * parts + part + offset) / parts, year, money / parts)
            for year, money in enumerate(yearly)
            for part in range(parts)
        ]

    def capital(self) -> list[Flow]:
        """Capital in time, positive."""
        plan = self.plan
        total = sum(plan.capex.values(), ZERO)
        if plan.timing.capital == "t0" or not plan.phasing:
            return [(ZERO, -1, total)]
        shares = [value / sum(plan.phasing) for value in plan.phasing]
        if plan.timing.capital == "dated":
            times = [D((day - plan.start).days) / 365 for day in plan.dates]
            return [
                (time, -1 if time <= 0 else math.ceil(time) - 1, total * share)
                for time, share in zip(times, shares, strict=True)
            ]
        offset = {"start_of_period": ZERO, "mid_period": D("0.5"), "end_of_period": D(1)}[plan.timing.capital]
        parts = 12 if plan.timing.period == "month" else 1
        return [
            ((number + offset) / parts, number // parts, total * share) for number, share in enumerate(shares) if share
        ]

    def value(self, flows: Sequence[Flow], rate: Decimal | None = None) -> Decimal:
        """Present value."""
        slip = self.slip
        used = next(one for one in (rate, slip.rate, self.plan.rate) if one is not None)
        return sum(
            (money * (1 + slip.prices) ** time / (1 + used) ** (time + slip.later) for time, _, money in flows), ZERO
        )

    def net(self, benefits: Decimal = ONE, costs: Decimal = ONE) -> list[Flow]:
        """Net flows in order of time, one a moment."""
        together: dict[tuple[Decimal, int], Decimal] = {}
        parts = [(self.spread(self.group("counted")), benefits), (self.spread(self.running()), -costs)]
        for flows, weight in (*parts, (self.capital(), -costs)):
            for time, year, money in flows:
                together[time, year] = together.get((time, year), ZERO) + money * weight
        return [(time, year, money) for (time, year), money in sorted(together.items())]


def figures(plan: Plan, slip: Slip = RIGHT) -> dict[str, Decimal]:
    """Every figure by address: money in the currency, ratios, years; a calculation's in its unit."""
    sheet = Sheet(plan, slip)
    found: dict[str, Decimal] = {}
    for name, step in plan.steps.items():
        found.update({f"{name}[{label}]": value for label, value in zip(plan.labels, step.values, strict=True)})
    found.update(_benefit_figures(sheet))
    found.update(_cost_figures(sheet))
    for name in SCENARIOS:
        found.update({f"scenarios.{name}.{key}": value for key, value in _scenario(sheet, name)})
    found.update(_reaction(sheet))
    return found


def _rows(sheet: Sheet, name: str, yearly: Sequence[Decimal], suffix: str = "") -> Iterator[tuple[str, Decimal]]:
    yield from ((f"{name}{suffix}[{label}]", money) for label, money in zip(sheet.plan.labels, yearly, strict=False))
    yield f"{name}.total", sum(yearly, ZERO)
    yield f"{name}.pv", sheet.value(sheet.spread(yearly))


def _benefit_figures(sheet: Sheet) -> Iterator[tuple[str, Decimal]]:
    for one in sheet.plan.benefits:
        yield from _rows(sheet, f"benefits.{one.id}", sheet.saving(one), ".saving")
    kinds = {one.kind for one in sheet.plan.benefits}
    for group in ("direct", "indirect", "counted", "all"):
        if group != "indirect" or "indirect" in kinds:
            yield from _rows(sheet, f"benefits.{group}", sheet.group(group))


def _cost_figures(sheet: Sheet) -> Iterator[tuple[str, Decimal]]:
    plan = sheet.plan
    yield "capex.total", sum(plan.capex.values(), ZERO)
    yield from ((f"capex.{name}", money) for name, money in plan.capex.items())
    yield "capex.pv", sheet.value(sheet.capital())
    if plan.opex:
        yield from _rows(sheet, "opex", sheet.running())
    for one in plan.opex:
        yearly = sheet._fit(one.yearly(grown=sheet.slip.grown))
        yield from ((f"opex.{one.id}[{label}]", money) for label, money in zip(plan.labels, yearly, strict=False))
    yield "investment.pv", sheet.value([*sheet.capital(), *sheet.spread(sheet.running())])


def _scenario(sheet: Sheet, name: str) -> Iterator[tuple[str, Decimal]]:
    plan = sheet.plan
    good, bad = plan.scenarios[name]
    flows = sheet.net(good, bad)
    benefits = good * sheet.value(sheet.spread(sheet.group("counted")))
    capital = bad * sheet.value(sheet.capital())
    costs = capital + bad * sheet.value(sheet.spread(sheet.running()))
    spent = bad * (sum((money for *_, money in sheet.capital()), ZERO) + sum(sheet.running(), ZERO))
    total = sum((money for *_, money in flows), ZERO)
    yield "npv", benefits - costs
    yield "benefits_pv", benefits
    yield "costs_pv", costs
    yield "net_total", total
    yield "roi", total / spent
    yield "profitability_index", 1 + (benefits - costs) / capital
    moments: dict[Decimal, Decimal] = {}
    for time, _, money in flows:
        moments[time] = moments.get(time, ZERO) + money
    found = irr(list(moments.items()))
    if found is not None:
        yield "irr", found
    rate = sheet.slip.rate or plan.rate
    for key, weighed in (
        ("payback", list(moments.items())),
        ("discounted_payback", [(time, money / (1 + rate) ** time) for time, money in moments.items()]),
    ):
        when = payback(weighed)
        if when is not None:
            yield f"{key}_years", when
            yield f"{key}_months", when * 12
    running = sum((money for _, year, money in flows if year < 0), ZERO)
    for index, label in enumerate(plan.labels):
        own = sum((money for _, year, money in flows if year == index), ZERO)
        running += own
        yield f"net_flow[{label}]", own
        yield f"cumulative[{label}]", running


def _reaction(sheet: Sheet) -> Iterator[tuple[str, Decimal]]:
    flows = sheet.net()
    base = sheet.value(flows)
    counted = {one.id: one for one in sheet.plan.benefits if one.kind in sheet.plan.counted}
    effects = {f"benefits.{name}": sheet.value(sheet.spread(sheet.saving(one))) for name, one in counted.items()}
    effects |= {
        f"capex.{name}": -sheet.value(sheet.capital()) * money / sum(sheet.plan.capex.values())
        for name, money in sheet.plan.capex.items()
    }
    for name, effect in effects.items():
        yield f"sensitivity.{name}.plus_10pct", effect / 10
        yield f"sensitivity.{name}.minus_10pct", -effect / 10
        if base:
            yield f"sensitivity.{name}.share_of_npv", abs(effect / 10 / base)
    used = sheet.slip.rate or sheet.plan.rate
    for key, step in (("plus_1pp", D("0.01")), ("minus_1pp", D("-0.01"))):
        yield f"sensitivity.discount_rate.{key}", sheet.value(flows, used + step) - base
    benefits = sheet.value(sheet.spread(sheet.group("counted")))
    costs = sheet.value([*sheet.capital(), *sheet.spread(sheet.running())])
    yield "break_even.overall_achievement", costs / benefits


def irr(flows: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    """The only rate, for flows that change sign once; else None."""
    signs = [money > 0 for _, money in flows if money]
    if sum(one != other for one, other in itertools.pairwise(signs)) != 1:
        return None
    low, high = D("-0.99"), D(10_000)

    def value(rate: Decimal) -> float:
        return sum((float(money) * float(1 + rate) ** -float(time) for time, money in flows), 0.0)

    if value(low) * value(high) > 0:
        return None
    for _ in range(90):
        middle = (low + high) / 2
        if value(middle) * value(low) > 0:
            low = middle
        else:
            high = middle
    return low


def payback(flows: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    """When the running total turns non-negative for good."""
    totals = list(itertools.accumulate(money for _, money in flows))
    below = [index for index, total in enumerate(totals) if total < 0]
    if not below or below[-1] == len(flows) - 1:
        return None
    last = below[-1]
    (before, _), (after, money) = flows[last], flows[last + 1]
    return before + (after - before) * -totals[last] / money


def _added(rows: Sequence[tuple[Decimal, ...]], years: int) -> tuple[Decimal, ...]:
    return tuple(sum((row[year] for row in rows), ZERO) for year in range(years))


def _anniversary(start: date, years: int) -> date:
    year = start.year + years
    return date(year, start.month, min(start.day, calendar.monthrange(year, start.month)[1]))
