"""Units: what is money, what a formula gives, and what is refused because nobody can be sure what it means."""

from __future__ import annotations

from decimal import Decimal

import pytest

from roi_tracker.business_case import parse_case
from roi_tracker.case.dimensions import formula_power
from roi_tracker.case.units import unit_meaning
from roi_tracker.errors import CaseError
from tests.roi_tracker.case.refusals import YAML

POWERS = {"parts": 0, "price": 1, "share": 0, "salary": 1, "per_won": -1}


@pytest.mark.parametrize(
    ("formula", "power"),
    [
        ("parts * price", 1),
        ("parts", 0),
        ("parts * 12 / 52 * 365", 0),
        ("parts * 5000", None),
        ("parts * price * (1 - share)", 1),
        ("(1 + share) ** 3 * salary", 1),
        ("price * salary", 2),
        ("price ** 2", 2),
        ("price / salary", 0),
        ("-price + 5000", 1),
        ("max(0, price - salary)", 1),
        ("min(parts, 3)", 0),
        ("parts * 5000 - 1", None),
        ("(5000 + 12) * parts", None),
        ("lag(price, 1) + cumulative(salary)", 1),
        ("price * salary * per_won", 1),
    ],
)
def test_power_of_money(formula: str, power: int | None) -> None:
    assert formula_power(formula, POWERS) == power


@pytest.mark.parametrize(
    "formula", ["parts + price", "price * 12 - share", "max(0, parts, price)", "min(price, parts)"]
)
def test_money_and_no_money_are_not_added(formula: str) -> None:
    with pytest.raises(CaseError, match="adds money and what is no money"):
        formula_power(formula, POWERS)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hours.year * 2", "hours.year", "line 15: the formula gives h/year; a line is money (hours.year in h/year)"),
        ("hours.year * 2", "hours.year * 12", "line 15: the formula gives no money; a line is money"),
        ("hours * 12, unit: h/year", "hours * 12, unit: EUR", "line 11: the formula gives no money; its unit is EUR"),
        ("value: 100.5, unit: EUR", "value: 100.5, unit: h", "line 13: 'h' is no unit of money"),
        ("unit: h/month", "unit: eur", "line 9: the unit 'eur' looks like money and is none that is known"),
        ("unit: h/month", "unit: EUR mn", "line 9: the unit 'EUR mn' looks like money"),
        ("unit: h/month", "unit: EUR thousand million", "line 9: the unit 'EUR thousand million' looks like money"),
        ("unit: h/month", "unit: percent", "line 9: the unit 'percent' is not read as a percentage"),
    ],
)
def test_units_that_cannot_be_meant_are_refused_with_their_line(old: str, new: str, message: str) -> None:
    assert old in YAML
    with pytest.raises(CaseError) as caught:
        parse_case(YAML.replace(old, new, 1), "yaml")
    assert message in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("unit", ["천만원", "십억원", "억", "만", "조원", "won", "krw", "KRW 만", "1000 KRW"])
def test_korean_money_that_is_not_known_is_refused(unit: str) -> None:
    with pytest.raises(CaseError, match="looks like money"):
        unit_meaning(unit, "KRW")


@pytest.mark.parametrize("unit", ["직원", "인원/년", "조", "furlong", "enquiries/month", "건", "kWh", "°C", "제곱미터"])
def test_any_other_word_is_a_count(unit: str) -> None:
    meaning = unit_meaning(unit, "KRW")
    assert (meaning.kind, meaning.factor) == ("quantity", Decimal(1))
