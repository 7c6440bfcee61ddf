"""Whether a benefit line is realized: measured where the data carries it, "not proven" with the reason where not.

`Realized` and `NotProven` are different types, so that no page can print an unproven figure as money by mistake.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from roi_tracker.baseline import sufficiency
from roi_tracker.baseline.computing import FAILURES, computed, not_computed
from roi_tracker.baseline.detectability import projected_per_day
from roi_tracker.baseline.frozen import specification_of, unfittable, unit_value_digest
from roi_tracker.baseline.panel_data import data_unchanged
from roi_tracker.baseline.streams import PARTED, streams_continue
from roi_tracker.baseline.sufficiency import Check, RuleName
from roi_tracker.business_case import Period
from roi_tracker.measurement.designs.randomisation import Randomisation
from roi_tracker.measurement.estimation import CumulativePoint, Estimate, IntervalKind, Measurement, days_needed
from roi_tracker.measurement.measures.details import MeasureDetail
from roi_tracker.measurement.panels.building import BUILDERS, panel_of
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.measurement.placebo import MINIMUM_MEASURED_DAYS, usable
from roi_tracker.observations.rows import Origin, weakest_origin
from roi_tracker.proof.comparing import Design, Evidence, comparison_of
from roi_tracker.proof.grading import Grade, GradeReason, grade_of
from roi_tracker.proof.inspecting import unaudited_before
from roi_tracker.proof.refinement import Ground
from roi_tracker.proof.refining import refine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.baseline.frozen import FrozenBaseline
    from roi_tracker.business_case import BenefitLine, BusinessCase, Measure
    from roi_tracker.measurement.panels.panel import Family, Panel
    from roi_tracker.measurement.regression import Model
    from roi_tracker.observations.rows import Observations
    from roi_tracker.observations.shifts import ShiftCalendar

Method = Literal[
    "its_defects_audited", "its_rate", "its_mean", "cost_of_quality", "confirmed_alarms", "energy_regression"
]
ReasonCode = Literal["rules_failed", "baseline_not_frozen", "interval_contains_zero", "method_not_available"]
SUPPORTED = frozenset(BUILDERS)
"""Measures with a counterfactual."""


class Basis(msgspec.Struct, frozen=True):
    """What a figure rests on; printed beside it.

    Attributes:
        method: the model.
        first, last: reporting days measured.
        origin: weakest origin of baseline and reporting data.
        grade: strength of the evidence, chosen by the tool.
        checks: every rule that was asked, caveats and failures included.
        design: with what the lines are compared.
        interval: whether the interval holds on this day alone, registered beforehand, or on all days at once.
        grade_reasons: why this grade, the strongest first.
        controls: lines or shifts compared with.
        looks: how many benefit lines were measured beside this one, itself included: one in twenty without any effect
            would show one.
        dropped: what the baseline could not identify.
        randomisation: what the drawing by lot says, where there was one.
        detail: what stands behind the figure, by measure.
    """

    method: Method
    grade: Grade
    baseline_sha256: str
    first: date
    last: date
    measured_days: int
    origin: Origin
    checks: tuple[Check, ...]
    design: Design = "interrupted_time_series"
    interval: IntervalKind = "closing"
    grade_reasons: tuple[GradeReason, ...] = ()
    controls: tuple[str, ...] = ()
    looks: int = 1
    dropped: tuple[str, ...] = ()
    randomisation: Randomisation | None = None
    detail: MeasureDetail | None = None


class Realized(msgspec.Struct, frozen=True, tag="realized"):
    """The 90 % interval excludes zero: a benefit, or (when negative) a harm that counts as well."""

    benefit_id: str
    estimate: Estimate
    months: tuple[CumulativePoint, ...]
    basis: Basis


class NotProven(msgspec.Struct, frozen=True, tag="not_proven"):
    """No figure may be claimed.

    Attributes:
        reason: why.
        failed: rules that failed, where that is the reason.
        estimate: what was measured, where the interval contains zero; shown, never counted.
        days_needed: reporting days after which the projected effect would be found four times in five; None when
            unknown or never.
    """

    benefit_id: str
    reason: ReasonCode
    failed: tuple[Check, ...] = ()
    estimate: Estimate | None = None
    months: tuple[CumulativePoint, ...] = ()
    days_needed: int | None = None
    basis: Basis | None = None


Proof = Realized | NotProven


def scope_of(line: BenefitLine, calendar: ShiftCalendar) -> Scope:
    """The rows that belong to a benefit line, those it is compared with included."""
    plan = line.measurement
    controls = tuple(name for name in plan.control_lines if name not in line.lines)
    return Scope(
        measure=line.measure,
        lines=(*line.lines, *controls),
        expected=calendar.expected,
        shifts_per_day=len(calendar.labels),
        covariates=plan.covariates,
        carriers=plan.carriers,
        roles=plan.roles,
        kpi=plan.kpi,
        treated_lines=line.lines if controls else (),
        treated_shifts=plan.treated_shifts,
    )


def reporting_so_far(case: BusinessCase, observations: Observations) -> Period | None:
    """The reporting period up to the last day on which anything was produced; None before its first."""
    days = [row.day for row in observations.products if row.day in case.periods.reporting]
    return Period(first=case.periods.reporting.first, last=max(days)) if days else None


def prove(
    case: BusinessCase,
    line: BenefitLine,
    observations: Observations,
    calendar: ShiftCalendar,
    frozen: FrozenBaseline | None,
) -> Proof:
    """Measure one benefit line against its frozen baseline; arithmetic that fails on its data is a refusal with the
    reason, and no other line's matter.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what is no number fails a rule of its own
            return _proof(case, line, observations, calendar, frozen)
    except FAILURES as failure:
        return NotProven(line.id, "rules_failed", failed=(not_computed("reporting", failure),))


