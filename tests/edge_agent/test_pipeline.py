"""The route of the data, with fakes of the ports that record in which order things happen."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from edge_agent.errors import StoreBusyError, StoreError, ValueRefusedError
from edge_agent.events import Alarm, Disposition, Energy, Event, MachineState, RecordedEvent
from edge_agent.instant import Instant
from edge_agent.machines.downtime import DowntimeTracker
from edge_agent.metrics import Metrics
from edge_agent.pipeline import Line, Pace, Pipeline
from edge_agent.ports import Batch, Committed, Delivery, LinkHealth, OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
PATIENCE_S = 10.0


class SteadyClock:
    def now(self) -> Instant:
        return Instant(time.time_ns() // 1_000, time.monotonic_ns(), "boot")


class ListStore:
    """A store in memory that can be told to refuse, and writes into the shared journal."""

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal
        self.events: dict[str, Event] = {}
        self.refusals: list[StoreError] = []
        self.batches: list[Batch] = []
        self.pending: list[OutboxMessage] = []

    def commit(self, batch: Batch) -> Committed:
        self.batches.append(batch)
        if self.refusals:
            raise self.refusals.pop(0)
        offered = {event.key: event for event in batch.events}
        new = [event for event in offered.values() if event.key not in self.events]
        for event in new:
            self.events[event.key] = event
            self.journal.append(f"commit {event.key}")
        subjects = {event.key for event in new}
        return Committed(
            events=[RecordedEvent(len(self.events), NOW, "boot", 0, event) for event in new],
            outbox=list({m.key: m for m in batch.outbox if m.subject_key in subjects}.values()),
            duplicate_events=len(batch.events) - len(new),
        )

    def compact(self, now: Instant) -> int:
        del now
        return 0

    def pending_outbox(self, limit: int | None = None) -> list[OutboxMessage]:
        return self.pending[:limit]


class ListSource:
    name = "mqtt"

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal
        self.deliver: Callable[[Delivery], None] | None = None

    def start(self, deliver: Callable[[Delivery], None]) -> None:
        self.deliver = deliver

    def acknowledge(self, tokens: Sequence[object]) -> None:
        self.journal.extend(f"ack {token}" for token in tokens)

    def health(self) -> LinkHealth:
        return LinkHealth(self.name, alive=True, last_activity_mono_ns=None)

    def pause(self) -> None:
        self.journal.append("source paused")

    def stop(self) -> None:
        self.journal.append("source stopped")


class ListSink:
    name = "out"

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal
        self.settle: Callable[[str], None] | None = None

    def start(self, settled: Callable[[str], None]) -> None:
        self.settle = settled

    def send(self, message: OutboxMessage) -> None:
        self.journal.append(f"send {message.key}")

    def announce(self, topic: str, payload: bytes, *, expiry_s: float | None = None) -> None:
        assert expiry_s is not None
        self.journal.append(f"announce {topic} {payload!r}")

    def health(self) -> LinkHealth:
        return LinkHealth(self.name, alive=True, last_activity_mono_ns=None)

    def stop(self) -> None:
        self.journal.append("sink stopped")


class Bench:
    """A pipeline with everything around it faked."""

    def __init__(self, *, queue_messages: int = 100) -> None:
        self.journal: list[str] = []
        self.store = ListStore(self.journal)
        self.source = ListSource(self.journal)
        self.sink = ListSink(self.journal)
        line = Line(
            store=self.store,  # type: ignore[arg-type]  # the reads of the port are not used by the pipeline
            clock=SteadyClock(),
            metrics=Metrics(),
            sink=self.sink,
            sources=(self.source,),
            workers={},
            monitors={},
            stops={"l": DowntimeTracker("l", "press", minimum_s=0)},
            policies={},
            observers=(),
            names=("l",),
            prefix="lp",
            pace=Pace(commit_messages=50, commit_s=0.005, queue_messages=queue_messages),
        )
        self.pipeline = Pipeline(line)

    def deliver(self, token: str, *facts: Event) -> None:
        assert self.source.deliver is not None
        self.source.deliver(Delivery("mqtt", token, time.monotonic_ns(), facts=facts))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, self.journal
            threading.Event().wait(0.002)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    made.pipeline.start()
    made.pipeline.open()
    yield made
    made.pipeline.stop()


def energy(key: str) -> Event:
    return Event(key, "l", NOW, Energy("power", NOW, 1.0))


def test_nothing_is_acknowledged_before_it_is_durable_and_the_order_holds(bench: Bench) -> None:
    for number in range(20):
        bench.deliver(f"t{number}", energy(f"e{number}"))
    bench.until(lambda: "ack t19" in bench.journal)
    acks = [entry for entry in bench.journal if entry.startswith("ack")]
    assert acks == [f"ack t{number}" for number in range(20)]
    for number in range(20):
        assert bench.journal.index(f"commit e{number}") < bench.journal.index(f"ack t{number}")


def test_what_arrived_together_is_committed_and_acknowledged_in_order(bench: Bench) -> None:
    deliveries = [Delivery("mqtt", f"t{n}", time.monotonic_ns(), facts=(energy(f"e{n}"),)) for n in range(120)]
    bench.pipeline.deliver_all(deliveries)  # more than the queue takes and than one commit holds
    bench.pipeline.deliver_all([])
    bench.until(lambda: "ack t119" in bench.journal)
    assert [entry for entry in bench.journal if entry.startswith("ack")] == [f"ack t{n}" for n in range(120)]
    assert list(bench.store.events) == [f"e{n}" for n in range(120)]
    assert max(len(batch.events) for batch in bench.store.batches) <= 50
    assert b'lineproof_messages_received_total{source="mqtt"} 120.0' in bench.pipeline._line.metrics.render()


def test_a_refused_batch_is_offered_again_unchanged_and_acknowledged_once(bench: Bench) -> None:
    bench.store.refusals = [StoreBusyError("busy"), StoreError("disk full")]
    bench.deliver("t", energy("e"))
    bench.until(lambda: "ack t" in bench.journal)
    first, second, third = (batch for batch in bench.store.batches if batch.events)
    assert first is second is third
    assert bench.journal.count("ack t") == 1
    assert bench.pipeline.problem == ""


def test_a_value_that_no_store_can_keep_is_set_aside_and_the_others_go_on(bench: Bench) -> None:
    honest = bench.store.commit

    def commit(batch: Batch) -> Committed:
        if any(event.key == "poison" for event in batch.events):
            raise ValueRefusedError("a lone surrogate")
        return honest(batch)

    bench.store.commit = commit  # type: ignore[method-assign]  # the fault under test
    bench.store.refusals = [StoreBusyError("busy")] * 3  # so that all of them wait and become one group
    for number in range(9):
        bench.deliver(f"t{number}", energy("poison" if number == 4 else f"e{number}"))
    bench.until(lambda: "ack t8" in bench.journal)
    assert set(bench.store.events) == {f"e{number}" for number in range(9) if number != 4}
    assert [entry for entry in bench.journal if entry.startswith("ack")] == [f"ack t{number}" for number in range(9)]
    (poison,) = [poison for batch in bench.store.batches for poison in batch.quarantined]
    assert poison.reason == "value_refused_by_store"
    assert b"poison" in poison.payload
    with pytest.raises(ValueRefusedError, match="surrogate"):
        bench.pipeline.record(energy("poison"), timeout_s=PATIENCE_S)


def test_the_problem_is_visible_while_commits_fail(bench: Bench) -> None:
    bench.store.refusals = [StoreError("disk full", hint="free some space")] * 3
    bench.deliver("t", energy("e"))
    bench.until(lambda: "disk full" in bench.pipeline.problem)
    bench.until(lambda: not bench.pipeline.problem)


def test_a_redelivery_is_acknowledged_and_changes_nothing(bench: Bench) -> None:
    bench.deliver("t1", energy("e"))
    bench.until(lambda: "ack t1" in bench.journal)
    bench.deliver("t2", energy("e"))
    bench.until(lambda: "ack t2" in bench.journal)
    assert [entry for entry in bench.journal if entry.startswith("commit")] == ["commit e"]


def test_a_stop_is_derived_and_committed_with_the_fact_that_ends_it(bench: Bench) -> None:
    stopped = Event("s1", "l", NOW, MachineState("press", "unplanned_stop", "jam"))
    going = Event("s2", "l", NOW.replace(minute=5), MachineState("press", "producing"))
    bench.deliver("t1", stopped)
    bench.deliver("t2", going)
    bench.until(lambda: "ack t2" in bench.journal)
    derived = [event for event in bench.store.events.values() if event.kind == "downtime"]
    assert [event.body.duration_s for event in derived] == [300.0]  # type: ignore[union-attr]  # kind says downtime
    with_end = next(batch for batch in bench.store.batches if going in batch.events)
    assert derived[0] in with_end.events


def test_a_recorded_fact_is_answered_only_when_durable_and_told_new_from_known(bench: Bench) -> None:
    event = Event("d", "l", NOW, Disposition("k", "good", None, "kim"))
    assert bench.pipeline.record(event, timeout_s=PATIENCE_S) is True
    assert bench.journal == ["commit d"]
    assert bench.pipeline.record(event, timeout_s=PATIENCE_S) is False


def test_a_record_that_is_not_durable_in_time_says_so(bench: Bench) -> None:
    bench.store.refusals = [StoreError("disk full")] * 50
    with pytest.raises(StoreBusyError, match="not durable within"):
        bench.pipeline.record(energy("e"), timeout_s=0.05)
    bench.store.refusals = []
    bench.until(lambda: "commit e" in bench.journal)


def test_alarm_messages_go_out_after_the_commit_and_only_for_new_events(bench: Bench) -> None:
    alarm = Event("a", "l", NOW, Alarm("hot", "press", "raised", 81.0, 80.0, "Check the water", NOW))
    bench.deliver("t1", alarm)
    bench.deliver("t2", alarm)
    bench.until(lambda: "ack t2" in bench.journal)
    assert [entry for entry in bench.journal if entry.startswith("send")] == ["send a/message"]
    assert bench.journal.index("commit a") < bench.journal.index("send a/message")
    assert bench.sink.settle is not None
    bench.sink.settle("a/message")
    bench.until(lambda: any("a/message" in batch.settled for batch in bench.store.batches))


def test_a_commit_that_failed_and_was_durable_all_the_same_still_sends_its_message(bench: Bench) -> None:
    honest = bench.store.commit
    lies = ["the disk said no after it said yes"]

    def commit(batch: Batch) -> Committed:
        committed = honest(batch)
        if batch.outbox and lies:
            bench.store.pending = list(committed.outbox)
            raise StoreError(lies.pop())
        return committed

    bench.store.commit = commit  # type: ignore[method-assign]  # the fault under test
    bench.deliver("t", Event("a", "l", NOW, Alarm("hot", "press", "raised", 81.0, 80.0, "Check the water", NOW)))
    bench.until(lambda: "ack t" in bench.journal)
    bench.until(lambda: "send a/message" in bench.journal)
    assert bench.journal.count("send a/message") == 1


def test_messages_left_from_the_last_run_go_out_first_and_late_ones_raise_the_interlock() -> None:
    bench = Bench()
    bench.store.pending = [OutboxMessage("m", "s", "t", b"", 0, "l", deadline_ms=100, on_late="stop")]
    bench.pipeline.start()
    bench.pipeline.open()
    try:
        bench.until(lambda: "commit undelivered/m" in bench.journal)
        assert bench.journal[0] == "send m"
        bench.until(lambda: bench.pipeline.interlocks[0].state == "stop")
        assert bench.sink.settle is not None
        bench.sink.settle("m")
        bench.until(lambda: "commit delivered/m" in bench.journal)
        bench.until(lambda: bench.pipeline.interlocks[0].state == "run")
    finally:
        bench.pipeline.stop()


def test_a_full_pipeline_holds_the_source_back_and_loses_nothing() -> None:
    bench = Bench(queue_messages=10)
    bench.store.refusals = [StoreError("disk full")] * 3
    bench.pipeline.start()
    bench.pipeline.open()
    handed_over = []

    def produce() -> None:
        for number in range(200):
            bench.deliver(f"t{number}", energy(f"e{number}"))
            handed_over.append(number)

    producer = threading.Thread(target=produce)
    producer.start()
    try:
        bench.until(lambda: "disk full" in bench.pipeline.problem)
        # a group of 50 is in the writer's hand and 10 wait: the source cannot be further than that
        assert len(handed_over) <= 61
        bench.until(lambda: "ack t199" in bench.journal)
    finally:
        producer.join(PATIENCE_S)
        bench.pipeline.stop()
    assert len(bench.store.events) == 200


def test_a_settlement_never_waits_for_a_full_pipeline() -> None:
    bench = Bench(queue_messages=10)
    bench.store.refusals = [StoreError("disk full")] * 100
    bench.pipeline.start()
    bench.pipeline.open()

    def produce() -> None:
        for number in range(100):
            bench.deliver(f"t{number}", energy(f"e{number}"))

    producer = threading.Thread(target=produce)
    producer.start()
    bench.until(lambda: "disk full" in bench.pipeline.problem)
    assert bench.sink.settle is not None
    began = time.monotonic()
    bench.sink.settle("some/message")
    with pytest.raises(StoreBusyError):
        bench.pipeline.record(energy("late"), timeout_s=0.2)
    assert time.monotonic() - began < PATIENCE_S / 2
    bench.store.refusals = []
    producer.join(PATIENCE_S)
    bench.until(lambda: any("some/message" in batch.settled for batch in bench.store.batches))
    bench.pipeline.stop()


def test_a_hanging_commit_does_not_hide_a_passed_deadline() -> None:
    bench = Bench()
    bench.store.pending = [OutboxMessage("m", "s", "t", b"", time.time_ns() // 1_000, "l", False, 500, "stop")]
    release = threading.Event()
    honest = bench.store.commit

    def hang(batch: Batch) -> Committed:
        release.wait(PATIENCE_S)
        return honest(batch)

    bench.store.commit = hang  # type: ignore[method-assign]  # the fault under test
    bench.pipeline.start()
    bench.pipeline.open()
    bench.deliver("t", energy("e"))
    assert bench.pipeline.interlocks[0].state == "run"
    bench.until(lambda: bench.pipeline.interlocks[0].state == "stop")
    assert bench.pipeline.committing_s > 0.1
    release.set()
    bench.pipeline.stop()


def test_what_waits_at_a_stop_is_committed_and_acknowledged() -> None:
    bench = Bench()
    bench.pipeline.start()
    bench.pipeline.open()
    for number in range(50):
        bench.deliver(f"t{number}", energy(f"e{number}"))
    bench.pipeline.stop()
    assert [entry for entry in bench.journal if entry.startswith("ack")] == [f"ack t{number}" for number in range(50)]
    assert bench.journal.index("source paused") < bench.journal.index("ack t49") < bench.journal.index("source stopped")
    assert bench.journal[-1] == "sink stopped"


def test_a_writer_that_dies_is_seen_and_records_are_refused() -> None:
    bench = Bench()

    def explode(batch: Batch) -> Committed:
        del batch
        raise MemoryError

    bench.store.commit = explode  # type: ignore[method-assign]  # the fault under test
    bench.pipeline.start()
    bench.pipeline.open()
    bench.deliver("t", energy("e"))
    bench.until(lambda: bench.pipeline.fatal is not None)
    assert isinstance(bench.pipeline.fatal, MemoryError)
    assert "ack t" not in bench.journal
    with pytest.raises(StoreError, match="writer has ended"):
        bench.pipeline.record(energy("f"), timeout_s=1)
    bench.pipeline.stop()
