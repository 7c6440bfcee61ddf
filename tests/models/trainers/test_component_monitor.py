from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import TeachingError
from models.trainers.component_monitor import (
    Components,
    HealthMonitor,
    calibrate,
    fit_components,
    health,
    statistic,
    t2_and_spe,
)

# mean 1, spread 2 a feature; one direction along the first feature with variance 4
COMPONENTS = Components(
    mean=np.ones(2), spread=np.full(2, 2.0), directions=np.array([[1.0], [0.0]]), variances=np.array([4.0])
)
MONITOR = HealthMonitor(components=COMPONENTS, t2_limit=2.0, spe_limit=8.0, limit=0.5, typical=0.5)


def test_t2_and_spe_by_hand() -> None:
    # z = (2, 3): inside 2, so T2 = 4 / 4 = 1; outside (0, 3), so SPE = 9
    t2, spe = t2_and_spe(COMPONENTS, np.array([[5.0, 7.0]]))
    assert (t2[0], spe[0]) == (1.0, 9.0)


def test_statistic_and_parts_by_hand() -> None:
    value, parts = statistic(MONITOR, np.array([[5.0, 7.0]]))
    # index = 1 / 2 + 9 / 8 = 1.625, over the limit 0.5 = 3.25
    np.testing.assert_allclose(parts[0], [1.0, 2.25])
    assert value[0] == pytest.approx(np.sqrt(3.25))


@given(st.integers(0, 1000))
def test_parts_are_never_negative_and_sum_to_the_index(seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = [rng.normal(size=(30, 5)) @ rng.normal(size=(5, 5)) for _ in range(3)]
    monitor = calibrate(blocks, 0.95)
    features = rng.normal(0, 3, (10, 5))
    value, parts = statistic(monitor, features)
    t2, spe = t2_and_spe(monitor.components, features)
    assert (parts >= 0).all()
    np.testing.assert_allclose(value**2, (t2 / monitor.t2_limit + spe / monitor.spe_limit) / monitor.limit, rtol=1e-6)
    np.testing.assert_allclose(parts.sum(axis=1), value**2, rtol=1e-9)


def test_two_features_that_move_together_make_one_component() -> None:
    shared = np.random.default_rng(0).normal(size=500)
    model = fit_components(np.stack([shared, 10 + 3 * shared], axis=1))
    assert model.directions.shape == (2, 1)
    np.testing.assert_allclose(model.directions[:, 0], [np.sqrt(0.5), np.sqrt(0.5)], rtol=1e-6)
    assert model.variances[0] == pytest.approx(2.0)


def test_features_that_never_move_do_not_divide_by_zero() -> None:
    model = fit_components(np.ones((50, 3)))
    assert np.isfinite(t2_and_spe(model, np.full((1, 3), 1.01))[1]).all()


def test_limits_come_from_blocks_the_model_has_not_seen() -> None:
    rng = np.random.default_rng(0)
    blocks = [rng.normal(loc, 1, (200, 2)) for loc in (0, 0, 0, 0, 6)]
    # scored by a model of the other four, the fifth block lies far outside; scored by its own it would not
    monitor = calibrate(blocks, 0.99)
    own = [t2_and_spe(fit_components(np.concatenate(blocks)), block) for block in blocks]
    t2_own = np.quantile(np.concatenate([pair[0] for pair in own]), 0.99)
    spe_own = np.quantile(np.concatenate([pair[1] for pair in own]), 0.99)
    assert monitor.t2_limit + monitor.spe_limit > 3 * (t2_own + spe_own)


def test_the_share_inside_the_limit_is_the_one_asked_for() -> None:
    rng = np.random.default_rng(1)
    monitor = calibrate([rng.normal(size=(500, 4)) for _ in range(5)], 0.99)
    inside = (statistic(monitor, rng.normal(size=(20_000, 4)))[0] < 1).mean()
    assert inside == pytest.approx(0.99, abs=0.005)


def test_one_block_cannot_be_held_out() -> None:
    with pytest.raises(TeachingError, match="two blocks"):
        calibrate([np.zeros((10, 2))], 0.99)


def test_health_falls_from_hundred_through_fifty_at_the_limit() -> None:
    values = health(np.array([0.0, 0.5, 1.0, 2.0, 50.0]), 0.5)
    np.testing.assert_allclose(values, [100, 100, 50, 12.5, 0], atol=1e-9)
