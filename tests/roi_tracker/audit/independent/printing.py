"""What a plan prints: which figures, in which units, with how many digits; and the file it stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from tests.roi_tracker.audit.independent.plan import figures

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from tests.roi_tracker.audit.independent.plan import Plan

D = Decimal


@dataclass(frozen=True)
class Printed:
    """One statement: an address, or one with a value a year.

    Attributes:
        addresses: one, or one a year.
        values: exact, in base units.
        factor: base units in one printed unit.
        exponent: of the last printed digit.
        unit: written beside it; None: the schema's own rule.
    """

    base: str
    addresses: tuple[str, ...]
    values: tuple[Decimal, ...]
    factor: Decimal
    exponent: int
    unit: str | None = None

    @property
    def numbers(self) -> tuple[Decimal, ...]:
        return tuple(self.rounded(value) for value in self.values)

    def rounded(self, value: Decimal) -> Decimal:
        return (value / self.factor).quantize(D(1).scaleb(self.exponent), ROUND_HALF_UP)


def is_money(address: str) -> bool:
    """Whether the schema reads an address as money."""
    plain = address.split("[", maxsplit=1)[0]
    if plain.startswith(("benefits.", "capex", "opex", "investment.")):
        return True
    last = plain.rsplit(".", maxsplit=1)[-1]
    if plain.startswith("sensitivity."):
        return last != "share_of_npv"
    return plain.startswith("scenarios.") and last in {
        "npv",
        "benefits_pv",
        "costs_pv",
        "net_total",
        "net_flow",
        "cumulative",
    }


def printed(plan: Plan, rng: random.Random) -> list[Printed]:
    """A part of a plan's figures, printed in one of the ways that plans print."""
    exact = figures(plan)
    share = rng.choice((0.25, 0.5, 0.8, 1.0))
    style = rng.choice(("one_decimal", "two_digits", "three_digits", "four_digits", "mixed"))
    found: list[Printed] = []
    for base, addresses in _series(plan, exact):
        name, whole = base if len(addresses) > 1 else addresses[0], addresses
        if rng.random() > share:
            continue
        values = tuple(exact[address] for address in addresses)
        if len(addresses) > 1 and rng.random() < 0.15:
            chosen = rng.randrange(len(addresses))
            whole, values = (addresses[chosen],), (values[chosen],)
            name = whole[0]
        unit, factor = _unit(plan, name, rng)
        one = Printed(name, whole, values, factor, _exponent(values, factor, style, name, rng), unit)
        if all(number or not value for number, value in zip(one.numbers, values, strict=True)):
            found.append(one)
    return found


