from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from edge_agent.events import (
    Alarm,
    Body,
    Delivered,
    Disposition,
    Escape,
    Event,
    Health,
    Inspection,
    MachineState,
    RecordedEvent,
    Undelivered,
)
from edge_agent.ports import Committed, OutboxMessage
from edge_agent.settings.config import AgentSettings
from edge_agent.status.board import LineBoard
from edge_agent.status.snapshot import ShiftCounts
from tests.edge_agent.status.rig import LINE, Rig, TestClock, fill_sample

if TYPE_CHECKING:
    from pathlib import Path

    from edge_agent.events import Judgement, VerdictName

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)  # 17:00 in Seoul, evening shift 14:00 to 22:00


class Line:
    """A board fed by hand."""

    def __init__(self) -> None:
        self.clock = TestClock(NOW)
        self.board = LineBoard((LINE,), AgentSettings(name="a", data_dir="d"), self.clock)
        self.seq = 0

    def tell(self, body: Body, *, key: str = "", at: datetime = NOW, line: str = LINE) -> RecordedEvent:
        self.seq += 1
        recorded = RecordedEvent(self.seq, NOW, "b", 0, Event(key or f"k{self.seq}", line, at, body))
        self.board.committed(Committed(events=[recorded], outbox=[]))
        return recorded

    def judge(self, verdict: VerdictName, key: str, at: datetime = NOW) -> None:
        self.tell(Inspection("cam", key, "", verdict, "score_below_review", "live", 0.5), key=key, at=at)

    def overrule(self, key: str, judgement: Judgement, *, agrees: bool | None) -> None:
        self.tell(Disposition(key, judgement, agrees, "kim"))

    @property
    def counts(self) -> ShiftCounts:
        return self.board.snapshot(LINE).counts


@pytest.fixture
def line() -> Line:
    return Line()


def test_verdicts_count_by_kind(line: Line) -> None:
    verdicts: list[VerdictName] = ["PASS", "PASS", "PASS", "FAIL", "FAIL", "REVIEW", "NO_VERDICT"]
    for number, verdict in enumerate(verdicts):
        line.judge(verdict, f"p{number}")

    assert line.counts == ShiftCounts(7, 3, 2, 1, 1, 0, 0)


def test_the_last_judgement_of_a_part_holds(line: Line) -> None:
    line.judge("FAIL", "f")
    line.judge("PASS", "p")
    line.overrule("f", "good", agrees=False)
    line.overrule("p", "defect", agrees=False)
    assert (line.counts.false_rejects, line.counts.escapes) == (1, 1)

    line.overrule("f", "defect", agrees=True)

    assert (line.counts.false_rejects, line.counts.escapes) == (0, 1)


def test_reported_escapes_add_to_the_overruled(line: Line) -> None:
    line.overrule("p", "defect", agrees=False)
    line.tell(Escape("bracket-a", 3, "customer"))

    assert line.counts.escapes == 4


def test_a_review_is_open_until_it_is_judged(line: Line) -> None:
    line.judge("REVIEW", "r1")
    line.judge("REVIEW", "r2")
    line.overrule("r1", "good", agrees=None)

    assert line.board.snapshot(LINE).open_reviews == 1
    assert line.counts.false_rejects == 0


def test_counts_start_afresh_with_the_shift_and_the_last_part_stays(line: Line) -> None:
    line.judge("FAIL", "f")
    line.clock.advance(timedelta(hours=5))

    snapshot = line.board.snapshot(LINE)

    assert snapshot.counts == ShiftCounts()
    assert snapshot.shift.start == datetime(2026, 1, 5, 13, 0, tzinfo=UTC)
    assert snapshot.last is not None
    assert snapshot.last.key == "f"


def test_old_data_that_is_replayed_does_not_count_in_this_shift(line: Line) -> None:
    line.judge("FAIL", "old", at=NOW - timedelta(days=30))

    assert line.counts.inspected == 0


def test_the_same_event_again_changes_nothing(line: Line) -> None:
    recorded = line.tell(Escape("bracket-a", 2, "customer"))
    before = line.board.version

    line.board.committed(Committed(events=[recorded], outbox=[]))

    assert line.counts.escapes == 2
    assert line.board.version == before


def test_another_line_is_none_of_this_board(line: Line) -> None:
    line.tell(Escape("bracket-a", 2, "customer"), line="press-9")

    assert line.board.version == 0
    with pytest.raises(KeyError):
        line.board.snapshot("press-9")


