"""The plain model that the benchmark sets beside the engine is right by itself."""

from __future__ import annotations

import statistics

import pytest

pytest.importorskip("benchmarks", reason="benchmarks are not part of the wheel")
from benchmarks.appraisal import plain_inputs, plain_loop, plain_npv, simulations


def test_the_plain_model_gives_the_published_check_of_the_corrected_plan() -> None:
    planned = {name: [plan for _, plan, _ in years] for name, years in plain_inputs(ranged=False).items()}
    assert plain_npv(planned) == pytest.approx(289.8, abs=0.05)
    assert plain_npv(planned | {"achievement": [0.0]}) == pytest.approx(-31.0 - 4.2 * 3.992710, abs=1e-5)


def test_the_plain_loop_has_the_mean_that_its_triangles_give() -> None:
    inputs = plain_inputs(ranged=True)
    middle = {name: [sum(points) / 3 for points in years] for name, years in inputs.items()}
    npvs = plain_loop(inputs, 4_000, seed=1)
    assert statistics.fmean(npvs) == pytest.approx(plain_npv(middle), abs=4 * statistics.stdev(npvs) / 4_000**0.5)


def test_engine_and_loop_agree_and_one_has_no_loop() -> None:
    stated, ranged, correlated = simulations(1, 4_000)
    assert (stated.uncertain, stated.agree) == (1, True)
    assert (ranged.uncertain, ranged.agree) == (20, True)
    assert (correlated.uncertain, correlated.agree) == (10, None)
