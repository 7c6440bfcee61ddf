from __future__ import annotations

import math
from decimal import Decimal

import pytest
import pyxirr
from hypothesis import given, settings
from hypothesis import strategies as st

from roi_tracker.appraisal import irr


def _decimals(*flows: float) -> list[Decimal]:
    return [Decimal(repr(flow)) for flow in flows]


@pytest.mark.parametrize(
    ("flows", "roots"),
    [
        ((-100, 230, -132), (0.1, 0.2)),
        ((-1000, 6000, -11000, 6000), (0.0, 1.0, 2.0)),
        ((-150000, 15000, 25000, 35000, 45000, 60000), (0.0524,)),
        ((-100, 0, 0, 74), (-0.0955,)),
        ((-100, 39, 59, 55, 20), (0.28095,)),
        ((-100, 100, 0, -7), (-0.0833,)),
        ((-100, 100, 0, 7), (0.06206,)),
        ((-5, 10.5, 1, -8, 1), (0.0886,)),
        ((-4, 12, -9), (0.5,)),
    ],
)
def test_known_roots(flows: tuple[float, ...], roots: tuple[float, ...]) -> None:
    """Among them the published examples of numpy-financial, a triple case and a double root."""
    found = irr(_decimals(*flows)).roots
    for known in roots:
        assert any(root == pytest.approx(known, abs=5e-5) for root in found)


def test_a_double_root_is_one() -> None:
    assert irr(_decimals(-4, 12, -9)).roots == pytest.approx((0.5,), abs=1e-6)


def test_near_miss_of_a_double_root_is_none() -> None:
    assert irr(_decimals(-4, 11.99, -9)).reason == "no_real_root"


def test_dated_flows_agree_with_xirr() -> None:
    days = [0, 91, 365, 800, 1200]
    flows = [-1000.0, 120.0, 300.0, 400.0, 500.0]
    oracle = pyxirr.xirr(["2024-01-01", "2024-04-01", "2024-12-31", "2026-03-11", "2027-04-15"], flows)
    found = irr(_decimals(*flows), [Decimal(day) / 365 for day in days])
    assert oracle is not None
    assert found.value == pytest.approx(oracle, abs=1e-9)


def test_flows_of_one_moment_are_one_flow() -> None:
    assert irr(_decimals(-100, 50, 60), [Decimal(0), Decimal(1), Decimal(1)]).roots == pytest.approx((0.1,))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(0.3, 3.0), min_size=1, max_size=4, unique_by=lambda value: round(value, 1)))
def test_all_planted_roots_are_found(factors: list[float]) -> None:
    """A polynomial in 1/(1+r) with chosen zeros, so every rate that makes NPV zero is known."""
    coefficients = [1.0]
    for factor in factors:
        coefficients = [
            (coefficients[k] if k < len(coefficients) else 0.0) * -factor + (coefficients[k - 1] if k else 0.0)
            for k in range(len(coefficients) + 1)
        ]
    found = irr(_decimals(*coefficients)).roots
    expected = sorted(1 / factor - 1 for factor in factors)
    assert len(found) == len(expected)
    assert found == pytest.approx(expected, abs=1e-5)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=3, max_size=40), st.integers(1, 12))
def test_any_root_is_a_root(flows: list[int], per_year: int) -> None:
    times = [Decimal(k) / per_year for k in range(len(flows))]
    for root in irr([Decimal(flow) for flow in flows], times).roots:
        if root < -0.9999:
            continue  # a float near -1 cannot hold the rate closely enough to put it back
        terms = [flow * math.exp(-float(time) * math.log1p(root)) for flow, time in zip(flows, times, strict=True)]
        assert abs(sum(terms)) <= 1e-6 * max(abs(term) for term in terms)
