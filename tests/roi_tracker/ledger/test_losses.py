from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal

import pytest

from roi_tracker.errors import StoreError
from roi_tracker.ledger.books import admit
from roi_tracker.ledger.chain import Head, seal
from roi_tracker.ledger.entries import ActualCost, Claim, ClosingDate, Draft
from roi_tracker.ledger.losses import joint_losses
from roi_tracker.observations.facts import AlarmFact, AlarmOutcomeFact, Fact, InspectedPart

Verdict = Literal["PASS", "FAIL", "REVIEW", "NO_VERDICT"]
Outcome = Literal["confirmed", "not_found", "missed"]
T = datetime(2025, 8, 1, 8, 0, tzinfo=UTC)


def minutes(count: float) -> datetime:
    return T + timedelta(minutes=count)


def failed(key: str, at: float, line: str = "press-1", part: str = "", verdict: Verdict = "FAIL") -> InspectedPart:
    return InspectedPart(
        key=key, line=line, at=minutes(at), origin="measured", product="a", verdict=verdict, mode="live", part=part,
    )  # fmt: skip


def alarm(key: str, at: float, line: str = "press-1") -> AlarmFact:
    return AlarmFact(key=key, line=line, at=minutes(at), origin="measured", asset="press", alarm="bearing")


def outcome(key: str, of: str, what: Outcome) -> AlarmOutcomeFact:
    return AlarmOutcomeFact(
        key=key, line="press-1", at=minutes(300), origin="measured", asset="press", alarm_key=of, outcome=what,
    )  # fmt: skip


def test_a_defect_and_an_alarm_at_the_same_time_are_one_loss() -> None:
    facts: list[Fact] = [
        failed("d1", 10),
        failed("d2", 14),
        alarm("x", 0),
        failed("far", 45),
        failed("ok", 5, verdict="PASS"),
    ]
    (loss,) = joint_losses(facts)
    assert (loss.name, loss.inspections, loss.alarms) == ("x", ("d1", "d2"), ("x",))
    assert (loss.first, loss.last, loss.likely_cause) == (minutes(0), minutes(14), "machine_suspected")


@pytest.mark.parametrize(
    ("what", "cause"),
    [("confirmed", "machine_confirmed"), ("missed", "machine_confirmed"), ("not_found", "not_the_machine")],
)
def test_the_likely_cause_follows_what_was_found(what: Outcome, cause: str) -> None:
    (loss,) = joint_losses([alarm("x", 0), failed("d", 10), outcome("o", "x", what)])
    assert loss.likely_cause == cause


def test_the_nearest_alarm_takes_a_defect_and_another_line_takes_none() -> None:
    facts: list[Fact] = [alarm("x", 0), alarm("y", 20), failed("d", 12), alarm("z", 12, "press-2")]
    (loss,) = joint_losses(facts)
    assert loss.keys == ("d", "y")


def test_thirty_minutes_are_the_edge() -> None:
    assert len(joint_losses([alarm("x", 0), failed("d", 30)])) == 1
    assert joint_losses([alarm("x", 0), failed("d", 30.1)]) == ()


def test_two_cameras_that_fail_one_part_saw_one_loss() -> None:
    facts: list[Fact] = [
        failed("c1", 0, part="p7"),
        failed("c2", 1, part="p7"),
        failed("c3", 1, part="p8"),
        failed("c4", 2),
    ]
    (loss,) = joint_losses(facts)
    assert (loss.inspections, loss.likely_cause) == (("c1", "c2"), "unknown")
    assert joint_losses([failed("c1", 0, part="p7"), failed("c2", 40, part="p7")]) == ()


def test_the_order_of_arrival_does_not_matter() -> None:
    facts: list[Fact] = [
        alarm("x", 0),
        failed("d1", 10, part="p"),
        failed("d2", 50, part="q"),
        failed("d3", 51, part="q"),
    ]
    assert joint_losses(facts) == joint_losses(reversed(facts))


def claim(benefit: str, *keys: str) -> Draft:
    body = Claim(benefit_id=benefit, first=date(2025, 8, 1), last=date(2025, 8, 2), evidence=keys, statement="avoided")
    return Draft("case", T, "quality", body)


def test_one_loss_is_claimed_once() -> None:
    joint = joint_losses([alarm("x", 0), failed("d", 10)])
    entries = [seal(claim("fewer-defects", "d"), Head())]
    admit(entries, [claim("less-downtime", "other"), claim("fewer-defects", "another")], joint)
    with pytest.raises(StoreError, match=r"the same loss .x. was claimed for fewer-defects"):
        admit(entries, [claim("fewer-defects", "x")], joint)
    with pytest.raises(StoreError, match=r"the same loss .x. was claimed for fewer-defects"):
        admit(entries, [claim("less-downtime", "x")], joint)
    with pytest.raises(StoreError, match="this event was claimed for fewer-defects"):
        admit(entries, [claim("less-downtime", "d")])
    with pytest.raises(StoreError, match="counts once"):
        admit([], [claim("a", "k"), claim("b", "k")])


def test_a_reference_is_booked_once_and_a_closing_date_beforehand() -> None:
    body = ActualCost(day=T.date(), amount=Decimal(1), cost="running", name_ko="가", name_en="A", reference="invoice 1")
    draft = Draft("case", T, "controller", body)
    with pytest.raises(StoreError, match="booked already"):
        admit([seal(draft, Head())], [draft])
    with pytest.raises(StoreError, match="has passed"):
        admit([], [Draft("case", T, "controller", ClosingDate(benefit_id="a", day=date(2025, 7, 31)))])
    admit([], [Draft("case", T, "controller", ClosingDate(benefit_id="a", day=date(2025, 8, 1)))])
