"""The three ways of a tick give the same figures; how fast they are is the benchmark's own question."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("benchmarks", reason="benchmarks are not part of the wheel")
from benchmarks.feature_tick import LeanLoop, Loop, Ring, measure


def test_all_ways_agree_with_figures_by_hand() -> None:
    for way in (Ring(2, 4), Loop(2, 4), LeanLoop(2, 4)):
        for row in ([9.0, 9.0], [1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]):
            way.window_only(np.array(row, dtype=np.float32))
        figures = way.tick(np.array([-1.0, 4.0], dtype=np.float32))  # 1 -1 1 -1 and 0 0 0 4
        np.testing.assert_allclose(figures[:, 0], [0, 1, 1, 1, 1], atol=1e-6)
        np.testing.assert_allclose(figures[:, 1], [1, 3**0.5, 3, 3**0.5, (3 + 81) / 4 / 9], rtol=1e-6)


def test_a_small_measurement_says_that_they_agree() -> None:
    assert measure(3, 8, 1).agree
