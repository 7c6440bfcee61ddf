from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from roi_tracker.measurement.longrun import (
    GREATEST_PERSISTENCE,
    effective_days,
    lag_one_autocorrelation,
    long_run_covariance,
    noise_of,
    persistence_of,
    weekly_runs,
)


def test_two_cosines_by_hand() -> None:
    """Six days give two cosines; the estimate is the mean square of the two projections."""
    series = np.array([1.0, 2.0, 4.0, 3.0, 0.0, 5.0])
    angle = np.pi * (np.arange(6) + 0.5) / 6
    by_hand = np.mean([(np.sqrt(1 / 3) * np.cos(k * angle) @ series) ** 2 for k in (1, 2)])
    found = long_run_covariance(series[:, None])
    assert (found.dof, found.covariance[0, 0]) == (2, pytest.approx(by_hand))


def test_a_level_does_not_matter() -> None:
    series = np.random.default_rng(1).normal(size=(90, 2))
    shifted = long_run_covariance(series + 100.0)
    assert np.allclose(shifted.covariance, long_run_covariance(series).covariance)


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_the_mean_of_an_autocorrelated_series_is_rejected_as_often_as_promised(rho: float) -> None:
    """Two-sided 10 % test of a true mean, 2,000 series of 170 days: Monte Carlo error is 0.7 points."""
    rng = np.random.default_rng(20)
    shocks = rng.normal(size=(2000, 270))
    series = np.zeros_like(shocks)
    for day in range(1, 270):
        series[:, day] = rho * series[:, day - 1] + shocks[:, day]
    rejected = 0
    for path in series[:, 100:]:
        found = long_run_covariance(path[:, None])
        statistic = path.mean() / np.sqrt(found.covariance[0, 0] / len(path))
        rejected += abs(statistic) > student.ppf(0.95, found.dof)
    assert 0.08 <= rejected / 2000 <= 0.125


def test_effective_days_of_a_persistent_series_are_few() -> None:
    slow = np.repeat(np.random.default_rng(3).normal(size=30), 6)
    assert effective_days(slow) < 60
    assert lag_one_autocorrelation(slow) > 0.7
    assert lag_one_autocorrelation(np.ones(5)) == 0.0
    assert effective_days(np.ones(5)) == 5.0


def test_kendalls_correction_by_hand() -> None:
    """0, 1, ..., 9: lag-one correlation 0.7; corrected (10 * 0.7 + 1) / 7 is beyond what is believed."""
    assert persistence_of([np.arange(10.0)]) == GREATEST_PERSISTENCE
    assert persistence_of([np.array([1.0, -1.0] * 10)]) == 0.0


def test_stretches_lend_one_another_what_they_know_but_never_make_one_smaller() -> None:
    rng = np.random.default_rng(8)
    quiet, loud = rng.normal(size=60), 3 * rng.normal(size=90)
    found = noise_of([quiet, loud], [1.0, 1.0])
    alone = noise_of([quiet], [1.0])
    assert found.variances[1] >= found.variances[0] > alone.variances[0]
    assert found.dof > alone.dof
    doubled = noise_of([quiet, loud * 2**0.5], [1.0, 2.0])
    assert doubled.variances == pytest.approx((found.variances[0], 2 * found.variances[1]))


@pytest.mark.parametrize(("before", "after"), [(28, 84), (56, 168)])
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_the_difference_of_two_short_periods_is_rejected_at_most_as_often_as_promised(
    rho: float, before: int, after: int
) -> None:
    """One-sided 5 % test of no difference, 1,500 series: Monte Carlo error is 0.6 points."""
    rng = np.random.default_rng(21)
    shocks = rng.normal(size=(1500, 100 + before + 14 + after))
    series = np.zeros_like(shocks)
    for day in range(1, shocks.shape[1]):
        series[:, day] = rho * series[:, day - 1] + shocks[:, day]
    rejected = 0
    for path in series[:, 100:]:
        first, second = path[:before], path[before + 14 :]
        found = noise_of([first, second], [1.0, 1.0])
        error = (found.variances[0] / before + found.variances[1] / after) ** 0.5
        rejected += (first.mean() - second.mean()) / error > student.ppf(0.95, found.dof)
    assert 0.015 <= rejected / 1500 <= 0.06


def test_weeks_in_runs_by_hand() -> None:
    """Ten weeks, five high and five low: 8 of 9 neighbours agree, (8 - 1) / 10 + 1 / 10; limit 1.645 / sqrt(10)."""
    found = weekly_runs([np.repeat([1.0] * 5 + [-1.0] * 5, 7)])
    assert found is not None
    assert found.correlation == pytest.approx(0.8)
    assert found.limit == pytest.approx(1.6448536 / 10**0.5)
    assert found.lasting
    alternating = weekly_runs([np.repeat([1.0, -1.0] * 5, 7)])
    assert alternating is not None
    assert not alternating.lasting


def test_too_few_weeks_and_no_variation_say_nothing() -> None:
    assert weekly_runs([np.arange(63.0)]) is None
    assert weekly_runs([np.zeros(140)]) is None
    assert weekly_runs([np.arange(70.0), np.arange(20.0)]) == weekly_runs([np.arange(70.0)])  # two weeks are no run
