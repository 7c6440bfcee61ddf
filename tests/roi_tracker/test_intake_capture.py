"""What people record at the agent, as the tracker understands it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from edge_agent import events as agent
from roi_tracker.intake import to_fact
from roi_tracker.observations import facts as f

AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=30)


def fact(body: agent.Body, key: str = "k") -> f.Fact | None:
    event = agent.decode_event(agent.encode(agent.Event(key, "press-1", AT, body, "simulated")))
    return to_fact(event)


def test_a_revision_becomes_the_stops_that_count_instead() -> None:
    stop = agent.RevisedStop("r/1", "press", AT, LATER, planned=True, reason="changeover")

    found = fact(agent.StopRevision(("a", "b"), (stop,), "Kim"))

    counts = f.StopFact(
        key="r/1",
        line="press-1",
        at=AT,
        origin="simulated",
        asset="press",
        end=LATER,
        planned=True,
        reason="changeover",
    )
    assert found == f.StopRevisionFact(
        key="k", line="press-1", at=AT, origin="simulated", replaces=("a", "b"), stops=(counts,)
    )


def test_a_revised_stop_that_ends_before_it_starts_is_refused() -> None:
    stop = agent.RevisedStop("r/1", "press", LATER, AT, planned=True, reason="")
    with pytest.raises(ValueError, match="ends"):
        fact(agent.StopRevision(("a",), (stop,), "Kim"))


def test_only_the_raising_of_an_alarm_is_an_alarm() -> None:
    raised = agent.Alarm("wear", "press", "raised", 1.2, 1.0, "grease", AT)

    assert fact(raised) == f.AlarmFact(key="k", line="press-1", at=AT, origin="simulated", asset="press", alarm="wear")
    assert fact(msgspec.structs.replace(raised, state="cleared")) is None


def test_an_outcome_and_a_missed_failure() -> None:
    outcome = fact(agent.AlarmOutcome("a", "press", "confirmed", "Kim", acted=True, avoided_stop_h=2.0))
    missed = fact(agent.AlarmOutcome("", "press", "missed", "Kim", failed_at=AT - timedelta(hours=3), withdrawn=True))

    assert isinstance(outcome, f.AlarmOutcomeFact)
    assert (outcome.alarm_key, outcome.outcome, outcome.acted, outcome.avoided_stop_h) == ("a", "confirmed", True, 2.0)
    assert (outcome.at, outcome.stated_at, outcome.withdrawn) == (AT, AT, False)
    assert isinstance(missed, f.AlarmOutcomeFact)
    assert (missed.at, missed.stated_at, missed.withdrawn) == (AT - timedelta(hours=3), AT, True)
    with pytest.raises(ValueError, match="failed_at"):
        fact(agent.AlarmOutcome("", "press", "missed", "Kim"))
    with pytest.raises(ValueError, match="negative"):
        fact(agent.AlarmOutcome("a", "press", "confirmed", "Kim", avoided_stop_h=-1.0))


def test_only_what_the_gate_did_not_get_is_a_late_reject() -> None:
    late = agent.Undelivered("i", "lineproof/press-1/cam/reject", 2_000.0, "stop")

    assert fact(late) == f.LateRejectFact(key="k", line="press-1", at=AT, origin="simulated", inspection_key="i")
    assert fact(msgspec.structs.replace(late, topic="lineproof/press-1/cam/verdict")) is None


def test_a_repeat_review_says_what_it_repeats() -> None:
    found = fact(agent.Disposition("i", "good", True, "Lee", "audit_pass", blind=True, repeat_of="d"))

    assert isinstance(found, f.JudgedPart)
    assert (found.reviewer, found.repeat_of, found.blind, found.stratum) == ("Lee", "d", True, "audit_pass")


def test_an_audit_noted_by_hand() -> None:
    found = fact(agent.AuditCount("p", "06:00", "previous", "FAIL", 50, 40, "Kim", "by eye"))

    assert isinstance(found, f.AuditFact)
    assert (found.inspector, found.stratum, found.audited, found.defects_found) == ("previous", "FAIL", 50, 40)


@pytest.mark.parametrize(
    "body",
    [
        agent.AuditDraw("i", "cam", "p", "PASS", 0.1, "seed", 0.5),
        agent.EvidencePin("claim", "pinned", "i", ("d" * 64,)),
    ],
)
def test_what_the_tracker_does_not_need_is_left_out(body: agent.Body) -> None:
    assert fact(body) is None
