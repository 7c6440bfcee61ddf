"""Whether a benefit line is realized: measured where the data carries it, "not proven" with the reason where not.

`Realized` and `NotProven` are different types, so that no page can print an unproven figure as money by mistake.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.baseline import sufficiency
from roi_tracker.baseline.frozen import data_digest, specification_of, unit_value_digest
from roi_tracker.baseline.sufficiency import Check
from roi_tracker.business_case import DAYS_PER_YEAR, Period
from roi_tracker.measurement.estimation import CumulativePoint, Estimate, cumulative, days_needed, estimate
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.measurement.placebo import usable
from roi_tracker.observations.rows import Origin, weakest_origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.baseline.frozen import FrozenBaseline
    from roi_tracker.business_case import BenefitLine, BusinessCase
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.observations.rows import Observations
    from roi_tracker.observations.shifts import ShiftCalendar

Grade = Literal["A", "B", "C", "D"]
Method = Literal["its_defects_audited", "its_rate"]
ReasonCode = Literal["rules_failed", "baseline_not_frozen", "interval_contains_zero", "method_not_available"]
SUPPORTED = frozenset({"defects", "downtime", "labour"})


class Basis(msgspec.Struct, frozen=True):
    """What a figure rests on; printed beside it.

    Attributes:
        first, last: reporting days measured.
        origin: weakest origin of baseline and reporting data.
        grade: C, an interrupted time series on a frozen baseline.
        checks: every rule that was asked, caveats and failures included.
    """

    method: Method
    grade: Grade
    baseline_sha256: str
    first: date
    last: date
    measured_days: int
    origin: Origin
    checks: tuple[Check, ...]


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
    """The rows that belong to a benefit line."""
    plan = line.measurement
    return Scope(
        measure=line.measure,
        lines=line.lines,
        expected=calendar.expected,
        shifts_per_day=len(calendar.labels),
        covariates=plan.covariates,
        carriers=plan.carriers,
        roles=plan.roles,
        kpi=plan.kpi,
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
    """Measure one benefit line against its frozen baseline."""
    if line.measure not in SUPPORTED:
        return NotProven(line.id, "method_not_available")
    if frozen is None:
        return NotProven(line.id, "baseline_not_frozen")
    scope = scope_of(line, calendar)
    period = reporting_so_far(case, observations) or case.periods.reporting
    panel = panel_of(observations, scope, period, "ai")
    checks = [*frozen.fitted.checks, *_freeze_checks(case, line, observations, scope, frozen)]
    checks += sufficiency.unit_value_checks(line, period)
    checks += sufficiency.data_checks(panel, observations, scope, period, "reporting")
    checks += sufficiency.mode_checks(observations, scope, case.periods.baseline, period)[1:]
    if panel.days:
        fitted = frozen.fitted
        checks += sufficiency.range_checks(fitted.model, (fitted.volume_low, fitted.volume_high), panel)
    basis = Basis(
        method="its_defects_audited" if line.measure == "defects" else "its_rate",
        grade="C",
        baseline_sha256=frozen.sha256,
        first=period.first,
        last=period.last,
        measured_days=len(panel.days),
        origin=_origin(case, observations, scope, period),
        checks=tuple(checks),
    )
    failed = tuple(check for check in checks if check.disqualifies and not check.passed)
    if failed or not _measurable(panel):
        return NotProven(line.id, "rules_failed", failed=failed, basis=basis)
    found = estimate(frozen.fitted.counterfactual, panel)
    months = cumulative(frozen.fitted.counterfactual, panel)
    if found.low > 0 or found.high < 0:
        return Realized(line.id, found, months, basis)
    target = float(line.projected_units_per_year * line.ramp(0) / DAYS_PER_YEAR)
    return NotProven(
        line.id,
        "interval_contains_zero",
        estimate=found,
        months=months,
        days_needed=days_needed(found, target),
        basis=basis,
    )


def _measurable(panel: Panel) -> bool:
    return usable(panel) or (bool(panel.days) and panel.ruler is None)


def _freeze_checks(
    case: BusinessCase, line: BenefitLine, observations: Observations, scope: Scope, frozen: FrozenBaseline
) -> list[Check]:
    fitted = frozen.fitted
    baseline_panel = panel_of(observations, scope, case.periods.baseline, "previous")
    changed = [
        name
        for name, same in (
            ("data", fitted.data_sha256 == data_digest(observations, scope, case.periods.baseline)),
            ("specification", fitted.specification == specification_of(case, line, baseline_panel)),
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
