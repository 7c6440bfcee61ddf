"""The evidence grade: chosen by the tool, never stated by a plan, and explained.

A: drawn by lot, with the drawing on record. B: control lines or shifts that live through the same days. C: a baseline
frozen under a hash, and nothing else. D: before and after on a baseline that was refused; never called realized.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.baseline.sufficiency import Check
    from roi_tracker.case.measuring import MeasurementPlan
    from roi_tracker.proof.comparing import Comparison, Design

Grade = Literal["A", "B", "C", "D"]
GradeReason = Literal[
    "drawn_by_lot",
    "drawing_recorded",
    "control_lines",
    "not_yet_treated_lines",
    "synthetic_control",
    "parallel_shifts",
    "no_control",
    "shrunk_for_selection",
    "frozen_before_go_live",
    "frozen_after_go_live",
    "baseline_refused",
]
_COMPARED: dict[Design, GradeReason] = {
    "difference_in_differences": "control_lines",
    "staggered_roll_out": "not_yet_treated_lines",
    "synthetic_control": "synthetic_control",
    "parallel_trial": "parallel_shifts",
}


class Graded(msgspec.Struct, frozen=True):
    """A grade and why, the strongest reason first."""

    grade: Grade
    reasons: tuple[GradeReason, ...]


def grade_of(plan: MeasurementPlan, comparison: Comparison | None, checks: Sequence[Check]) -> Graded:
    """Grade a comparison.

    Args:
        plan: how lines, order or shifts were chosen.
        comparison: None where nothing could be compared.
        checks: all rules asked; a refused baseline leaves before and after only.
    """
    refused = any(rule.disqualifies and not rule.passed for rule in checks if rule.period == "baseline")
    if comparison is None or refused:
        return Graded("D", ("baseline_refused",))
    frozen = next((rule.passed for rule in checks if rule.rule == "frozen_before_go_live"), False)
    when: GradeReason = "frozen_before_go_live" if frozen else "frozen_after_go_live"
    compared = _COMPARED.get(comparison.design)
    if compared is None:
        chosen: tuple[GradeReason, ...] = ("shrunk_for_selection",) if comparison.design == "shrunk_baseline" else ()
        return Graded("C", ("no_control", *chosen, when))
    if plan.assignment == "randomised" and plan.randomisation:
        return Graded("A", ("drawn_by_lot", "drawing_recorded", compared, when))
    return Graded("B", (compared, when))
