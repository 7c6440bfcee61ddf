"""With what a benefit line is compared: the design that its registered plan and its data allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np

from roi_tracker.baseline.sufficiency import TREND_CONFIDENCE, Check, check
from roi_tracker.measurement.designs.comparison import as_marked, compare, staggered
from roi_tracker.measurement.designs.randomisation import Randomisation, randomisation_test
from roi_tracker.measurement.designs.shrinkage import FEWEST_LINES, against, levels_of, shrink, shrunk
from roi_tracker.measurement.designs.synthetic import FEWEST_CONTROLS, synthetic_control
from roi_tracker.measurement.drift import drift_of
from roi_tracker.measurement.estimation import Measurement, before_and_after
from roi_tracker.measurement.longrun import weekly_runs
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.measurement.quantiles import student_quantile
from roi_tracker.measurement.regression import predict, trend_of

if TYPE_CHECKING:
    from roi_tracker.business_case import BenefitLine, BusinessCase
    from roi_tracker.measurement.estimation import Contrast, Counterfactual
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Observations

Design = Literal[
    "interrupted_time_series",
    "difference_in_differences",
    "staggered_roll_out",
    "synthetic_control",
    "parallel_trial",
    "shrunk_baseline",
    "same_defect_rate",
    "alarm_by_alarm",
]
DRAWN = 0.05
"""Share of possible drawings that may show as much as the one that was drawn."""


@dataclass(frozen=True)
class Evidence:
    """What a comparison has to go on.

    Attributes:
        baseline, reporting: panels of the scope, control lines included.
    """

    scope: Scope
    observations: Observations
    baseline: Panel
    reporting: Panel


@dataclass(frozen=True)
class Comparison:
    """A design and the measurement reduced to days by it.

    Attributes:
        checks: rules of the design itself.
        controls: lines or shifts compared with.
        randomisation: what the drawing by lot says, where there was one.
    """

    design: Design
    contrast: Contrast
    checks: tuple[Check, ...] = ()
    controls: tuple[str, ...] = ()
    randomisation: Randomisation | None = None


def comparison_of(
    case: BusinessCase, line: BenefitLine, counterfactual: Counterfactual, evidence: Evidence
) -> Comparison:
    """Choose the strongest design that the registered plan names, and reduce the measurement by it."""
    found = _designed(case, line, counterfactual, evidence)
    if line.measurement.assignment == "chosen_because_bad" and not line.measurement.treated_shifts:
        found = _luck_taken_back(case, found, evidence)
    undrifted = _undrifted(found.contrast, counterfactual, evidence)
    return replace(found, checks=(*found.checks, undrifted, *_settled(found.contrast)))


def _designed(case: BusinessCase, line: BenefitLine, counterfactual: Counterfactual, evidence: Evidence) -> Comparison:
    plan, model = line.measurement, counterfactual.model
    starts = {name: plan.go_live_by_line.get(name, case.go_live) for name in line.lines}
    if plan.treated_shifts:
        contrast = as_marked(model, evidence.baseline, evidence.reporting)
        controls = evidence.reporting.shift.where(~evidence.reporting.treated).seen
        return _drawn(line, evidence, counterfactual, Comparison("parallel_trial", contrast, controls=controls))
    if len(set(starts.values())) > 1:
        commissioning = timedelta(days=case.periods.blackout.days)
        stretches = staggered(evidence.reporting, starts, plan.control_lines, commissioning)
        contrast = compare(model, evidence.baseline, evidence.reporting, stretches)
        waiting = tuple(name for name in starts if any(name in stretch.control for stretch in stretches))
        found = Comparison("staggered_roll_out", contrast, controls=(*plan.control_lines, *waiting))
        return _drawn(line, evidence, counterfactual, found)
    if plan.control_lines:
        return _drawn(line, evidence, counterfactual, _with_controls(line, counterfactual, evidence))
    return Comparison("interrupted_time_series", before_and_after(counterfactual, evidence.reporting))


def _undrifted(contrast: Contrast, counterfactual: Counterfactual, evidence: Evidence) -> Check:
    """What is claimed must be more than a drift that was there before, carried on; where nothing is, none is asked."""
    found = drift_of(contrast, evidence.baseline.days, counterfactual.model.dof)
    claims = bool(contrast.days) and Measurement(counterfactual, contrast).whole("closing").low > 0
    return check(
        "drift_explains_less",
        "reporting",
        passed=not (claims and found.explains),
        t=found.t,
        limit=found.limit,
        carried_on=found.avoided,
        measured=found.claimed,
    )


def _settled(contrast: Contrast) -> tuple[Check, ...]:
    """Whether good and bad weeks come in runs: a caveat, because intervals then hold less often than they say."""
    found = weekly_runs([contrast.baseline_noise, contrast.noise])
    if found is None:
        return ()
    return (
        check(
            "conditions_settle",
            "reporting",
            passed=not found.lasting,
            disqualifies=False,
            correlation=found.correlation,
            limit=found.limit,
            weeks=found.weeks,
        ),
    )


def _with_controls(line: BenefitLine, counterfactual: Counterfactual, evidence: Evidence) -> Comparison:
    """Difference-in-differences; where the lines drifted apart already in the baseline, a mixture that did not."""
    controls, model = line.measurement.control_lines, counterfactual.model
    limit = student_quantile(TREND_CONFIDENCE, model.dof)
    if abs(model.trend_t) > limit and len(controls) >= FEWEST_CONTROLS:
        contrast = synthetic_control(model, evidence.baseline, evidence.reporting, line.lines, controls)
        return Comparison("synthetic_control", contrast, (_comparable(contrast, limit, len(controls)),), controls)
    contrast = as_marked(model, evidence.baseline, evidence.reporting)
    return Comparison("difference_in_differences", contrast, (_comparable(contrast, limit, len(controls)),), controls)


def _comparable(contrast: Contrast, limit: float, controls: int) -> Check:
    """Lines and controls must have moved alike before the programme. The limit is that of every rule against drifts,
    which one honest baseline in a hundred exceeds: a stricter one refused honest plants and stopped no false claim that
    `drift_explains_less` does not stop (decision 0131).
    """
    t = trend_of(contrast.baseline_noise)
    alpha = 2 * (1 - TREND_CONFIDENCE)
    return check(
        "control_lines_comparable",
        "baseline",
        passed=abs(t) <= limit,
        t=t,
        limit=limit,
        controls=controls,
        alpha=round(alpha, 6),
    )


def _drawn(line: BenefitLine, evidence: Evidence, counterfactual: Counterfactual, comparison: Comparison) -> Comparison:
    """Add what the drawing by lot says, where lines or shifts were drawn."""
    if line.measurement.assignment != "randomised" or comparison.design == "staggered_roll_out":
        return comparison
    panel = evidence.reporting
    factor = panel.shift if comparison.design == "parallel_trial" else panel.line
    expected, units = predict(counterfactual.model, panel).rows, factor.seen
    ratios = {
        unit: float(panel.outcome[rows].sum() / expected[rows].sum())
        for unit in units
        if expected[rows := factor.among((unit,))].sum() > 0
    }
    kpi = line.measurement.kpi if line.measure == "kpi" else None
    if kpi is not None and kpi.better == "higher":
        ratios = {unit: -ratio for unit, ratio in ratios.items()}  # the test asks for low values among the treated
    treated = tuple(unit for unit in factor.where(panel.treated).seen if unit in ratios)
    found = randomisation_test(ratios, treated)
    rule = check(
        "drawing_by_lot",
        "reporting",
        passed=found.p <= DRAWN or not found.decisive,
        p=found.p,
        assignments=found.assignments,
    )
    return replace(comparison, checks=(*comparison.checks, rule), randomisation=found)


def _luck_taken_back(case: BusinessCase, comparison: Comparison, evidence: Evidence) -> Comparison:
    """Take back the bad luck of lines that were chosen because they were bad, or refuse. Control lines do not: they
    are those that were not chosen, and had the good luck.
    """
    observations, scope = evidence.observations, evidence.scope
    every = replace(scope, lines=tuple(sorted({row.line for row in observations.line_shifts})), treated_lines=())
    panel = panel_of(observations, every, case.periods.baseline, "previous")
    levels = levels_of(panel) if panel.days else ()
    found = shrink(levels, scope.programme_lines)
    alone = comparison.design == "interrupted_time_series"
    design: Design = "shrunk_baseline" if alone else comparison.design
    if found is None:
        amiss = check("regression_to_the_mean", "baseline", passed=False, lines=len(levels), required=FEWEST_LINES)
        return replace(comparison, design=design, checks=(*comparison.checks, amiss))
    others = None if alone else shrink(levels, comparison.controls)
    if others is not None:
        found = against(found, others)
    told = check(
        "regression_to_the_mean", "baseline", passed=True, lines=found.lines, believed=found.weight, factor=found.factor
    )
    controls = tuple(name for name in panel.line.seen if name not in scope.lines) if alone else comparison.controls
    contrast = shrunk(comparison.contrast, found)
    return replace(comparison, design=design, contrast=contrast, checks=(*comparison.checks, told), controls=controls)


def days_measured(comparison: Comparison) -> int:
    """Days on which the design had something to compare with."""
    return int(np.size(comparison.contrast.expected))
