"""The tool chooses the design from the registered plan, grades it, and says why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from roi_tracker.baseline.frozen import FittedBaseline, FrozenBaseline, fit_baseline
from roi_tracker.case.measuring import MeasurementPlan
from roi_tracker.observations.rows import LineShift, Observation, Observations
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.proof.proving import NotProven, Realized, prove, scope_of
from roi_tracker.render.catalogue import catalogue
from roi_tracker.render.rule_text import rule_sentence

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase

BEFORE_GO_LIVE = datetime(2025, 7, 2, tzinfo=UTC)
START = date(2025, 1, 1)
SHIFTS = ("day", "evening", "night")
EFFECT = 0.25


def plant(
    lines: tuple[str, ...],
    starts: dict[str, date],
    *,
    shifts: tuple[str, ...] = SHIFTS,
    drift: float = 0.0,
    sinking: tuple[str, ...] = (),
    steadiness: float = 20.0,
    seed: int = 1,
) -> Observations:
    """A year of stop hours: conditions common to all lines, a quarter less from a line's start on."""
    rng = np.random.default_rng(seed)
    common = np.zeros(365)
    for day in range(1, 365):
        common[day] = 0.7 * common[day - 1] + 0.2 * rng.normal()
    stops: list[LineShift] = []
    made: list[Observation] = []
    for number in range(365):
        today = START + timedelta(days=number)
        for line in lines:
            for shift in SHIFTS:
                live = line in starts and today >= starts[line] and shift in shifts
                mean = 0.8 * np.exp(
                    common[number] - (drift * number / 365 if line in starts or line in sinking else 0.0)
                )
                hours = float(mean * (1 - EFFECT if live else 1.0) * rng.gamma(steadiness, 1 / steadiness))
                stops.append(
                    LineShift(
                        line, today, shift, "simulated", planned_busy_s=8 * 3600.0,
                        unplanned_stop_s=min(8.0, hours) * 3600, unplanned_stops=1,
                    )
                )  # fmt: skip
        made.append(Observation(lines[0], today, "day", "p", "simulated", None, produced=100))
    return Observations(tuple(made), tuple(stops), ())


def run(case: BusinessCase, observations: Observations, lines: tuple[str, ...], plan: MeasurementPlan) -> Any:
    per_year = Decimal(365 * 3 * len(lines)) * Decimal("0.2")
    line = case.benefits[1].model_copy(update={"lines": lines, "measurement": plan})
    quantity = line.baseline_quantity_per_year
    assert quantity is not None
    line = line.model_copy(
        update={"baseline_quantity_per_year": quantity.model_copy(update={"value": per_year / Decimal("0.25")})}
    )
    calendar = ShiftCalendar(case.plant)
    fitted = fit_baseline(case, line, observations, scope_of(line, calendar))
    assert isinstance(fitted, FittedBaseline)
    return prove(case, line, observations, calendar, FrozenBaseline(fitted, fitted.sha256, BEFORE_GO_LIVE))


def test_control_lines_make_a_difference_in_differences(case: BusinessCase) -> None:
    go_live = case.periods.reporting.first
    observations = plant(("a", "b", "c"), {"a": go_live})
    found = run(case, observations, ("a",), MeasurementPlan(control_lines=("b", "c")))
    assert isinstance(found, Realized)
    basis = found.basis
    assert (basis.design, basis.grade, basis.controls) == ("difference_in_differences", "B", ("b", "c"))
    assert basis.grade_reasons == ("control_lines", "frozen_before_go_live")
    assert found.estimate.relative == pytest.approx(EFFECT, abs=0.03)
    assert (basis.looks, basis.interval) == (3, "closing")


def test_without_control_lines_the_same_plant_is_an_interrupted_series(case: BusinessCase) -> None:
    go_live = case.periods.reporting.first
    found = run(case, plant(("a",), {"a": go_live}), ("a",), MeasurementPlan())
    assert found.basis.design == "interrupted_time_series"
    assert (found.basis.grade, found.basis.grade_reasons[0]) == ("C", "no_control")
    assert "season" in found.basis.dropped


