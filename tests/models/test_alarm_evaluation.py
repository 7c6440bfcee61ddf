from __future__ import annotations

import numpy as np
import pytest

from models.alarm_evaluation import Delays, Monitored, alarms_raised, evaluate_alarms, f1, stretches

NO_DELAY = Delays(on_s=0, off_s=0)


def _run(statistic: str, abnormal: str, period_s: float = 1.0) -> Monitored:
    return Monitored(
        np.array([2.0 if mark == "x" else 0.5 for mark in statistic]),
        np.array([mark == "x" for mark in abnormal]),
        period_s,
    )


def test_an_alarm_needs_its_on_delay_and_ends_after_its_off_delay() -> None:
    values = np.array([0, 2, 2, 2, 0, 2, 0, 0, 2, 2, 2.0])
    assert alarms_raised(values, 1.0, NO_DELAY) == [1, 5, 8]
    assert alarms_raised(values, 1.0, Delays(on_s=3, off_s=2)) == [3, 10]
    assert alarms_raised(values, 1.0, Delays(on_s=3, off_s=3)) == [3]
    # the same seconds at two seconds a point
    assert alarms_raised(values, 2.0, Delays(on_s=6, off_s=4)) == [3, 10]


def test_the_limit_itself_counts_and_not_a_number_does_not() -> None:
    assert alarms_raised(np.array([1.0, np.nan]), 1.0, NO_DELAY) == [0]
    assert alarms_raised(np.array([np.nan, 0.999]), 1.0, NO_DELAY) == []


def test_events_found_delay_and_false_alarms_by_hand() -> None:
    runs = [
        _run("..x....xxx.", ".....xxxxx."),  # one false alarm at 2; found at 7, two after the start at 5
        _run("xxxxxx", "...xxx"),  # on from the start: false, and the event is not found by it
        _run("......", "..xx.."),  # missed
    ]
    figures = evaluate_alarms(runs, NO_DELAY)
    assert (figures.events, figures.events_found, figures.false_alarms) == (3, 1, 2)
    assert figures.delay_s == 2.0
    assert figures.healthy_s == 6 + 3 + 4
    assert figures.false_alarms_per_week == pytest.approx(2 / 13 * 604_800)
    # points: called 4 + 6, true 5 + 3 + 2, both 3 + 3
    assert figures.point_f1 == pytest.approx(2 * 6 / (10 + 10))
    # 23 points, 10 true
    assert figures.all_ones_f1 == pytest.approx(2 * 10 / (23 + 10))
    # called 10/23, true 10/23, hits 100/529 expected
    assert figures.random_f1 == pytest.approx(10 / 23)
    # second halves: points 6-10 (4 true), 3-5 (3 true), 3-5 (1 true) = 11 called, 8 hits
    assert figures.second_half_f1 == pytest.approx(2 * 8 / (11 + 10))


def test_no_event_and_no_healthy_time() -> None:
    assert evaluate_alarms([_run("...", "...")], NO_DELAY).delay_s is None
    assert evaluate_alarms([_run("xxx", "xxx")], NO_DELAY).false_alarms_per_week is None


def test_stretches_and_f1_at_their_edges() -> None:
    assert stretches(np.array([True, True])) == [(0, 2)]
    assert stretches(np.zeros(3, dtype=bool)) == []
    assert f1(np.zeros(2, dtype=bool), np.zeros(2, dtype=bool)) == 0.0
