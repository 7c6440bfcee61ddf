"""Clean plans for the mutation test: inputs as YAML and every printed figure by plain arithmetic, not by the engine."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

from roi_tracker.business_case import BusinessCase, parse_case

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


def clean_plan(seed: int) -> Plan:  # noqa: C901, PLR0915 - one plan from its first draw to its last figure
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
    by = "source: s, owner: o"
    inputs = f"""
id: plan-{seed}
name: {{ko: 계획, en: Plan}}
currency: KRW
display_unit: 만원
discount_rate: {{value: {rate}, unit: ratio, {by}}}
start_date: 2026-01-01
horizon_years: 5
conventions:
  capital: {"end_of_period" if phased else "t0"}
  counted: [cashable, redeployed, indirect]
  prices: constant
  discount_basis: real
  base_year: 2026
  inflation: {{value: {inflation}, unit: ratio, {by}}}
assumptions:
  volume: {{value: {volume}, unit: parts/year, {by}}}
  scrap.before: {{value: {before}, unit: ratio, {by}}}
  scrap.after: {{value: {after}, unit: ratio, {by}}}
  scrap.cost: {{value: {price}, unit: KRW/part, {by}}}
  stops.hours: {{value: {hours}, unit: h/year, {by}}}
  stops.cut: {{value: {cut}, unit: ratio, {by}}}
  stops.worth: {{value: {worth}, unit: KRW/h, {by}}}
  energy.power: {{value: {power}, unit: 만원/year, {by}}}
  energy.gas: {{value: {gas}, unit: 만원/year, {by}}}
  energy.saved: {{value: {save}, unit: ratio, {by}}}
  orders.margin: {{value: {orders}, unit: 만원/year, {by}}}
#EXTRA
calculations:
  scrap.avoided: {{formula: "(scrap.before - scrap.after) * volume", unit: parts/year}}
  stops.avoided: {{formula: "stops.hours * stops.cut", unit: h/year}}
capex:
  - {{id: hardware, name: {{ko: ㄱ, en: a}},
     category: hardware, amount: {{value: {capital[0]}, unit: 만원, {by}}}}}
  - {{id: software, name: {{ko: ㄴ, en: b}},
     category: licence, amount: {{value: {capital[1]}, unit: 만원, {by}}}}}
  - {{id: training, name: {{ko: ㄷ, en: c}},
     category: training, amount: {{value: {capital[2]}, unit: 만원, {by}}}}}
{f"capex_phasing: {{value: [{sum(capital)}], unit: 만원, {by}}}" if phased else ""}
opex_per_year:
  - {{id: staff, name: {{ko: ㄱ, en: a}},
     category: staff, amount: {{value: {running[0]}, unit: 만원/year, {by}}}}}
  - {{id: network, name: {{ko: ㄴ, en: b}},
     category: network, amount: {{value: {running[1]}, unit: 만원/year, {by}}}}}
benefits:
  - {{id: scrap-line, name: {{ko: ㄱ, en: a}},
     measure: defects, class: cashable, axis: cost, formula: "scrap.avoided * scrap.cost"}}
  - {{id: stop-line, name: {{ko: ㄴ, en: b}},
     measure: downtime, class: cashable, axis: productivity, formula: "stops.avoided * stops.worth"}}
  - {{id: energy-line, name: {{ko: ㄷ, en: c}},
     measure: energy, class: cashable, axis: cost, formula: "(energy.power + energy.gas) * energy.saved"}}
  - {{id: order-line, name: {{ko: ㄹ, en: d}},
     kpi: orders, class: indirect, axis: revenue, formula: orders.margin}}
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
