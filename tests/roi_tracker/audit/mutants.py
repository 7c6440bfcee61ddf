"""Mutation test of the audit: clean plans, one planted error each, by a generator that knows nothing of the audit.

`python -m tests.roi_tracker.audit.mutants [SEED] [CASES]` prints recall and false alarms a kind. The generator imports the
schema and writes every clean figure with its own plain arithmetic, not with the engine that the audit recomputes with.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from roi_tracker.business_case import BusinessCase, parse_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNIT = 1e4  # 만원


@dataclass(frozen=True)
class Printed:
    """One printed figure: address, value as printed, digits after the point."""

    id: str
    value: float
    places: int
    unit: str | None = None
    where: str | None = None


@dataclass(frozen=True)
class Plan:
    """A clean plan: its inputs as YAML, its printed figures, and the numbers that mutations need."""

    inputs: str
    printed: tuple[Printed, ...]
    rate: float
    inflation: float
    years: tuple[int, ...]
    pv_of: dict[str, list[float]]

    def case(self, printed: tuple[Printed, ...] | None = None, extra: str = "") -> BusinessCase:
        lines = [self.inputs.replace("#EXTRA", extra), "stated:"]
        for one in printed if printed is not None else self.printed:
            unit = f", unit: '{one.unit}'" if one.unit else ""
            where = f", where: {one.where}" if one.where else ""
            value = round(Decimal(repr(one.value)), one.places)
            lines.append(f"  - {{id: '{one.id}', value: {value:f}{unit}{where}}}")
        return parse_case("\n".join(lines) + "\n", "yaml")


@dataclass(frozen=True)
class Mutant:
    """A plan with one error; `families` are the causes that name it rightly, empty for kinds without a rule."""

    kind: str
    case: BusinessCase
    addresses: frozenset[str]
    families: tuple[str, ...]


def clean_plan(seed: int) -> Plan:
    """A plan of five years with three lines in constant prices; figures by plain arithmetic.

    Every third plan earns from its first period with capital inside it, so that no IRR exists.
    """
    rng = random.Random(seed)
    years = tuple(range(2026, 2031))
    rate, inflation = rng.choice([0.07, 0.08, 0.09, 0.11]), rng.choice([0.021, 0.023, 0.027])
    volume, price = rng.randint(110_000, 990_000), rng.randint(1100, 4900)
    before = rng.randint(310, 590) / 1e4
    after = sorted((round(before * rng.uniform(0.35, 0.9), 4) for _ in years), reverse=True)
    hours, worth = rng.randint(190, 690), rng.randint(610_000, 2_900_000)
    cut = sorted(rng.randint(11, 59) / 100 for _ in years)
    power, gas = rng.randint(9_100, 49_000), rng.randint(2_100, 8_900)
    save = sorted(rng.randint(3, 29) / 100 for _ in years)
    orders = [rng.randint(600, 9_900) for _ in years]
    capital = [rng.randint(11_000, 59_000), rng.randint(3_100, 28_000), rng.randint(1_300, 9_700)]
    running = [rng.randint(900, 4_900), rng.randint(310, 1_900)]
    phased = seed % 3 == 0
    if phased:
        capital = [one // 15 for one in capital]
    avoided = [(before - one) * volume for one in after]
    stops = [hours * one for one in cut]
    lines = {
        "scrap": [one * price for one in avoided],
        "stops": [one * worth for one in stops],
        "energy": [(power + gas) * UNIT * one for one in save],
        "orders": [one * UNIT for one in orders],
    }
    inputs = f"""
id: plan-{seed}
name: {{ko: 계획, en: Plan}}
currency: KRW
display_unit: 만원
discount_rate: {{value: {rate}, unit: ratio, source: s, owner: o}}
start_date: 2026-01-01
horizon_years: 5
conventions:
  capital: {"end_of_period" if phased else "t0"}
  counted: [cashable, redeployed, indirect]
  prices: constant
  discount_basis: real
  base_year: 2026
  inflation: {{value: {inflation}, unit: ratio, source: s, owner: o}}
