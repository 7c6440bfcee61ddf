"""The documented example of CausalImpact: x wanders around 100 (AR 0.999), y = 1.2 x + noise, +10 from point 71 on.

Brodersen, Gallusser, Koehler, Remy and Scott, "Inferring causal impact using Bayesian structural time-series models",
Annals of Applied Statistics 9(1), 2015, and the example of the package's documentation, drawn anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from roi_tracker.measurement.designs.comparison import as_marked
from roi_tracker.measurement.estimation import BaselineFloor, Counterfactual, Measurement, estimate
from roi_tracker.measurement.regression import fit

POINTS, CHANGE, EFFECT = 100, 70, 10.0
SEEDS = range(20)


def _example(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    wander = np.zeros(POINTS)
    for point in range(1, POINTS):
        wander[point] = 0.999 * wander[point - 1] + rng.normal()
    x = 100 + wander
    y = 1.2 * x + rng.normal(size=POINTS)
    y[CHANGE:] += EFFECT
    return x, y


def test_a_regression_on_the_covariate_recovers_ten(make_panel: Any) -> None:
    covered, effects = 0, []
    for seed in SEEDS:
        x, y = _example(seed)
        before = make_panel("linear", y[:CHANGE], covariates={"x": x[:CHANGE]})
        after = make_panel("linear", y[CHANGE:], covariates={"x": x[CHANGE:]})
        found = estimate(Counterfactual(fit(before), BaselineFloor(), 1.0), after)
        effects.append(-found.avoided / found.days)
        covered += found.low <= -EFFECT * found.days <= found.high
        assert found.high < 0
    assert np.mean(effects) == pytest.approx(EFFECT, abs=0.4)
    assert covered >= 15  # of 20 at 90 %: fewer happen once in 90 sets


def test_a_difference_with_the_control_series_recovers_ten(make_panel: Any) -> None:
    effects = []
    for seed in SEEDS:
        x, y = _example(seed)
        halves = []
        for part in (slice(0, CHANGE), slice(CHANGE, POINTS)):
            count = len(y[part])
            halves.append(
                make_panel(
                    "rate",
                    [*y[part], *x[part]],
                    day=[*range(count), *range(count)],
                    labels={"line": ["treated"] * count + ["control"] * count},
                    treated=[True] * count + [False] * count,
                )
            )
        before, after = halves
        model = fit(before)
        found = Measurement(Counterfactual(model, BaselineFloor(), 1.0), as_marked(model, before, after)).whole(
            "closing"
        )
        effects.append(-found.avoided / found.days)
        assert found.high < 0
    assert np.mean(effects) == pytest.approx(EFFECT, abs=0.4)
