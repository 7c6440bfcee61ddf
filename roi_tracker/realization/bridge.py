"""Why realized differs from projected: an exact Shapley bridge over seven factors.

A benefit line's money is a product: volume (parts or hours) x mix (what one of them carries without the programme) x
efficacy (share of it that the programme removes while it acts) x availability and bypass (share of time it acts) x unit
value x go-live timing (share of the days it is there at all); cost is subtracted. A factor's effect is its marginal
effect averaged over all orders in which the factors could change from plan to actual (Shapley 1953): the effects sum
exactly to the difference, do not depend on an order, and change sign when plan and actual swap. All in fractions.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from math import factorial, prod
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Factor = Literal["volume", "mix", "efficacy", "availability", "unit_value", "timing", "cost"]
FACTORS: tuple[Factor, ...] = get_args(Factor)
MergeReason = Literal[
    "not_proven", "no_volume", "no_expected", "no_base_in_plan", "no_modes", "never_active", "no_unit_value"
]
_PLACES = Decimal("0.01")


class Factors(msgspec.Struct, frozen=True):
    """A line's factors on one side, plan or actual; a factor that cannot be told apart is 1 and its effect is in
    the factor it was merged into.
    """

    volume: Fraction = Fraction(1)
    mix: Fraction = Fraction(1)
    efficacy: Fraction = Fraction(1)
    availability: Fraction = Fraction(1)
    unit_value: Fraction = Fraction(1)
    timing: Fraction = Fraction(1)
    cost: Fraction = Fraction(0)

    def value(self) -> Fraction:
        """Money: the product of the first six, less cost."""
        return prod((getattr(self, name) for name in FACTORS if name != "cost"), start=Fraction(1)) - self.cost


class Merged(msgspec.Struct, frozen=True):
    """Factors that the data cannot tell apart on a line; their effect stands under `into`."""

    factors: tuple[Factor, ...]
    into: Factor
    reason: MergeReason


class Effect(msgspec.Struct, frozen=True):
    """One factor's part of the difference in money."""

    factor: Factor
    amount: Decimal


class LineBridge(msgspec.Struct, frozen=True):
    """One line's bridge, to the hundredth of the currency: `projected` + effects = `realized`, to the last digit.

    Attributes:
        realized: what counts in the headline: the lower bound, 0 where not proven.
        merged: what could not be told apart, and why.
        uncertainty: how far the lower bound lies below the best estimate; it is part of the efficacy effect.
    """

    benefit_id: str
    projected: Decimal
    realized: Decimal
    effects: tuple[Effect, ...]
    merged: tuple[Merged, ...] = ()
    uncertainty: Decimal = Decimal(0)


class Bridge(msgspec.Struct, frozen=True):
    """The programme's bridge of net benefit (benefit less cost): the lines' effects added up, and cost."""

    projected: Decimal
    realized: Decimal
    effects: tuple[Effect, ...]
    lines: tuple[LineBridge, ...]


def shapley(names: Sequence[str], value: Callable[[frozenset[str]], Fraction]) -> Mapping[str, Fraction]:
    """Each player's Shapley value, exact.

    Args:
        names: players.
        value: worth of a coalition; evaluated once for each of the 2^n.

    >>> worth = {"": 0, "a": 1, "b": 2, "ab": 6}
    >>> found = shapley("ab", lambda who: Fraction(worth["".join(sorted(who))]))
    >>> {name: str(part) for name, part in found.items()}
    {'a': '5/2', 'b': '7/2'}
    """
    count = len(names)
    known = {
        frozenset(chosen): value(frozenset(chosen)) for size in range(count + 1) for chosen in combinations(names, size)
    }
    found: dict[str, Fraction] = {}
    for name in names:
        total = Fraction(0)
        for others, worth in known.items():
            if name not in others:
                weight = Fraction(factorial(len(others)) * factorial(count - len(others) - 1), factorial(count))
                total += weight * (known[others | {name}] - worth)
        found[name] = total
    return found


def effects(plan: Factors, actual: Factors) -> Mapping[Factor, Fraction]:
    """Every factor's exact part of `actual.value() - plan.value()`."""
    changed = [name for name in FACTORS if getattr(plan, name) != getattr(actual, name)]

    def value(taken: frozenset[str]) -> Fraction:
        return msgspec.structs.replace(plan, **{name: getattr(actual, name) for name in taken}).value()

    found = shapley(changed, value)
    return {name: found.get(name, Fraction(0)) for name in FACTORS}


def shown(parts: Mapping[Factor, Fraction], difference: Decimal) -> tuple[Effect, ...]:
    """Effects as money to the hundredth that sum exactly to the difference: what rounding leaves goes to the greatest.

    >>> third = {name: Fraction(0) for name in FACTORS} | {"volume": Fraction(100, 3), "mix": Fraction(200, 3)}
    >>> [str(effect.amount) for effect in shown(third, Decimal(100))[:2]]
    ['33.33', '66.67']
    """
    amounts = {
        name: (Decimal(part.numerator) / Decimal(part.denominator)).quantize(_PLACES) for name, part in parts.items()
    }
    left = difference - sum(amounts.values(), Decimal(0))
    greatest = max(FACTORS, key=lambda name: abs(parts.get(name, Fraction(0))))
    amounts[greatest] = amounts.get(greatest, Decimal(0)) + left
    return tuple(Effect(name, amounts.get(name, Decimal(0))) for name in FACTORS)


class LineSides(msgspec.Struct, frozen=True):
    """A line's factors on both sides, and what was merged."""

    benefit_id: str
    plan: Factors
    actual: Factors
    merged: tuple[Merged, ...] = ()
    uncertainty: Decimal = Decimal(0)
    projected: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)


def bridge(lines: Sequence[LineSides], planned_cost: Decimal, actual_cost: Decimal) -> Bridge:
    """The bridge of every line and of all together.

    Args:
        lines: counted lines; `projected` and `realized` are the money that the sides' products give.
        planned_cost: of the whole programme, to date.
        actual_cost: likewise, harm included.
    """
    made: list[LineBridge] = []
    together = dict.fromkeys(FACTORS, Fraction(0))
    for line in lines:
        parts = effects(line.plan, line.actual)
        for name in FACTORS:
            together[name] += parts[name]
        before, after = line.projected.quantize(_PLACES), line.realized.quantize(_PLACES)
        effects_shown = shown(parts, after - before)
        made.append(LineBridge(line.benefit_id, before, after, effects_shown, line.merged, line.uncertainty))
    together["cost"] += Fraction(planned_cost) - Fraction(actual_cost)
    projected = sum((line.projected for line in made), Decimal(0)) - planned_cost.quantize(_PLACES)
    realized = sum((line.realized for line in made), Decimal(0)) - actual_cost.quantize(_PLACES)
    return Bridge(projected, realized, shown(together, realized - projected), tuple(made))