def test_a_roll_out_is_compared_with_lines_that_wait(case: BusinessCase) -> None:
    first = case.periods.reporting.first
    starts = {"a": first, "b": first + timedelta(days=60)}
    plan = MeasurementPlan(control_lines=("n",), go_live_by_line=starts)
    found = run(case, plant(("a", "b", "n"), starts), ("a", "b"), plan)
    assert isinstance(found, Realized)
    assert (found.basis.design, found.basis.grade) == ("staggered_roll_out", "B")
    assert found.basis.controls == ("n", "b")
    assert found.estimate.relative == pytest.approx(EFFECT, abs=0.03)


def test_a_recorded_drawing_of_shifts_is_grade_a(case: BusinessCase) -> None:
    go_live = case.periods.reporting.first
    plan = MeasurementPlan(
        treated_shifts=("day",), assignment="randomised", randomisation="minutes of 2025-06-20, item 4"
    )
    found = run(case, plant(("a",), {"a": go_live}, shifts=("day",)), ("a",), plan)
    assert isinstance(found, Realized)
    assert (found.basis.design, found.basis.grade) == ("parallel_trial", "A")
    assert found.basis.controls == ("evening", "night")
    drawn = found.basis.randomisation
    assert drawn is not None
    assert (drawn.assignments, drawn.decisive) == (3, False)
    assert drawn.p == pytest.approx(1 / 3)


def test_lines_drawn_by_lot_are_held_against_all_other_drawings(case: BusinessCase) -> None:
    go_live = case.periods.reporting.first
    lines = ("a", "b", "c", "d", "e", "f")
    plan = MeasurementPlan(
        control_lines=("d", "e", "f"), assignment="randomised", randomisation="signed sheet of 2025-06-20"
    )
    found = run(case, plant(lines, dict.fromkeys("abc", go_live)), ("a", "b", "c"), plan)
    assert isinstance(found, Realized)
    assert found.basis.randomisation is not None
    assert (found.basis.grade, found.basis.randomisation.p) == ("A", 1 / 20)


def test_lines_that_drifted_apart_need_a_mixture_or_are_refused(case: BusinessCase) -> None:
    go_live = case.periods.reporting.first
    two = run(
        case, plant(("a", "b", "c"), {"a": go_live}, drift=0.8), ("a",), MeasurementPlan(control_lines=("b", "c"))
    )
    assert isinstance(two, NotProven)
    assert "control_lines_comparable" in {rule.rule for rule in two.failed}
    assert two.basis is not None
    assert (two.basis.grade, two.basis.grade_reasons) == ("D", ("baseline_refused",))


def test_one_honest_comparison_in_a_hundred_is_refused(case: BusinessCase) -> None:
    """The rule's limit is the 99.5 % quantile on either side, and it says so."""
    go_live = case.periods.reporting.first
    found = run(case, plant(("a", "b"), {"a": go_live}), ("a",), MeasurementPlan(control_lines=("b",)))
    told = next(rule for rule in found.basis.checks if rule.rule == "control_lines_comparable")
    evidence = {one.name: one.value for one in told.evidence}
    assert evidence["alpha"] == 0.01
    trend = next(rule for rule in found.basis.checks if rule.rule == "no_trend")
    assert evidence["limit"] == next(one.value for one in trend.evidence if one.name == "limit")


def test_a_mixture_of_lines_that_sink_alike_takes_the_place_of_the_difference(case: BusinessCase) -> None:
    """The line and two of its four controls improve by themselves; the others do not. The mixture finds those two."""
    go_live = case.periods.reporting.first
    lines = ("a", "b", "c", "d", "e")
    observations = plant(lines, {"a": go_live}, drift=0.5, sinking=("b", "c"), steadiness=400.0)
    found = run(case, observations, ("a",), MeasurementPlan(control_lines=("b", "c", "d", "e")))
    assert isinstance(found, Realized)
    assert (found.basis.design, found.basis.grade) == ("synthetic_control", "B")
    assert found.estimate.relative == pytest.approx(EFFECT, abs=0.03)
    told = {rule.rule: rule.passed for rule in found.basis.checks}
    assert told["control_lines_comparable"]
    assert "no_trend" not in told  # the plain difference drifts; the mixture is what is asked


