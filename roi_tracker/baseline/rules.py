"""What a rule's answer is made of. A failed rule is a result, with its evidence, not an exception."""

from __future__ import annotations

from typing import Literal

import msgspec

RuleName = Literal[
    "computed",
    "measured",
    "valid_days",
    "valid_days_each_month",
    "minimum_length",
    "audit_sample",
    "audits_throughout",
    "no_duplicates",
    "no_impossible_counts",
    "no_live_ai_in_baseline",
    "placebo",
    "no_trend",
    "outcome_present",
    "known_levels",
    "volume_in_range",
    "bypass",
    "baseline_modes_known",
    "reporting_modes_known",
    "frozen_before_go_live",
    "baseline_unchanged",
    "unit_value_locked",
    "unit_value_valid",
    "season_covered",
    "covariates_in_range",
    "blackout_complete",
    "effect_detectable",
    "control_lines_comparable",
    "regression_to_the_mean",
    "drift_explains_less",
    "conditions_settle",
    "drawing_by_lot",
    "feed_complete",
    "streams_continue",
    "no_stuck_values",
    "enough_events",
    "no_annualising",
    "previous_inspection_audited",
    "quality_costs_stated",
    "reviewers_repeated",
    "total_stops_fell",
    "hour_value_fits",
    "bottleneck_stated",
    "alarms_acted_on",
    "alarms_answered",
    "failures_announced",
    "failure_cost_known",
    "answering_cost_stated",
    "energy_fit",
    "product_mix_known",
    "bills_suffice",
    "bills_in_range",
    "hours_accounted_for",
    "kpi_defined",
    "power_of_inspection",
    "power_of_maintenance",
]
PeriodName = Literal["baseline", "reporting"]


class Evidence(msgspec.Struct, frozen=True):
    """One figure behind a rule's answer."""

    name: str
    value: float | int | str


class Check(msgspec.Struct, frozen=True):
    """A rule's answer.

    Attributes:
        disqualifies: a failed rule of this kind forbids a claim; others are caveats printed beside the figure.
    """

    rule: RuleName
    period: PeriodName
    passed: bool
    disqualifies: bool
    evidence: tuple[Evidence, ...] = ()


def check(
    rule: RuleName, period: PeriodName, *, passed: bool, disqualifies: bool = True, **evidence: float | str
) -> Check:
    """Make an answer; evidence in the order written."""
    return Check(rule, period, bool(passed), disqualifies, tuple(Evidence(n, _plain(v)) for n, v in evidence.items()))


def _plain(value: float | str) -> float | str:
    """Numbers without their numpy type, so that evidence can be written down."""
    if isinstance(value, str | int):
        return value
    return float(value)
