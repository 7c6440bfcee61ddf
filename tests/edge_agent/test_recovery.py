from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.events import Alarm, Event, MachineState
from edge_agent.machines.alarms import AlarmRule
from edge_agent.machines.downtime import DowntimeTracker
from edge_agent.ports import Batch
from edge_agent.readings import Channel, Reading
from edge_agent.recovery import resume_stops, warm_monitor
from edge_agent.workers.monitoring import AssetMonitor, WatchPlan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_agent.events import AlarmStateName

SECOND = 1_000_000
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TEMP = Channel("press-1", "press", "temp", "Cel")
RULE = AlarmRule("hot", "press-1", "press", "temp", 80.0, "above", 0.0, 3 * SECOND, 0, "Check the water")
PLAN = WatchPlan("press-1", "press", stale_us=0, record_every_us=0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(tmp_path / "lineproof.sqlite")
    yield opened
    opened.close()


def keep(store: SqliteStore, events: list[Event] | None = None, readings: list[Reading] | None = None) -> None:
    store.commit(Batch(at=SystemClock().now(), events=events or [], readings=readings or []))


def alarm(state: AlarmStateName) -> Event:
    at = datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC)
    return Event("a", "press-1", at, Alarm("hot", "press", state, 81.0, 80.0, "Check the water", at))


def test_a_delay_that_had_begun_goes_on_after_the_restart(store: SqliteStore) -> None:
    values = [70.0, 81.0, 82.0]
    keep(store, readings=[Reading(TEMP, second * SECOND, value) for second, value in enumerate(values)])
    monitor = AssetMonitor(PLAN, None, [RULE])
    assert warm_monitor(store, monitor) == 3
    assert monitor.offer(Reading(TEMP, 3 * SECOND, 83.0)) == []
    (event,) = monitor.offer(Reading(TEMP, 4 * SECOND, 83.0))
    assert isinstance(event.body, Alarm)
    assert event.body.since.timestamp() == 1


def test_a_raised_alarm_is_not_raised_again(store: SqliteStore) -> None:
    keep(store, [alarm("raised")], [Reading(TEMP, second * SECOND, 90.0) for second in range(20)])
    monitor = AssetMonitor(PLAN, None, [RULE])
    warm_monitor(store, monitor)
    assert [monitor.offer(Reading(TEMP, (20 + n) * SECOND, 90.0)) for n in range(5)] == [[]] * 5


def test_nothing_stored_is_nothing_fed(store: SqliteStore) -> None:
    assert warm_monitor(store, AssetMonitor(PLAN, None, [RULE])) == 0


def test_a_stop_that_had_begun_ends_after_the_restart(store: SqliteStore) -> None:
    def state(minute: int, name: str) -> Event:
        body = MachineState("press", name, "jam")  # type: ignore[arg-type]  # the names below are the literals
        return Event(f"s{minute}", "press-1", START + timedelta(minutes=minute), body)

    keep(store, [state(0, "producing"), state(2, "unplanned_stop")])
    tracker = DowntimeTracker("press-1", "press", minimum_s=0)
    resume_stops(store, tracker)
    ended = tracker.update(state(5, "producing"))
    assert ended is not None
    assert ended.body.duration_s == 180.0  # type: ignore[union-attr]  # it is a downtime


def test_a_stop_with_thousands_of_repeated_states_keeps_its_beginning(store: SqliteStore) -> None:
    def state(second: int, name: str, asset: str = "press") -> Event:
        at = START + timedelta(seconds=second)
        body = MachineState(asset, name, "jam")  # type: ignore[arg-type]  # the names below are the literals
        return Event(f"{asset}{second}", "press-1", at, body)

    repeated = [state(second, "unplanned_stop") for second in range(1, 3_000)]
    others = [state(second, "producing", "conveyor") for second in range(3_000, 5_500)]
    keep(store, [state(0, "producing"), *repeated, *others])
    tracker = DowntimeTracker("press-1", "press", minimum_s=0)
    resume_stops(store, tracker)
    ended = tracker.update(state(6_001, "producing"))
    assert ended is not None
    assert ended.body.duration_s == 6_000.0  # type: ignore[union-attr]  # it is a downtime
