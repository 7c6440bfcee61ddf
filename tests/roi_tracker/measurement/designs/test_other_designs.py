"""Synthetic control, drawing by lot, shrinkage and event windows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_tracker.measurement.designs.event_window import event_window
from roi_tracker.measurement.designs.randomisation import MOST_ENUMERATED, randomisation_test
from roi_tracker.measurement.designs.shrinkage import Level, levels_of, shrink
from roi_tracker.measurement.designs.synthetic import simplex_weights, synthetic_control
from roi_tracker.measurement.estimation import BaselineFloor, Counterfactual, Measurement
from roi_tracker.measurement.regression import fit

if TYPE_CHECKING:
    from roi_tracker.business_case import Period
    from roi_tracker.measurement.panels.panel import Panel

START = date(2025, 1, 1)


def _lines(make_panel: Any, by_line: dict[str, np.ndarray], first: date) -> Panel:
    days = len(next(iter(by_line.values())))
    panel: Panel = make_panel(
        "rate",
        np.concatenate(list(by_line.values())),
        day=list(range(days)) * len(by_line),
        first=first,
        labels={"line": [line for line in by_line for _ in range(days)]},
        treated=[line == "t" for line in by_line for _ in range(days)],
    )
    return panel


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=6))
def test_weights_are_never_negative_and_sum_to_one(target: list[float]) -> None:
    donors = np.random.default_rng(1).uniform(0.1, 10, size=(len(target), 4))
    weights = simplex_weights(donors, np.array(target))
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1.0)


def test_a_mixture_of_the_lines_that_moved_alike(make_panel: Any) -> None:
    """The treated line drifts like half of `up` and half of `flat`; from the change on 15 % are avoided."""
    rng = np.random.default_rng(9)
    days = np.arange(280)
    drift = {"up": 1 + days / 280, "flat": np.ones(280), "down": 1 - days / 560, "wave": 1 + 0.3 * np.sin(days / 20)}
    plant = {line: 200 * shape * (1 + 0.02 * rng.normal(size=280)) for line, shape in drift.items()}
    plant["t"] = 0.5 * (plant["up"] + plant["flat"]) * (1 + 0.02 * rng.normal(size=280))
    true = 0.15 * plant["t"][140:].sum()
    before = _lines(make_panel, {line: values[:140] for line, values in plant.items()}, START)
    later = {line: values[140:] * (0.85 if line == "t" else 1.0) for line, values in plant.items()}
    after = _lines(make_panel, later, START + timedelta(days=140))
    model = fit(before)
    contrast = synthetic_control(model, before, after, ("t",), ("up", "flat", "down", "wave"))
    found = Measurement(Counterfactual(model, BaselineFloor(), 1.0), contrast).whole("closing")
    assert found.avoided == pytest.approx(true, rel=0.25)
    assert found.low <= true <= found.high
    assert contrast.floor_dof == 3.0  # of four placebo lines
    assert found.reporting_error > 0.05 * found.expected  # control lines this different do not make a sharp ruler


def test_the_drawing_by_hand() -> None:
    """3 of 6 drawn and the three lowest: one of twenty assignments."""
    found = randomisation_test({"a": 0.7, "b": 0.8, "c": 0.75, "d": 1.0, "e": 1.1, "f": 0.9}, ("a", "b", "c"))
    assert (found.p, found.assignments, found.decisive) == (1 / 20, 20, True)
    assert not randomisation_test({"a": 0.5, "b": 1.0}, ("a",)).decisive


def test_many_lines_are_drawn_by_sampling() -> None:
    ratios = {f"l{n:02}": 1.0 + n / 100 for n in range(20)}
    found = randomisation_test(ratios, tuple(f"l{n:02}" for n in range(10)))
    assert found.assignments == 184_756
    assert found.p == 1 / (MOST_ENUMERATED + 1)


def test_shrinkage_by_hand() -> None:
    """Five lines at 0, 0, 0, 0 and 1 with variance 0.1 each: mean 0.2, Q = 8, spread 40, between 0.1; half of the
    distance of 0.8 is luck.
    """
    levels = [Level(f"l{n}", rate, 0.1) for n, rate in enumerate((0.0, 0.0, 0.0, 0.0, 1.0))]
    found = shrink(levels, ["l4"])
    assert found is not None
    assert found.weight == pytest.approx(0.5)
    assert found.factor == pytest.approx(np.exp(-0.4))
    assert shrink(levels[:3], ["l0"]) is None


def test_the_worst_lines_improve_by_themselves_and_shrinkage_knows(make_panel: Any) -> None:
    """20 equal lines with slow conditions; the worst 3 of the first 8 weeks "improve" by a tenth in the next 8."""
    naive, corrected = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        latent = np.zeros((20, 132))
        for day in range(1, 132):
            latent[:, day] = 0.8 * latent[:, day - 1] + 0.25 * rng.normal(size=20)
        counts = rng.poisson(60 * np.exp(latent[:, 20:]))
        first, second = counts[:, :56], counts[:, 56:]
        worst = np.argsort(first.sum(axis=1))[-3:]
        names = [f"l{n:02}" for n in range(20)]
        panel = _lines(make_panel, {name: first[n].astype(float) for n, name in enumerate(names)}, START)
        found = shrink(levels_of(panel), [names[n] for n in worst])
        assert found is not None
        expected, seen = first[worst].sum(), second[worst].sum()
        naive.append(1 - seen / expected)
        corrected.append(1 - seen / (expected * found.factor))
    assert np.mean(naive) > 0.08
    assert abs(np.mean(corrected)) < 0.5 * np.mean(naive)


class _Source:
    def __init__(self, make_panel: Any, outcome: np.ndarray, exposure: np.ndarray) -> None:
        self._make, self._outcome, self._exposure = make_panel, outcome, exposure

    def panel(self, period: Period) -> Panel:
        low, high = (period.first - START).days, (period.last - START).days + 1
        cut = slice(max(0, low), high)
        made: Panel = self._make(
            "rate", self._outcome[cut], exposure=self._exposure[cut], first=START + timedelta(days=max(0, low))
        )
        return made


def test_an_event_window_leaves_out_its_blackout_and_the_dips(make_panel: Any) -> None:
    """5 an hour before, chaos for 3 days, 4 an hour after; a day of stocktaking on either side."""
    exposure = np.full(80, 20.0)
    exposure[[10, 60]] = 2.0
    rate = np.where(np.arange(80) < 40, 5.0, 4.0)
    rate[40:43] = 50.0
    rate[[10, 60]] = 90.0
    source = _Source(make_panel, rate * exposure, exposure)
    found = event_window(source, START + timedelta(days=40), weeks=4, blackout_days=3)
    assert found is not None
    assert found.dips == (START + timedelta(days=60),)  # day 10 lies before the four weeks
    assert found.estimate.relative == pytest.approx(0.2)
    assert found.estimate.days == 27
    assert event_window(source, START + timedelta(days=4), weeks=1, blackout_days=0) is None
