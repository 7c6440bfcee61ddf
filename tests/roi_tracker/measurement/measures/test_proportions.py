from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from roi_tracker.measurement.measures.proportions import Share, anytime_limits, exact_limits


def test_clopper_and_pearson_by_the_binomial_itself() -> None:
    """At the upper limit 5 or fewer of 100 are found with a chance of 5 %, at the lower 5 or more."""
    limits = exact_limits(Share(5, 100), 0.95)
    assert stats.binom.cdf(5, 100, limits.high) == pytest.approx(0.05)
    assert stats.binom.sf(4, 100, limits.low) == pytest.approx(0.05)


def test_nothing_found_still_has_an_upper_limit() -> None:
    """(1 - p)^59 = 5 % gives p = 1 - 0.05^(1/59)."""
    assert exact_limits(Share(0, 59), 0.95).high == pytest.approx(1 - 0.05 ** (1 / 59))
    assert exact_limits(Share(59, 59), 0.95).low == pytest.approx(0.05 ** (1 / 59))


def test_a_census_has_no_sampling_error() -> None:
    assert exact_limits(Share(3, 50, 50), 0.95).low == pytest.approx(0.06)
    assert exact_limits(Share(3, 50, 50), 0.95).high == pytest.approx(0.06)


def test_the_sequence_by_hand() -> None:
    """One part, and it was good: the mixture is B(1/2, 3/2) / B(1/2, 1/2) = 1/2, so refused is (1 - p) < alpha / 2."""
    limits = anytime_limits(Share(0, 1), 0.1)
    assert limits.low == 0.0
    assert limits.high == pytest.approx(0.95)


@given(found=st.integers(0, 40), rest=st.integers(0, 400))
def test_all_days_at_once_is_never_narrower_than_one_day(found: int, rest: int) -> None:
    share = Share(found, found + rest)
    one, every = exact_limits(share, 0.95), anytime_limits(share, 0.1)
    assert every.low <= one.low + 1e-9
    assert every.high >= one.high - 1e-9
    assert every.low <= share.value <= every.high


def test_it_holds_at_every_look() -> None:
    """400 processes of 1 000 parts, looked at every 20 parts: at most 10 % ever leave a 90 % sequence."""
    rng = np.random.default_rng(3)
    found = rng.binomial(20, 0.03, (400, 50)).cumsum(axis=1)
    left = 0
    for path in found:
        looks = (anytime_limits(Share(int(count), 20 * (look + 1)), 0.1) for look, count in enumerate(path))
        left += any(not limits.low <= 0.03 <= limits.high for limits in looks)
    assert left <= 40 + 2 * 6  # two binomial standard errors of 6
