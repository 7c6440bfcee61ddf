"""An audit speaks for the days near it, not for the rest of the year."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from roi_tracker.observations.audit_reach import NEAR_DAYS, reached

DAYS = np.arange(120)
MADE = np.full(120, 500.0)


def test_audits_that_stop_reach_half_a_month_further() -> None:
    """10 a day for 40 of 120 days: 3.33 a day on average, 110 in a window of 33 days, a quarter of it 27.5. Three
    audited days have that many; day 53 is the last one near three of them.
    """
    stops = np.where(DAYS < 40, 10.0, 0.0)
    assert np.flatnonzero(reached(DAYS, MADE, stops)).tolist() == list(range(54))


def test_one_audit_a_month_leaves_no_day_out() -> None:
    assert reached(DAYS, MADE, np.where(DAYS % 31 == 15, 60.0, 0.0)).all()


def test_two_samples_a_month_do_not_stand_for_a_first_week_audited_to_the_last_part() -> None:
    audited = np.where(DAYS < 7, 500.0, np.where(DAYS % 15 == 0, 1.0, 0.0))
    assert int(reached(DAYS, MADE, audited).sum()) == 7 + NEAR_DAYS


def test_sparse_audits_are_asked_of_over_a_longer_window() -> None:
    """30 of 60,000 parts, one every fourth day: 8 are expected in a window of 33 days."""
    assert reached(DAYS, MADE, np.where(DAYS % 4 == 0, 1.0, 0.0)).all()
    assert reached(DAYS, MADE, np.where(DAYS % 40 == 20, 1.0, 0.0)).all()


def test_without_audits_or_parts_nothing_is_reached() -> None:
    assert not reached(DAYS, MADE, np.zeros(120)).any()
    assert not reached(DAYS[:0], MADE[:0], MADE[:0]).any()


@given(st.lists(st.integers(0, 900), min_size=1, max_size=200), st.floats(0.001, 1.0))
def test_the_same_share_every_day_reaches_every_day(made: list[int], share: float) -> None:
    parts = np.array(made, dtype=float)
    found = reached(np.arange(len(made)), parts, parts * share)
    assert bool(found.all()) == bool(parts.sum() > 0)
