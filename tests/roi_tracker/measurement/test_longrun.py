from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from roi_tracker.measurement.longrun import effective_days, lag_one_autocorrelation, long_run_covariance


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
