"""Signed adjustments of the ledger applied to the frozen counterfactuals of a case: before, each line, after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.baseline.adjustments import AdjustedCounterfactual, NonRoutine, adjusted
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.measurement.placebo import MINIMUM_MEASURED_DAYS
from roi_tracker.proof.comparing import Evidence, comparison_of
from roi_tracker.proof.proving import reporting_so_far, scope_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roi_tracker.baseline.frozen import FrozenBaseline
    from roi_tracker.business_case import BenefitLine, BusinessCase
    from roi_tracker.ledger.books import Signed
    from roi_tracker.ledger.entries import Adjustment
    from roi_tracker.observations.rows import Observations
    from roi_tracker.observations.shifts import ShiftCalendar


def non_routine(body: Adjustment, author: str, entry_sha256: str = "") -> NonRoutine:
    """An entry of the ledger as the baseline knows it."""
    return NonRoutine(
        event=body.event,
        first=body.first,
        last=body.last,
        quantity=body.quantity,
        factor=body.factor,
        reason=body.reason,
        evidence=body.evidence,
        author=author,
        approver=body.approver,
        entry_sha256=entry_sha256,
    )


def adjusted_counterfactuals(
    case: BusinessCase,
    observations: Observations,
    calendar: ShiftCalendar,
    newest: Mapping[str, FrozenBaseline],
    signed: Sequence[Signed],
) -> tuple[AdjustedCounterfactual, ...]:
    """Every benefit line that has signed adjustments and measured days; the others stay as they are.

    Args:
        case: the plan.
        observations: everything derived.
        calendar: the plant's.
        newest: the frozen baseline in force, by benefit line.
        signed: adjustments of the ledger, in order of signing.
    """
    found: list[AdjustedCounterfactual] = []
    for line in case.benefits:
        own = [
            non_routine(one.adjustment, one.author, one.entry_sha256)
            for one in signed
            if one.adjustment.benefit_id == line.id
        ]
        frozen = newest.get(line.id)
        if own and frozen is not None:
            found.extend(_adjusted(case, line, observations, calendar, frozen, own))
    return tuple(found)


def _adjusted(
    case: BusinessCase,
    line: BenefitLine,
    observations: Observations,
    calendar: ShiftCalendar,
    frozen: FrozenBaseline,
    adjustments: Sequence[NonRoutine],
) -> Sequence[AdjustedCounterfactual]:
    period = reporting_so_far(case, observations)
    if period is None:
        return ()
    scope, counterfactual = scope_of(line, calendar), frozen.fitted.counterfactual
    reporting = panel_of(observations, scope, period, "ai")
    if len(reporting.days) < MINIMUM_MEASURED_DAYS:
        return ()
    baseline = panel_of(observations, scope, case.periods.baseline, "previous")
    contrast = comparison_of(case, line, counterfactual, Evidence(scope, observations, baseline, reporting)).contrast
    if not contrast.days:
        return ()
    name = (line.id, frozen.sha256)
    return (adjusted(name, contrast.days, contrast.expected.tolist(), float(contrast.observed.sum()), adjustments),)
