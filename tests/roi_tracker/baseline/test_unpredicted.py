"""What cannot be foretold says why, with the nearest quantity that is known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from roi_tracker.baseline.frozen import Unfitted
from roi_tracker.baseline.unpredicted import alarms_wanted, escapes_known
from roi_tracker.case.measuring import QualityCosts
from roi_tracker.observations.rows import AuditSample, LineShift, Observation
from roi_tracker.piloting import Piloting, Prospect
from roi_tracker.render.pilot_text import power_lines

if TYPE_CHECKING:
    from roi_tracker.baseline.rules import Check
    from roi_tracker.business_case import BusinessCase

DAY = date(2025, 3, 3)


def evidence(found: Check) -> dict[str, float | int | str]:
    return {one.name: one.value for one in found.evidence}


def part(audited: int, found: int) -> Observation:
    audits = (AuditSample("previous", "PASS", audited, found), AuditSample("previous", "FAIL", 30, 20))
    return Observation("press-1", DAY, "day", "a", "simulated", "previous", produced=100, audits=audits)


def test_the_escape_rate_by_hand() -> None:
    """None of 59: up to 1 - 0.05^(1/59) = 4.95 %; 2 of 100 by Clopper and Pearson: 0.36 to 6.16 %."""
    none = evidence(escapes_known([part(59, 0)]))
    assert (none["low"], none["high"]) == ("0.00 %", "4.95 %")
    two = evidence(escapes_known([part(60, 1), part(40, 1)]))
    assert (two["audited"], two["found"], two["low"], two["high"]) == (100, 2, "0.36 %", "6.16 %")
    assert evidence(escapes_known([]))["high"] == "100.00 %"


def test_the_alarms_wanted_by_hand() -> None:
    """Four stops in two hours: half an hour each; 10 hours need 20 alarms, and (1.645 + 0.842)^2 = 6.2 is seven."""
    rows = [LineShift("press-1", DAY, "day", "simulated", unplanned_stop_s=7200.0, unplanned_stops=4)]
    found = evidence(alarms_wanted(rows, 10.0, 8))
    assert (found["stop_h"], found["wanted"], found["fewest"]) == (0.5, "20.0", 7)
    never = evidence(alarms_wanted([], 10.0, 8))
    assert (never["stop_h"], never["wanted"]) == ("-", "-")


def test_power_tells_why_in_both_languages(case: BusinessCase, simulate: Any, truth: Any) -> None:
    observations = simulate(truth(seed=3)).observations
    costs = QualityCosts(escape=Decimal(50), overkill=Decimal(2))
    plan = case.benefits[0].measurement.model_copy(update={"quality_costs": costs})
    lines = (
        case.benefits[0].model_copy(update={"id": "eyes", "measure": "inspection", "measurement": plan}),
        case.benefits[1].model_copy(update={"id": "ears", "measure": "maintenance"}),
    )
    found = Piloting(case.model_copy(update={"benefits": lines}), observations, ()).prospects(Prospect(8))
    assert all(isinstance(one, Unfitted) for one in found)
    eyes, ears = power_lines(found, "en")
    assert "an escape rate of" in eyes
    assert "alarms confirmed and acted on" in ears
    assert all("미리 알 수 없습니다" in line for line in power_lines(found, "ko"))
