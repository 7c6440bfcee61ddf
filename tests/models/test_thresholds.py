from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import TeachingError
from models.thresholds import limits_from_good


def test_limits_lie_just_above_their_order_statistics() -> None:
    # n = 99: ceil(100 * 0.99) = 99th score; ceil(100 * 0.94) = 94th
    limits = limits_from_good(np.arange(1.0, 100.0), expected_overkill=0.01, expected_review=0.05)
    assert limits.threshold == np.nextafter(np.float32(99), np.float32(np.inf))
    assert limits.review_from == np.nextafter(np.float32(94), np.float32(np.inf))
    assert (limits.expected_overkill, limits.expected_review, limits.n_held_out) == (0.01, 0.05, 99)


def test_too_few_scores_state_the_overkill_they_support() -> None:
    limits = limits_from_good(np.arange(1.0, 20.0), expected_overkill=0.01, expected_review=0.05)
    assert limits.threshold == np.nextafter(np.float32(19), np.float32(np.inf))
    assert limits.expected_overkill == pytest.approx(1 / 20)
    assert limits.review_from <= limits.threshold


@given(st.lists(st.floats(0, 100, width=32), min_size=5, max_size=200), st.floats(0.01, 0.3), st.floats(0, 0.2))
def test_no_more_held_out_parts_fail_than_stated(scores: list[float], overkill: float, review: float) -> None:
    values = np.array(scores)
    limits = limits_from_good(values, expected_overkill=overkill, expected_review=review)
    assert (values >= limits.threshold).sum() <= limits.expected_overkill * (len(scores) + 1)
    assert limits.review_from <= limits.threshold
    assert limits.expected_review >= 0


def test_scores_that_are_not_finite_do_not_count() -> None:
    with pytest.raises(TeachingError, match="too few held-out") as caught:
        limits_from_good(np.array([1.0, 2.0, np.nan, np.inf, 3.0]), expected_overkill=0.01, expected_review=0.05)
    assert caught.value.value == 3


@pytest.mark.parametrize(("overkill", "review"), [(0.0, 0.05), (0.5, 0.05), (0.01, 0.5), (-0.1, 0.0)])
def test_shares_out_of_range_are_refused(overkill: float, review: float) -> None:
    with pytest.raises(TeachingError, match="shares below one half"):
        limits_from_good(np.arange(50.0), expected_overkill=overkill, expected_review=review)
