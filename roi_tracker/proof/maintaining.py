"""The credit of predictive maintenance: alarm, action and finding, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.baseline.sufficiency import Check, RuleName, check
from roi_tracker.measurement.measures.maintenance import (
    MaintenanceCredit,
    alarm_shifts,
    baseline_stops,
    detail_of,
    machine_records,
)
from roi_tracker.proof.refinement import Ground, Refined, as_caveats, compared_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.measurement.measures.maintenance import MachineRecord

_NO_PREDICTION: frozenset[RuleName] = frozenset(
    {"placebo", "no_trend", "drift_explains_less", "volume_in_range", "known_levels", "covariates_in_range"}
)
"""Rules on predicting stop hours. The credit counts findings; the baseline only says how long a failure lasts."""
MOST_OPEN = 0.1


def maintenance_refined(ground: Ground, checks: Sequence[Check]) -> Refined:
    """Measure a maintenance line by what was found after each alarm."""
    kept = [rule for rule in as_caveats(checks, _NO_PREDICTION) if rule.rule != "conditions_settle"]
    case, line = ground.case, ground.line
    rows = [row for row in ground.observations.line_shifts if row.line in line.lines]
    now = [row for row in rows if row.day in ground.period]
    alarms = alarm_shifts(now)
    stops = baseline_stops((row for row in rows if row.day in case.periods.baseline), alarms.machines)
    machines = machine_records(now, stops, alarms)
    kept += _alarm_checks(machines)
    answering = line.measurement.intervention_h
    kept.append(
        check(
            "answering_cost_stated",
            "reporting",
            passed=answering is not None,
            disqualifies=False,
            hours=float(answering or 0),
            looks=sum(one.not_found for one in machines),
        )
    )
    overlaps = tuple(
        other.id
        for other in case.benefits
        if other.measurable and other.measure == "downtime" and set(other.lines) & set(line.lines)
    )
    design = compared_by("alarm_by_alarm")
    days = [day.toordinal() for day in ground.reporting.days]
    if not any(one.confirmed + one.not_found for one in machines) or not days:
        return Refined(kept, None, None, "confirmed_alarms", design)
    credit = MaintenanceCredit(alarms, stops, None if answering is None else float(answering), days)
    return Refined(kept, credit, detail_of(credit, machines, overlaps), "confirmed_alarms", design)


def _alarm_checks(machines: Sequence[MachineRecord]) -> list[Check]:
    acted = sum(one.acted for one in machines)
    confirmed = sum(one.confirmed for one in machines)
    unanswered = sum(one.open for one in machines)
    raised = unanswered + confirmed + sum(one.not_found for one in machines)
    missed = sum(one.missed for one in machines)
    lost = sum(one.acted - one.estimated for one in machines if one.failure_h is None)
    return [
        check("alarms_acted_on", "reporting", passed=acted > 0, alarms=raised, confirmed=confirmed, acted=acted),
        check(
            "alarms_answered",
            "reporting",
            passed=raised == 0 or unanswered <= MOST_OPEN * raised,
            disqualifies=False,
            unanswered=unanswered,
            alarms=raised,
        ),
        check(
            "failures_announced",
            "reporting",
            passed=missed <= confirmed,
            disqualifies=False,
            announced=confirmed,
            missed=missed,
        ),
        check("failure_cost_known", "reporting", passed=lost == 0, disqualifies=False, alarms=lost),
    ]
