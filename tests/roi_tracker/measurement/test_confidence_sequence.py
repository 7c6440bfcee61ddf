from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from roi_tracker.measurement.confidence_sequence import (
    TIGHTEST_DAY,
    baseline_factor,
    noise_radius,
    path_length,
)

HUGE = 1e9


def test_the_formula_by_hand() -> None:
    """rho^2 = (-2 log a + log(-2 log a) + 1) / 90; sigma sqrt(2 (t rho^2 + 1) / rho^2 log(sqrt(t rho^2 + 1) / a))."""
    alpha, days = 0.05, 30
    rho2 = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha)) + 1) / TIGHTEST_DAY
    by_hand = np.sqrt(2 * (days * rho2 + 1) / rho2 * np.log(np.sqrt(days * rho2 + 1) / alpha))
    assert noise_radius(days, alpha, HUGE) == pytest.approx(by_hand, rel=1e-6)


def test_it_holds_on_all_days_at_once_where_the_ordinary_interval_does_not() -> None:
    """2,000 random walks looked at on 364 days; Monte Carlo error is half a point."""
    walks = np.random.default_rng(7).normal(size=(2000, 364)).cumsum(axis=1)
    days = np.arange(1, 365)
    radius = np.array([noise_radius(int(day), 0.10, HUGE) for day in days])
    assert np.mean((np.abs(walks) > radius).any(axis=1)) <= 0.10
    assert np.mean((np.abs(walks) > norm.ppf(0.95) * np.sqrt(days)).any(axis=1)) > 0.5


def test_few_degrees_of_freedom_widen_it() -> None:
    assert noise_radius(50, 0.05, 5.0) > 1.2 * noise_radius(50, 0.05, HUGE)


def test_a_quarter_turn_of_the_question() -> None:
    assert path_length(np.array([[2.0, 0.0], [0.0, 3.0]])) == pytest.approx(np.pi / 2)
    assert path_length(np.array([[1.0, 1.0], [2.0, 2.0]])) == pytest.approx(0.0, abs=1e-7)


def test_the_tube_holds_along_a_whole_path() -> None:
    """Two coefficients, asked along a quarter circle: the factor bounds the largest error on it."""
    angle = np.linspace(0, np.pi / 2, 400)
    path = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    factor = baseline_factor(path_length(path), 0.10, HUGE)
    errors = np.random.default_rng(3).normal(size=(20_000, 2)) @ path.T
    wrong = np.mean((np.abs(errors) > factor).any(axis=1))
    assert wrong == pytest.approx(0.10, abs=0.012)
