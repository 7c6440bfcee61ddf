"""The whole virtual line along its schedule."""

from __future__ import annotations

import numpy as np
import pytest

from edge_agent.virtual_plant.line import LineTick, VirtualLine
from edge_agent.virtual_plant.schedule import eventful_schedule, healthy_schedule


def _run(line: VirtualLine, seconds: float, dt_s: float = 15.0) -> list[LineTick]:
    return [line.step(dt_s) for _ in range(int(seconds / dt_s))]


def test_the_same_seed_gives_the_same_signals() -> None:
    assert _run(VirtualLine(eventful_schedule(), 3), 3_000) == _run(VirtualLine(eventful_schedule(), 3), 3_000)
    assert _run(VirtualLine(eventful_schedule(), 3), 60) != _run(VirtualLine(eventful_schedule(), 4), 60)


def test_states_and_production_follow_the_schedule() -> None:
    ticks = _run(VirtualLine(eventful_schedule(), 1), 10_800)
    by_reason = {tick.reason: tick.state for tick in ticks if tick.reason}
    assert by_reason == {
        "coil_change": "setup",
        "die_overheated": "unplanned_stop",
        "break": "planned_stop",
        "belt_retensioned": "unplanned_stop",
        "bearing_replaced": "unplanned_stop",
    }
    assert all(tick.produced == 0.0 for tick in ticks if tick.reason)
    # 10,800 s less 1,860 s of stops at 42 strokes a minute is 6,258; run-ups after five stops cost a few.
    assert 6_200 < sum(tick.produced for tick in ticks) < 6_258


def test_each_fault_shows_in_its_own_sensor_far_outside_the_good_phase() -> None:
    good = [tick for tick in _run(VirtualLine(healthy_schedule(), 1), 7_200) if tick.state == "producing"]
    ticks = _run(VirtualLine(eventful_schedule(), 2), 10_800)

    def between(start_s: float, end_s: float) -> list[LineTick]:
        return [tick for tick in ticks if start_s <= tick.t_s < end_s and tick.state == "producing"]

    assert max(t.press.die_temperature for t in between(2_400, 3_600)) > 15 + max(t.press.die_temperature for t in good)
    assert np.mean([t.conveyor.belt_speed for t in between(5_700, 6_100)]) < 0.9 * 0.5
    assert max(t.press.vibration_velocity for t in between(6_900, 9_300)) > 2 * max(
        t.press.vibration_velocity for t in good
    )


def test_the_calm_beginning_stays_within_the_good_phase() -> None:
    good = [tick for tick in _run(VirtualLine(healthy_schedule(), 1), 7_200) if tick.state == "producing"]
    calm = [tick for tick in _run(VirtualLine(eventful_schedule(), 2), 1_400) if tick.state == "producing"]
    limit = 1.1 * max(tick.press.die_temperature for tick in good)
    assert max(tick.press.die_temperature for tick in calm[5:]) < limit


def test_energy_of_a_running_hour_is_that_of_a_small_press() -> None:
    energy = sum(tick.energy_kwh for tick in _run(VirtualLine(healthy_schedule(), 1), 2_100)) / 2_100 * 3_600
    # 2.5 kW + sqrt(3) x 0.4 kV x 0.85 x (64 + 2.6) A = 41.7 kW
    assert energy == pytest.approx(41.7, rel=0.05)
