from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from typing import get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from roi_tracker.realization.bridge import FACTORS, Factor, Factors, LineSides, bridge, effects, shapley, shown

fraction = st.fractions(min_value=Fraction(-20), max_value=Fraction(20), max_denominator=50)
sides = st.builds(Factors, *(fraction for _ in FACTORS))


@settings(max_examples=50, deadline=None)
@given(sides, sides)
def test_effects_sum_exactly(plan: Factors, actual: Factors) -> None:
    assert sum(effects(plan, actual).values()) == actual.value() - plan.value()


@settings(max_examples=50, deadline=None)
@given(sides, sides)
def test_effects_change_sign_when_sides_swap(plan: Factors, actual: Factors) -> None:
    there, back = effects(plan, actual), effects(actual, plan)
    assert all(there[name] == -back[name] for name in FACTORS)


@given(sides, st.sampled_from(FACTORS), fraction)
def test_a_factor_that_alone_changes_bears_all(plan: Factors, name: Factor, value: Fraction) -> None:
    actual = msgspec.structs.replace(plan, **{name: value})
    found = effects(plan, actual)
    assert found[name] == actual.value() - plan.value()
    assert all(found[other] == 0 for other in FACTORS if other != name)


@given(st.lists(fraction, min_size=16, max_size=16), st.permutations(["a", "b", "c", "d"]))
def test_players_are_paid_whatever_their_order(worths: list[Fraction], order: list[str]) -> None:
    def value(who: frozenset[str]) -> Fraction:
        return worths[sum(1 << "abcd".index(name) for name in who)]

    assert shapley(order, value) == shapley("abcd", value)


@given(st.lists(fraction, min_size=8, max_size=8))
def test_against_the_mean_over_all_orders(worths: list[Fraction]) -> None:
    """The definition itself: marginal effects averaged over the six orders of three players."""

    def value(who: frozenset[str]) -> Fraction:
        return worths[sum(1 << "abc".index(name) for name in who)]

    mean = dict.fromkeys("abc", Fraction(0))
    for order in permutations("abc"):
        for place, name in enumerate(order):
            before = frozenset(order[:place])
            mean[name] += (value(before | {name}) - value(before)) / 6
    assert shapley("abc", value) == mean


@settings(max_examples=30, deadline=None)
@given(sides, sides, sides, sides)
def test_the_total_is_the_sum_of_the_lines(a: Factors, b: Factors, c: Factors, d: Factors) -> None:
    """Shapley values are linear: bridging lines and adding is bridging the sum."""
    first, second = effects(a, b), effects(c, d)

    def together(taken: frozenset[str]) -> Fraction:
        return sum(
            (
                msgspec.structs.replace(plan, **{name: getattr(actual, name) for name in taken}).value()
                for plan, actual in ((a, b), (c, d))
            ),
            Fraction(0),
        )

    assert shapley(FACTORS, together) == {name: first[name] + second[name] for name in FACTORS}


def test_two_factors_by_hand() -> None:
    """10 parts at 5 become 12 at 4: volume (2 x 5 + 2 x 4) / 2 = 9, value (-1 x 10 - 1 x 12) / 2 = -11."""
    plan, actual = (
        Factors(volume=Fraction(10), unit_value=Fraction(5)),
        Factors(volume=Fraction(12), unit_value=Fraction(4)),
    )
    found = effects(plan, actual)
    assert (found["volume"], found["unit_value"]) == (Fraction(9), Fraction(-11))


def test_three_factors_by_hand() -> None:
    """2 x 3 x 5 = 30 becomes 4 x 6 x 10 = 240; doubling all three alike shares 210 alike."""
    plan = Factors(volume=Fraction(2), mix=Fraction(3), efficacy=Fraction(5))
    actual = Factors(volume=Fraction(4), mix=Fraction(6), efficacy=Fraction(10))
    found = effects(plan, actual)
    assert [found[name] for name in ("volume", "mix", "efficacy")] == [70, 70, 70]


def amounts(made: tuple[object, ...]) -> Decimal:
    return sum((effect.amount for effect in made), Decimal(0))  # type: ignore[attr-defined]  # effects


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(sides, sides), max_size=4),
    st.decimals(0, 10**9, places=2),
    st.decimals(0, 10**9, places=2),
)
def test_the_printed_bridge_sums_to_the_last_digit(
    both: list[tuple[Factors, Factors]], planned_cost: Decimal, actual_cost: Decimal
) -> None:
    lines = []
    for number, (plan, actual) in enumerate(both):
        plan, actual = (msgspec.structs.replace(side, cost=Fraction(0)) for side in (plan, actual))  # noqa: PLW2901 - lines carry no cost
        projected, realized = (Decimal(s.value().numerator) / Decimal(s.value().denominator) for s in (plan, actual))
        lines.append(LineSides(str(number), plan, actual, projected=projected, realized=realized))
    made = bridge(lines, planned_cost, actual_cost)
    assert amounts(made.effects) == made.realized - made.projected
    assert made.projected == sum((line.projected for line in made.lines), Decimal(0)) - planned_cost
    for line in made.lines:
        assert amounts(line.effects) == line.realized - line.projected
        assert tuple(effect.factor for effect in line.effects) == get_args(Factor)
    swapped = bridge(
        [
            msgspec.structs.replace(
                line, plan=line.actual, actual=line.plan, projected=line.realized, realized=line.projected
            )
            for line in lines
        ],
        actual_cost,
        planned_cost,
    )
    assert [effect.amount for effect in swapped.effects] == [-effect.amount for effect in made.effects]


def test_cost_is_its_own_effect() -> None:
    made = bridge([], Decimal(100), Decimal(130))
    assert (made.projected, made.realized) == (Decimal(-100), Decimal(-130))
    assert {effect.factor: effect.amount for effect in made.effects if effect.amount} == {"cost": Decimal(-30)}


def test_what_rounding_leaves_goes_to_the_greatest() -> None:
    parts = dict.fromkeys(FACTORS, Fraction(0)) | {
        "volume": Fraction(1, 3),
        "mix": Fraction(1, 3),
        "cost": Fraction(-5, 3),
    }
    found = {effect.factor: effect.amount for effect in shown(parts, Decimal(-1))}
    assert (found["volume"], found["mix"], found["cost"]) == (Decimal("0.33"), Decimal("0.33"), Decimal("-1.66"))
