"""Random clean plans of many shapes: lengths, currencies, units, timings, lines and formulas."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.roi_tracker.audit.independent.plan import Benefit, Given, Plan, Running, Step, Timing

if TYPE_CHECKING:
    import random

D = Decimal
ONE = D(1)
UNITS = (
    ("KRW", "억원", D(10) ** 8, D(1)),
    ("KRW", "억원", D(10) ** 8, D(10)),
    ("KRW", "백만원", D(10) ** 6, D(1)),
    ("KRW", "만원", D(10) ** 4, D("0.05")),
    ("USD", "thousand", D(1000), D("0.5")),
    ("USD", "million", D(10) ** 6, D(4)),
    ("EUR", "1", D(1), D("0.02")),
    ("JPY", "million", D(10) ** 6, D(1)),
)
"""Currency, display unit, its factor, size of the company beside one that saves some 10 억원 a year."""
PER_USD = {"KRW": D(1000), "USD": D(1), "EUR": D(1), "JPY": D(100)}
WORDS = {
    "억원": "억원",
    "백만원": "백만원",
    "만원": "만원",
    "thousand": "thousand USD",
    "million": "million {}",
    "1": "EUR",
}


@dataclass
class Draft:
    """A plan in the making."""

    rng: random.Random
    years: int
    currency: str
    unit: str
    factor: Decimal
    size: Decimal
    assumptions: dict[str, Given] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def money_unit(self) -> str:
        return WORDS[self.unit].format(self.currency)

    def number(self, low: float, high: float, digits: int = 2) -> Decimal:
        """A number with so many significant digits."""
        value = D(repr(self.rng.uniform(low, high)))
        return round(value, digits - 1 - value.adjusted()) if value else value

    def money(self, million_won: float, spread: float = 3.0) -> Decimal:
        """An amount in display units around so many million won for a company of size 1."""
        base = D(repr(million_won)) * 1000 * PER_USD[self.currency] * self.size / self.factor
        scale = D(repr(self.rng.uniform(1 / spread, spread))) * base
        return round(scale, max(0, 2 - scale.adjusted()))

    def rising(self, low: float, high: float, digits: int = 2) -> tuple[Decimal, ...]:
        ends = sorted((self.rng.uniform(low, high), self.rng.uniform(low, high)))
        steps = max(1, self.years - 1)
        return tuple(round(D(repr(ends[0] + (ends[1] - ends[0]) * year / steps)), digits) for year in range(self.years))

    def give(self, name: str, unit: str, *values: Decimal, factor: Decimal = ONE) -> tuple[Decimal, ...]:
        """State an assumption; its base values, one a year."""
        self.assumptions[name] = Given(values, unit, factor)
        return tuple(value * factor for value in (values * self.years if len(values) == 1 else values))

    def give_ratio(self, name: str, *values: Decimal) -> tuple[Decimal, ...]:
        """State ratios as ratios or as per cent."""
        if self.rng.random() < 0.4:
            return self.give(name, "%", *(value * 100 for value in values), factor=D("0.01"))
        return self.give(name, "ratio", *values)


def clean_plan(rng: random.Random) -> Plan:
    """A plan without errors."""
    currency, unit, factor, size = rng.choice(UNITS)
    years = rng.choice((1, 2, 3, 3, 4, 5, 5, 5, 6, 7, 8, 10))
    draft = Draft(rng, years, currency, unit, factor, size)
    makers = [_scrap, _stops, _power, _people, _output, _premium]
    benefits = [make(draft) for make in rng.sample(makers, rng.randint(1, 5))]
    if rng.random() < 0.5:
        benefits.append(_goodwill(draft))
    if rng.random() < 0.25:
        benefits.append(_freed(draft))
    timing = _timing(rng, years)
    start = date(rng.randint(2023, 2027), rng.choice((1, 1, 1, 4, 7)), 1)
    capex = {name: draft.money(500.0) * factor for name in rng.sample(CAPITAL, rng.randint(1, 4))}
    phased = timing.capital != "t0" or rng.random() < 0.2
    splits = [split for split in SPLITS if len(split) <= years]
    phasing = tuple(D(one) for one in rng.choice(splits)) if phased else ()
    dates = tuple(start + timedelta(days=rng.randint(1, 300) + 330 * number) for number in range(len(phasing)))
    dates = (start, *dates[1:]) if timing.capital == "dated" else ()
    counted: tuple[str, ...] = ("cashable", "redeployed")
    if rng.random() < 0.3:
        counted = (*counted, "indirect")
    usual = {"conservative": (D("0.7"), D(1)), "realistic": (D(1), D(1)), "optimistic": (D("1.3"), D(1))}
    own = {"conservative": (D("0.8"), D("1.1")), "realistic": (D(1), D(1)), "optimistic": (D("1.2"), D(1))}
    return Plan(
        id=f"plan-{rng.randrange(10**6)}",
        currency=currency,
        unit=unit,
        factor=factor,
        rate=draft.number(0.05, 0.15, 2),
        start=start,
        labels=tuple(str(start.year + year) for year in range(years)),
        timing=timing,
        assumptions=draft.assumptions,
        steps=draft.steps,
        benefits=tuple(benefits),
        capex=capex,
        opex=tuple(_running(draft, name) for name in rng.sample(RUNNING, rng.randint(1, 3))),
        counted=counted,
        phasing=phasing,
        dates=dates,
        inflation=draft.number(0.015, 0.04, 2) if rng.random() < 0.4 else None,
        scenarios={**(usual if rng.random() < 0.7 else own), "worst": (D("0.4"), D("1.2"))},
    )


CAPITAL = ("hardware", "software", "integration", "course", "sensors")
SPLITS = ((100,), (40, 60), (75, 25), (20, 30, 50), (60, 30, 10))
"""Per cent of the capital spent in each period."""
RUNNING = ("licence", "upkeep", "crew", "network")


def _timing(rng: random.Random, years: int) -> Timing:
    draw = rng.random()
    if draw < 0.40:
        return Timing("t0", "year_end", "year")
    if draw < 0.52:
        return Timing("t0", "mid_year", "year")
    if draw < 0.72:
        return Timing(rng.choice(("start_of_period", "mid_period", "end_of_period")), "year_end", "year")
    if draw < 0.88 or years == 1:
        return Timing("t0", "year_end", "month")
    return Timing("dated", "dated", "year")


def _running(draft: Draft, name: str) -> Running:
    rng = draft.rng
    if rng.random() < 0.25:
        amounts = tuple(draft.money(90.0) * draft.factor for _ in range(draft.years))
        return Running(name, amounts, D(0))
    growth = rng.choice((D(0), D("0.02"), D("0.03"), D("0.05"), D("0.1")))
    return Running(name, (draft.money(80.0) * draft.factor,) * draft.years, growth)


def _ramp(draft: Draft) -> tuple[Decimal, ...]:
    return draft.rng.choice(((D(1),), (D(1),), (D("0.5"), D(1)), (D("0.3"), D("0.7"), D(1))))


def _scrap(draft: Draft) -> Benefit:
    volume = draft.give("scrap.volume", "parts/month", draft.number(2e5, 4e6) * max(1, round(draft.size)))
    before = draft.give_ratio("scrap.before", draft.number(0.03, 0.07))
    after = draft.give_ratio("scrap.after", *reversed(draft.rising(0.012, 0.028, 4)))
    cost = draft.give("scrap.cost", f"{draft.currency}/part", draft.number(0.6, 1.6) * PER_USD[draft.currency])
    points = tuple(one - other for one, other in zip(after, before, strict=True))
    avoided = tuple(-one * many * 12 for one, many in zip(points, volume, strict=True))
    draft.steps["scrap.points"] = Step("scrap.after - scrap.before", "pp", tuple(one * 100 for one in points))
    draft.steps["scrap.avoided"] = Step("-scrap.points * scrap.volume * 12", "parts/year", avoided)
    full = tuple(one * each for one, each in zip(avoided, cost, strict=True))
    return Benefit("scrap", "cashable", "cost", "scrap.avoided * scrap.cost", full, _ramp(draft))


def _stops(draft: Draft) -> Benefit:
    hours = draft.give("stops.hours", "h/month", draft.number(9, 60))
    cut = draft.give_ratio("stops.cut", *draft.rising(0.15, 0.75))
    each = draft.give("stops.cost", f"{draft.money_unit}/h", draft.money(2.0), factor=draft.factor)
    saved = tuple(one * part for one, part in zip(hours, cut, strict=True))
    worth = tuple(one * 12 * price for one, price in zip(saved, each, strict=True))
    draft.steps["stops.saved"] = Step("stops.hours * stops.cut", "h/month", saved)
    draft.steps["stops.worth"] = Step(
        "stops.saved * 12 * stops.cost", f"{draft.money_unit}/year", tuple(one / draft.factor for one in worth)
    )
    if draft.rng.random() < 0.5:
        return Benefit("stops", "cashable", "productivity", "stops.worth", worth, _ramp(draft))
    amounts = tuple(sorted(draft.money(80.0) for _ in range(draft.years)))
    repairs = draft.give("stops.repairs", f"{draft.money_unit}/year", *amounts, factor=draft.factor)
    full = tuple(one + other for one, other in zip(worth, repairs, strict=True))
    return Benefit("stops", "cashable", "productivity", "stops.worth + stops.repairs", full)


def _power(draft: Draft) -> Benefit:
    unit = f"{draft.money_unit}/month"
    current = draft.give("power.current", unit, draft.money(90.0), factor=draft.factor)
    gas = draft.give("power.gas", unit, draft.money(30.0), factor=draft.factor)
    cut = draft.give_ratio("power.cut", *draft.rising(0.04, 0.28))
    bill = tuple((one + other) * 12 for one, other in zip(current, gas, strict=True))
    draft.steps["power.bill"] = Step(
        "(power.current + power.gas) * 12", f"{draft.money_unit}/year", tuple(one / draft.factor for one in bill)
    )
    full = tuple(one * part for one, part in zip(bill, cut, strict=True))
    return Benefit("power", "cashable", "cost", "power.bill * power.cut", full, _ramp(draft))


def _people(draft: Draft) -> Benefit:
    top = draft.rng.randint(4, 25)
    moved = draft.give("people.moved", "people", *(D(max(1, top * (y + 1) // draft.years)) for y in range(draft.years)))
    salary = draft.give("people.salary", f"{draft.money_unit}/person/year", draft.money(50.0, 1.4), factor=draft.factor)
    full = tuple(one * each for one, each in zip(moved, salary, strict=True))
    return Benefit("people", "redeployed", "cost", "people.moved * people.salary", full)


def _output(draft: Draft) -> Benefit:
    pieces = draft.give("output.per_hour", "parts/h", draft.number(40, 900))
    hours = draft.give("output.hours", "h/year", draft.number(2000, 7000))
    gain = draft.give_ratio("output.gain", *draft.rising(0.01, 0.09, 3))
    margin = draft.give("output.margin", f"{draft.currency}/part", draft.number(0.4, 6) * PER_USD[draft.currency])
    more = tuple(a * b * c for a, b, c in zip(pieces, hours, gain, strict=True))
    draft.steps["output.more"] = Step("output.per_hour * output.hours * output.gain", "parts/year", more)
    full = tuple(one * each for one, each in zip(more, margin, strict=True))
    return Benefit("output", "cashable", "revenue", "output.more * output.margin", full, _ramp(draft))


def _premium(draft: Draft) -> Benefit:
    full = draft.give("premium.saved", f"{draft.money_unit}/year", draft.money(60.0), factor=draft.factor)
    return Benefit("premium", "cashable", "risk", "premium.saved", full)


def _goodwill(draft: Draft) -> Benefit:
    amounts = tuple(sorted(draft.money(150.0) for _ in range(draft.years)))
    full = draft.give("goodwill.orders", f"{draft.money_unit}/year", *amounts, factor=draft.factor)
    return Benefit("goodwill", "indirect", "revenue", "goodwill.orders", full)


def _freed(draft: Draft) -> Benefit:
    hours = draft.give("freed.hours", "h/month", draft.number(20, 200))
    wage = draft.give("freed.wage", f"{draft.currency}/h", draft.number(15, 40) * PER_USD[draft.currency])
    full = tuple(one * 12 * each for one, each in zip(hours, wage, strict=True))
    return Benefit("freed", "released", "productivity", "freed.hours * 12 * freed.wage", full)