def _proof(
    case: BusinessCase,
    line: BenefitLine,
    observations: Observations,
    calendar: ShiftCalendar,
    frozen: FrozenBaseline | None,
) -> Proof:
    if not line.measurable or line.measure not in SUPPORTED:
        return NotProven(line.id, "method_not_available")
    if frozen is None:
        return _unfrozen(case, line, observations, calendar)
    scope, fitted = scope_of(line, calendar), frozen.fitted
    period = reporting_so_far(case, observations) or case.periods.reporting
    panel = panel_of(observations, scope, period, "ai")
    baseline = panel_of(observations, scope, case.periods.baseline, "previous")
    modes = sufficiency.mode_checks(observations, scope, case.periods.baseline, period)
    checks = [
        *(modes[0] if rule.rule in _OF_MODES else rule for rule in fitted.checks),
        *_freeze_checks(case, line, observations, scope, frozen),
    ]
    checks += sufficiency.unit_value_checks(line, period)
    checks += sufficiency.data_checks(panel, observations, scope, period, "reporting")
    if line.measure in PARTED:
        ended = line.measurement.ended_streams
        checks.append(streams_continue(observations, scope, case.periods.baseline, period, ended))
    checks += modes[1:]
    checks.append(_blackout_check(case, observations, scope))
    comparison = None
    if panel.days:
        checks += sufficiency.range_checks(fitted.model, (fitted.volume_low, fitted.volume_high), panel)
        if _measurable(panel) and _describes(fitted.model, panel):
            evidence = Evidence(scope, observations, baseline, panel)
            comparison = comparison_of(case, line, fitted.counterfactual, evidence)
            if comparison.design == "synthetic_control":
                # The plain difference drifts, which is why a mixture was looked for; it has a drift rule of its own.
                checks = [rule for rule in checks if rule.rule != "no_trend"]
            checks += comparison.checks
    # A closing date that is registered once reporting has begun may have been chosen by its result: it is a look.
    registered = fitted.specification.closing_dates if frozen.frozen_at.date() <= case.go_live else ()
    closing = closing_days(panel, registered, scope)
    interval: IntervalKind = "closing" if panel.days and panel.days[-1] in closing else "anytime"
    measured = comparison.contrast.days if comparison is not None else ()
    general = Measurement(fitted.counterfactual, comparison.contrast) if comparison and measured else None
    refined = refine(Ground(case, line, observations, scope, fitted, baseline, panel, period), general, checks)
    checks, measurement, comparison = refined.checks, refined.measurement, refined.comparison or comparison
    promised = projected_per_day(line, scope.expected, case.go_live)
    if measurement is not None:
        checks.append(_detectable_check(promised, measurement.whole(interval)))
    graded = grade_of(line.measurement, comparison, checks)
    basis = Basis(
        method=refined.method or _METHODS.get(line.measure) or _METHODS_BY_FAMILY[fitted.model.family],
        grade=graded.grade,
        baseline_sha256=frozen.sha256,
        first=period.first,
        last=period.last,
        measured_days=len(measured) if measured else len(panel.days),
        origin=_origin(case, observations, scope, period),
        checks=tuple(checks),
        design=comparison.design if comparison else "interrupted_time_series",
        interval=interval,
        grade_reasons=graded.reasons,
        controls=comparison.controls if comparison else (),
        looks=sum(1 for other in case.benefits if other.measurable and other.measure in SUPPORTED),
        dropped=fitted.model.dropped,
        randomisation=comparison.randomisation if comparison else None,
        detail=refined.detail,
    )
    if measurement is None:
        return NotProven(line.id, "rules_failed", failed=_failed_of(checks), basis=basis)
    return _concluded(line, measurement.whole(interval), measurement.points(closing), promised, basis)


