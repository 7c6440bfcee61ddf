from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from roi_tracker.appraisal.root_finding import root_between

Curve = Callable[[float], float]
CURVES: dict[str, tuple[Curve, float, float]] = {
    "square": (lambda x: x * x - 2, 0.0, 2.0),
    "steep": (lambda x: math.exp(x) - 1e5, -3.0, 50.0),
    "step": (lambda x: -1.0 if x < 0.77 else 1.0, 0.0, 1.0),
    "saturated": (lambda x: math.tanh(50 * (x - 0.3)), -1.0, 7.0),
    "wallis": (lambda x: x**3 - 2 * x - 5, 2.0, 3.0),
    "falling": (lambda x: 1.0 - x, 0.0, 1000.0),
}


@pytest.mark.parametrize("name", CURVES)
def test_the_root_is_brentqs_to_the_last_digits(name: str) -> None:
    curve, low, high = CURVES[name]
    wanted = brentq(curve, low, high, xtol=1e-15, rtol=8.9e-16, maxiter=300)
    assert root_between(curve, low, high) == pytest.approx(wanted, rel=4e-15, abs=2e-15)
    assert root_between(curve, high, low) == pytest.approx(wanted, rel=4e-15, abs=2e-15)


def test_a_root_at_an_end_is_that_end() -> None:
    assert root_between(lambda x: x - 1, 1.0, 5.0) == 1.0
    assert root_between(lambda x: x - 5, 1.0, 5.0) == 5.0


def test_a_root_of_zero_ends_the_search() -> None:
    asked: list[float] = []

    def flat(x: float) -> float:
        asked.append(x)
        return x**9

    assert abs(root_between(flat, -1.0, 4.0)) <= 1e-15
    assert len(asked) < 100


def test_ends_of_one_sign_are_refused() -> None:
    with pytest.raises(ValueError, match="no change of sign"):
        root_between(lambda x: x * x + 1, -1.0, 1.0)


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=12), st.floats(-0.6, 1.5))
def test_the_rate_of_a_falling_npv_is_found_wherever_it_lies(flows: list[float], log_rate: float) -> None:
    value = sum(flow * math.exp(-log_rate * year) for year, flow in enumerate(flows, start=1))

    def npv(u: float) -> float:
        return sum(flow * math.exp(-u * year) for year, flow in enumerate(flows, start=1)) - value

    found = root_between(npv, -3.0, 4.0)
    assert found == pytest.approx(log_rate, abs=1e-11)
    assert found == pytest.approx(brentq(npv, -3.0, 4.0, xtol=1e-15, rtol=8.9e-16, maxiter=300), abs=1e-11)
