"""Formulas of a business case: arithmetic over named quantities, evaluated on exact decimals or on float arrays alike.

Allowed: numbers, names of assumptions and calculations (dotted), `+ - * / **`, unary minus, parentheses, `min(...)`,
`max(...)`, `lag(x, n)` (x of n periods before, 0 at first) and `cumulative(x)`. Nothing else: text in a file never runs
as code. Values are arrays whose last axis is the period; a formula works period by period.
"""

from __future__ import annotations

import ast
import functools
from decimal import DivisionByZero, InvalidOperation, Overflow
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Values = npt.NDArray[Any]
"""Decimals (dtype object) or float64; last axis is the period."""

MAX_DEPTH = 40
MAX_LENGTH = 500
LARGEST_CONSTANT = 10**30
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_HINT = "use + - * / ** ( ) min max lag cumulative over ids of assumptions and calculations"
FUNCTIONS = frozenset({"min", "max", "lag", "cumulative"})


class Formula(msgspec.Struct, frozen=True):
    """A parsed formula: its text, its tree, and the names it uses in order of appearance."""

    text: str
    tree: ast.expr
    names: tuple[str, ...]


def parse_formula(text: str, field: str = "formula") -> Formula:
    """Read a formula.

    Raises:
        CaseError: not arithmetic, or something other than what is allowed.

    >>> parse_formula("downtime.hours * 12 * max(rate, 0)").names
    ('downtime.hours', 'rate')
    """
    if len(text) > MAX_LENGTH:
        raise CaseError(f"the formula is longer than {MAX_LENGTH} characters", field=field, hint="split it")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CaseError(f"the formula cannot be read: {error}", field=field, value=text, hint=_HINT) from error
    names: dict[str, None] = {}
    _check(tree, names, field, 0)
    return Formula(text, tree, tuple(names))


def _check(node: ast.expr, names: dict[str, None], field: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise CaseError("the formula is nested too deeply", field=field, hint="split it into calculations")
    name = _name(node)
    if name is not None:
        names[name] = None
        return
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as constant) if abs(constant) <= LARGEST_CONSTANT:
            return
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _check(operand, names, field, depth + 1)
            return
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            _check(left, names, field, depth + 1)
            _check(right, names, field, depth + 1)
            return
        case ast.Call(func=ast.Name(id=called), args=arguments, keywords=[]) if called in FUNCTIONS:
            _check_arity(called, arguments, field)
            for argument in arguments:
                _check(argument, names, field, depth + 1)
            return
        case _:
            pass
    raise CaseError("the formula contains what is not arithmetic", field=field, value=ast.unparse(node), hint=_HINT)


def _check_arity(called: str, arguments: list[ast.expr], field: str) -> None:
    fits = {
        "min": len(arguments) >= 2,  # noqa: PLR2004 - of two or more
        "max": len(arguments) >= 2,  # noqa: PLR2004 - of two or more
        "lag": len(arguments) == 2  # noqa: PLR2004 - the quantity and the number of periods
        and isinstance(arguments[1], ast.Constant)
        and isinstance(arguments[1].value, int)
        and arguments[1].value >= 0,
        "cumulative": len(arguments) == 1,
    }
    if not fits[called]:
        raise CaseError(
            f"{called} is called wrongly", field=field, hint="min(a, b), max(a, b), lag(a, 1), cumulative(a)"
        )


def _name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        parent = _name(node.value)
        return None if parent is None else f"{parent}.{node.attr}"
    return None


def evaluate(formula: Formula, values: Mapping[str, Values], number: Callable[[str], Any], field: str) -> Values:
    """Value of a formula.

    Args:
        formula: parsed.
        values: every name it uses.
        number: makes constants of the wanted kind from their text: `Decimal`, or `float`.
        field: what the formula defines, for messages.

    Raises:
        CaseError: division by zero, a root of a negative number, or a result out of range.

    >>> from decimal import Decimal
    >>> years = np.array([Decimal("0.1"), Decimal("0.2")], dtype=object)
    >>> [str(v) for v in evaluate(parse_formula("30 * rate"), {"rate": years}, Decimal, "x")]
    ['3.0', '6.0']
    """
    try:
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            return np.asarray(_value(formula.tree, values, number))
    except (ArithmeticError, DivisionByZero, InvalidOperation, Overflow) as error:
        raise CaseError(
            f"{field} cannot be computed: {type(error).__name__}",
            field=field,
            value=formula.text,
            hint="a divisor is zero, or a power is out of range; check the assumptions it uses",
        ) from error


def _value(node: ast.expr, values: Mapping[str, Values], number: Callable[[str], Any]) -> Any:  # noqa: ANN401 - array or scalar of either kind
    name = _name(node)
    if name is not None:
        return values[name]
    match node:
        case ast.Constant():
            return number(repr(node.value))
        case ast.UnaryOp(op=op, operand=operand):
            inner = _value(operand, values, number)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, values, number), _value(right, values, number))
        case ast.Call(func=ast.Name(id=called), args=arguments):
            return _called(called, arguments, values, number)
        case _:  # pragma: no cover - parse_formula admits nothing else
            raise CaseError("the formula contains what is not arithmetic", hint=_HINT)


def _called(called: str, arguments: list[ast.expr], values: Mapping[str, Values], number: Callable[[str], Any]) -> Any:  # noqa: ANN401 - array or scalar of either kind
    first = _value(arguments[0], values, number)
    if called == "cumulative":
        return np.cumsum(first, axis=-1)
    if called == "lag":
        count = arguments[1].value if isinstance(arguments[1], ast.Constant) else 0
        steps = count if isinstance(count, int) else 0
        series = np.asarray(first)
        before = np.full_like(series, number("0"))
        if series.ndim and steps < series.shape[-1]:
            before[..., steps:] = series[..., : series.shape[-1] - steps]
        return before
    pick = np.minimum if called == "min" else np.maximum
    return functools.reduce(pick, (_value(argument, values, number) for argument in arguments[1:]), first)


def in_order(formulas: Mapping[str, Formula]) -> tuple[str, ...]:
    """Ids of formulas so that each comes after those it uses.

    Raises:
        CaseError: some use one another in a circle; the message names it.

    >>> in_order({"b": parse_formula("a + 1"), "a": parse_formula("2")})
    ('a', 'b')
    >>> in_order({"a": parse_formula("b"), "b": parse_formula("a")})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    roi_tracker.errors.CaseError: formulas refer to one another in a circle: a -> b -> a ...
    """
    done: dict[str, None] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done:
            return
        if name in path:
            circle = " -> ".join((*path[path.index(name) :], name))
            raise CaseError(
                f"formulas refer to one another in a circle: {circle}",
                field=f"calculations.{name}",
                hint="state one of them as an assumption",
            )
        for used in formulas[name].names:
            if used in formulas:
                visit(used, (*path, name))
        done[name] = None

    for name in formulas:
        visit(name, ())
    return tuple(done)
