"""The laboratory's quick run: bands wide enough for chance, narrow enough to fail where a method breaks."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("benchmarks", reason="benchmarks are not part of the wheel")
pytest.importorskip("statsmodels", reason='the tracker needs `pip install "lineproof[roi]"`')
from benchmarks.laboratory.experiments import Chunk
from benchmarks.laboratory.peers import Claim, before_after
from benchmarks.laboratory.plants import Plant, World, ar1, draw
from benchmarks.laboratory.running import Found, run
from benchmarks.laboratory.scoring import Rate, Score
from benchmarks.laboratory.table import as_json, as_text

pytestmark = pytest.mark.timeout(400)  # half a minute on an idle core


@pytest.fixture(scope="module")
def quick() -> list[Found]:
    return run(300, 1, quick=True)


def score(quick: list[Found], part: str, name: str, method: str) -> Score:
    return next(
        one.scores[method] for one in quick if one.experiment.part == part and one.experiment.name.startswith(name)
    )


def test_ours_claims_nothing_where_nothing_happened(quick: list[Found]) -> None:
    """Nominal 5 %: the lower limit of what was counted does not lie above it."""
    for name, method in (
        ("independent days", "ours"),
        ("autocorrelation 0.8", "ours"),
        ("change on all lines", "ours, controls"),
        ("worst 3 of 20 chosen", "ours, shrunk"),
    ):
        assert score(quick, "no effect", name, method).claims.low <= 0.05, name


def test_usual_methods_cry_success(quick: list[Found]) -> None:
    slow = "autocorrelation 0.8"
    naive = score(quick, "no effect", slow, "before/after").claims
    assert naive.low > 0.15
    assert score(quick, "no effect", slow, "ours").claims.value < naive.value
    assert score(quick, "no effect", "change on all lines", "before/after").claims.value > 0.9
    assert score(quick, "no effect", "worst 3 of 20 chosen", "before/after").bias > 0.04


def test_intervals_hold_the_truth(quick: list[Found]) -> None:
    for part, name, method in (
        ("effect", "independent days", "ours"),
        ("closing date", "56 + 56 days, rho 0.8", "ours"),
        ("52 weekly looks", "28 days, rho 0.5", "ours, any day"),
    ):
        found = score(quick, part, name, method).coverage
        assert found.high >= 0.88, (name, found)
    assert score(quick, "52 weekly looks", "28 days, rho 0.5", "before/after").coverage.high < 0.6


def test_effects_are_found(quick: list[Found]) -> None:
    assert score(quick, "effect", "independent days", "ours").claims.value > 0.9


def test_a_better_inspection_is_not_taken_for_worse_parts(quick: list[Found]) -> None:
    recorded = score(quick, "inspection", "better inspection, same process", "recorded rejects")
    audited = score(quick, "inspection", "better inspection, same process", "ours, audits")
    assert recorded.bias < -0.08
    assert abs(audited.bias) < 0.06
    cost = score(quick, "inspection", "better inspection, better process", "ours, cost of quality")
    assert abs(cost.bias) < 0.08
    assert cost.claims.value > 0.8
    wrong = score(quick, "inspection", "better inspection, reviewers err", "ours, cost of quality")
    repeated = score(quick, "inspection", "better inspection, reviewers err", "ours, cost of quality, reviews repeated")
    assert abs(repeated.bias) < abs(wrong.bias)


def test_a_stop_moved_into_the_plan_is_no_saving(quick: list[Found]) -> None:
    moved = "a third of the stops moved"
    assert score(quick, "stops", moved, "unplanned stops alone").claims.value > 0.5
    assert score(quick, "stops", moved, "ours").claims.low <= 0.05
    assert score(quick, "stops", "a third of the stops gone", "ours").claims.value > 0.5


def test_tables_tell_every_row(quick: list[Found]) -> None:
    rows = json.loads(as_json(quick))
    assert len(rows) == sum(len(one.scores) for one in quick)
    assert as_text(quick).count("\n| ") >= len(rows)


def test_wilson_by_hand() -> None:
    """Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263 is 0.2553 to 0.3662."""
    found = Rate(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_scores_add_up() -> None:
    one, other = Score(), Score()
    one.add(Claim(realized=True, low=1.0, high=3.0, avoided=2.0), truth=2.5, expected=10.0)
    other.add(Claim(realized=False, low=-1.0, high=1.0, avoided=0.0, refused=("placebo",)), truth=0.0, expected=10.0)
    both = one.merged(other)
    assert (both.claims, both.coverage, both.refusals) == (Rate(1, 2), Rate(1, 1), Rate(1, 2))
    assert both.bias == pytest.approx(-0.025)


def test_plants_have_the_planted_effect_and_the_same_seed_the_same_plants() -> None:
    chunk = Chunk("test", 0, 3)
    world = World(effect=0.25, rho=0.5, sd=0.2, controls=2)
    plants: list[Plant] = list(chunk.draws(world))
    for plant, again in zip(plants, chunk.draws(world), strict=True):
        assert np.array_equal(plant.defects, again.defects)
        live = plant.without[world.baseline_days :, 0].sum()
        assert plant.avoided / live == pytest.approx(0.25, abs=0.04)
        assert np.array_equal(plant.without[:, 1:], plant.defects[:, 1:])


def test_autocorrelation_is_as_asked() -> None:
    drawn = ar1(np.random.default_rng(1), 0.8, (20_000, 1))[:, 0]
    assert drawn.std() == pytest.approx(1.0, abs=0.06)
    assert np.corrcoef(drawn[1:], drawn[:-1])[0, 1] == pytest.approx(0.8, abs=0.03)


def test_before_after_by_hand() -> None:
    """1,000 parts with 50 defects before, 1,000 with 30 after: 20 avoided, z = 2.28."""
    world = World(baseline_days=1, reporting_days=1, products=1)
    parts = np.full((2, 1, 1), 1_000)
    defects = np.array([50, 30]).reshape(2, 1, 1)
    found = before_after(Plant(world, parts, defects, defects, np.ones(2, dtype=np.bool_)))
    error = 1_000 * (0.05 * 0.95 / 1_000 + 0.03 * 0.97 / 1_000) ** 0.5
    assert found.realized
    assert found.low == pytest.approx(20 - 1.6448536 * error)


def test_the_worst_lines_are_the_worst_of_all() -> None:
    world = World(treated=2, choose_worst_of=6, products=1, rho=0.8, sd=0.3)
    plant = draw(world, np.random.default_rng(4))
    rates = plant.without[:90].sum(axis=(0, 2)) / plant.parts[:90].sum(axis=(0, 2))
    assert list(np.argsort(-rates)) == list(range(6))
