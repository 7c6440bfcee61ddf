from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation import (
    auroc,
    average_precision,
    bootstrap_auroc,
    escape_at_overkill,
    pixel_figures,
)

scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=20).map(np.array)


@given(scores, scores)
def test_auroc_is_the_share_of_pairs_in_order(good: np.ndarray, bad: np.ndarray) -> None:
    pairs = [1.0 if b > g else 0.5 if b == g else 0.0 for g in good for b in bad]
    assert auroc(good, bad) == pytest.approx(sum(pairs) / len(pairs))


@given(scores, scores)
def test_auroc_turned_round_is_its_complement(good: np.ndarray, bad: np.ndarray) -> None:
    assert auroc(good, bad) + auroc(bad, good) == pytest.approx(1.0)


def test_average_precision_by_hand() -> None:
    # ranked 4 bad, 3 good, 2 bad+good: precision 1 at recall 1/2, then 2/4 at recall 1
    assert average_precision(np.array([3.0, 2.0]), np.array([4.0, 2.0])) == pytest.approx(0.5 * 1 + 0.5 * 0.5)
    assert average_precision(np.array([1.0]), np.array([2.0, 3.0])) == 1.0


@given(scores, scores, st.floats(0, 1))
def test_overkill_never_exceeds_what_was_allowed(good: np.ndarray, bad: np.ndarray, allowed: float) -> None:
    escaped = escape_at_overkill(good, bad, allowed)
    # the best limit by trying all: smallest escape among limits that keep the overkill
    limits = [*np.unique(np.concatenate([good, bad])), np.inf]
    best = min(float((bad < limit).mean()) for limit in limits if (good >= limit).mean() <= allowed + 1e-12)
    assert escaped == pytest.approx(best)


def test_everything_may_fail_when_all_overkill_is_allowed() -> None:
    assert escape_at_overkill(np.array([5.0, 6.0]), np.array([1.0]), 1.0) == 0.0


def test_bootstrap_interval_holds_the_value_and_repeats() -> None:
    rng = np.random.default_rng(3)
    good, bad = rng.normal(0, 1, 60), rng.normal(1.5, 1, 60)
    interval = bootstrap_auroc(good, bad)
    assert interval.low < interval.value < interval.high
    # Hanley and McNeil (1982): with 60 and 60 the standard error at 0.86 is about 0.034
    assert 0.08 < interval.high - interval.low < 0.18
    assert bootstrap_auroc(good, bad) == interval
    assert bootstrap_auroc(good, bad, seed=1) != interval


def test_separated_scores_have_no_width() -> None:
    interval = bootstrap_auroc(np.array([0.0, 1.0]), np.array([2.0, 3.0]))
    assert (interval.value, interval.low, interval.high) == (1.0, 1.0, 1.0)


def test_a_map_equal_to_its_mask_is_perfect() -> None:
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:4, 2:6] = True
    figures = pixel_figures([mask.astype(np.float32), np.zeros((8, 8), np.float32)], [mask, None])
    assert figures is not None
    assert figures.pixel_auroc == pytest.approx(1.0)
    assert figures.pro == pytest.approx(1.0)


def test_a_constant_map_ranks_pixels_by_chance() -> None:
    mask = np.zeros((10, 10), dtype=bool)
    mask[:5] = True
    figures = pixel_figures([np.zeros((10, 10), np.float32)], [mask])
    assert figures is not None
    assert figures.pixel_auroc == pytest.approx(0.5)
    # overlap grows with the false positive rate: area of the triangle up to 0.3, over 0.3
    assert figures.pro == pytest.approx(0.15)


def test_pro_weighs_regions_alike_whatever_their_size() -> None:
    mask = np.zeros((20, 20), dtype=bool)
    mask[0:10, 0:10] = True  # 100 pixels, found
    mask[15, 15] = True  # 1 pixel, missed: below every clean pixel
    anomaly_map = np.full((20, 20), 0.5, dtype=np.float32)
    anomaly_map[0:10, 0:10] = 1.0
    anomaly_map[15, 15] = 0.0
    figures = pixel_figures([anomaly_map], [mask])
    assert figures is not None
    # the curve starts at 1/2 for the found region and rises to 1/2 at rate 1, where the last pixel comes in
    assert figures.pro == pytest.approx(0.5)
    # of 101 marked pixels 100 rank above every clean one and one below
    assert figures.pixel_auroc == pytest.approx(100 / 101)


def test_nothing_marked_gives_no_figures() -> None:
    assert pixel_figures([np.zeros((4, 4), np.float32)], [None]) is None
