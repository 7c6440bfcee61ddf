from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.trainers.held_out import FOLDS, MOST_OF_ONE_PART, folds, lookalikes, split_groups


def test_the_same_part_under_another_exposure_is_one_group() -> None:
    rng = np.random.default_rng(0)
    parts = rng.normal(0, 1, (8, 1, 16, 6))
    shots = parts + rng.normal(0, 0.4, (8, 3, 16, 6))
    groups = lookalikes(shots.reshape(24, 16, 6).astype(np.float32))
    assert groups.tolist() == np.repeat(np.arange(8), 3).tolist()


def test_different_parts_are_groups_of_their_own() -> None:
    features = np.random.default_rng(1).normal(0, 1, (30, 16, 20)).astype(np.float32)
    assert lookalikes(features).tolist() == list(range(30))


def test_groups_chain_and_are_numbered_by_their_first_member() -> None:
    likeness = np.eye(5, dtype=np.float32)
    for a, b in [(1, 3), (3, 4)]:
        likeness[a, b] = likeness[b, a] = 0.55
    assert split_groups(likeness).tolist() == [0, 1, 2, 1, 1]


def test_a_group_too_large_for_one_part_is_split_by_closer_likeness() -> None:
    n = MOST_OF_ONE_PART + 2
    likeness = np.full((n, n), 0.65, dtype=np.float32)
    np.fill_diagonal(likeness, 1.0)
    likeness[0, 1] = likeness[1, 0] = 0.85
    # all hang together up to 0.65; beyond only the first two do
    assert split_groups(likeness).tolist() == [0, 0, *range(1, n - 1)]
    assert split_groups(np.ones((n, n), dtype=np.float32)).tolist() == list(range(n))


@given(st.lists(st.integers(0, 8), min_size=10, max_size=60))
def test_no_group_is_both_taught_and_held_out(labels: list[int]) -> None:
    _values, groups = np.unique(labels, return_inverse=True)
    fold_of = folds(groups)
    assert ((fold_of >= 0) & (fold_of < FOLDS)).all()
    for group in np.unique(groups):
        assert len(set(fold_of[groups == group].tolist())) == 1
