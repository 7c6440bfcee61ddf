from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from roi_tracker.baseline.detectability import projected_per_day
from roi_tracker.baseline.frozen import FittedBaseline, FrozenBaseline, fit_baseline
from roi_tracker.measurement.estimation import Estimate
from roi_tracker.observations.rows import Finding, Observations
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.proof import proving
from roi_tracker.proof.proving import NotProven, Realized, _detectable_check, prove, scope_of

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase

BEFORE_GO_LIVE = datetime(2025, 7, 2, tzinfo=UTC)


def freeze(case: BusinessCase, observations: Observations, index: int) -> FrozenBaseline:
    line = case.benefits[index]
    fitted = fit_baseline(case, line, observations, scope_of(line, ShiftCalendar(case.plant)))
    assert isinstance(fitted, FittedBaseline)
    return FrozenBaseline(fitted, fitted.sha256, BEFORE_GO_LIVE)


def proven(case: BusinessCase, observations: Observations, frozen: FrozenBaseline | None, index: int) -> Any:
    return prove(case, case.benefits[index], observations, ShiftCalendar(case.plant), frozen)


def failed(proof: Any) -> list[str]:
    assert isinstance(proof, NotProven)
    return [check.rule for check in proof.failed]


@pytest.fixture
def observations(simulate: Any, truth: Any) -> Observations:
    found: Observations = simulate(truth(defect_factor=0.7, stop_factor=0.75, seed=11)).observations
    return found


def test_a_planted_effect_is_realized_with_everything_beside_it(case: BusinessCase, observations: Observations) -> None:
    frozen = freeze(case, observations, 0)
    found = proven(case, observations, frozen, 0)
    assert isinstance(found, Realized)
    assert found.estimate.low > 0
    basis = found.basis
    assert (basis.grade, basis.origin, basis.baseline_sha256, basis.measured_days) == (
        "C",
        "simulated",
        frozen.sha256,
        170,
    )
    caveats = [check.rule for check in basis.checks if not check.passed]
    assert caveats == ["season_covered", "no_annualising"]


def test_no_effect_is_not_proven_and_says_what_would_be_needed(case: BusinessCase, observations: Observations) -> None:
    """Labour is unchanged; 1.1 hours a day are projected, noise is a few hours a day."""
    found = proven(case, observations, freeze(case, observations, 2), 2)
    assert isinstance(found, NotProven)
    assert found.reason == "interval_contains_zero"
    assert found.estimate is not None
    assert found.estimate.low <= 0 <= found.estimate.high
    assert found.days_needed is not None


def test_what_is_detectable_is_asked_of_the_interval_that_is_shown(
    case: BusinessCase, observations: Observations
) -> None:
    """On a day that nobody registered, the rule, the interval and the days needed speak of the same, wider interval."""
    frozen = freeze(case, observations, 2)
    for last, interval in ((case.periods.reporting.last, "closing"), (datetime(2025, 12, 12).date(), "anytime")):  # noqa: DTZ001 - a local day
        found = proven(case, observations.until(last), frozen, 2)
        rule = next(one for one in found.basis.checks if one.rule == "effect_detectable")
        told = {one.name: one.value for one in rule.evidence}
        assert found.basis.interval == found.estimate.interval == interval
        assert told["minimum_detectable"] == pytest.approx(found.estimate.minimum_detectable)
        assert (found.days_needed <= told["days"]) == rule.passed  # its lower bound is below zero


@pytest.mark.parametrize(
    ("low", "detectable", "promised", "passed"),
    [
        (5.0, 40.0, 0.5, True),  # 50 projected in 100 days: it would be found
        (5.0, 60.0, 0.5, False),  # it would be missed, so what was found is exaggerated
        (50.0, 60.0, 0.5, True),  # it would be missed, but even the lower bound reaches it
        (-5.0, 60.0, -0.1, True),  # nothing is projected, nothing can be missed
    ],
)
def test_a_weak_measurement_shows_only_what_is_beyond_the_projection(
    *, low: float, detectable: float, promised: float, passed: bool
) -> None:
    found = Estimate(
        avoided=70.0, low=low, high=90.0, expected=200.0, observed=130.0, standard_error=20.0, baseline_error=5.0,
        reporting_error=19.0, dof=50.0, inflation=1.0, minimum_detectable=detectable, days=100,
    )  # fmt: skip
    assert _detectable_check(promised, found).passed is passed


