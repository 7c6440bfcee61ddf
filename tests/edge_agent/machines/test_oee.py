from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.events import Event, MachineState, MachineStateName, Production
from edge_agent.machines.oee import REASONS, Quantities, TimeElements, effectiveness, quantities, time_elements

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
END = START + timedelta(hours=8)
STATES: tuple[MachineStateName, ...] = ("producing", "idle", "setup", "planned_stop", "unplanned_stop")


def _state(minutes: float, state: MachineStateName, asset: str = "press") -> Event:
    return Event(f"s{minutes}{asset}", "press-1", START + timedelta(minutes=minutes), MachineState(asset, state))


def _count(minutes: float, length: float, produced: int, **bad: int | None) -> Event:
    at = START + timedelta(minutes=minutes)
    body = Production("bracket", "early", at + timedelta(minutes=length), produced, **bad)
    return Event(f"c{minutes}", "press-1", at, body)


SHIFT = [
    _state(-30, "setup"),  # holds at the start
    _state(20, "producing"),
    _state(140, "unplanned_stop"),
    _state(170, "producing"),
    _state(240, "planned_stop"),
    _state(270, "producing"),
    _state(400, "idle"),
    _state(410, "producing"),
    _state(500, "unplanned_stop"),  # after the end
    _state(100, "unplanned_stop", asset="conveyor"),
]


def test_a_shift_by_hand() -> None:
    found = time_elements(SHIFT, "press", START, END)
    assert found == TimeElements(
        production_s=(120 + 70 + 130 + 70) * 60,
        delay_s=600,
        setup_s=1_200,
        down_s=1_800,
        planned_stop_s=1_800,
        unknown_s=0,
        failures=1,
    )
    assert found.planned_busy_s == 450 * 60
    made = quantities(
        [_count(0, 240, 400, scrap=8, rework=2), _count(240, 240, 300, scrap=0, rework=4)],
        START,
        END,
        {"bracket": 30.0},
    )
    assert made == Quantities(produced=700, good=686, planned_run_s=21_000.0)
    kpis = effectiveness(found, made)
    assert kpis.availability.value == pytest.approx(390 / 450)
    assert kpis.effectiveness.value == pytest.approx(21_000 / (390 * 60))
    assert kpis.quality_ratio.value == pytest.approx(686 / 700)
    assert kpis.oee.value == pytest.approx(30 * 686 / (450 * 60))  # what was good, over what was planned
    assert kpis.nee.value == pytest.approx(410 / 450 * 21_000 / (390 * 60) * 686 / 700)
    assert kpis.technical_efficiency.value == pytest.approx(390 / (390 + 30 + 10))
    assert kpis.setup_ratio.value == pytest.approx(20 / 410)


def test_the_plans_own_busy_time_takes_the_place_of_the_states() -> None:
    kpis = effectiveness(
        time_elements(SHIFT, "press", START, END), Quantities(None, problem="nothing_counted"), planned_busy_s=500 * 60
    )
    assert kpis.availability.value == pytest.approx(390 / 500)


def test_order_and_repetition_of_facts_change_nothing() -> None:
    assert time_elements([*reversed(SHIFT), *SHIFT], "press", START, END) == time_elements(SHIFT, "press", START, END)


def test_an_unknown_state_is_not_a_guess() -> None:
    found = time_elements([_state(60, "producing")], "press", START, END)
    assert (found.unknown_s, found.production_s, found.coverage) == (3_600, 7 * 3_600, 7 / 8)
    kpis = effectiveness(found, Quantities(10, 10, 100.0))
    assert kpis.availability.value is None
    assert {kpis.availability.reason, kpis.effectiveness.reason, kpis.oee.reason} == {"state_unknown"}
    assert kpis.quality_ratio.value == 1.0


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ([], "nothing_counted"),
        ([_count(-60, 120, 10, scrap=0, rework=0)], "counts_straddle"),
        ([_count(420, 120, 10, scrap=0, rework=0)], "counts_straddle"),
        ([_count(0, 120, 10, scrap=0, rework=0), _count(60, 120, 10, scrap=0, rework=0)], "counts_overlap"),
    ],
)
def test_counts_that_say_nothing_about_the_period(facts: list[Event], problem: str) -> None:
    made = quantities(facts, START, END, {"bracket": 30.0})
    assert (made.produced, made.problem) == (None, problem)
    kpis = effectiveness(time_elements(SHIFT, "press", START, END), made)
    assert kpis.availability.value is not None
    assert [r.reason for r in (kpis.effectiveness, kpis.quality_ratio, kpis.oee, kpis.nee)] == [problem] * 4
    assert problem in REASONS


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"scrap": 1}, "scrap_not_counted"),
        ({"rework": 1}, "scrap_not_counted"),
        ({"scrap": 8, "rework": 3}, "more_bad_than_produced"),
    ],
)
def test_quality_needs_scrap_and_rework(bad: dict[str, int], problem: str) -> None:
    made = quantities([_count(0, 60, 10, **bad)], START, END, {})
    kpis = effectiveness(time_elements(SHIFT, "press", START, END), made)
    assert kpis.quality_ratio.reason == problem
    assert kpis.effectiveness.reason == "no_planned_run_time"
    assert kpis.oee.reason == "no_planned_run_time"
    assert {problem, "no_planned_run_time"} <= set(REASONS)


def test_a_period_without_work_has_no_ratios() -> None:
    found = time_elements([_state(-10, "planned_stop")], "press", START, END)
    kpis = effectiveness(found, Quantities(0, 0, 0.0))
    reasons = [r.reason for r in (kpis.availability, kpis.effectiveness, kpis.quality_ratio, kpis.setup_ratio)]
    assert reasons == ["no_planned_busy_time", "not_produced", "not_produced", "not_produced"]


def test_faster_than_planned_is_shown_and_not_capped() -> None:
    made = quantities([_count(0, 480, 2_000, scrap=0, rework=0)], START, END, {"bracket": 30.0})
    assert effectiveness(time_elements(SHIFT, "press", START, END), made).effectiveness.value == pytest.approx(
        60_000 / 23_400
    )


@given(
    st.lists(st.tuples(st.integers(-600, 1_200), st.sampled_from(STATES)), max_size=30, unique_by=lambda item: item[0])
)
def test_time_is_neither_lost_nor_made(changes: list[tuple[int, MachineStateName]]) -> None:
    found = time_elements([_state(minute, state) for minute, state in changes], "press", START, END)
    assert found.known_s + found.unknown_s == pytest.approx(8 * 3_600)
    assert 0 <= found.coverage <= 1
    assert (found.unknown_s == 0) == any(minute <= 0 for minute, _ in changes)


@given(
    st.integers(1, 479),
    st.lists(st.tuples(st.integers(-600, 1_200), st.sampled_from(STATES)), max_size=20, unique_by=lambda item: item[0]),
)
def test_two_halves_sum_to_the_whole(cut: int, changes: list[tuple[int, MachineStateName]]) -> None:
    facts = [_state(minute, state) for minute, state in changes]
    middle = START + timedelta(minutes=cut)
    first, second = (time_elements(facts, "press", *span) for span in ((START, middle), (middle, END)))
    whole = time_elements(facts, "press", START, END)
    assert first.production_s + second.production_s == pytest.approx(whole.production_s)
    assert first.down_s + second.down_s == pytest.approx(whole.down_s)
    assert first.failures + second.failures == whole.failures
