"""Planted faults and stops."""

from __future__ import annotations

import itertools

import pytest

from edge_agent.virtual_plant.schedule import (
    PlantedFault,
    PlantedStop,
    Schedule,
    eventful_schedule,
    healthy_schedule,
)


def test_a_fault_grows_over_its_onset_and_ends_with_the_repair() -> None:
    fault = PlantedFault("cooling_failure", 100, 200, 0.8, 50)
    assert [fault.level(t) for t in (99.9, 100, 125, 150, 199.9, 200)] == [0.0, 0.0, 0.4, 0.8, 0.8, 0.0]


def test_wear_grows_late() -> None:
    fault = PlantedFault("bearing_wear", 0, 100, 1.0, 100)
    # (e^2 - 1) / (e^4 - 1) = 6.389 / 53.598
    assert fault.level(50) == pytest.approx(0.11920, abs=1e-5)


def test_the_schedule_repeats() -> None:
    schedule = Schedule(
        faults=(PlantedFault("belt_slip", 10, 20, 1.0, 1),),
        stops=(PlantedStop(30, 40, "unplanned_stop", "jam"),),
        period_s=50,
    )
    assert schedule.level("belt_slip", 65) == 1.0
    assert schedule.level("cooling_failure", 65) == 0.0
    stop = schedule.stop_at(80)
    assert stop is not None
    assert stop.reason == "jam"
    assert schedule.stop_at(90) is None


def test_the_good_phase_has_no_fault() -> None:
    assert healthy_schedule().faults == ()


@pytest.mark.parametrize("schedule", [healthy_schedule(), eventful_schedule()])
def test_stops_do_not_overlap_and_fit_the_period(schedule: Schedule) -> None:
    for before, after in itertools.pairwise(schedule.stops):
        assert before.end_s <= after.start_s
    assert schedule.stops[-1].end_s <= schedule.period_s
    assert all(fault.end_s <= schedule.period_s for fault in schedule.faults)


def test_every_fault_ends_in_a_repair_stop_or_by_itself() -> None:
    repairs = {stop.end_s: stop.reason for stop in eventful_schedule().stops}
    faults = {fault.kind: fault.end_s for fault in eventful_schedule().faults}
    assert repairs[faults["cooling_failure"]] == "die_overheated"
    assert repairs[faults["belt_slip"]] == "belt_retensioned"
    repair = eventful_schedule().stop_at(faults["bearing_wear"])
    assert repair is not None
    assert repair.reason == "bearing_replaced"
