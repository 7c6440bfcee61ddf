"""A station in shadow through the whole route: judged, recorded and audited; nothing on the line moves for it."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.condition import Condition
from edge_agent.events import AuditDraw, Inspection
from edge_agent.inspection.inspections import Frame, Limits, Score
from edge_agent.inspection.sampling import AuditLottery, AuditRates
from edge_agent.instant import Instant
from edge_agent.metrics import Metrics
from edge_agent.pipeline import Line, Pace, Pipeline
from edge_agent.ports import Delivery, LinkHealth, ModelIdentity, OutboxMessage
from edge_agent.settings.config import Settings
from edge_agent.workers.inspecting import Eyes, StationAudit, StationPlan, StationWorker
from edge_agent.workers.publishing import StationPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_agent.events import Mode

CLOCK = SystemClock()
PATIENCE_S = 20.0
PARTS = 60


class Decoder:
    def decode(self, encoded: bytes) -> NDArray[np.uint8]:
        return np.frombuffer(encoded, np.uint8)


class Scorer:
    """The first byte tenfold is the score: 5 passes, 9 is doubtful, 20 fails."""

    identity = ModelIdentity("bracket@1", "d" * 64)
    limits = Limits(threshold=1.0, review_from=0.8)
    provider = "test"

    def score(self, pixels: NDArray[np.uint8]) -> Score:
        return Score(int(pixels[0]) / 10, None)


class Evidence:
    def put(self, content: bytes) -> str:
        return content.hex()[:8]

    def get(self, digest: str) -> bytes | None:
        del digest
        return None


class Folder:
    name = "folder:cam"

    def __init__(self) -> None:
        self.acknowledged = 0
        self.deliver: Callable[[Delivery], None] | None = None

    def start(self, deliver: Callable[[Delivery], None]) -> None:
        self.deliver = deliver

    def acknowledge(self, tokens: Sequence[object]) -> None:
        self.acknowledged += len(tokens)

    def health(self) -> LinkHealth:
        return LinkHealth(self.name, alive=True, last_activity_mono_ns=None)

    def pause(self) -> None: ...

    def stop(self) -> None: ...


class Broker:
    """A sink that never acknowledges: every deadline passes."""

    name = "out"

    def __init__(self) -> None:
        self.sent: list[OutboxMessage] = []
        self.announced: list[str] = []

    def start(self, settled: Callable[[str], None]) -> None: ...

    def send(self, message: OutboxMessage) -> None:
        self.sent.append(message)

    def announce(self, topic: str, payload: bytes, *, expiry_s: float | None = None) -> None:
        del payload, expiry_s
        self.announced.append(topic)

    def health(self) -> LinkHealth:
        return LinkHealth(self.name, alive=True, last_activity_mono_ns=None)

    def stop(self) -> None: ...


class Station:
    """One station in a mode with its pipeline, over a real store."""

    def __init__(self, folder: Path, mode: Mode) -> None:
        self.store_path = folder / "store.sqlite"
        self.folder, self.broker = Folder(), Broker()
        rates = AuditRates(0.5, 0.5, 0.1, 0.01, 0.05, capped=False)
        audit = StationAudit(AuditLottery(bytes(32)), rates)
        plan = StationPlan("cam", "press-1", mode, frozenset(), "simulated", audit)
        worker = StationWorker(
            plan, Eyes(Decoder(), Scorer(), Evidence(), lambda *_: b""), CLOCK, Metrics(), queue_size=9
        )
        self.opened = threading.Event()
        self.store = SqliteStore.open(self.store_path)
        self.line = Line(
            store=self.store,
            clock=CLOCK,
            metrics=Metrics(),
            sink=self.broker,
            sources=(self.folder,),
            workers={"cam": worker},
            monitors={},
            stops={},
            policies={"cam": StationPolicy(100.0, "stop")},
            observers=(),
            names=("press-1",),
            prefix="lineproof",
            pace=Pace(50, 0.01, 100),
        )
        station = {"name": "cam", "line": "press-1", "model": "m", "mode": mode, "on_late": "stop", "deadline_ms": 100}
        self.settings = Settings.model_validate(
            {
                "agent": {"name": "a", "data_dir": str(folder)},
                "stations": [{**station, "folder": {"path": "images"}}],
            }
        )
        self.pipeline = Pipeline(self.line)
        self.pipeline.start()
        self.pipeline.open()

    def judge_all(self) -> None:
        assert self.folder.deliver is not None
        for number in range(PARTS):
            now: Instant = CLOCK.now()
            content = bytes([(5, 9, 20)[number % 3], number])
            frame = Frame(f"press-1/cam/{number}", "press-1", "cam", f"p{number}", "b", now, content)
            self.folder.deliver(Delivery(self.folder.name, number, now.mono_ns, frames=(frame,)))
        end = time.monotonic() + PATIENCE_S
        while self.folder.acknowledged < PARTS:
            assert time.monotonic() < end, "not all parts were judged in time"
            threading.Event().wait(0.01)

    def bodies(self, kind: str) -> list[object]:
        return [recorded.event.body for recorded in self.store.latest_events(kind, limit=1_000)]

    def close(self) -> None:
        self.pipeline.stop()
        self.store.close()


@pytest.fixture
def shadow(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path, "shadow")
    yield made
    made.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path, "live")
    yield made
    made.close()


def test_a_shadow_station_records_every_verdict_and_rejects_nothing(shadow: Station) -> None:
    shadow.judge_all()

    inspections = shadow.bodies("inspection")
    assert len(inspections) == PARTS
    assert {body.mode for body in inspections if isinstance(body, Inspection)} == {"shadow"}
    assert sum(isinstance(body, Inspection) and body.verdict == "FAIL" for body in inspections) == PARTS // 3
    assert [m.topic for m in shadow.broker.sent if m.topic.endswith("/reject")] == []
    assert {json.loads(m.payload)["mode"] for m in shadow.broker.sent} == {"shadow"}
    assert {(m.deadline_ms, m.on_late) for m in shadow.broker.sent} == {(None, "none")}


def test_a_shadow_station_is_audited_like_a_live_one(shadow: Station) -> None:
    shadow.judge_all()

    draws = [body for body in shadow.bodies("audit_draw") if isinstance(body, AuditDraw)]
    lottery = AuditLottery(bytes(32))
    wanted = {
        f"press-1/cam/{n}" for n in range(PARTS) if n % 3 != 1 and lottery.draw(f"press-1/cam/{n}", 0.5) is not None
    }
    assert {draw.inspection_key for draw in draws} == wanted
    assert {draw.stratum for draw in draws} == {"PASS", "FAIL"}


def test_nothing_that_is_late_in_shadow_touches_the_interlock(shadow: Station) -> None:
    shadow.judge_all()
    now = CLOCK.now()
    later = Instant(now.utc_us, now.mono_ns + 3_600 * 10**9, now.boot_id)  # every deadline has passed by then

    condition = Condition(shadow.settings, shadow.line, shadow.pipeline, now, "1", {})
    assert [interlock.state for interlock in shadow.pipeline._watch.interlocks(("press-1",), later)] == ["run"]
    assert shadow.pipeline._watch.expire(later) == []
    assert condition.interlocks() == ()
    assert shadow.bodies("undelivered") == []
    assert shadow.broker.announced == []


def test_the_same_parts_in_live_mode_are_rejected_and_stop_the_line(live: Station) -> None:
    """What the tests above say of shadow would be worth nothing if this rig could not reject."""
    live.judge_all()

    rejects = [m for m in live.broker.sent if m.topic == "lineproof/press-1/cam/reject"]
    assert len(rejects) == 2 * PARTS // 3
    end = time.monotonic() + PATIENCE_S
    while live.pipeline.interlocks[0].state != "stop":
        assert time.monotonic() < end
        threading.Event().wait(0.01)
