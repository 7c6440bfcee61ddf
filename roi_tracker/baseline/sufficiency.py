"""What disqualifies data: named rules with evidence, in the spirit of CalTRACK 2.2. A failed rule is a result."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.baseline import completeness
from roi_tracker.baseline.rules import Check, Evidence, PeriodName, RuleName, check
from roi_tracker.measurement.placebo import REFUSAL_RATIO
from roi_tracker.measurement.quantiles import student_quantile
from roi_tracker.measurement.regression import unpredictable
from roi_tracker.observations.audit_reach import NEAR_DAYS

if TYPE_CHECKING:
    from roi_tracker.business_case import BenefitLine, Period
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.measurement.placebo import Placebo
    from roi_tracker.measurement.regression import Model
    from roi_tracker.measurement.ruler import AuditReach
    from roi_tracker.observations.rows import Observations

__all__ = [
    "Check",
    "Evidence",
    "PeriodName",
    "RuleName",
    "check",
    "data_checks",
    "mode_checks",
    "model_checks",
    "range_checks",
    "unit_value_checks",
]

MINIMUM_VALID_SHARE = 0.9
MINIMUM_BASELINE_DAYS = 28
MINIMUM_REPORTING_DAYS = 14
COVARIATE_TOLERANCE = 0.1
TREND_CONFIDENCE = 0.995
FULL_SEASON_DAYS = 365
_COUNTED = frozenset({"defects", "downtime"})
"""Measures made of single events."""


def data_checks(
    panel: Panel, observations: Observations, scope: Scope, period: Period, name: PeriodName
) -> list[Check]:
    """Rules on one period's data, before anything is fitted."""
    expected, missing = len(panel.expected_days), len(panel.missing_days)
    share = 1 - missing / expected if expected else 0.0
    needed = MINIMUM_BASELINE_DAYS if name == "baseline" else MINIMUM_REPORTING_DAYS
    checks = [
        check("measured", name, passed=bool(panel.days), measure=scope.measure, lines=", ".join(scope.lines)),
        check("valid_days", name, passed=share >= MINIMUM_VALID_SHARE, share=share, required=MINIMUM_VALID_SHARE),
        _months(panel, name),
        check("minimum_length", name, passed=len(panel.days) >= needed, days=len(panel.days), required=needed),
    ]
    if panel.days:
        checks.append(check("outcome_present", name, passed=panel.outcome.sum() > 0 or name == "reporting"))
    if panel.ruler is not None:
        missing_audits = panel.ruler.missing
        evidence = "; ".join(
            f"{s.key.line} {s.key.product} {s.key.inspector} {s.key.stratum} {s.audited}/{s.population}"
            for s in missing_audits
        )
        checks.append(check("audit_sample", name, passed=not missing_audits, strata=evidence or "ok"))
        checks.extend(_audits_throughout(least, name) for least in panel.ruler.reaches[:1])
    found = Counter(
        finding.name for finding in observations.findings if finding.line in scope.lines and finding.day in period
    )
    if scope.measure in {"defects", "inspection"}:
        duplicates, impossible = found["duplicate_production"], found["impossible_count"]
        checks.append(check("no_duplicates", name, passed=not duplicates, count=duplicates))
        checks.append(check("no_impossible_counts", name, passed=not impossible, disqualifies=False, count=impossible))
    checks.append(completeness.feed_complete(observations, scope, period, name))
    if scope.measure in {"energy", "kpi"}:
        checks.append(completeness.no_stuck_values(observations, scope, period, name))
    if name == "reporting":
        checks.append(completeness.no_annualising(panel))
    elif scope.measure in _COUNTED:
        checks.append(completeness.enough_events(panel, observations, scope, period))
    return checks


def _audits_throughout(least: AuditReach, name: PeriodName) -> Check:
    """Audits must go on as long as parts are made: the rates that correct the counts are carried no further than half
    a month.
    """
    return check(
        "audits_throughout",
        name,
        passed=least.share >= MINIMUM_VALID_SHARE,
        share=least.share,
        required=MINIMUM_VALID_SHARE,
        line=least.line,
        verdict=least.stratum,
        parts=least.population,
        reached=least.reached,
        near_days=NEAR_DAYS,
    )


def _months(panel: Panel, name: PeriodName) -> Check:
    expected = Counter((day.year, day.month) for day in panel.expected_days)
    missing = Counter((day.year, day.month) for day in panel.missing_days)
    shares = {month: 1 - missing[month] / count for month, count in expected.items()}
    worst = min(shares, key=lambda month: (shares[month], month), default=None)
    return check(
        "valid_days_each_month",
        name,
        passed=worst is not None and shares[worst] >= MINIMUM_VALID_SHARE,
        month="-" if worst is None else f"{worst[0]}-{worst[1]:02d}",
        share=0.0 if worst is None else shares[worst],
        required=MINIMUM_VALID_SHARE,
    )