def _series(plan: Plan, exact: Mapping[str, Decimal]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Addresses together where a value stands for every year."""
    done: set[str] = set()
    for address in exact:
        base = address.split("[", maxsplit=1)[0]
        if base in done:
            continue
        done.add(base)
        yearly = tuple(f"{base}[{label}]" for label in plan.labels)
        yield (base, yearly) if address != base else (base, (address,))


def _unit(plan: Plan, base: str, rng: random.Random) -> tuple[str | None, Decimal]:
    if not is_money(base):
        percents = base.endswith((".irr", ".roi", "share_of_npv", "overall_achievement"))
        return ("%", D("0.01")) if percents and rng.random() < 0.4 else (None, D(1))
    if plan.unit == "억원" and rng.random() < 0.12:
        return "백만원", D(10) ** 6
    return None, plan.factor


def _exponent(values: Sequence[Decimal], factor: Decimal, style: str, base: str, rng: random.Random) -> int:
    largest = max(abs(value / factor) for value in values)
    top = largest.adjusted() if largest else 0
    if style == "one_decimal" and is_money(base):
        return -1
    digits = {"two_digits": 2, "three_digits": 3, "four_digits": 4, "one_decimal": 3}.get(style, rng.randint(2, 5))
    return top - digits + 1


def text_of(number: Decimal) -> str:
    """A number as both file formats read it, its last printed digit kept: 1,200 to two digits is 0.12e+4."""
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or exponent <= 0:
        return f"{number:f}"
    body = "".join(map(str, digits))
    return f"{'-' if sign else ''}0.{body}e+{exponent + len(body)}"


Tree = str | Decimal | int | bool | list["Tree"] | dict[str, "Tree"]


def document(
    plan: Plan, lines: Sequence[tuple[Printed, Sequence[Decimal]]], extra: Mapping[str, Tree]
) -> dict[str, Tree]:
    """The whole file as nested values.

    Args:
        plan: inputs.
        lines: what is printed, and the numbers really printed there.
        extra: further sections, or parts of `assumptions` and `conventions` to add.
    """

    def given(value: Tree, unit: str) -> dict[str, Tree]:
        return {"value": value, "unit": unit, "source": "sheet", "owner": "plant"}

    money = {"백만원": "백만원", "억원": "억원", "만원": "만원", "1": plan.currency}.get(
        plan.unit, f"{plan.unit} {plan.currency}"
    )
    conventions: dict[str, Tree] = {
        "capital": plan.timing.capital,
        "operations": plan.timing.operations,
        "period": plan.timing.period,
        "prices": "constant",
        "base_year": plan.start.year,
        "counted": list(plan.counted),
    }
    if plan.inflation is not None:
        conventions["inflation"] = given(plan.inflation, "ratio")
    tree: dict[str, Tree] = {
        "id": plan.id,
        "name": {"ko": "시험 계획", "en": "Test plan"},
        "currency": plan.currency,
        "display_unit": plan.unit,
        "discount_rate": given(plan.rate, "ratio"),
        "start_date": plan.start.isoformat(),
        "horizon_years": plan.years,
        "conventions": conventions,
        "assumptions": {
            name: given(one.values[0] if len(one.values) == 1 else list(one.values), one.unit)
            for name, one in plan.assumptions.items()
        },
        "calculations": {name: {"formula": one.formula, "unit": one.unit} for name, one in plan.steps.items()},
        "capex": [
            {"id": name, "name": {"ko": name, "en": name}, "amount": given(amount / plan.factor, money)}
            for name, amount in plan.capex.items()
        ],
        "opex_per_year": [
            {
                "id": one.id,
                "name": {"ko": one.id, "en": one.id},
                "growth": one.growth,
                "amount": given(
                    one.amounts[0] / plan.factor
                    if len(set(one.amounts)) == 1
                    else [money_ / plan.factor for money_ in one.amounts],
                    money,
                ),
            }
            for one in plan.opex
        ],
        "benefits": [
            {
                "id": one.id,
                "name": {"ko": one.id, "en": one.id},
                "kpi": "followed monthly",
                "class": one.kind,
                "axis": one.axis,
                "formula": one.formula,
                "ramp_up": list(one.ramp),
            }
            for one in plan.benefits
        ],
        "scenarios": {name: {"benefits": good, "costs": bad} for name, (good, bad) in plan.scenarios.items()},
        "stated": [_statement(one, numbers) for one, numbers in lines],
    }
    if plan.phasing:
        phasing: dict[str, Tree] = {
            "value": [share * sum(plan.capex.values()) / 100 / plan.factor for share in plan.phasing],
            "unit": money,
            "source": "sheet",
            "owner": "plant",
        }
        tree["capex_phasing"] = phasing | ({"dates": [day.isoformat() for day in plan.dates]} if plan.dates else {})
    for key, more in extra.items():
        there = tree.get(key)
        if isinstance(there, dict) and isinstance(more, dict):
            there.update(more)
        elif isinstance(there, list) and isinstance(more, list):
            there.extend(more)
        else:
            tree[key] = more
    return tree


def _statement(one: Printed, numbers: Sequence[Decimal]) -> dict[str, Tree]:
    value: Tree = numbers[0] if len(numbers) == 1 else list(numbers)
    return {"id": one.base, "value": value} | ({"unit": one.unit} if one.unit else {})


def as_yaml(tree: dict[str, Tree]) -> str:
    """The file as YAML: a block at the top, flow style within."""
    return "".join(f"{key}: {_flow(value, ': ')}\n" for key, value in tree.items())


def as_toml(tree: dict[str, Tree]) -> str:
    """The same as TOML."""
    return "".join(f"{key} = {_flow(value, ' = ')}\n" for key, value in tree.items())


def _flow(value: Tree, between: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}"{between}{_flow(one, between)}' for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one, between) for one in value) + "]"
    if isinstance(value, Decimal):
        return text_of(value)
    if isinstance(value, int):
        return str(value)
    return value if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else f'"{value}"'


def moved(one: Printed, values: Sequence[Decimal]) -> Printed:
    """The same statement over other exact values."""
    return replace(one, values=tuple(values))
