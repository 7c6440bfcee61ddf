"""Without modes nothing is known of the AI's hours: said, and never ticked off."""

from __future__ import annotations

from datetime import date

import pytest

from roi_tracker.baseline.sufficiency import mode_checks
from roi_tracker.case.plant import Period
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.observations.rows import LineShift, Observations

SCOPE = Scope(measure="defects", lines=("press-1",), expected=lambda _: True, shifts_per_day=1)
BEFORE = Period(first=date(2025, 1, 1), last=date(2025, 1, 31))
AFTER = Period(first=date(2025, 2, 1), last=date(2025, 2, 28))


def shift(day: date, live_s: float | None) -> LineShift:
    return LineShift("press-1", day, "day", "imported", live_s=live_s)


@pytest.mark.parametrize(
    ("live_s", "found"),
    [
        (None, [("baseline_modes_known", False, False), ("reporting_modes_known", False, False)]),
        (3600.0, [("no_live_ai_in_baseline", True, True), ("bypass", True, False)]),
        (0.0, [("no_live_ai_in_baseline", True, True), ("bypass", False, False)]),
    ],
)
def test_modes(live_s: float | None, found: list[tuple[str, bool, bool]]) -> None:
    rows = Observations((), (shift(AFTER.first, live_s),), ())
    checks = mode_checks(rows, SCOPE, BEFORE, AFTER)
    assert [(rule.rule, rule.passed, rule.disqualifies) for rule in checks] == found
