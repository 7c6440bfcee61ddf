from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import pyxirr
from hypothesis import given
from hypothesis import strategies as st

from roi_tracker.appraisal import appraise, irr, npv, payback, payback_reason

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase

_flow = st.integers(-1000, 1000).map(Decimal)


def test_the_example_by_hand(case: BusinessCase) -> None:
    """Capital 28 M; running 4.2 M; benefits 12,000 x 1,500 + 90 x 120,000 + 400 x 25,000, labour at half in year 1."""
    found = appraise(case, case.scenarios.realistic)
    assert found.flows[:3] == (Decimal(-28_000_000), Decimal(29_600_000), Decimal(34_600_000))
    by_hand = -28_000_000 + 29_600_000 / 1.08 + sum(34_600_000 / 1.08**year for year in range(2, 6))
    assert float(found.npv) == pytest.approx(by_hand, rel=1e-12)
    assert found.payback_years == pytest.approx(28.0 / 29.6)
    assert found.roi == (Decimal(168_000_000) - 28_000_000) / (28_000_000 + 5 * 4_200_000)


def test_irr_does_not_exist_without_a_sign_change() -> None:
    found = irr([Decimal(5), Decimal(0), Decimal(7)])
    assert (found.exists, found.value, found.reason) == (False, None, "no_sign_change")


def test_all_roots_are_found_and_none_is_chosen() -> None:
    """-100 + 230/(1+r) - 132/(1+r)^2 = 0 at 10 % and 20 %."""
    found = irr([Decimal(-100), Decimal(230), Decimal(-132)])
    assert found.roots == pytest.approx((0.1, 0.2))
    assert (found.exists, found.value, found.reason) == (True, None, "several_roots")


def test_signs_change_but_no_real_rate_exists() -> None:
    assert irr([Decimal(1), Decimal(-1), Decimal(1)]).reason == "no_real_root"


@given(st.lists(_flow, min_size=2, max_size=8))
def test_every_root_makes_the_npv_zero(flows: list[Decimal]) -> None:
    scale = max((abs(float(flow)) for flow in flows), default=1.0) or 1.0
    for root in irr(flows).roots:
        terms = [float(flow) / (1 + root) ** year for year, flow in enumerate(flows)]
        assert abs(sum(terms)) <= 1e-5 * max(scale, *(abs(term) for term in terms))


@given(st.integers(1, 1000), st.lists(st.integers(1, 1000), min_size=1, max_size=8))
def test_agrees_with_pyxirr_on_ordinary_flows(capital: int, benefits: list[int]) -> None:
    flows = [-float(capital), *map(float, benefits)]
    found = irr([Decimal(int(flow)) for flow in flows])
    assert found.value is not None
    oracle = pyxirr.irr(flows)
    if oracle is not None:
        assert found.value == pytest.approx(oracle, rel=1e-5, abs=1e-6)
    assert float(npv([Decimal(int(f)) for f in flows], Decimal("0.08"))) == pytest.approx(pyxirr.npv(0.08, flows))


def test_payback_waits_for_the_last_time_below_zero() -> None:
    flows = [Decimal(-10), Decimal(20), Decimal(-20), Decimal(40)]
    assert payback(flows) == pytest.approx(2.25)
    assert payback([Decimal(-10), Decimal(9)]) is None
    assert payback_reason([Decimal(-10), Decimal(9)]) == "never"


def test_flows_without_an_outlay_have_nothing_to_pay_back() -> None:
    for flows in ([Decimal(0), Decimal(9)], [Decimal(9), Decimal(-4)], [Decimal(0), Decimal(0)], []):
        assert payback(flows) is None
        assert payback_reason(flows) == "no_outlay"