assumptions:
  volume: {{value: {volume}, unit: parts/year, source: s, owner: o}}
  scrap.before: {{value: {before}, unit: ratio, source: s, owner: o}}
  scrap.after: {{value: {after}, unit: ratio, source: s, owner: o}}
  scrap.cost: {{value: {price}, unit: KRW/part, source: s, owner: o}}
  stops.hours: {{value: {hours}, unit: h/year, source: s, owner: o}}
  stops.cut: {{value: {cut}, unit: ratio, source: s, owner: o}}
  stops.worth: {{value: {worth}, unit: KRW/h, source: s, owner: o}}
  energy.power: {{value: {power}, unit: 만원/year, source: s, owner: o}}
  energy.gas: {{value: {gas}, unit: 만원/year, source: s, owner: o}}
  energy.saved: {{value: {save}, unit: ratio, source: s, owner: o}}
  orders.margin: {{value: {orders}, unit: 만원/year, source: s, owner: o}}
#EXTRA
calculations:
  scrap.avoided: {{formula: "(scrap.before - scrap.after) * volume", unit: parts/year}}
  stops.avoided: {{formula: "stops.hours * stops.cut", unit: h/year}}
capex:
  - {{id: hardware, name: {{ko: ㄱ, en: a}}, category: hardware, amount: {{value: {capital[0]}, unit: 만원, source: s, owner: o}}}}
  - {{id: software, name: {{ko: ㄴ, en: b}}, category: licence, amount: {{value: {capital[1]}, unit: 만원, source: s, owner: o}}}}
  - {{id: training, name: {{ko: ㄷ, en: c}}, category: training, amount: {{value: {capital[2]}, unit: 만원, source: s, owner: o}}}}
{f"capex_phasing: {{value: [{sum(capital)}], unit: 만원, source: s, owner: o}}" if phased else ""}
opex_per_year:
  - {{id: staff, name: {{ko: ㄱ, en: a}}, category: staff, amount: {{value: {running[0]}, unit: 만원/year, source: s, owner: o}}}}
  - {{id: network, name: {{ko: ㄴ, en: b}}, category: network, amount: {{value: {running[1]}, unit: 만원/year, source: s, owner: o}}}}
benefits:
  - {{id: scrap-line, name: {{ko: ㄱ, en: a}}, measure: defects, class: cashable, axis: cost, formula: "scrap.avoided * scrap.cost"}}
  - {{id: stop-line, name: {{ko: ㄴ, en: b}}, measure: downtime, class: cashable, axis: productivity, formula: "stops.avoided * stops.worth"}}
  - {{id: energy-line, name: {{ko: ㄷ, en: c}}, measure: energy, class: cashable, axis: cost, formula: "(energy.power + energy.gas) * energy.saved"}}
  - {{id: order-line, name: {{ko: ㄹ, en: d}}, kpi: orders, class: indirect, axis: revenue, formula: orders.margin}}
