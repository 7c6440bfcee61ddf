"""Dimensions of formulas: whether what a line is to earn or cost is money at all, and nothing else is added to it.

Only money is followed, by its power: `parts/year` 0, `KRW/part` 1, `h/KRW` -1. A bare number in a formula may itself be
a price, so it leaves a product open; numbers of months, weeks and days in a year do not.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from roi_tracker.case.units import unit_meaning
from roi_tracker.errors import CaseError
from roi_tracker.formulas import parse_formula

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from roi_tracker.case.plan import BusinessCase

Path = tuple[str | int, ...]
Power = int | None
"""Power of money; None where a bare number leaves it open."""

_PERIODS = frozenset({1, 12, 52, 365})
_MONEY = {0: "no money", 1: "money"}
_HINT = "multiply a quantity by its price (parts/year by KRW/part), or correct the unit of what the formula uses"


class _MixedError(Exception):
    """A sum of money and of what is no money."""


def money_power(unit: str, currency: str) -> int:
    """Power of money in a unit.

    >>> money_power("KRW/part", "KRW"), money_power("parts/year", "KRW"), money_power("h/KRW", "KRW")
    (1, 0, -1)
    """
    head, *per = unit.split("/")
    powers = [unit_meaning(one, currency).kind == "money" for one in (head, *per)]
    return int(powers[0]) - sum(powers[1:])


def formula_power(text: str, powers: Mapping[str, int]) -> Power:
    """Power of money of a formula's result.

    Args:
        text: the formula.
        powers: of every name it uses.

    Raises:
        CaseError: it adds, or compares, money and what is no money.

    >>> names = {"parts": 0, "price": 1, "share": 0}
    >>> formula_power("parts * price * (1 - share)", names), formula_power("parts * 12", names)
    (1, 0)
    >>> formula_power("parts * 5000", names) is None
    True
    """
    formula = parse_formula(text)
    try:
        return _power(formula.tree, powers)
    except _MixedError as error:
        raise CaseError("the formula adds money and what is no money", value=text, hint=_HINT) from error


def wrong_dimensions(case: BusinessCase) -> Iterator[tuple[Path, CaseError]]:
    """Formulas whose units cannot be meant, where they stand, and why."""
    units = {name: one.unit for name, one in case.assumptions.items()}
    units |= {name: one.unit for name, one in case.calculations.items()}
    powers = {name: money_power(unit, case.currency) for name, unit in units.items()}
    wanted: list[tuple[Path, str, str, int]] = [
        (("calculations", name, "formula"), f"calculations.{name}", one.formula, powers[name])
        for name, one in case.calculations.items()
    ]
    for group in ("benefits", "opex_per_year", "capex"):
        wanted += [
            ((group, index, "formula"), f"{group}.{line.id}.formula", line.formula, 1)
            for index, line in enumerate(getattr(case, group))
            if line.formula is not None
        ]
    for path, field, text, right in wanted:
        used = ", ".join(f"{name} in {units[name]}" for name in parse_formula(text).names)
        try:
            power = formula_power(text, powers)
        except CaseError as error:
            yield path, CaseError(f"{error.args[0]} ({used})", field=field, value=text, hint=_HINT)
            continue
        if power not in {right, None}:
            given = units.get(text.strip()) or _MONEY.get(power or 0, f"money to the power {power}")
            meant = f"; its unit is {units[str(path[1])]}" if path[0] == "calculations" else "; a line is money"
            message = f"the formula gives {given}{meant} ({used})"
            yield path, CaseError(message, field=field, value=text, hint=_HINT)


def _power(node: ast.expr, powers: Mapping[str, int]) -> Power:  # noqa: PLR0911 - one return a kind of node
    match node:
        case ast.Constant(value=value):
            return 0 if value in _PERIODS else None
        case ast.UnaryOp(operand=operand):
            return _power(operand, powers)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            return _of_sum((left, right), powers)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            first, second = _power(left, powers), _power(right, powers)
            if first is None or second is None:
                return None
            return first + second if isinstance(op, ast.Mult) else first - second
        case ast.BinOp(left=left, right=right):
            return _raised(_power(left, powers), right)
        case ast.Call(func=ast.Name(id="min" | "max"), args=arguments):
            return _of_sum(arguments, powers)
        case ast.Call(args=arguments):
            return _power(arguments[0], powers)
        case _:
            return powers[ast.unparse(node)]


def _bare(node: ast.expr) -> bool:
    """Whether a term is a number alone, which is of whatever it is added to."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.UnaryOp) and _bare(node.operand))


def _of_sum(terms: Sequence[ast.expr], powers: Mapping[str, int]) -> Power:
    """Power of terms that must be alike; a bare number is of whatever stands beside it."""
    found = [_power(one, powers) for one in terms if not _bare(one)]
    known = {one for one in found if one is not None}
    if len(known) > 1:
        raise _MixedError
    return next(iter(known), None)


def _raised(base: Power, exponent: ast.expr) -> Power:
    if base == 0 or base is None:
        return base
    return base * exponent.value if isinstance(exponent, ast.Constant) and isinstance(exponent.value, int) else None
