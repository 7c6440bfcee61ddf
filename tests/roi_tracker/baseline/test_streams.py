"""A part of a feed that ends is no saving, and a meter that stands measures nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from roi_tracker.baseline.completeness import no_stuck_values
from roi_tracker.baseline.frozen import specification_of
from roi_tracker.baseline.streams import streams_continue
from roi_tracker.case.measuring import EndedStream, KpiDefinition
from roi_tracker.case.plant import Period
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.observations.rows import Amount, AssetHealth, KpiCount, LineShift, Observations
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.observations.stuck import stuck_energy, stuck_kpis
from roi_tracker.proof.proving import scope_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from roi_tracker.baseline.rules import Check
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.case.benefits import Measure

START = date(2025, 1, 6)
BASELINE = Period(first=START, last=START + timedelta(days=179))
REPORTING = Period(first=START + timedelta(days=187), last=START + timedelta(days=306))


def year(row: Callable[[int, np.random.Generator], dict[str, Any]]) -> Observations:
    """Working days of ten months; `row` says what a day of press-1 had, by the number of the calendar day."""
    rng = np.random.default_rng(11)
    days = [n for n in range(307) if (START + timedelta(days=n)).weekday() < 5]
    rows = [
        LineShift("press-1", START + timedelta(days=n), "day", "imported", planned_busy_s=3600.0, **row(n, rng))
        for n in days
    ]
    return Observations((), tuple(rows), ())


def scope(measure: Measure, **given: Any) -> Scope:
    return Scope(measure, ("press-1",), lambda day: day.weekday() < 5, 1, **given)


def checked(observations: Observations, measure: Measure, *ended: EndedStream, **given: Any) -> Check:
    return streams_continue(observations, scope(measure, **given), BASELINE, REPORTING, ended)


def told(check: Check) -> dict[str, Any]:
    return {item.name: item.value for item in check.evidence}


def roster(helper: Callable[[int], float | None]) -> Observations:
    def row(n: int, _rng: np.random.Generator) -> dict[str, Any]:
        hours = helper(n)
        roles = (*(() if hours is None else (Amount("helper", hours),)), Amount("inspector", 8.0))
        return {"labour": roles, "labour_hours": sum(role.value for role in roles)}

    return year(row)


def test_a_role_that_ends_at_go_live_is_no_saving_until_somebody_states_it() -> None:
    """It is still on the roster of the blackout, until Friday 2025-07-11."""
    ended = roster(lambda n: 8.0 if n < 187 else None)
    found = checked(ended, "labour")
    assert (found.passed, found.disqualifies) == (False, True)
    assert told(found) == {"streams": 2, "silent": "press-1 helper 2025-07-11", "stated": "-"}
    common: dict[str, Any] = {"stream": "helper", "reference": "roster 31", "owner": "HR"}
    stated = checked(ended, "labour", EndedStream(last_day=date(2025, 7, 11), **common))
    assert stated.passed
    assert told(stated)["stated"] == "press-1 helper 2025-07-11 (roster 31, HR)"
    assert not checked(ended, "labour", EndedStream(last_day=date(2025, 7, 10), **common)).passed
    assert not checked(ended, "labour", EndedStream(last_day=date(2025, 7, 11), line="press-2", **common)).passed
    assert checked(ended, "labour", roles=("inspector",)).passed


def test_a_role_with_nought_hours_or_on_leave_goes_on() -> None:
    assert checked(roster(lambda n: 8.0 if n < 187 else 0.0), "labour").passed
    assert checked(roster(lambda n: None if 201 <= n < 215 else 8.0), "labour").passed  # ten working days
    assert not checked(roster(lambda n: None if 201 <= n < 218 else 8.0), "labour").passed
    seldom = roster(lambda n: 4.0 if n % 28 == 0 else None)  # every fourth Monday
    assert checked(seldom, "labour").passed


def meters(gas: Callable[[int], bool]) -> Observations:
    def row(n: int, rng: np.random.Generator) -> dict[str, Any]:
        used = (Amount("electricity", 100 + rng.normal()), *((Amount("gas", 80 + rng.normal()),) if gas(n) else ()))
        return {"energy": used, "energy_kwh": sum(one.value for one in used)}

    return year(row)


def test_a_carrier_that_ends_or_thins_out_is_no_saving() -> None:
    assert checked(meters(lambda _: True), "energy").passed
    assert told(checked(meters(lambda n: n < 187), "energy"))["silent"] == "press-1 gas 2025-07-11"
    assert not checked(meters(lambda n: n < 187 or n % 7 != 2), "energy").passed  # every Wednesday is missing
    assert checked(meters(lambda n: n not in {189, 190}), "energy").passed  # two days of an outage
    assert checked(meters(lambda n: n < 187), "energy", carriers=("electricity",)).passed


def stops(feeder: Callable[[int, np.random.Generator], int], *, stated: bool = False) -> Observations:
    def row(n: int, rng: np.random.Generator) -> dict[str, Any]:
        die, own = int(rng.poisson(0.7)), feeder(n, rng)
        assets = tuple(AssetHealth(a, stops=k, stop_s=600.0 * k) for a, k in (("die", die), ("feeder", own)) if k)
        whole = (AssetHealth(""),) if stated and not assets else ()
        return {"unplanned_stop_s": 600.0 * (die + own), "unplanned_stops": die + own, "assets": assets or whole}

    return year(row)


def test_a_machine_whose_log_ends_is_not_a_machine_that_stopped_stopping() -> None:
    ended = stops(lambda n, rng: int(rng.poisson(0.7)) if n < 187 else 0)
    found = told(checked(ended, "downtime"))
    assert found["silent"].startswith("press-1 feeder 2025-0")
    assert ";" not in found["silent"]
    assert not checked(ended, "maintenance").passed
    assert checked(ended, "defects").passed  # it asks no stops


def test_three_stops_in_four_may_be_avoided_and_all_of_them_where_the_log_says_so() -> None:
    assert checked(stops(lambda n, rng: int(rng.poisson(0.7 if n < 187 else 0.175))), "downtime").passed

    def gone(n: int, _rng: np.random.Generator) -> dict[str, Any]:
        asset = AssetHealth("feeder", stops=1, stop_s=600.0) if n < 187 else AssetHealth("feeder")
        return {"unplanned_stop_s": asset.stop_s, "unplanned_stops": asset.stops, "assets": (asset,)}

    assert checked(year(gone), "downtime").passed


def test_a_machine_that_only_ever_raised_alarms_owes_no_stops() -> None:
    def row(n: int, rng: np.random.Generator) -> dict[str, Any]:
        die = int(rng.poisson(0.7))
        alarm = (AssetHealth("feeder", confirmed=1),) if n < 187 else ()
        assets = (*((AssetHealth("die", stops=die, stop_s=600.0 * die),) if die else ()), *alarm)
        return {"unplanned_stop_s": 600.0 * die, "unplanned_stops": die, "assets": assets}

    found = checked(year(row), "downtime")
    assert (found.passed, told(found)["streams"]) == (True, 2)  # the die, and the day shift


def test_a_meter_that_stands_is_refused_and_a_coarse_one_is_not() -> None:
    def metered(kwh: Callable[[int, np.random.Generator], float]) -> Observations:
        def row(n: int, rng: np.random.Generator) -> dict[str, Any]:
            used = kwh(n, rng)
            return {"energy": (Amount("electricity", used),), "energy_kwh": used}

        return year(row)

    stands = metered(lambda n, rng: 100 + rng.normal() if n < 187 else 1400.0)
    (run,) = stuck_energy(stands.line_table)
    assert (run.value, run.days[0], len(run.days)) == (1400.0, REPORTING.first.toordinal() + 2, 85)
    found = no_stuck_values(stands, scope("energy"), REPORTING, "reporting")
    assert not found.passed
    assert told(found)["series"] == "press-1 electricity: 1400, 2025-07-14 - 2025-11-07"
    assert no_stuck_values(stands, scope("energy"), BASELINE, "baseline").passed
    assert no_stuck_values(stands, scope("energy", carriers=("gas",)), REPORTING, "reporting").passed
    for honest in (
        metered(lambda _, rng: float(rng.integers(1, 3))),  # whole MWh, one or two a day
        metered(lambda n, _: 100.0 + n // 30),  # bills spread over their months
        metered(lambda n, rng: 100 + rng.normal() if not 200 <= n < 204 else 100.0),  # four days
    ):
        assert not list(stuck_energy(honest.line_table))
    week = metered(lambda n, rng: 100 + rng.normal() if not 200 <= n < 207 else 100.0)
    assert [len(run.days) for run in stuck_energy(week.line_table)] == [5]
    assert no_stuck_values(week, scope("energy"), REPORTING, "reporting").passed  # told as a finding, and too few


@pytest.mark.parametrize(("top", "bottom", "runs"), [(3.0, 40.0, 1), (40.0, 40.0, 0), (0.0, 40.0, 0)])
def test_an_indicator_that_repeats_itself(top: float, bottom: float, runs: int) -> None:
    def row(n: int, rng: np.random.Generator) -> dict[str, Any]:
        pair = (float(rng.integers(0, 9)), float(rng.integers(30, 50))) if n < 187 else (top, bottom)
        return {"kpis": (KpiCount("claims", *pair),)}

    found = year(row)
    assert len(list(stuck_kpis(found.line_table))) == runs
    kpi = KpiDefinition(id="claims", kind="ratio")
    assert no_stuck_values(found, scope("kpi", kpi=kpi), REPORTING, "reporting").passed == (not runs)


def test_what_ended_is_stated_after_the_freeze_without_another_hash(
    case: BusinessCase, simulate: Any, truth: Any
) -> None:
    observations = simulate(truth(seed=3)).observations
    line = case.benefits[1]
    lines = scope_of(line, ShiftCalendar(case.plant))
    panel = panel_of(observations, lines, case.periods.baseline, "previous")
    said = EndedStream(stream="helper", last_day=date(2025, 7, 11), reference="roster 31", owner="HR")
    later = line.model_copy(update={"measurement": line.measurement.model_copy(update={"ended_streams": (said,)})})
    assert specification_of(case, later, panel) == specification_of(case, line, panel)