def mode_checks(observations: Observations, scope: Scope, baseline: Period, reporting: Period) -> list[Check]:
    """The AI must not have acted in the baseline; where it was off in reporting, the figure carries that. A plant that
    brings files alone has no modes: neither is known then, and a caveat says so.
    """
    lines = scope.programme_lines
    rows = [row for row in observations.line_shifts if row.line in lines and row.live_s is not None]
    if not rows:
        named = ", ".join(lines)
        return [
            check("baseline_modes_known", "baseline", passed=False, disqualifies=False, lines=named),
            check("reporting_modes_known", "reporting", passed=False, disqualifies=False, lines=named),
        ]
    early = sum(1 for row in rows if row.day in baseline and (row.live_s or 0) > 0)
    later = [row for row in rows if row.day in reporting]
    off = sum(1 for row in later if not row.live_s)
    share = off / len(later) if later else 0.0
    return [
        check("no_live_ai_in_baseline", "baseline", passed=early == 0, shifts=early),
        check("bypass", "reporting", passed=share <= COVARIATE_TOLERANCE, disqualifies=False, share=share),
    ]


def model_checks(model: Model, placebo: Placebo | None, days: int) -> list[Check]:
    """Rules on the fitted baseline."""
    limit = student_quantile(TREND_CONFIDENCE, model.dof)
    return [
        check(
            "placebo",
            "baseline",
            passed=placebo is not None and placebo.ratio <= placebo.limit,
            ratio=placebo.ratio if placebo else "-",
            limit=placebo.limit if placebo else REFUSAL_RATIO,
            windows=len(placebo.z) if placebo else 0,
        ),
        check("no_trend", "baseline", passed=abs(model.trend_t) <= limit, t=model.trend_t, limit=limit),
        check(
            "season_covered",
            "baseline",
            passed=days >= FULL_SEASON_DAYS,
            disqualifies=False,
            days=days,
            required=FULL_SEASON_DAYS,
        ),
    ]


def range_checks(model: Model, volume: tuple[float, float], panel: Panel) -> list[Check]:
    """Reporting conditions must lie where the baseline has been.

    Args:
        model: the frozen model.
        volume: smallest and greatest daily exposure of the baseline.
        panel: reporting.
    """
    unknown: list[str] = []
    for term in model.terms:
        seen = set(panel.factor(term.name).seen)
        unknown.extend(f"{term.name}={level}" for level in sorted(seen - set(term.levels)))
    daily = panel.by_day(np.where(panel.treated, panel.exposure, 0.0))
    low, high = volume[0] * (1 - COVARIATE_TOLERANCE), volume[1] * (1 + COVARIATE_TOLERANCE)
    inside = float(np.mean((daily >= low) & (daily <= high))) if len(daily) else 0.0
    return [
        check("known_levels", "reporting", passed=not unknown, levels=", ".join(unknown) or "ok"),
        _covariates_in_range(model, panel),
        check("volume_in_range", "reporting", passed=inside >= MINIMUM_VALID_SHARE, share=inside, low=low, high=high),
    ]


def _covariates_in_range(model: Model, panel: Panel) -> Check:
    """Numeric covariates within the baseline's range, widened by a tenth of its width on either side."""
    outside: list[str] = []
    for numeric in model.numerics:
        values = panel.covariates.values[:, panel.covariates.names.index(numeric.name)]
        room = COVARIATE_TOLERANCE * (numeric.high - numeric.low)
        inside = float(np.mean((values >= numeric.low - room) & (values <= numeric.high + room)))
        if inside < MINIMUM_VALID_SHARE:
            outside.append(f"{numeric.name} {inside:.0%} in {numeric.low:g}-{numeric.high:g}")
    amiss = int(unpredictable(model, panel).sum())
    if amiss:
        outside.append(f"combinations never seen: {amiss} rows")
    return check("covariates_in_range", "reporting", passed=not outside, conditions="; ".join(outside) or "ok")


def unit_value_checks(line: BenefitLine, reporting: Period) -> list[Check]:
    """Money needs a unit value that was locked and is valid all through."""
    value = line.unit_value
    valid = value.valid_from <= reporting.first and value.valid_to >= reporting.last
    return [
        check("unit_value_locked", "reporting", passed=value.locked, owner=value.owner),
        check(
            "unit_value_valid",
            "reporting",
            passed=valid,
            valid_from=value.valid_from.isoformat(),
            valid_to=value.valid_to.isoformat(),
        ),
    ]
