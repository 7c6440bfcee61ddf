from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.events import Alarm, Event, Health
from edge_agent.machines.alarms import AlarmRule
from edge_agent.machines.health import HealthScore
from edge_agent.ports import ModelIdentity
from edge_agent.readings import Channel, Reading
from edge_agent.workers.monitoring import AssetMonitor, WatchPlan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SECOND = 1_000_000
TEMP = Channel("l", "press", "temp", "Cel")


class MeanScorer:
    """A health model whose statistic is the window's mean over 100."""

    identity = ModelIdentity("mean@1", "d" * 64)
    provider = "test"
    channels = ("temp",)
    period_s = 1.0
    window_rows = 2

    def assess(self, window: NDArray[np.float32]) -> HealthScore:
        statistic = float(window.mean()) / 100
        return HealthScore(statistic, 100 - 50 * statistic, (1.0,))


PLAN = WatchPlan("l", "press", stale_us=5 * SECOND, record_every_us=60 * SECOND)
ALARM = AlarmRule("unwell", "l", "press", "health.statistic", 1.0, "above", 0.1, 2 * SECOND, 0, "Inspect the press")
HOT = AlarmRule("hot", "l", "press", "temp", 200.0, "above", 0.0, 0, 0, "Stop the press")
WARM = AlarmRule("warm", "l", "press", "temp", 90.0, "above", 10.0, 3 * SECOND, 2 * SECOND, "Look at the press")
RULES = [ALARM, HOT, WARM]


def feed(monitor: AssetMonitor, values: list[float], start_s: int = 0) -> list[Event]:
    events: list[Event] = []
    for index, value in enumerate(values):
        events += monitor.offer(Reading(TEMP, (start_s + index) * SECOND, value))
    return events


def test_health_is_recorded_on_change_and_the_alarm_after_its_delay() -> None:
    events = feed(AssetMonitor(PLAN, MeanScorer(), [ALARM]), [50.0] * 5 + [150.0] * 6)
    summary = [
        (event.body.reason if isinstance(event.body, Health) else f"alarm {event.body.state}")
        for event in events
        if isinstance(event.body, Health | Alarm)
    ]
    assert summary == ["window_filling", "ok", "above_limit", "above_limit", "alarm raised"]
    alarm = events[-1].body
    assert isinstance(alarm, Alarm)
    assert alarm.value == pytest.approx(1.5)
    assert alarm.contributions == {"temp": 1.0}
    # statistic 1.0 is not above the limit; the first 1.5 closes at 7 s, two seconds of delay later it is 9 s
    assert events[-1].occurred_at.timestamp() == 9


def test_a_channel_alarm_needs_no_model() -> None:
    events = feed(AssetMonitor(PLAN, None, [HOT]), [199.0, 201.0, 201.0, 150.0])
    assert [event.body.state for event in events if isinstance(event.body, Alarm)] == ["raised", "cleared"]


def test_the_same_readings_give_the_same_events() -> None:
    values = [50.0] * 5 + [150.0] * 6 + [20.0] * 6
    first, second = (feed(AssetMonitor(PLAN, MeanScorer(), [ALARM, HOT]), values) for _ in range(2))
    assert first == second
    assert len({event.key for event in first}) == len(first)


def alarms_of(events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event.body, Alarm)]


def restarted(values: list[float], cut: int, redelivered: int = 0) -> list[Event]:
    """What two agents record together, of which the second knows only what the first has stored.

    The last `redelivered` readings were stored, but the broker did not hear of it: they come again.
    """
    events = feed(AssetMonitor(PLAN, MeanScorer(), RULES), values[:cut])
    after = AssetMonitor(PLAN, MeanScorer(), RULES)
    past = [Reading(TEMP, t * SECOND, v) for t, v in enumerate(values[:cut])]
    remembered = [reading for reading in past if reading.t_us >= past[-1].t_us - after.memory_us]
    health = [event for event in events if isinstance(event.body, Health)]
    after.warm(remembered, alarms_of(events), health[-1] if health else None)
    begin = max(0, cut - redelivered)
    return events + feed(after, values[begin:], start_s=begin)


@settings(max_examples=150)
@given(st.lists(st.sampled_from([20.0, 85.0, 95.0, 150.0, 250.0]), min_size=2, max_size=40), st.data())
def test_a_restart_at_any_moment_changes_no_alarm(values: list[float], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(values) - 1))
    redelivered = data.draw(st.integers(0, cut))
    assert alarms_of(restarted(values, cut, redelivered)) == alarms_of(
        feed(AssetMonitor(PLAN, MeanScorer(), RULES), values)
    )


def test_a_restart_repeats_no_health_event() -> None:
    values = [50.0] * 30
    assert restarted(values, 15) == feed(AssetMonitor(PLAN, MeanScorer(), RULES), values)


def test_a_stale_channel_makes_the_health_unknown() -> None:
    monitor = AssetMonitor(PLAN, MeanScorer(), [])
    feed(monitor, [50.0] * 5)
    (event,) = monitor.offer(Reading(TEMP, 100 * SECOND, 50.0))
    assert isinstance(event.body, Health)
    assert (event.body.health, event.body.reason) == (None, "stale_channel")


def test_a_publisher_that_is_gone_makes_the_health_unknown_at_once_and_once() -> None:
    monitor = AssetMonitor(PLAN, MeanScorer(), [])
    feed(monitor, [50.0] * 5)
    (event,) = monitor.fall_silent(4 * SECOND)
    assert isinstance(event.body, Health)
    assert (event.body.health, event.body.reason, event.key) == (None, "stale_channel", f"health/l/press/{4 * SECOND}")
    assert monitor.fall_silent(4 * SECOND) == []  # a redelivery says nothing new
    reasons = [event.body.reason for event in feed(monitor, [50.0] * 5, start_s=5) if isinstance(event.body, Health)]
    assert reasons[-1] == "ok"  # it lives again, once its window is full of new values


def test_a_silence_older_than_the_newest_reading_changes_nothing() -> None:
    monitor = AssetMonitor(PLAN, MeanScorer(), [])
    feed(monitor, [50.0] * 5)
    assert monitor.fall_silent(3 * SECOND) == []
    assert AssetMonitor(PLAN, None, []).fall_silent(9 * SECOND) == []


def test_a_change_before_the_first_window_that_a_restart_sees_again_is_not_forgotten() -> None:
    # the alarm is raised at 7 s and cleared at 9 s; the restart at 20 s is fed from 7 s, where no window closes
    values = [20.0] * 4 + [250.0, 20.0, 250.0] + [20.0] * 14
    through = alarms_of(feed(AssetMonitor(PLAN, MeanScorer(), RULES), values))
    assert [event.occurred_at.timestamp() for event in through if event.key.startswith("alarm/l/unwell")] == [7, 9]
    assert alarms_of(restarted(values, cut=20)) == through
