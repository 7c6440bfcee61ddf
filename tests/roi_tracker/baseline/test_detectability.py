from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from roi_tracker.baseline.detectability import Detectability, Question, detectability, projected_per_day
from roi_tracker.baseline.frozen import FittedBaseline, fit_baseline
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.proof.proving import scope_of

if TYPE_CHECKING:
    from datetime import date

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.observations.rows import Observations

Fitted = tuple[FittedBaseline, "Panel"]


@pytest.fixture(name="observations", scope="module")
def _observations(simulate: Any, truth: Any) -> Observations:
    found: Observations = simulate(truth(seed=3)).observations
    return found


def fitted(case: BusinessCase, observations: Observations, index: int) -> Fitted:
    line = case.benefits[index]
    scope = scope_of(line, ShiftCalendar(case.plant))
    found = fit_baseline(case, line, observations, scope)
    assert isinstance(found, FittedBaseline)
    return found, panel_of(observations, scope, case.periods.baseline, "previous")


def asked(case: BusinessCase, per_day: float, weeks: int = 8, audits: float | None = None) -> Question:
    return Question(case.periods.reporting.first, ShiftCalendar(case.plant).expected, per_day, weeks, audits)


def test_the_projection_of_a_working_day(case: BusinessCase) -> None:
    """12,000 of 40,000 defects a year over 365.25 days; from Monday to Friday it is seven fifths of that a day."""
    line = case.benefits[0]
    assert projected_per_day(line, lambda _: True, case.go_live) == pytest.approx(12_000 / 365.25)

    def weekday(day: date) -> bool:
        return day.weekday() < 5

    assert projected_per_day(line, weekday, case.go_live) == pytest.approx(12_000 / 365.25 * 7 / 5, rel=2e-3)
    halved = line.model_copy(update={"ramp_up": (Decimal("0.5"), Decimal(1))})
    assert projected_per_day(halved, lambda _: True, case.go_live) == pytest.approx(6_000 / 365.25)


def test_the_weeks_needed_are_the_first_that_show_it(case: BusinessCase, observations: Observations) -> None:
    baseline, panel = fitted(case, observations, 1)
    question = asked(case, 0.35)
    found = detectability(baseline, panel, question)
    weeks = found.weeks_closing
    assert weeks is not None
    assert weeks > 2
    assert detectability(baseline, panel, replace(question, weeks=weeks)).pilot.shows("closing")
    assert not detectability(baseline, panel, replace(question, weeks=weeks - 1)).pilot.shows("closing")
    assert found.weeks_anytime is None or found.weeks_anytime >= weeks
    assert found.baseline_sha256 == baseline.sha256


def test_an_effect_below_the_baselines_own_error_never_shows(case: BusinessCase, observations: Observations) -> None:
    found = detectability(*fitted(case, observations, 1), asked(case, 0.001))
    assert (found.weeks_closing, found.weeks_anytime) == (None, None)
    assert not found.pilot.shows("closing")


def test_the_curve_falls_and_too_few_days_are_not_measured(case: BusinessCase, observations: Observations) -> None:
    baseline, panel = fitted(case, observations, 1)
    found = detectability(baseline, panel, asked(case, 0.35, weeks=1))
    assert (found.pilot.days, found.pilot.closing, found.pilot.shows("anytime")) == (7, None, False)
    shares = [(point.closing or 0.0) / point.expected for point in found.curve]
    assert found.curve[0].weeks == 2
    assert shares == sorted(shares, reverse=True)


def needs(found: Detectability) -> dict[str, tuple[float, float | None]]:
    return {
        f"{one.product} {one.stratum}": (round(one.planned_per_week, 6), one.needed_per_week) for one in found.audits
    }


def test_the_audits_needed_are_enough_and_an_eighth_of_them_is_not(
    case: BusinessCase, observations: Observations
) -> None:
    """36 passed parts of a product are audited in each of 21 shifts: 756 a week."""
    baseline, panel = fitted(case, observations, 0)
    per_day = 20.0
    found = detectability(baseline, panel, asked(case, per_day))
    assert found.pilot.shows("closing")
    planned, needed = needs(found)["bracket-a PASS"]
    assert planned == pytest.approx(756.0)
    assert needed is not None
    assert 4 < needed < planned
    assert all(one.enough for one in found.audits)
    scarce = detectability(baseline, panel, asked(case, per_day, audits=needed / 8))
    assert not scarce.pilot.shows("closing")
    assert not any(one.enough for one in scarce.audits if one.stratum == "PASS")


def test_no_number_of_audits_shows_what_the_plant_hides(case: BusinessCase, observations: Observations) -> None:
    found = detectability(*fitted(case, observations, 0), asked(case, 0.01))
    assert {one.needed_per_week for one in found.audits} == {None}
    assert not any(one.enough for one in found.audits)