def test_without_baseline_or_method(
    case: BusinessCase, observations: Observations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "SUPPORTED", frozenset({"defects"}))
    assert proven(case, observations, None, 0).reason == "baseline_not_frozen"
    unbound = case.benefits[0].model_copy(update={"measure": None, "kpi": "scrap"})
    found = prove(case, unbound, observations, ShiftCalendar(case.plant), None)
    assert isinstance(found, NotProven)
    assert found.reason == "method_not_available"


def test_changed_data_unit_value_or_specification_refuse(case: BusinessCase, observations: Observations) -> None:
    frozen = freeze(case, observations, 1)
    rows = list(observations.line_shifts)
    rows[5] = msgspec.structs.replace(rows[5], unplanned_stop_s=1.0)
    tampered = msgspec.structs.replace(observations, line_shifts=tuple(rows))
    assert "baseline_unchanged" in failed(proven(case, tampered, frozen, 1))
    line = case.benefits[1]
    dearer = line.model_copy(update={"unit_value": line.unit_value.model_copy(update={"amount": Decimal(1)})})
    other = case.model_copy(update={"benefits": (case.benefits[0], dearer, case.benefits[2])})
    assert "baseline_unchanged" in failed(proven(other, observations, frozen, 1))


def test_unlocked_or_expired_unit_values_refuse(case: BusinessCase, observations: Observations) -> None:
    line = case.benefits[1]
    loose = line.unit_value.model_copy(update={"locked": False, "valid_to": line.unit_value.valid_from})
    other = case.model_copy(
        update={"benefits": (case.benefits[0], line.model_copy(update={"unit_value": loose}), case.benefits[2])}
    )
    frozen = freeze(other, observations, 1)
    assert {"unit_value_locked", "unit_value_valid"} <= set(failed(proven(other, observations, frozen, 1)))


def test_gaps_refuse(case: BusinessCase, observations: Observations) -> None:
    frozen = freeze(case, observations, 0)
    start = case.periods.reporting.first + timedelta(days=40)
    gap = {start + timedelta(days=n) for n in range(20)}
    kept = tuple(row for row in observations.products if row.day not in gap)
    found = failed(proven(case, msgspec.structs.replace(observations, products=kept), frozen, 0))
    assert found == ["valid_days", "valid_days_each_month"]


def test_without_audits_the_ruler_is_unknown(case: BusinessCase, observations: Observations) -> None:
    bare = tuple(
        msgspec.structs.replace(row, audits=()) if row.day in case.periods.reporting else row
        for row in observations.products
    )
    frozen = freeze(case, observations, 0)
    found = proven(case, msgspec.structs.replace(observations, products=bare), frozen, 0)
    assert failed(found) == ["audit_sample"]


def test_audits_that_stop_refuse(case: BusinessCase, observations: Observations) -> None:
    """One week of audits after go-live, then none: an inspector gone blind would look like fewer defects."""
    last = case.periods.reporting.first + timedelta(days=7)
    short = tuple(msgspec.structs.replace(row, audits=()) if row.day > last else row for row in observations.products)
    frozen = freeze(case, observations, 0)
    found = proven(case, msgspec.structs.replace(observations, products=short), frozen, 0)
    assert failed(found) == ["audits_throughout"]
    evidence = {item.name: item.value for item in found.failed[0].evidence}
    assert (evidence["line"], evidence["near_days"], evidence["required"]) == ("press-1", 16, 0.9)
    assert evidence["share"] == pytest.approx(24 / 170, abs=0.02)  # 8 days audited, and 16 after them