def _unfrozen(case: BusinessCase, line: BenefitLine, observations: Observations, calendar: ShiftCalendar) -> NotProven:
    """Why a line without a frozen baseline has none, where its data say so."""
    if line.measure == "inspection":
        why = unaudited_before(case, line, observations)
    else:
        why = unfittable(observations, scope_of(line, calendar), case.periods.baseline)
    return NotProven(line.id, "rules_failed" if why else "baseline_not_frozen", failed=why)


def _concluded(
    line: BenefitLine, found: Estimate, months: tuple[CumulativePoint, ...], promised: float, basis: Basis
) -> Proof:
    """Realized, or why not.

    Args:
        line: measured.
        found: on the last day.
        months: on the way there.
        promised: projected effect of a working day.
        basis: what it rests on, every rule asked included.
    """
    finite = computed("reporting", found)
    failed = _failed_of(basis.checks if finite.passed else (*basis.checks, finite))
    if not {rule.rule for rule in failed} <= _SHOWN_ALL_THE_SAME:
        return NotProven(line.id, "rules_failed", failed=failed, basis=basis)
    if failed or found.low <= 0 <= found.high:
        return NotProven(
            line.id,
            "rules_failed" if failed else "interval_contains_zero",
            failed=failed,
            estimate=found,
            months=months,
            days_needed=days_needed(found, promised),
            basis=basis,
        )
    return Realized(line.id, found, months, basis)


_METHODS: dict[Measure, Method] = {"defects": "its_defects_audited"}
_METHODS_BY_FAMILY: dict[Family, Method] = {"ratio": "its_rate", "rate": "its_rate", "linear": "its_mean"}
_OF_MODES: frozenset[RuleName] = frozenset({"baseline_modes_known", "no_live_ai_in_baseline"})
"""What was known of the AI when the baseline was frozen; events that come later may tell more."""
_SHOWN_ALL_THE_SAME = frozenset(
    {
        "effect_detectable",
        "drift_explains_less",
        "drawing_by_lot",
        "total_stops_fell",
        "hours_accounted_for",
        "hour_value_fits",
    }
)
"""Rules about what the measurement can decide, not about its data: the figure is shown, and not counted."""


def _failed_of(checks: Sequence[Check]) -> tuple[Check, ...]:
    return tuple(rule for rule in checks if rule.disqualifies and not rule.passed)


