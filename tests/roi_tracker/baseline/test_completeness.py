from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from roi_tracker.baseline.frozen import FittedBaseline, fit_baseline
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.proof.proving import scope_of

if TYPE_CHECKING:
    from roi_tracker.baseline.rules import Check
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.observations.rows import Observations


@pytest.fixture(name="observations", scope="module")
def _observations(simulate: Any, truth: Any) -> Observations:
    found: Observations = simulate(truth(seed=3)).observations
    return found


def checked(case: BusinessCase, observations: Observations, index: int, rule: str) -> Check:
    line = case.benefits[index]
    fitted = fit_baseline(case, line, observations, scope_of(line, ShiftCalendar(case.plant)))
    return next(check for check in fitted.checks if check.rule == rule)


def evidence(check: Check) -> dict[str, Any]:
    return {item.name: item.value for item in check.evidence}


def covered(observations: Observations, share: float, every: int) -> Observations:
    rows = tuple(
        msgspec.structs.replace(row, coverage=share if number // 6 % every == 0 else 1.0)
        for number, row in enumerate(observations.products)
    )
    return msgspec.structs.replace(observations, products=rows)


def test_a_feed_of_which_a_fifth_of_shifts_came_by_less_than_half_is_refused(
    case: BusinessCase, observations: Observations
) -> None:
    """All six rows of every fifth day: 37 of 181 days, three shifts each."""
    thin = checked(case, covered(observations, 0.4, 5), 0, "feed_complete")
    assert not thin.passed
    assert thin.disqualifies
    assert evidence(thin)["shifts"] == 543
    assert evidence(thin)["incomplete"] == 111
    assert evidence(thin)["share"] == pytest.approx(1 - 111 / 543)
    assert checked(case, covered(observations, 0.5, 5), 0, "feed_complete").passed


def test_where_nothing_tells_the_rule_says_that_no_shift_did(case: BusinessCase, observations: Observations) -> None:
    silent = checked(case, observations, 0, "feed_complete")
    assert (silent.passed, evidence(silent)["shifts"]) == (True, 0)


def test_a_day_that_hardly_arrived_is_missing(case: BusinessCase, observations: Observations) -> None:
    thin = covered(observations, 0.4, 5)
    scope = scope_of(case.benefits[0], ShiftCalendar(case.plant))
    panel = panel_of(thin, scope, case.periods.baseline, "previous")
    assert len(panel.missing_days) == 37
    assert not checked(case, thin, 0, "valid_days").passed


def test_too_few_stops_disqualify(case: BusinessCase, observations: Observations) -> None:
    """Stops only in the first 29 shifts that had one."""
    left, rows = 29, []
    for row in observations.line_shifts:
        keep = bool(row.unplanned_stop_s) and left > 0
        left -= keep
        rows.append(row if keep else msgspec.structs.replace(row, unplanned_stop_s=0.0))
    rare = msgspec.structs.replace(observations, line_shifts=tuple(rows))
    found = checked(case, rare, 1, "enough_events")
    assert not found.passed
    assert evidence(found) == {"measure": "downtime", "events": 29, "required_events": 30}
    assert checked(case, observations, 1, "enough_events").passed


def test_measures_that_are_no_counts_are_not_asked(case: BusinessCase, observations: Observations) -> None:
    line = case.benefits[2]
    fitted = fit_baseline(case, line, observations, scope_of(line, ShiftCalendar(case.plant)))
    assert isinstance(fitted, FittedBaseline)
    assert "enough_events" not in {check.rule for check in fitted.checks}