def test_a_baseline_audited_in_its_last_month_only_is_refused(case: BusinessCase, observations: Observations) -> None:
    last = case.periods.baseline.last
    late = tuple(
        msgspec.structs.replace(row, audits=()) if row.day < last - timedelta(days=30) else row
        for row in observations.products
    )
    frozen = freeze(case, msgspec.structs.replace(observations, products=late), 0)
    rules = [rule.rule for rule in frozen.fitted.checks if rule.disqualifies and not rule.passed]
    assert "audits_throughout" in rules


def test_a_new_product_has_no_counterfactual(case: BusinessCase, observations: Observations) -> None:
    renamed = tuple(
        msgspec.structs.replace(row, product="bracket-c")
        if row.day in case.periods.reporting and row.product == "bracket-b"
        else row
        for row in observations.products
    )
    found = proven(case, msgspec.structs.replace(observations, products=renamed), freeze(case, observations, 0), 0)
    assert failed(found) == ["known_levels"]


def test_duplicates_and_live_ai_in_the_baseline_disqualify(case: BusinessCase, observations: Observations) -> None:
    day = case.periods.baseline.first
    rows = tuple(
        msgspec.structs.replace(row, live_s=3600.0) if row.day == day else row for row in observations.line_shifts
    )
    dirty = msgspec.structs.replace(
        observations, line_shifts=rows, findings=(Finding("duplicate_production", "press-1", day, "x and y"),)
    )
    found = proven(case, dirty, freeze(case, dirty, 0), 0)
    assert failed(found) == ["no_duplicates", "no_live_ai_in_baseline"]


def test_a_drifting_baseline_is_refused(case: BusinessCase, observations: Observations) -> None:
    """Stops that halve over the baseline by themselves would be booked as our merit."""
    first = case.periods.baseline.first
    rows = tuple(
        msgspec.structs.replace(
            row, unplanned_stop_s=(row.unplanned_stop_s or 0.0) * max(0.1, 1 - (row.day - first).days / 250)
        )
        for row in observations.line_shifts
    )
    drifting = msgspec.structs.replace(observations, line_shifts=rows)
    found = failed(proven(case, drifting, freeze(case, drifting, 1), 1))
    assert "no_trend" in found


def test_the_hash_is_of_the_content(case: BusinessCase, observations: Observations) -> None:
    frozen = freeze(case, observations, 0)
    again = freeze(case, observations, 0)
    assert frozen.sha256 == again.sha256
    decoded = msgspec.json.decode(msgspec.json.encode(frozen), type=FrozenBaseline)
    assert decoded.fitted.sha256 == frozen.sha256
    assert freeze(case, observations, 1).sha256 != frozen.sha256


def test_a_five_day_plant_projects_what_its_power_curve_projected(
    case: BusinessCase, observations: Observations
) -> None:
    """From Monday to Friday a working day carries seven fifths of a calendar day's projection, before and after."""
    five = case.model_copy(update={"plant": case.plant.model_copy(update={"working_weekdays": (0, 1, 2, 3, 4)})})
    products = tuple(row for row in observations.products if row.day.weekday() < 5)
    shifts = tuple(row for row in observations.line_shifts if row.day.weekday() < 5)
    observations = Observations(products, shifts, ())
    calendar = ShiftCalendar(five.plant)
    found = proven(five, observations, freeze(five, observations, 1), 1)
    rule = next(one for one in found.basis.checks if one.rule == "effect_detectable")
    told = {one.name: one.value for one in rule.evidence}
    line = five.benefits[1]
    per_day = projected_per_day(line, calendar.expected, five.go_live)
    assert told["projected"] == pytest.approx(per_day * told["days"])
    year = float(line.projected_units_per_year * line.ramp(0))
    assert told["projected"] == pytest.approx(year / 365.25 * 7 / 5 * told["days"], rel=0.01)
