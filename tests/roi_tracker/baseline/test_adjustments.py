from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_tracker.baseline.adjustments import NonRoutine, adjusted, lines_of

FIRST = date(2025, 8, 1)
DAYS = tuple(FIRST + timedelta(days=number) for number in range(20))
EXPECTED = tuple(10.0 + number for number in range(20))


def signed(first: int, last: int, *, quantity: str = "0", factor: str = "1") -> NonRoutine:
    day = timedelta(days=1)
    return NonRoutine(
        "die", FIRST + first * day, FIRST + last * day, Decimal(quantity), Decimal(factor), "wear", ("k",), "a", "b"
    )


def test_a_factor_is_of_its_own_days_by_hand() -> None:
    """Days 2 to 4 expect 12 + 13 + 14 = 39; 10 % less is -3.9."""
    (line,) = lines_of(DAYS, EXPECTED, [signed(2, 4, factor="0.9")])
    assert line.days == 3
    assert line.units == pytest.approx(-3.9)


def test_a_quantity_counts_for_its_measured_part() -> None:
    """40 days from day 10 on, of which 10 are measured yet: a quarter of the quantity."""
    (line,) = lines_of(DAYS, EXPECTED, [signed(10, 49, quantity="-80")])
    assert line.days == 10
    assert line.units == pytest.approx(-20.0)
    (later,) = lines_of(DAYS, EXPECTED, [signed(30, 40, quantity="-80")])
    assert (later.days, later.units) == (0, 0.0)


def test_before_each_line_and_after() -> None:
    found = adjusted(("a", "f" * 64), DAYS, EXPECTED, 300.0, [signed(2, 4, factor="0.9"), signed(0, 19, quantity="5")])
    assert (found.expected_before, found.avoided_before) == (390.0, 90.0)
    assert found.expected_after == pytest.approx(390.0 - 3.9 + 5.0)
    assert found.avoided_after == pytest.approx(90.0 - 3.9 + 5.0)


parts = st.builds(
    lambda first, length, quantity, factor: (
        signed(first, first + length, quantity=str(quantity))
        if factor is None
        else signed(first, first + length, factor=str(factor))
    ),
    st.integers(-5, 22),
    st.integers(0, 30),
    st.integers(-50, 50),
    st.none() | st.sampled_from(["0", "0.5", "0.93", "1.2"]),
)


@given(st.lists(parts, max_size=5))
def test_lines_sum_and_their_order_does_not_matter(adjustments: list[NonRoutine]) -> None:
    found = adjusted(("a", ""), DAYS, EXPECTED, 300.0, adjustments)
    assert found.expected_after - found.expected_before == pytest.approx(sum(line.units for line in found.lines))
    turned = adjusted(("a", ""), DAYS, EXPECTED, 300.0, adjustments[::-1])
    assert [line.units for line in turned.lines] == [line.units for line in found.lines][::-1]
