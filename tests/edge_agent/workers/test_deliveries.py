from __future__ import annotations

from typing import Literal

from edge_agent.events import Delivered, Undelivered
from edge_agent.instant import Instant
from edge_agent.ports import OutboxMessage
from edge_agent.system_state import Interlock
from edge_agent.workers.deliveries import DeliveryWatch, Settlement


def at(ms: float, *, wall_ms: float | None = None) -> Instant:
    return Instant(utc_us=round((ms if wall_ms is None else wall_ms) * 1e3), mono_ns=round(ms * 1e6), boot_id="b")


def message(
    key: str = "k", *, on_late: Literal["none", "stop", "divert"] = "stop", line: str = "l", created_ms: float = 0
) -> OutboxMessage:
    return OutboxMessage(
        key, f"{key}/subject", "t", b"", round(created_ms * 1e3), line, deadline_ms=100, on_late=on_late
    )


def test_late_is_reported_once_and_raises_the_configured_action() -> None:
    watch = DeliveryWatch()
    watch.sent(message(), at(0))
    assert watch.expire(at(99)) == []
    (event,) = watch.expire(at(100))
    assert event.key == "undelivered/k"
    assert event.body == Undelivered("k/subject", "t", 100.0, "stop")
    assert watch.expire(at(500)) == []
    assert watch.interlocks(("l", "m"), at(500)) == (
        Interlock("l", "stop", "reject_undelivered"),
        Interlock("m", "run"),
    )


def test_arriving_after_all_is_told_and_lowers_the_interlock() -> None:
    watch = DeliveryWatch()
    watch.sent(message(), at(0))
    watch.expire(at(150))
    settlement = watch.settled("k", at(250))
    assert settlement.elapsed_s == 0.25
    assert [event.body for event in settlement.events] == [Delivered("k/subject", "t")]
    assert watch.interlocks(("l",), at(250)) == (Interlock("l", "run"),)
    assert watch.pending == 0


def test_in_time_is_silent_and_unknown_keys_are_ignored() -> None:
    watch = DeliveryWatch()
    watch.sent(message(), at(0))
    assert watch.settled("k", at(20)) == Settlement(0.02)
    assert watch.settled("never sent", at(20)) == Settlement(None)
    assert watch.expire(at(1_000)) == []


def test_the_time_before_a_restart_counts_and_a_clock_jump_does_not() -> None:
    watch = DeliveryWatch()
    watch.sent(message(created_ms=50), at(0, wall_ms=90))
    assert watch.expire(at(59, wall_ms=999_999)) == []
    assert len(watch.expire(at(60, wall_ms=0))) == 1


def test_the_severest_action_holds() -> None:
    watch = DeliveryWatch()
    for key, action in (("a", "none"), ("b", "stop"), ("c", "divert")):
        watch.sent(message(key, on_late=action), at(0))  # type: ignore[arg-type]  # literals out of a tuple
    watch.expire(at(200))
    assert watch.interlocks(("l",), at(300))[0].state == "stop"
    watch.settled("b", at(300))
    assert watch.interlocks(("l",), at(300))[0].state == "divert"
    watch.settled("c", at(300))
    assert watch.interlocks(("l",), at(300))[0].state == "run"


def test_a_late_message_is_told_as_late_even_when_it_arrives_before_anybody_looked() -> None:
    watch = DeliveryWatch()
    watch.sent(message(created_ms=0), at(3_600_000))
    settlement = watch.settled("k", at(3_600_001))
    assert settlement.elapsed_s == 0.001
    assert [event.key for event in settlement.events] == ["undelivered/k", "delivered/k"]
    assert watch.expire(at(3_600_002)) == []


def test_the_interlock_sees_a_passed_deadline_without_the_writer() -> None:
    watch = DeliveryWatch()
    watch.sent(message(), at(0))
    assert watch.interlocks(("l",), at(99))[0].state == "run"
    assert watch.interlocks(("l",), at(100))[0].state == "stop"
    assert [event.key for event in watch.expire(at(150))] == ["undelivered/k"]
