"""Stops that are the same every day carry no interval: the measurement answers, and claims nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from roi_tracker.baseline.detectability import Detectability
from roi_tracker.baseline.frozen import FittedBaseline, FrozenBaseline, fit_baseline
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.piloting import Piloting, Prospect
from roi_tracker.proof.proving import NotProven, prove, scope_of

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.observations.rows import Observations


def unvaried(found: Observations) -> Observations:
    """One same day after the other: 6 minutes stopped of every shift's 8 hours."""
    rows = tuple(
        msgspec.structs.replace(row, planned_busy_s=28_800.0, unplanned_stop_s=360.0) for row in found.line_shifts
    )
    return msgspec.structs.replace(found, line_shifts=rows)


def test_stops_that_never_vary_prove_nothing(case: BusinessCase, simulate: Any, truth: Any) -> None:
    observations = unvaried(simulate(truth(seed=11)).observations)
    line, calendar = case.benefits[1], ShiftCalendar(case.plant)
    fitted = fit_baseline(case, line, observations, scope_of(line, calendar))
    assert isinstance(fitted, FittedBaseline), fitted
    frozen = FrozenBaseline(fitted, fitted.sha256, datetime(2025, 7, 2, tzinfo=UTC))
    found = prove(case, line, observations, calendar, frozen)
    assert isinstance(found, NotProven)
    assert "placebo" in [rule.rule for rule in found.failed]
    prospect = Piloting(case, observations, (frozen,)).prospects(Prospect(8))[1]
    assert isinstance(prospect, Detectability)
    assert prospect.pilot.closing is not None
    assert prospect.pilot.closing < 0.01 * prospect.pilot.expected
