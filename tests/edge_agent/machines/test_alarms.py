from __future__ import annotations

import math

import msgspec
import pytest

from edge_agent.machines.alarms import AlarmRule, AlarmTracker, Transition

SECOND = 1_000_000
HOT = AlarmRule("hot", "l", "a", "temp", 80.0, "above", 5.0, 2 * SECOND, 3 * SECOND, "Check the cooling water")


def run(tracker: AlarmTracker, *values: float, start_s: int = 0) -> list[Transition]:
    found = (tracker.update((start_s + index) * SECOND, value) for index, value in enumerate(values))
    return [transition for transition in found if transition is not None]


def test_raises_only_after_the_on_delay_and_says_since_when() -> None:
    transitions = run(AlarmTracker(HOT), 79, 81, 82, 83, 84)
    assert transitions == [Transition(raised=True, at_us=3 * SECOND, since_us=SECOND, value=83)]


def test_a_dip_restarts_the_on_delay() -> None:
    assert run(AlarmTracker(HOT), 81, 81, 79, 81, 81) == []


def test_the_limit_itself_is_not_above() -> None:
    assert run(AlarmTracker(HOT), *[80.0] * 10) == []


def test_clears_only_past_the_deadband_and_after_the_off_delay() -> None:
    tracker = AlarmTracker(HOT, active=True)
    assert run(tracker, 79, 76, 75, 75, 75) == []
    assert run(tracker, 74, 74, 74, 74, start_s=10) == [
        Transition(raised=False, at_us=13 * SECOND, since_us=10 * SECOND, value=74)
    ]


def test_below_is_the_mirror_of_above() -> None:
    low = msgspec.structs.replace(HOT, direction="below", limit=10.0, on_delay_us=0, off_delay_us=0)
    assert [t.raised for t in run(AlarmTracker(low), 10, 9, 14, 15, 15.5)] == [True, False]


@pytest.mark.parametrize("unknown", [math.nan, math.inf, -math.inf])
def test_an_unknown_value_neither_raises_nor_clears(unknown: float) -> None:
    assert run(AlarmTracker(HOT), 81, 81, unknown, 81, 81) == []
    raised = AlarmTracker(HOT, active=True)
    assert run(raised, 70, *[unknown] * 10) == []
    assert raised.active


def test_a_value_that_is_not_newer_changes_nothing() -> None:
    tracker = AlarmTracker(HOT, active=True)
    assert run(tracker, 90, start_s=100) == []
    assert run(tracker, *[20.0] * 50) == []
    assert tracker.active
