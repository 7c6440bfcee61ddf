from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge_agent.events import Downtime, Event, MachineState
from edge_agent.machines.downtime import DowntimeTracker

if TYPE_CHECKING:
    from edge_agent.events import MachineStateName

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def fact(minute: float, state: MachineStateName, reason: str = "", line: str = "l", asset: str = "press") -> Event:
    return Event(f"{minute}", line, START + timedelta(minutes=minute), MachineState(asset, state, reason), "simulated")


def stops(*facts: Event, minimum_s: float = 0) -> list[tuple[float, float, bool, str]]:
    tracker = DowntimeTracker("l", "press", minimum_s=minimum_s)
    found = []
    for item in facts:
        ended = tracker.update(item)
        if ended is not None:
            body = ended.body
            assert isinstance(body, Downtime)
            assert body.ended_at == ended.occurred_at + timedelta(seconds=body.duration_s)
            found.append(((ended.occurred_at - START).total_seconds() / 60, body.duration_s, body.planned, body.reason))
    return found


def test_a_stop_lasts_from_entering_to_leaving() -> None:
    assert stops(fact(0, "producing"), fact(5, "unplanned_stop", "jam"), fact(7.5, "producing")) == [
        (5, 150.0, False, "jam")
    ]


def test_a_change_of_reason_or_plan_splits_the_stop() -> None:
    assert stops(
        fact(0, "unplanned_stop", "jam"), fact(2, "unplanned_stop", "tool"), fact(3, "planned_stop"), fact(9, "idle")
    ) == [(0, 120.0, False, "jam"), (2, 60.0, False, "tool"), (3, 360.0, True, "")]


def test_repeats_late_facts_and_other_machines_change_nothing() -> None:
    assert stops(
        fact(0, "unplanned_stop", "jam"),
        fact(1, "unplanned_stop", "jam"),
        fact(0.5, "producing"),
        fact(2, "producing", asset="conveyor"),
        fact(2, "producing", line="other"),
        fact(4, "producing"),
    ) == [(0, 240.0, False, "jam")]


def test_idle_and_setup_are_no_stops_and_short_stops_are_left_out() -> None:
    assert stops(fact(0, "idle"), fact(5, "setup"), fact(9, "producing")) == []
    assert stops(fact(0, "unplanned_stop"), fact(0.5, "producing"), minimum_s=60) == []


def test_the_key_is_made_of_event_time_so_that_a_redelivery_derives_it_again() -> None:
    def key() -> str:
        tracker = DowntimeTracker("l", "press", minimum_s=0)
        tracker.update(fact(0, "unplanned_stop"))
        ended = tracker.update(fact(3, "producing"))
        assert ended is not None
        assert ended.origin == "simulated"
        return ended.key

    assert key() == key() == f"downtime/l/press/{int(START.timestamp()) * 1_000_000}"
