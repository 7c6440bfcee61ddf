from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_tracker.measurement.measures.reviewers import Pairs, ReviewErrors, errors_of, review_evidence


@given(
    low=st.floats(0.0, 0.2),
    high=st.floats(0.5, 1.0),
    false_alarm=st.floats(0.0, 0.1),
    miss=st.floats(0.0, 0.2),
)
def test_two_groups_identify_the_errors_exactly(low: float, high: float, false_alarm: float, miss: float) -> None:
    """Shares that follow exactly from rates and errors give the errors back, whatever the rates."""
    one = [r * (1 - miss) + (1 - r) * false_alarm for r in (low, high)]
    apart = [2 * (r * miss * (1 - miss) + (1 - r) * false_alarm * (1 - false_alarm)) for r in (low, high)]
    found = errors_of((one[0], one[1]), (apart[0], apart[1]))
    assert found.false_alarm == pytest.approx(false_alarm, abs=1e-6)
    assert found.miss == pytest.approx(miss, abs=1e-6)
    assert found.corrected(one[1]) == pytest.approx(high, abs=1e-5)


def test_reviewers_who_always_agree_do_not_err() -> None:
    found = review_evidence(Pairs(0, 0, 40), Pairs(32, 0, 8), 0.95)
    assert found.known
    assert (found.errors.false_alarm, found.errors.miss) == pytest.approx((0.0, 0.0))
    assert found.errors.corrected(0.3) == pytest.approx(0.3)
    assert max(error.false_alarm for error in found.bounds) > 0  # 40 pairs cannot exclude a disagreement now and then


def test_too_few_repeats_correct_nothing() -> None:
    found = review_evidence(Pairs(0, 1, 28), Pairs(30, 1, 8), 0.95)
    assert not found.known
    assert found.errors == ReviewErrors()
    assert found.bounds == ()


def test_alike_groups_share_one_error() -> None:
    """Two reviews that differ on 18 % of parts err by e with 2 e (1 - e) = 0.18, which is 10 %."""
    found = errors_of((0.5, 0.52), (0.18, 0.18))
    assert (found.false_alarm, found.miss) == pytest.approx((0.1, 0.1))