"""
    ids = {"scrap": "scrap-line", "stops": "stop-line", "energy": "energy-line", "orders": "order-line"}
    printed: list[Printed] = []
    money = 1

    def row(name: str, values: list[float], places: int = money, scale: float = UNIT) -> None:
        printed.extend(Printed(f"{name}[{y}]", v / scale, places) for y, v in zip(years, values, strict=True))

    def one(name: str, value: float, places: int = money, scale: float = UNIT) -> None:
        printed.append(Printed(name, value / scale, places))

    row("scrap.avoided", avoided, 1, 1)
    row("stops.avoided", stops, 2, 1)
    for key, values in lines.items():
        row(f"benefits.{ids[key]}.saving", values)
    direct = [sum(lines[key][k] for key in ("scrap", "stops", "energy")) for k in range(5)]
    every = [d + o for d, o in zip(direct, lines["orders"], strict=True)]
    discount = [(1 + rate) ** -(k + 1) for k in range(5)]
    capital_total, cost = sum(capital) * UNIT, sum(running) * UNIT
    capital_pv = capital_total * (discount[0] if phased else 1.0)

    def pv(values: list[float]) -> float:
        return sum(v * d for v, d in zip(values, discount, strict=True))

    for name, values in (("direct", direct), ("indirect", lines["orders"]), ("all", every)):
        row(f"benefits.{name}", values)
        one(f"benefits.{name}.total", sum(values))
        one(f"benefits.{name}.pv", pv(values))
    one("capex.total", capital_total)
    one("opex.total", cost * 5)
    one("opex.pv", pv([cost] * 5))
    one("investment.pv", capital_pv + pv([cost] * 5))
    for scenario, b, c in (
        ("realistic", 1.0, 1.0),
        ("conservative", 0.7, 1.0),
        ("optimistic", 1.3, 1.0),
        ("worst", 0.4, 1.2),
    ):
        net = [e * b - cost * c - (capital_total * c if phased and k == 0 else 0.0) for k, e in enumerate(every)]
        flows = net if phased else [-capital_total * c, *net]
        row(f"scenarios.{scenario}.net_flow", net)
        one(f"scenarios.{scenario}.benefits_pv", pv(every) * b)
        one(f"scenarios.{scenario}.costs_pv", (capital_pv + pv([cost] * 5)) * c)
        one(f"scenarios.{scenario}.npv", pv(every) * b - (capital_pv + pv([cost] * 5)) * c)
        one(f"scenarios.{scenario}.net_total", sum(flows))
        if not phased:
            running_total = [sum(flows[: k + 2]) for k in range(5)]
            row(f"scenarios.{scenario}.cumulative", running_total)
            rate_found = _irr(flows)
            if rate_found is not None:
                one(f"scenarios.{scenario}.irr", rate_found, 4, 1)
            years_back = _payback(flows)
            if years_back is not None:
                one(f"scenarios.{scenario}.payback_years", years_back, 2, 1)
    npv = pv(every) - capital_pv - pv([cost] * 5)
    for key, values in lines.items():
        tenth = pv(values) / 10
        one(f"sensitivity.benefits.{ids[key]}.plus_10pct", tenth)
        one(f"sensitivity.benefits.{ids[key]}.minus_10pct", -tenth)
        if npv > 0:
            one(f"sensitivity.benefits.{ids[key]}.share_of_npv", tenth / npv, 5, 1)
    one("break_even.overall_achievement", (capital_pv + pv([cost] * 5)) / pv(every), 4, 1)
    return Plan(inputs, tuple(printed), rate, inflation, years, {"direct": direct, "all": every, **lines})


def _irr(flows: list[float]) -> float | None:
    """By bisection; flows change sign once, so there is one root."""
    low, high = -0.99, 1e4

    def value(rate: float) -> float:
        return sum(flow / (1 + rate) ** k for k, flow in enumerate(flows))

    if value(low) * value(high) > 0 or any(flow < 0 for flow in flows[1:]):
        return None
    for _ in range(300):
        middle = (low + high) / 2
        low, high = (middle, high) if value(low) * value(middle) > 0 else (low, middle)
    return low


def _payback(flows: list[float]) -> float | None:
    total = flows[0]
    for k, flow in enumerate(flows[1:]):
        if total < 0 <= total + flow and all(later >= 0 for later in flows[k + 1 :]):
            return k + -total / flow
        total += flow
    return None


Planter = Callable[[random.Random, Plan], "Mutant | None"] if TYPE_CHECKING else object


def _with(plan: Plan, changes: dict[str, float], kind: str, families: tuple[str, ...]) -> Mutant | None:
    """The plan with figures replaced; None where the print does not change by more than three of its last digits."""
    printed = [replace(one, value=changes.get(one.id, one.value)) for one in plan.printed]
    moved = frozenset(
        new.id
        for new, old in zip(printed, plan.printed, strict=True)
        if abs(new.value - old.value) > 3 * 10.0**-old.places
    )
    return Mutant(kind, plan.case(tuple(printed)), moved, families) if moved else None


def _values(plan: Plan) -> dict[str, float]:
    return {one.id: one.value for one in plan.printed}


def _any_money(rng: random.Random, plan: Plan) -> Printed:
    chosen = [one for one in plan.printed if abs(one.value) > 50 and not one.id.startswith("break_even")]
    return rng.choice(chosen)


def unit_slip(rng: random.Random, plan: Plan) -> Mutant | None:
    one, factor = _any_money(rng, plan), rng.choice([10, 100, 1000, 1e4, 1e8, 0.1])
    return _with(plan, {one.id: one.value * factor}, "unit slip", ("unit_slip",))


def multiplier(rng: random.Random, plan: Plan) -> Mutant | None:
    name = rng.choice(
        ["benefits.scrap-line.saving", "benefits.stop-line.saving", "stops.avoided", "benefits.energy-line.saving"]
    )
    factor = rng.choice([1.2, 1.5, 2, 3, 5, 7])
    changes = {one.id: one.value * factor for one in plan.printed if one.id.startswith(name + "[")}
    return _with(plan, changes, "unstated multiplier", ("unstated_multiplier",))


def double_count(rng: random.Random, plan: Plan) -> Mutant | None:
    now, year = _values(plan), rng.choice(plan.years)
    whole, part = rng.choice(
        [
            (f"benefits.direct[{year}]", f"benefits.energy-line.saving[{year}]"),
            (f"benefits.all[{year}]", f"benefits.order-line.saving[{year}]"),
            ("benefits.all.pv", "benefits.indirect.pv"),
            ("investment.pv", "opex.pv"),
            ("benefits.all.total", "benefits.indirect.total"),
        ]
    )
    return _with(plan, {whole: now[whole] + now[part]}, "double count", ("double_count",))


def omitted(rng: random.Random, plan: Plan) -> Mutant | None:
    now, year = _values(plan), rng.choice(plan.years)
    whole, part = rng.choice(
        [
            (f"benefits.direct[{year}]", f"benefits.scrap-line.saving[{year}]"),
            ("benefits.direct.total", f"benefits.direct[{year}]"),
            ("opex.total", None),
        ]
    )
    gone = now["opex.total"] / 5 if part is None else now[part]
    return _with(plan, {whole: now[whole] - gone}, "total against parts", ("omitted_part",))


def timing(rng: random.Random, plan: Plan) -> Mutant | None:
    now = _values(plan)
    name = rng.choice(
        ["benefits.direct.pv", "benefits.indirect.pv", "opex.pv", "scenarios.optimistic.benefits_pv", "benefits.all.pv"]
    )
    shift = rng.choice([0.5, 1.0])
    return _with(plan, {name: now[name] * (1 + plan.rate) ** shift}, "mixed timing", ("mixed_timing",))


def wrong_base(rng: random.Random, plan: Plan) -> Mutant | None:
    now, year = _values(plan), rng.randrange(5)
    if rng.random() < 0.5:
        name = f"sensitivity.benefits.{rng.choice(['scrap-line', 'stop-line', 'energy-line'])}"
        if f"{name}.share_of_npv" not in now:
            return None
        base = now[rng.choice(["scenarios.realistic.benefits_pv", "scenarios.realistic.costs_pv", "capex.total"])]
        return _with(plan, {f"{name}.share_of_npv": now[f"{name}.plus_10pct"] / base}, "wrong base", ("wrong_base",))
    label = plan.years[year]
    save = now[f"benefits.energy-line.saving[{label}]"]
    # the share of the energy bill taken of the orders' margin instead of the gas bill, beside the power bill
    case = plan.case()
    power, gas = (float(case.assumptions[key].amount) for key in ("energy.power", "energy.gas"))
    orders = now[f"benefits.order-line.saving[{label}]"]
    value = save / (power + gas) * (power + orders)
    return _with(plan, {f"benefits.energy-line.saving[{label}]": value}, "wrong base", ("wrong_base",))


def price_basis(rng: random.Random, plan: Plan) -> Mutant | None:
    name = rng.choice(["benefits.direct", "benefits.scrap-line.saving", "benefits.energy-line.saving", "benefits.all"])
    first = rng.choice([0, 1])
    now = _values(plan)
    changes = {
        f"{name}[{y}]": now[f"{name}[{y}]"] * (1 + plan.inflation) ** (k + first) for k, y in enumerate(plan.years)
    }
    return _with(plan, changes, "price basis", ("wrong_price_basis",))


def contradiction(rng: random.Random, plan: Plan) -> Mutant | None:
    one = _any_money(rng, plan)
    again = replace(one, value=one.value * rng.uniform(1.05, 1.6), where="second table")
    return Mutant("two statements", plan.case((*plan.printed, again)), frozenset([one.id]), ("said_twice",))


def input_said_otherwise(rng: random.Random, plan: Plan) -> Mutant | None:
    case = plan.case()
    name = rng.choice(["volume", "scrap.cost", "stops.hours", "stops.worth", "energy.power"])
    said = Printed(name, round(float(case.assumptions[name].amount) * rng.uniform(1.1, 1.9)), 0)
    return Mutant("input said otherwise", plan.case((*plan.printed, said)), frozenset([name]), ("contradicts_input",))


def unused(rng: random.Random, plan: Plan) -> Mutant | None:
    name = rng.choice(["growth", "learning", "wage_rise"])
    extra = f"  {name}: {{value: 0.0{rng.randint(31, 79)}, unit: ratio, source: s, owner: o}}"
    return Mutant("declared, unused", plan.case(extra=extra), frozenset([name]), ("unused",))


def impossible_irr(rng: random.Random, plan: Plan) -> Mutant | None:
    now = _values(plan)
    scenario = "optimistic"
    flows = [now[f"scenarios.{scenario}.net_flow[{y}]"] for y in plan.years]
    if "capital: end_of_period" not in plan.inputs or min(flows) < 0:
        return None
    said = Printed(f"scenarios.{scenario}.irr", rng.uniform(0.2, 4), 3)
    return Mutant(
        "IRR without sign change", plan.case((*plan.printed, said)), frozenset([said.id]), ("irr_cannot_exist",)
    )


def payback(rng: random.Random, plan: Plan) -> Mutant | None:
    now = _values(plan)
    name = f"scenarios.{rng.choice(['realistic', 'conservative', 'optimistic'])}.payback_years"
    if name not in now:
        return None
    return _with(plan, {name: now[name] * rng.uniform(0.4, 0.8)}, "payback against flows", ("payback_against_flows",))


def mislabelled(rng: random.Random, plan: Plan) -> Mutant | None:
    name, really = rng.choice(
        [
            ("scenarios.realistic.npv", "scenarios.realistic.net_total"),
            ("scenarios.realistic.npv", "scenarios.realistic.benefits_pv"),
            ("scenarios.conservative.npv", "scenarios.realistic.npv"),
            ("benefits.direct.pv", "benefits.direct.total"),
            ("benefits.direct.total", "benefits.all.total"),
            ("opex.pv", "opex.total"),
        ]
    )
    families = ("label_mismatch", "double_count") if really == "benefits.all.total" else ("label_mismatch",)
    return _with(plan, {name: _values(plan)[really]}, "label against content", families)


def sign(rng: random.Random, plan: Plan) -> Mutant | None:
    one = _any_money(rng, plan)
    return _with(plan, {one.id: -one.value}, "sign reversed", ("sign_reversed",))


def swapped_digits(rng: random.Random, plan: Plan) -> Mutant | None:
    one = _any_money(rng, plan)
    digits = list(f"{one.value:.{one.places}f}")
    places = [
        k
        for k in range(1, len(digits) - 3)
        if digits[k].isdigit() and digits[k + 1].isdigit() and digits[k] != digits[k + 1]
    ]
    if not places:
        return None
    k = rng.choice(places)
    digits[k], digits[k + 1] = digits[k + 1], digits[k]
    return _with(plan, {one.id: float("".join(digits))}, "no rule: swapped digits", ())


def odd_factor(rng: random.Random, plan: Plan) -> Mutant | None:
    one = _any_money(rng, plan)
    return _with(plan, {one.id: one.value * rng.choice([1.0873, 0.8137, 1.3719, 2.7183])}, "no rule: odd factor", ())


def constant_added(rng: random.Random, plan: Plan) -> Mutant | None:
    one = _any_money(rng, plan)
    return _with(plan, {one.id: one.value + rng.randint(11, 97) * 7.3}, "no rule: constant added", ())


PLANTERS = (
    unit_slip, multiplier, double_count, omitted, timing, wrong_base, price_basis, contradiction, input_said_otherwise,
    unused, impossible_irr, payback, mislabelled, sign, swapped_digits, odd_factor, constant_added,
)  # fmt: skip


def mutants(seed: int, cases: int) -> Iterator[Mutant]:
    """One mutant of every kind a clean plan, where the plan has a place for it."""
    for number in range(cases):
        rng = random.Random(f"{seed}-{number}")
        plan = clean_plan(seed * 10_000 + number)
        for planter in PLANTERS:
            found = planter(rng, plan)
            if found is not None:
                yield found


if __name__ == "__main__":
    import sys

    from tests.roi_tracker.audit.score import print_score

    print_score(int(sys.argv[1]) if len(sys.argv) > 1 else 1, int(sys.argv[2]) if len(sys.argv) > 2 else 36)
