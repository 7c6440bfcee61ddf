"""The inspection benefit: cost of quality before minus after, at the same true defect rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.baseline.sufficiency import Check, RuleName, check
from roi_tracker.measurement.estimation import CONFIDENCE
from roi_tracker.measurement.measures.inspected import Tally
from roi_tracker.measurement.measures.inspection import InspectedParts, Prices
from roi_tracker.measurement.measures.quality_points import QualityHistory, without_blackout
from roi_tracker.measurement.measures.reviewers import FEWEST_REPEATS, pairs_of, review_evidence
from roi_tracker.proof.refinement import Ground, Refined, as_caveats, compared_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.business_case import BenefitLine, BusinessCase
    from roi_tracker.observations.rows import Observation, Observations

_SAME_RATE: frozenset[RuleName] = frozenset(
    {"placebo", "no_trend", "drift_explains_less", "volume_in_range", "known_levels", "covariates_in_range"}
)
"""Rules on predicting a defect rate. Both inspections are compared at the same rate, so nothing is predicted."""
_OF_DAYS: frozenset[RuleName] = frozenset({"audit_sample", "conditions_settle"})
"""Rules that the measure asks in its own way, or whose series of days it does not use."""


def quality_refined(ground: Ground, checks: Sequence[Check]) -> Refined:
    """Measure an inspection line by what both inspections' audits say."""
    costs = ground.line.measurement.quality_costs
    kept = [rule for rule in as_caveats(checks, _SAME_RATE) if rule.rule not in _OF_DAYS]
    kept.append(check("quality_costs_stated", "reporting", passed=costs is not None))
    rows = _rows_of(ground.line, ground.observations)
    former = former_inspection(ground.case, rows)
    kept.append(previous_audited(former.parts()))
    begins = ground.case.periods.blackout.first
    later = [row for row in rows if begins <= row.day <= ground.period.last]
    later = without_blackout(later, ground.period.first)
    now = Tally("ai", "ai").add_all(later)
    kept.append(_audited(now.parts()))
    passed, failed = pairs_of(row for row in rows if row.day in ground.case.periods.baseline or row.day >= begins)
    review = review_evidence(passed, failed, CONFIDENCE)
    kept.append(
        check(
            "reviewers_repeated",
            "reporting",
            passed=review.known,
            disqualifies=False,
            passed_parts=passed.parts,
            failed_parts=failed.parts,
            required=FEWEST_REPEATS,
            false_alarm=review.errors.false_alarm,
            miss=review.errors.miss,
        )
    )
    if costs is None:
        return Refined(kept, None, None, "cost_of_quality", compared_by("same_defect_rate"))
    history = QualityHistory(former, later, review, Prices.of(costs))
    if not history.measured:
        return Refined(kept, None, None, "cost_of_quality", compared_by("same_defect_rate"))
    return Refined(kept, history, history.detail(), "cost_of_quality", compared_by("same_defect_rate"))


def former_inspection(case: BusinessCase, rows: Sequence[Observation]) -> Tally:
    """The baseline's parts as the previous inspection judged them."""
    return Tally("previous", "previous").add_all(row for row in rows if row.day in case.periods.baseline)


def previous_audited(former: Sequence[InspectedParts]) -> Check:
    """The inspection that was there before needs audits of its own; without them its benefit cannot be known."""
    missing = [parts for parts in former if parts.ruler != "audits"]
    return check(
        "previous_inspection_audited", "baseline", passed=bool(former) and not missing, strata=_strata(missing)
    )


def unaudited_before(case: BusinessCase, line: BenefitLine, observations: Observations) -> tuple[Check, ...]:
    """Why an inspection line has no baseline, where it is that nobody audited the previous inspection."""
    found = previous_audited(former_inspection(case, _rows_of(line, observations)).parts())
    return () if found.passed else (found,)


def _rows_of(line: BenefitLine, observations: Observations) -> list[Observation]:
    return sorted((row for row in observations.products if row.line in line.lines), key=lambda row: row.day)


def _audited(now: Sequence[InspectedParts]) -> Check:
    missing = [parts for parts in now if parts.ruler == "none"]
    return check("audit_sample", "reporting", passed=bool(now) and not missing, strata=_strata(missing))


def _strata(missing: Sequence[InspectedParts]) -> str:
    shown = [
        f"{parts.product} {parts.inspector} FAIL {parts.audit_fail.tried}/{parts.failed}"
        f" PASS {parts.audit_pass.tried}/{parts.passed}"
        for parts in missing
    ]
    return "; ".join(shown) or "-"