def test_alarms_stand_from_raised_to_cleared(line: Line) -> None:
    line.tell(Alarm("hot", "press", "raised", 81.0, 80.0, "Check cooling", NOW))
    line.tell(Alarm("loud", "press", "raised", 9.0, 8.0, "Check bearing", NOW))
    line.tell(Alarm("hot", "press", "cleared", 70.0, 80.0, "Check cooling", NOW))

    assert [alarm.body.alarm for alarm in line.board.snapshot(LINE).alarms] == ["loud"]


def test_a_late_fact_does_not_change_what_the_machine_does_now(line: Line) -> None:
    line.tell(MachineState("press", "producing"))
    line.tell(MachineState("press", "unplanned_stop", "jam"), at=NOW - timedelta(minutes=5))

    assert [machine.body.state for machine in line.board.snapshot(LINE).machines] == ["producing"]


def test_the_same_state_again_keeps_its_beginning(line: Line) -> None:
    line.tell(MachineState("press", "idle"), at=NOW - timedelta(minutes=5))
    line.tell(MachineState("press", "idle"))

    assert line.board.snapshot(LINE).machines[0].since == NOW - timedelta(minutes=5)


def test_undelivered_until_delivered(line: Line) -> None:
    line.tell(Undelivered("f", "t/reject", 500.0, "stop"))
    line.tell(Undelivered("f", "t/verdict", 500.0, "none"))
    line.tell(Delivered("f", "t/verdict"))

    snapshot = line.board.snapshot(LINE)

    assert [late.topic for late in snapshot.late] == ["t/reject"]
    assert snapshot.late_count == 1


def test_a_gap_in_health_stays_in_the_trend(line: Line) -> None:
    for minute, health in enumerate((90.0, None, 80.0)):
        line.tell(Health("press", health, "ok"), at=NOW + timedelta(minutes=minute))

    assert [point.health for point in line.board.snapshot(LINE).health[0].trend] == [90.0, None, 80.0]


def test_waiting_ends_with_a_change_and_with_the_time(line: Line) -> None:
    assert line.board.wait(0, 0.01) == 0
    seen: list[int] = []
    waiting = threading.Thread(target=lambda: seen.append(line.board.wait(0, 10.0)))
    waiting.start()

    line.judge("PASS", "p")
    waiting.join(timeout=10)

    assert seen == [1]


def test_a_rebuilt_board_is_the_board_that_saw_everything(rig: Rig) -> None:
    fill_sample(rig)
    key = rig.inspect("A-2000", "FAIL")
    rig.writer.commit([rig.event("d1", Disposition(key, "good", agrees=False, reviewer="kim", stratum="audit_fail"))])
    rig.writer.commit([rig.event("a2", Alarm("other", "press", "raised", 2.0, 1.0, "Look", NOW))])
    rig.writer.commit([rig.event("a3", Alarm("other", "press", "cleared", 0.5, 1.0, "Look", NOW))])

    again = LineBoard(rig.lines, rig.settings, rig.clock)
    again.rebuild(rig.writer.store)

    first, second = rig.board.snapshot(LINE), again.snapshot(LINE)
    assert second.counts == first.counts
    assert second.counts.false_rejects == 1
    assert (second.last, second.alarms, second.health) == (first.last, first.alarms, first.health)
    assert (second.machines, second.last_stop, second.open_reviews) == (first.machines, first.last_stop, 3)
    assert second.last_event_at == first.last_event_at


def test_only_what_the_outbox_still_holds_is_late_after_a_restart(rig: Rig) -> None:
    key = rig.inspect("A-1", "FAIL")
    late = rig.inspect("A-2", "FAIL")
    message = OutboxMessage("m", "u2", "t/reject", b"{}", 0, LINE)
    rig.writer.commit([rig.event("u1", Undelivered(key, "t/reject", 500.0, "stop"))])
    rig.writer.commit(
        [rig.event("u2", Undelivered("u2", "t/reject", 500.0, "stop"))],
        [message],
    )
    assert rig.board.snapshot(LINE).late_count == 2

    again = LineBoard(rig.lines, rig.settings, rig.clock)
    again.rebuild(rig.writer.store)

    assert [entry.subject_key for entry in again.snapshot(LINE).late] == ["u2"]
    assert late


def test_a_board_continues_after_its_rebuild(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    try:
        rig.inspect("A-1", "PASS")
        rig.board.rebuild(rig.writer.store)
        rig.inspect("A-2", "FAIL")

        assert rig.board.snapshot(LINE).counts == ShiftCounts(2, 1, 1, 0, 0, 0, 0)
    finally:
        rig.close()
