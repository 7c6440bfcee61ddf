"""Mutation test of the audit: clean plans, one planted error each, by a generator that knows nothing of the audit.

`python -m tests.roi_tracker.audit.mutants [SEED] [CASES]` prints recall and false alarms by kind of error.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.roi_tracker.audit.plans import Plan, Printed, clean_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.business_case import BusinessCase


@dataclass(frozen=True)
class Mutant:
    """A plan with one error; `families` are the causes that name it rightly, empty for kinds without a rule."""

    kind: str
    case: BusinessCase
    addresses: frozenset[str]
    families: tuple[str, ...]


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
