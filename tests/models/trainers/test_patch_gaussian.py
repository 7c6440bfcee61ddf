from __future__ import annotations

import numpy as np
import pytest

from models.trainers import patch_gaussian
from models.trainers.patch_gaussian import PatchGaussian, distances, fit, score, smooth, smoothing_kernel


def test_distance_and_smoothing_by_hand() -> None:
    # one direction: projection 2x - 1, mean 1, whitening 0.5: |2x - 1 - 1| * 0.5 = |x - 1|
    model = PatchGaussian(
        projection=np.array([[2.0]], dtype=np.float32),
        offset=np.array([-1.0], dtype=np.float32),
        means=np.full((16, 1), 1.0, dtype=np.float32),
        whitening=np.full((16, 1, 1), 0.5, dtype=np.float32),
        side=4,
    )
    features = np.full((1, 16, 1), 4.0, dtype=np.float32)
    np.testing.assert_allclose(distances(model, features), np.full((1, 16), 3.0))
    values, maps = score(model, features)
    # a constant map stays what it is under a kernel that sums to one and mirrored borders
    np.testing.assert_allclose(maps, np.full((1, 4, 4), 3.0), rtol=1e-6)
    assert values[0] == pytest.approx(3.0, rel=1e-6)


def test_a_single_peak_spreads_as_the_kernel() -> None:
    maps = np.zeros((1, 16, 16), dtype=np.float32)
    maps[0, 8, 8] = 1.0
    smoothed = smooth(maps)
    np.testing.assert_allclose(smoothed[0, 5:12, 5:12], smoothing_kernel(), rtol=1e-6)
    # neighbour over peak of a Gaussian with sigma 0.85 cells
    assert smoothed[0, 8, 9] / smoothed[0, 8, 8] == pytest.approx(np.exp(-1 / (2 * 0.85**2)), rel=1e-5)


def test_the_whitened_covariance_is_the_shrunk_one() -> None:
    rng = np.random.default_rng(0)
    n, positions, channels = 40, 16, 3
    features = rng.normal(0, 1, (n, positions, channels)).astype(np.float32) * np.array([1, 5, 0.2], dtype=np.float32)
    model = fit(features, dimensions=2)
    projected = features @ model.projection + model.offset
    np.testing.assert_allclose(projected.mean(axis=0), model.means, atol=1e-5)
    residual = (projected - model.means).transpose(1, 0, 2).astype(np.float64)
    covariance = np.einsum("pni,pnj->pij", residual, residual) / n
    pooled = covariance.mean(axis=0)
    shrink = 2 / (n + 2)
    expected = (1 - shrink) * covariance + shrink * pooled + 0.1 * np.trace(pooled) / 2 * np.eye(2)
    whitening = model.whitening.astype(np.float64)
    # W W^T is the inverse of the covariance
    np.testing.assert_allclose(
        whitening @ whitening.transpose(0, 2, 1) @ expected, np.broadcast_to(np.eye(2), (16, 2, 2)), atol=1e-4
    )


def test_the_main_directions_are_those_of_variation_around_each_position() -> None:
    rng = np.random.default_rng(1)
    # channel 0 differs between positions only, channel 1 between images: the second is what varies in good parts
    features = np.stack(
        [np.tile(np.linspace(-9, 9, 16), (30, 1)) + 1e-3 * rng.normal(size=(30, 16)), rng.normal(size=(30, 16))], axis=2
    ).astype(np.float32)
    model = fit(features, dimensions=1)
    share = np.abs(model.projection[:, 0] * features.std(axis=(0, 1)))
    assert share[1] > 0.999
    assert model.projection[1, 0] > 0  # the sign is fixed


def test_teaching_twice_gives_the_same_numbers_and_an_outlier_stands_out() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(0, 1, (20, 16, 8)).astype(np.float32)
    first, second = fit(features, 4), fit(features, 4)
    np.testing.assert_array_equal(first.whitening, second.whitening)
    odd = features[:1].copy()
    odd[0, 5] += 8
    assert score(first, odd)[0][0] > 1.4 * score(first, features)[0].max()
    assert np.unravel_index(score(first, odd)[1][0].argmax(), (4, 4)) == (1, 1)


def test_dimensions_are_capped_by_the_channels() -> None:
    assert fit(np.random.default_rng(0).normal(size=(12, 4, 3)).astype(np.float32), 64).projection.shape == (3, 3)
    assert patch_gaussian.DEFAULT_DIMENSIONS == 64
