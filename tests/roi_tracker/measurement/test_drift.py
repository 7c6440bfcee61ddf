"""A drift of the baseline, carried on by hand."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from roi_tracker.measurement.drift import drift_of
from roi_tracker.measurement.estimation import Contrast

FIRST = date(2025, 1, 1)
BASELINE = [FIRST + timedelta(days=n) for n in range(20)]


def contrast(
    noise: np.ndarray, avoided_a_day: float, days: int = 10, *, linear: bool = True, level: float = 100.0
) -> Contrast:
    expected = np.full(days, 50.0)
    return Contrast(
        days=tuple(BASELINE[-1] + timedelta(days=1 + n) for n in range(days)),
        expected=expected,
        observed=expected - avoided_a_day,
        gradient=np.zeros((days, 1)),
        noise=np.zeros(days),
        baseline_noise=noise,
        baseline_level=level,
        linear=linear,
    )


def sinking(slope: float) -> np.ndarray:
    wobble = np.tile([1.0, -1.0], 10)  # no slope of its own beyond -0.0752 a day
    return slope * (np.arange(20) - 9.5) + 0.01 * wobble


def test_a_line_is_carried_on_day_by_day() -> None:
    """Reporting days lie 10.5 to 19.5 days after the baseline's middle: 150 days in all, a half unit each."""
    found = drift_of(contrast(-0.5 * (np.arange(20) - 9.5), 7.0), BASELINE, 10.0)
    assert found.avoided == pytest.approx(0.5 * 150)
    assert found.claimed == pytest.approx(70)


def test_it_stands_still_after_as_long_as_it_was_seen() -> None:
    """Thirty days: 10.5 to 19.5, then 20 for twenty days."""
    found = drift_of(contrast(-0.5 * (np.arange(20) - 9.5), 7.0, days=30), BASELINE, 10.0)
    assert found.avoided == pytest.approx(0.5 * (150 + 20 * 20))


def test_counts_scale_with_what_was_expected() -> None:
    found = drift_of(contrast(-0.5 * (np.arange(20) - 9.5), 7.0, linear=False, level=100.0), BASELINE, 10.0)
    assert found.avoided == pytest.approx(0.5 * 150 * 50 / 100)


@pytest.mark.parametrize(
    ("slope", "avoided_a_day", "explains"),
    [(-0.5, 7.0, True), (-0.5, 16.0, False), (0.5, 7.0, False), (-0.5, -7.0, False), (0.0, 7.0, False)],
)
def test_it_explains_a_claim_of_at_most_twice_its_size_in_its_own_direction(
    slope: float, avoided_a_day: float, *, explains: bool
) -> None:
    assert drift_of(contrast(sinking(slope), avoided_a_day), BASELINE, 10.0).explains is explains


def test_days_that_are_not_those_of_the_fit_say_nothing() -> None:
    assert not drift_of(contrast(sinking(-0.5), 7.0), BASELINE[:-1], 10.0).explains
