from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from edge_agent.events import Alarm, Energy, Event, Inspection
from edge_agent.system_state import Interlock
from edge_agent.workers.publishing import StationPolicy, interlock_payload, messages_for

if TYPE_CHECKING:
    from edge_agent.events import Mode, VerdictName
    from edge_agent.ports import OutboxMessage

NOW = datetime(2026, 1, 5, tzinfo=UTC)
POLICIES = {"cam": StationPolicy(500.0, "stop")}


def inspected(verdict: VerdictName, mode: Mode) -> list[OutboxMessage]:
    event = Event("k", "press-1", NOW, Inspection("cam", "p1", "", verdict, "r", mode, score=0.5, threshold=1.0))
    return messages_for(event, prefix="lp", policies=POLICIES, now_us=9, captured_us=5)


@pytest.mark.parametrize(
    ("verdict", "gate"), [("FAIL", "reject"), ("REVIEW", "hold"), ("NO_VERDICT", "hold"), ("PASS", None)]
)
def test_live_mode_lets_only_pass_go_on(verdict: VerdictName, gate: str | None) -> None:
    messages = inspected(verdict, "live")
    topics = [message.topic for message in messages]
    if gate is None:
        assert topics == ["lp/press-1/cam/verdict"]
    else:
        assert topics == ["lp/press-1/cam/reject", "lp/press-1/cam/verdict"]
        assert msgspec.json.decode(messages[0].payload)["gate"] == gate
        assert messages[0].on_late == "stop"
    assert all(message.deadline_ms == 500.0 and message.created_us == 5 for message in messages)
    assert messages[-1].on_late == "none"


def test_shadow_mode_acts_on_nothing() -> None:
    (message,) = inspected("FAIL", "shadow")
    assert message.topic == "lp/press-1/cam/verdict"
    assert message.deadline_ms is None  # nobody waits for what nobody acts on


def test_an_alarm_is_retained_and_says_what_to_do() -> None:
    event = Event("a", "press-1", NOW, Alarm("hot", "press", "raised", 81.0, 80.0, "Check the water", NOW))
    (message,) = messages_for(event, prefix="lp", policies={}, now_us=9)
    assert (message.topic, message.retain, message.deadline_ms) == ("lp/press-1/press/alarm/hot", True, None)
    assert msgspec.json.decode(message.payload)["action"] == "Check the water"


def test_other_facts_stay_inside() -> None:
    assert messages_for(Event("e", "l", NOW, Energy("power", NOW, 1.0)), prefix="lp", policies={}, now_us=9) == []


def test_the_interlock_says_how_long_silence_may_last() -> None:
    payload = interlock_payload(Interlock("l", "stop", "reject_undelivered"), at_us=7, heartbeat_s=2.0)
    assert msgspec.json.decode(payload) == {
        "line": "l", "state": "stop", "reason": "reject_undelivered", "at_us": 7, "heartbeat_s": 2.0
    }  # fmt: skip