def test_lines_chosen_because_they_were_bad(case: BusinessCase) -> None:
    """Without other lines it is refused; with others the bad luck is taken out, and told."""
    go_live = case.periods.reporting.first
    plan = MeasurementPlan(assignment="chosen_because_bad")
    alone = run(case, plant(("a",), {"a": go_live}), ("a",), plan)
    assert isinstance(alone, NotProven)
    assert [rule.rule for rule in alone.failed if rule.rule == "regression_to_the_mean"]
    others = run(case, plant(("a", "b", "c", "d", "e"), {"a": go_live}), ("a",), plan)
    told = next(rule for rule in others.basis.checks if rule.rule == "regression_to_the_mean")
    assert told.passed
    assert others.basis.design == "shrunk_baseline"
    assert "shrunk_for_selection" in others.basis.grade_reasons


def test_control_lines_do_not_cure_selection(case: BusinessCase) -> None:
    """Two lines more are too few to learn from; five take the luck back, and the design stays the comparison."""
    go_live = case.periods.reporting.first
    plan = MeasurementPlan(control_lines=("b", "c"), assignment="chosen_because_bad")
    few = run(case, plant(("a", "b", "c"), {"a": go_live}), ("a",), plan)
    assert isinstance(few, NotProven)
    assert "regression_to_the_mean" in {rule.rule for rule in few.failed}
    many = run(case, plant(("a", "b", "c", "d", "e"), {"a": go_live}), ("a",), plan)
    told = next(rule for rule in many.basis.checks if rule.rule == "regression_to_the_mean")
    assert (told.passed, many.basis.design, many.basis.controls) == (True, "difference_in_differences", ("b", "c"))
    factor = next(one.value for one in told.evidence if one.name == "factor")
    plain = run(
        case, plant(("a", "b", "c", "d", "e"), {"a": go_live}), ("a",), MeasurementPlan(control_lines=("b", "c"))
    )
    assert many.estimate.expected == pytest.approx(factor * plain.estimate.expected)


def test_on_any_other_day_the_interval_holds_on_all_days(case: BusinessCase) -> None:
    """The registered closing date has not come: the same data, a wider interval."""
    go_live = case.periods.reporting.first
    observations = plant(("a", "b", "c"), {"a": go_live})
    plan = MeasurementPlan(control_lines=("b", "c"), closing_dates=(date(2026, 3, 31),))
    found = run(case, observations, ("a",), plan)
    closed = run(case, observations, ("a",), MeasurementPlan(control_lines=("b", "c")))
    assert (found.basis.interval, found.estimate.interval) == ("anytime", "anytime")
    assert found.estimate.avoided == pytest.approx(closed.estimate.avoided)
    assert found.estimate.low < closed.estimate.low < closed.estimate.high < found.estimate.high


def test_a_closing_date_named_after_the_freeze_does_not_close(case: BusinessCase) -> None:
    go_live = case.periods.reporting.first
    observations = plant(("a", "b"), {"a": go_live})
    line = case.benefits[1].model_copy(
        update={
            "lines": ("a",),
            "measurement": MeasurementPlan(control_lines=("b",), closing_dates=(date(2026, 3, 31),)),
        }
    )
    calendar = ShiftCalendar(case.plant)
    fitted = fit_baseline(case, line, observations, scope_of(line, calendar))
    assert isinstance(fitted, FittedBaseline)
    frozen = FrozenBaseline(fitted, fitted.sha256, BEFORE_GO_LIVE)
    later = line.model_copy(
        update={"measurement": MeasurementPlan(control_lines=("b",), closing_dates=(case.periods.reporting.last,))}
    )
    found = prove(case, later, observations, calendar, frozen)
    assert found.basis is not None
    assert found.basis.interval == "anytime"


