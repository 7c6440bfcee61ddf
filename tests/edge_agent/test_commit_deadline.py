"""A store that hangs must not let a part pass: the deadline runs from the capture, not from the commit."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from edge_agent.condition import Condition, Heartbeat
from edge_agent.inspection.inspections import Frame, Limits, Score
from edge_agent.instant import Instant
from edge_agent.metrics import Metrics
from edge_agent.pipeline import Line, Pace, Pipeline
from edge_agent.ports import Batch, Committed, Delivery, LinkHealth, ModelIdentity, OutboxMessage
from edge_agent.settings.config import Settings
from edge_agent.workers.inspecting import Eyes, StationPlan, StationWorker
from edge_agent.workers.publishing import StationPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

DEADLINE_MS = 500
PATIENCE_S = 20.0
SETTINGS = {
    "agent": {"name": "a", "data_dir": "d"},
    "stations": [
        {
            "name": "cam", "line": "press-1", "model": "m", "mode": "live", "on_late": "divert",
            "deadline_ms": DEADLINE_MS, "folder": {"path": "images"},
        }
    ],
    "sink": {"heartbeat_s": 0.2},
}  # fmt: skip


class HandClock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def now(self) -> Instant:
        return Instant(self.ms * 1_000, self.ms * 1_000_000, "boot")


class Scorer:
    identity = ModelIdentity("m@1", "d")
    limits = Limits(threshold=1.0, review_from=0.8)
    provider = "test"

    def score(self, pixels: NDArray[np.uint8]) -> Score:
        return Score(int(pixels[0]) / 10, None)


class Decoder:
    def decode(self, encoded: bytes) -> NDArray[np.uint8]:
        return np.frombuffer(encoded, np.uint8)


class Sink:
    """Takes messages; acknowledges when told to."""

    name = "out"

    def __init__(self) -> None:
        self.sent: list[OutboxMessage] = []
        self.interlocks: list[tuple[str, str]] = []

    def start(self, settled: Callable[[str], None]) -> None:
        self.settled = settled

    def send(self, message: OutboxMessage) -> None:
        self.sent.append(message)

    def announce(self, topic: str, payload: bytes, *, expiry_s: float | None = None) -> None:
        assert topic == "lineproof/press-1/interlock"
        assert expiry_s is not None
        told = msgspec.json.decode(payload)
        self.interlocks.append((told["state"], told["reason"]))

    def health(self) -> LinkHealth:
        return LinkHealth(self.name, alive=True, last_activity_mono_ns=None)

    def stop(self) -> None: ...


class StallingStore:
    """Commits when it is let."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.hanging = threading.Event()

    def commit(self, batch: Batch) -> Committed:
        if batch.outbox:
            self.hanging.set()
            assert self.go.wait(PATIENCE_S)
        return Committed(events=[], outbox=list(batch.outbox), duplicate_events=0)

    def compact(self, now: Instant) -> int:
        del now
        return 0

    def pending_outbox(self, limit: int | None = None) -> list[OutboxMessage]:
        del limit
        return []


class Source:
    name = "folder:cam"

    def start(self, deliver: Callable[[Delivery], None]) -> None:
        self.deliver = deliver

    def acknowledge(self, tokens: Sequence[object]) -> None: ...

    def health(self) -> LinkHealth:
        return LinkHealth(self.name, alive=True, last_activity_mono_ns=None)

    def pause(self) -> None: ...

    def stop(self) -> None: ...


class Bench:
    """A live station, its pipeline and its heartbeat on a clock that is moved by hand."""

    def __init__(self) -> None:
        self.clock, self.sink, self.store, self.source = HandClock(), Sink(), StallingStore(), Source()
        evidence: Any = SimpleNamespace(put=lambda _: "digest")
        eyes = Eyes(Decoder(), Scorer(), evidence, lambda *_: b"")
        worker = StationWorker(
            StationPlan("cam", "press-1", "live", frozenset()), eyes, self.clock, Metrics(), queue_size=4
        )
        fakes: Any = {"store": self.store, "sink": self.sink, "sources": (self.source,)}
        self.line = Line(
            **fakes,
            clock=self.clock,
            metrics=Metrics(),
            workers={"cam": worker},
            monitors={},
            stops={},
            policies={"cam": StationPolicy(DEADLINE_MS, "divert")},
            observers=(),
            names=("press-1",),
            prefix="lineproof",
            pace=Pace(commit_messages=50, commit_s=0.005, queue_messages=100),
        )
        self.pipeline = Pipeline(self.line)
        settings = Settings.model_validate(SETTINGS)
        self.condition = Condition(settings, self.line, self.pipeline, self.clock.now(), "0", {})
        self.heartbeat = Heartbeat(self.condition, lambda: None)

    def see(self, number: int, *, score: int = 5) -> None:
        frame = Frame(f"k{number}", "press-1", "cam", f"p{number}", "", self.clock.now(), bytes([score]))
        self.source.deliver(Delivery("folder:cam", number, 0, frames=(frame,)))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, what
            time.sleep(0.005)

    @property
    def interlock(self) -> tuple[str, str]:
        (told,) = self.condition.interlocks()
        return told.state, told.reason


@pytest.fixture(name="bench")
def _bench() -> Iterator[Bench]:
    made = Bench()
    made.pipeline.start()
    made.pipeline.open()
    made.heartbeat.start()
    yield made
    made.store.go.set()
    made.heartbeat.stop()
    made.pipeline.stop()


def test_a_commit_that_hangs_raises_the_stations_action_when_the_parts_time_is_up(bench: Bench) -> None:
    bench.see(1)
    assert bench.store.hanging.wait(PATIENCE_S)
    bench.clock.ms += DEADLINE_MS
    assert bench.interlock == ("run", "")
    bench.clock.ms += 1
    assert bench.interlock == ("divert", "verdict_late")
    bench.until(lambda: ("divert", "verdict_late") in bench.sink.interlocks, "the controller is told")
    assert not bench.sink.sent


def test_a_part_that_waits_behind_a_hanging_commit_counts_too(bench: Bench) -> None:
    bench.see(1)
    assert bench.store.hanging.wait(PATIENCE_S)
    bench.clock.ms += 100
    bench.see(2)
    bench.until(lambda: bench.pipeline.waiting == 1, "the second verdict waits for the writer")
    bench.clock.ms += DEADLINE_MS - 100
    assert bench.interlock == ("run", "")
    bench.clock.ms += 1
    assert bench.interlock == ("divert", "verdict_late")


def test_after_the_commit_the_delivery_has_what_is_left_of_the_time(bench: Bench) -> None:
    bench.see(1, score=20)
    assert bench.store.hanging.wait(PATIENCE_S)
    bench.clock.ms += 400
    bench.store.go.set()
    bench.until(lambda: bench.line.workers["cam"].oldest_s == 0, "the part is settled")
    reject, verdict = bench.sink.sent
    assert (reject.topic, verdict.topic) == ("lineproof/press-1/cam/reject", "lineproof/press-1/cam/verdict")
    assert bench.interlock == ("run", "")
    bench.clock.ms += DEADLINE_MS - 400
    assert bench.interlock == ("divert", "reject_undelivered")