def closing_days(panel: Panel, closing_dates: Sequence[date], scope: Scope) -> frozenset[date]:
    """The measured days on which the books close: for each registered date the last measured day not after it, where
    no working day lies between them.
    """
    found: set[date] = set()
    for closes in closing_dates:
        day = max((known for known in panel.days if known <= closes), default=None)
        if day is None:
            continue
        between = (day.fromordinal(n) for n in range(day.toordinal() + 1, closes.toordinal() + 1))
        if not any(scope.expected(missed) for missed in between):
            found.add(day)
    return frozenset(found)


def _blackout_check(case: BusinessCase, observations: Observations, scope: Scope) -> Check:
    """Commissioning must be over when reporting begins; nothing tells so where no inspection reported a mode."""
    lines, first = scope.programme_lines, case.periods.reporting.first
    shifts = [row for row in observations.line_shifts if row.line in lines and row.live_s]
    live = min((row.day for row in shifts), default=None) if scope.measure == "defects" else None
    return sufficiency.check(
        "blackout_complete",
        "reporting",
        passed=case.go_live <= first and (live is None or live <= first),
        go_live=case.go_live.isoformat(),
        live_from="-" if live is None else live.isoformat(),
        reporting_from=first.isoformat(),
    )


def _detectable_check(promised: float, found: Estimate) -> Check:
    """A measurement that would miss the projected effect proves nothing by finding one: what it finds is exaggerated.
    Not so where even the lower bound reaches the projection: luck alone does that to one true projection in twenty. A
    harm is no claim, and is not refused.

    Args:
        promised: projected effect of a working day, as `baseline power` says it before go-live.
        found: measured, with the interval that the figure carries: on a day that nobody registered it is the wider one.
    """
    projected = promised * found.days
    return sufficiency.check(
        "effect_detectable",
        "reporting",
        passed=found.minimum_detectable <= projected or projected <= max(0.0, found.low) or found.high < 0,
        minimum_detectable=found.minimum_detectable,
        projected=projected,
        low=found.low,
        days=found.days,
    )


def _describes(model: Model, panel: Panel) -> bool:
    return all(term.name in panel.terms for term in model.terms) and all(
        numeric.name in panel.covariates.names for numeric in model.numerics
    )


def _measurable(panel: Panel) -> bool:
    return len(panel.days) >= MINIMUM_MEASURED_DAYS and (panel.ruler is None or usable(panel))


def _freeze_checks(
    case: BusinessCase, line: BenefitLine, observations: Observations, scope: Scope, frozen: FrozenBaseline
) -> list[Check]:
    fitted = frozen.fitted
    baseline_panel = panel_of(observations, scope, case.periods.baseline, "previous")
    changed = [
        name
        for name, same in (
            ("data", data_unchanged(fitted.data_sha256, observations, scope, case.periods.baseline)),
            (
                "specification",
                msgspec.structs.replace(fitted.specification, closing_dates=())
                == msgspec.structs.replace(specification_of(case, line, baseline_panel), closing_dates=()),
            ),
            ("unit_value", fitted.unit_value_sha256 == unit_value_digest(line)),
        )
        if not same
    ]
    frozen_on = frozen.frozen_at.date()
    return [
        sufficiency.check("baseline_unchanged", "baseline", passed=not changed, changed=", ".join(changed) or "-"),
        sufficiency.check(
            "frozen_before_go_live",
            "baseline",
            passed=frozen_on < case.go_live,
            disqualifies=False,
            frozen_on=frozen_on.isoformat(),
            go_live=case.go_live.isoformat(),
        ),
    ]


def _origin(case: BusinessCase, observations: Observations, scope: Scope, period: Period) -> Origin:
    def concerned(line: str, day: date) -> bool:
        return line in scope.lines and (day in period or day in case.periods.baseline)

    rows: Sequence[Origin] = [row.origin for row in observations.products if concerned(row.line, row.day)]
    return weakest_origin([*rows, *(row.origin for row in observations.line_shifts if concerned(row.line, row.day))])