def test_a_plan_changed_after_the_freeze_is_refused(case: BusinessCase) -> None:
    go_live = case.periods.reporting.first
    observations = plant(("a", "b"), {"a": go_live})
    line = case.benefits[1].model_copy(update={"lines": ("a",), "measurement": MeasurementPlan(control_lines=("b",))})
    calendar = ShiftCalendar(case.plant)
    fitted = fit_baseline(case, line, observations, scope_of(line, calendar))
    assert isinstance(fitted, FittedBaseline)
    bolder = line.model_copy(update={"measurement": MeasurementPlan(control_lines=("b",), bottleneck=True)})
    found = prove(case, bolder, observations, calendar, FrozenBaseline(fitted, fitted.sha256, BEFORE_GO_LIVE))
    assert isinstance(found, NotProven)
    assert "baseline_unchanged" in {rule.rule for rule in found.failed}


def test_what_could_not_be_detected_is_not_claimed(case: BusinessCase) -> None:
    """A noisy line finds an effect that it would have missed more often than not: what it finds is exaggerated. Only
    where even the lower bound reaches the projection is that no question.
    """
    go_live = case.periods.reporting.first
    observations = plant(("a",), {"a": go_live}, steadiness=0.2)
    calendar = ShiftCalendar(case.plant)
    ratio = case.benefits[1].reduction_ratio
    assert ratio is not None

    def projecting(value: Decimal) -> Realized | NotProven:
        line = case.benefits[1].model_copy(
            update={"lines": ("a",), "reduction_ratio": ratio.model_copy(update={"value": value})}
        )
        fitted = fit_baseline(case, line, observations, scope_of(line, calendar))
        assert isinstance(fitted, FittedBaseline)
        return prove(case, line, observations, calendar, FrozenBaseline(fitted, fitted.sha256, BEFORE_GO_LIVE))

    small = projecting(Decimal("0.005"))
    assert isinstance(small, Realized)
    told = {
        one.name: one.value for one in next(r for r in small.basis.checks if r.rule == "effect_detectable").evidence
    }
    found = projecting(Decimal("0.005") * round(Decimal(1.1 * small.estimate.low / float(told["projected"])), 3))
    assert isinstance(found, NotProven)
    assert [rule.rule for rule in found.failed] == ["effect_detectable"]
    assert found.estimate is not None
    assert found.estimate == small.estimate


def test_reporting_before_go_live_is_an_incomplete_blackout(case: BusinessCase) -> None:
    late = case.model_copy(update={"planned_go_live": case.periods.reporting.first + timedelta(days=5)})
    found = run(late, plant(("a",), {"a": case.periods.reporting.first}), ("a",), MeasurementPlan())
    assert isinstance(found, NotProven)
    assert "blackout_complete" in {rule.rule for rule in found.failed}


def test_conditions_that_last_are_told_beside_the_figure_and_refuse_nothing(case: BusinessCase) -> None:
    """Six good weeks, six bad ones: the rule names it in both languages, and is no refusal."""
    go_live = case.periods.reporting.first
    steady = plant(("a",), {"a": go_live})
    rows = tuple(
        msgspec.structs.replace(
            row, unplanned_stop_s=(row.unplanned_stop_s or 0.0) * (1.5 if (row.day - START).days // 42 % 2 else 0.7)
        )
        for row in steady.line_shifts
    )
    lasting = run(case, msgspec.structs.replace(steady, line_shifts=rows), ("a",), MeasurementPlan())
    told = next(rule for rule in lasting.basis.checks if rule.rule == "conditions_settle")
    assert (told.passed, told.disqualifies) == (False, False)
    if isinstance(lasting, NotProven):
        assert "conditions_settle" not in {rule.rule for rule in lasting.failed}
    assert "7 to 8 cases of 10" in rule_sentence(told, catalogue("en"))
    assert "여러 달" in rule_sentence(told, catalogue("ko"))
