"""A status page over real parts for tests: SQLite store with its writer thread, evidence folder, board, web server.

Run as a script it serves a sample line until it is ended, for looking at the page:

    python -m tests.edge_agent.status.rig FOLDER [PORT]
"""

from __future__ import annotations

import queue
import socket
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import uvicorn

from edge_agent.adapters.file_evidence import FileEvidence
from edge_agent.adapters.opencv_map_codec import encode_map
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.events import (
    Alarm,
    AuditDraw,
    Body,
    Downtime,
    Event,
    Health,
    Inspection,
    LatencyMs,
    MachineState,
    VerdictName,
)
from edge_agent.inspection.sampling import SEED_BYTES, AuditLottery, AuditRates
from edge_agent.instant import Instant, from_us, to_us
from edge_agent.metrics import Metrics
from edge_agent.ports import Batch, LinkHealth, OutboxMessage
from edge_agent.settings.config import AgentSettings
from edge_agent.status.board import LineBoard
from edge_agent.status.context import Asked
from edge_agent.status.server import StatusContext, create_app
from edge_agent.system_state import AssetState, Interlock, StationState, SystemState
from edge_agent.workers.inspecting import StationAudit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

LINE = "press-1"
DEADLINE_S = 10.0
JUDGING = "/api/inspections/disposition"
STOPS_FROM = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds; fails with `what` after the deadline."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > end:
            message = f"not within {DEADLINE_S} s: {what}"
            raise AssertionError(message)
        time.sleep(0.01)


def error(response: httpx.Response) -> dict[str, str]:
    """The error in an answer, which has the one shape and no stack trace."""
    content = response.json()
    assert list(content) == ["error"]
    assert sorted(content["error"]) == ["code", "hint", "message"]
    assert all(isinstance(value, str) and value for value in content["error"].values())
    assert "Traceback" not in response.text
    found: dict[str, str] = content["error"]
    return found


def judge(client: httpx.Client, key: str, **changes: Any) -> httpx.Response:
    """Post a judgement as JSON; a change of None leaves the field out."""
    body = {"inspection_key": key, "judgement": "good", "reviewer": "Kim", **changes}
    return client.post(JUDGING, json={name: value for name, value in body.items() if value is not None})


class TestClock:
    """Real time, shifted; `advance` moves it."""

    __test__ = False

    def __init__(self, start: datetime | None = None) -> None:
        self._fixed_us = None if start is None else to_us(start)
        self._shift_us = 0

    def now(self) -> Instant:
        utc_us = time.time_ns() // 1_000 if self._fixed_us is None else self._fixed_us
        return Instant(utc_us + self._shift_us, time.monotonic_ns() + self._shift_us * 1_000, "test-boot")

    def advance(self, by: timedelta) -> None:
        self._shift_us += round(by.total_seconds() * 1e6)


class Writer:
    """Commits from one thread, as the pipeline does, and tells the board; port `Recorder`."""

    def __init__(self, path: Path, clock: TestClock, board: LineBoard, metrics: Metrics) -> None:
        self.failure: Exception | None = None
        self.store: SqliteStore
        self._clock, self._board, self._metrics = clock, board, metrics
        self._work: queue.Queue[tuple[Batch, Future[int]] | None] = queue.Queue()
        opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(path, opened), daemon=True)
        self._thread.start()
        opened.result(timeout=DEADLINE_S)

    def commit(self, events: Sequence[Event], outbox: Sequence[OutboxMessage] = ()) -> int:
        """Commit and return how many events were new."""
        done: Future[int] = Future()
        self._work.put((Batch(at=self._clock.now(), events=events, outbox=outbox), done))
        return done.result(timeout=DEADLINE_S)

    def record(self, event: Event, *, timeout_s: float) -> bool:
        assert timeout_s > 0
        if self.failure is not None:
            raise self.failure
        return self.commit([event]) == 1

    def close(self) -> None:
        self._work.put(None)
        self._thread.join(timeout=DEADLINE_S)

    def _run(self, path: Path, opened: Future[None]) -> None:
        self.store = SqliteStore.open(path)
        opened.set_result(None)
        while (item := self._work.get()) is not None:
            batch, done = item
            committed = self.store.commit(batch)
            self._metrics.committed(committed, 0.002)
            self._board.committed(committed)
            done.set_result(len(committed.events))
        self.store.close()


def sample_system() -> SystemState:
    """A healthy agent with one station and two watched machines; its store's totals are filled in by the rig."""
    from edge_agent.ports import StoreTotals

    return SystemState(
        agent="cell-3",
        version="0.1.0",
        started_us=0,
        uptime_s=3_600.0,
        links=(
            LinkHealth("mqtt", alive=True, last_activity_mono_ns=1),
            LinkHealth("folder:vision-1", alive=True, last_activity_mono_ns=1),
            LinkHealth("cell-3-out", alive=True, last_activity_mono_ns=1),
        ),
        stations=(StationState("vision-1", LINE, "live", "bracket-a@3", "CPUExecutionProvider", 0),),
        assets=(
            AssetState("press", LINE, "press-health@2", "CPUExecutionProvider", 120.0),
            AssetState("conveyor", LINE, "conveyor-health@1", "CPUExecutionProvider", 120.0),
        ),
        interlocks=(Interlock(LINE, "run"),),
        store=StoreTotals(0, 0, 0, 0, 0, 0),
        waiting_messages=0,
        last_message_age_s=1.0,
        last_commit_ms=2.0,
    )


@dataclass
class Rig:
    """All parts of a running page; `system` may be replaced at any time."""

    folder: Path
    clock: TestClock = field(default_factory=TestClock)
    lines: tuple[str, ...] = (LINE,)
    language: Literal["ko", "en"] = "en"
    system: SystemState = field(default_factory=sample_system)
    port: int = 0
    asked: Asked = field(default_factory=Asked)

    def __post_init__(self) -> None:
        self.settings = AgentSettings(name="cell-3", data_dir=str(self.folder), language=self.language)
        self.metrics = Metrics()
        self.board = LineBoard(self.lines, self.settings, self.clock)
        self.writer = Writer(self.folder / "store.sqlite", self.clock, self.board, self.metrics)
        self.board.rebuild(self.writer.store)
        self.evidence = FileEvidence(self.folder / "evidence")
        self.context = StatusContext(
            reader=self.writer.store,
            evidence=self.evidence,
            recorder=self.writer,
            board=self.board,
            system=self.system_now,
            metrics=self.metrics,
            settings=self.settings,
            lines=self.lines,
            clock=self.clock,
            asked=self.asked,
        )
        self.app = create_app(self.context)
        self._listen()

    def system_now(self) -> SystemState:
        import msgspec

        return msgspec.structs.replace(self.system, store=self.writer.store.totals())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _listen(self) -> None:
        # with the protocol named, asyncio turns Nagle's delay off; without it every answer takes 40 ms
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", self.port))
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self.app, log_config=None, access_log=False, timeout_graceful_shutdown=2, server_header=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        wait_for(lambda: self._server.started, "server started")

    def stop_server(self) -> None:
        self.app.state.live.close()
        self._server.should_exit = True
        self._thread.join(timeout=DEADLINE_S)
        self._socket.close()

    def start_server(self) -> None:
        """The same page again on the same port, as after a restart."""
        self.app = create_app(self.context)
        self._listen()

    def close(self) -> None:
        self.stop_server()
        self.writer.close()

    # ---- facts ------------------------------------------------------------------------------------------------

    def event(self, key: str, body: Body, *, ago_s: float = 0.0, line: str = LINE, simulated: bool = False) -> Event:
        at = self.clock.now().utc - timedelta(seconds=ago_s)
        return Event(key, line, at, body, "simulated" if simulated else "measured")

    def inspect(
        self,
        part: str,
        verdict: VerdictName,
        *,
        image: bytes | None = None,
        anomaly_map: bytes | None = None,
        ago_s: float = 0.0,
        simulated: bool = False,
    ) -> str:
        """Commit an inspection and return its key."""
        score = {"PASS": 0.21, "REVIEW": 0.93, "FAIL": 1.74, "NO_VERDICT": None}[verdict]
        reason = {
            "PASS": "score_below_review",
            "REVIEW": "score_in_review_band",
            "FAIL": "score_above_threshold",
            "NO_VERDICT": "image_truncated",
        }[verdict]
        body = Inspection(
            station="vision-1",
            part_id=part,
            product="bracket-a",
            verdict=verdict,
            reason=reason,
            mode="live",
            score=score,
            threshold=1.0,
            review_from=0.85,
            model="bracket-a@3",
            model_digest="0" * 64,
            image=None if image is None else self.evidence.put(image),
            anomaly_map=None if anomaly_map is None else self.evidence.put(anomaly_map),
            latency_ms=LatencyMs(queue=4.0, decode=2.1, infer=31.0, decide=0.4),
        )
        key = f"{LINE}/vision-1/{part}"
        self.writer.commit([self.event(key, body, ago_s=ago_s, simulated=simulated)])
        return key

    def draw(self, key: str, stratum: Literal["PASS", "FAIL"], rank: float = 0.5) -> None:
        """Commit that an inspection was drawn for the blind audit."""
        body = AuditDraw(key, "vision-1", "bracket-a", stratum, 0.1, "seed", rank)
        self.writer.commit([self.event(f"audit_draw/{key}", body)])

    def stop(self, minute: int, minutes: float, reason: str = "jam", *, planned: bool = False) -> str:
        """Commit a stop of the press that began so many minutes after `STOPS_FROM`; returns its key."""
        started = STOPS_FROM + timedelta(minutes=minute)
        ended = started + timedelta(minutes=minutes)
        body = Downtime("press", ended, minutes * 60, planned=planned, reason=reason)
        key = f"downtime/{LINE}/press/{to_us(started)}"
        self.writer.commit([Event(key, LINE, started, body)])
        return key

    def alarm(self, name: str, *, ago_s: float = 600.0) -> str:
        """Commit a raised alarm of the press; returns its key."""
        at = self.clock.now().utc - timedelta(seconds=ago_s)
        key = f"alarm/{LINE}/{name}/{to_us(at)}/raised"
        self.writer.commit([Event(key, LINE, at, Alarm(name, "press", "raised", 1.2, 1.0, "Grease the bearing.", at))])
        return key


def audited(repeat_rate: float = 0.0) -> Asked:
    """What is asked on a line whose station draws parts, and of which every judged part is shown again at rate 1."""
    rates = AuditRates(0.1, 0.1, repeat_rate, 0.01, 0.05, capped=False)
    audit = StationAudit(AuditLottery(bytes(SEED_BYTES)), rates)
    return Asked(
        audits={"vision-1": audit},
        audited_lines=frozenset({LINE}),
        stopping={LINE: "press"},
        assets={LINE: ("press", "conveyor")},
    )


def part_image(defect_at: tuple[int, int] | None = (430, 210), size: tuple[int, int] = (640, 480)) -> bytes:
    """A grey stamped bracket as JPEG, with a scratch where wanted."""
    width, height = size
    rng = np.random.default_rng(7)
    brushed = cv2.GaussianBlur(rng.normal(0, 26, (height, width)).astype(np.float32), (61, 1), 0)
    light = np.linspace(150, 190, width, dtype=np.float32)[np.newaxis, :]
    picture = np.full((height, width), 34, np.float32)
    inside = np.zeros((height, width), np.uint8)
    cv2.rectangle(inside, (60, 90), (width - 60, height - 90), 1, -1)
    for x in (150, width - 150):
        cv2.circle(inside, (x, height // 2), 42, 0, -1)
    picture = np.where(inside == 1, light + brushed, picture)
    if defect_at is not None:
        x, y = defect_at
        cv2.line(picture, (x - 60, y + 26), (x + 50, y - 30), 245.0, 3, cv2.LINE_AA)
    grey = np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
    encoded, data = cv2.imencode(".jpg", cv2.merge([grey, grey, grey]))
    assert encoded
    return data.tobytes()


def part_map(defect_at: tuple[int, int] | None = (430, 210), size: tuple[int, int] = (640, 480)) -> bytes:
    """The anomaly map that belongs to `part_image`, threshold 1.0."""
    values = np.full((size[1] // 8, size[0] // 8), 0.2, np.float32)
    if defect_at is not None:
        x, y = defect_at
        cv2.line(values, ((x - 60) // 8, (y + 26) // 8), ((x + 50) // 8, (y - 30) // 8), 2.2, 3)
        values = np.asarray(cv2.GaussianBlur(values, (9, 9), 0), np.float32)
    return encode_map(values, 1.0)


def fill_sample(rig: Rig) -> None:
    """A line in the middle of a shift: verdicts, two reviews, health with a worn bearing, an alarm, a stop."""
    good, scratched = part_image(None), part_image()
    heat, cold = part_map(), part_map(None)
    events: list[Event] = []
    for minute in range(90, 0, -1):
        wear = max(0.0, (60 - minute) / 60)
        health = None if 70 <= minute <= 72 else 96.0 - 62.0 * wear**2
        statistic = None if health is None else 0.3 + 0.9 * wear
        above = statistic is not None and statistic >= 1.0
        reason = "stale_channel" if health is None else "above_limit" if above else "ok"
        shares = {"vibration_mm_s": 0.61, "die_temperature": 0.22, "motor_current": 0.09} if above else {}
        body = Health("press", health, reason, statistic, shares, "press-health@2", "0" * 64)
        events.append(rig.event(f"health/press/{minute}", body, ago_s=60 * minute))
        calm = Health("conveyor", 97.0 + (minute % 5) / 4, "ok", 0.2, {"belt_speed": 0.4, "motor_current": 0.3})
        events.append(rig.event(f"health/conveyor/{minute}", calm, ago_s=60 * minute))
    since = rig.clock.now().utc - timedelta(minutes=14)
    events.append(
        rig.event(
            "alarm/press-wear/raised",
            Alarm("press-wear", "press", "raised", 1.14, 1.0, "Check the main bearing and grease it.", since),
            ago_s=800,
        )
    )
    stopped = from_us(rig.clock.now().utc_us - 5_400_000_000)
    jam = Downtime("press", stopped + timedelta(minutes=7), 420.0, planned=False, reason="feeder jam")
    events.append(Event("downtime/1", LINE, stopped, jam))
    events.append(rig.event("state/1", MachineState("press", "producing"), ago_s=4_980))
    events.append(rig.event("state/2", MachineState("conveyor", "producing"), ago_s=4_980))
    rig.writer.commit(events)
    for number in range(60):
        rig.inspect(f"A-{1000 + number}", "PASS", ago_s=900 - 10 * number)
    for number, verdict in ((1061, "FAIL"), (1062, "REVIEW"), (1063, "REVIEW"), (1064, "FAIL")):
        rig.inspect(f"A-{number}", verdict, image=scratched, anomaly_map=heat, ago_s=70 - (number - 1061) * 10)  # type: ignore[arg-type] # literals of the tuple above
    rig.inspect("A-1065", "NO_VERDICT", image=b"\xff\xd8\xff broken", ago_s=20)
    rig.inspect("A-1066", "REVIEW", image=good, anomaly_map=cold, ago_s=12)
    rig.inspect("A-1067", "FAIL", image=scratched, anomaly_map=heat, ago_s=3)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rig = Rig(folder, port=int(sys.argv[2]) if len(sys.argv) > 2 else 0, language="ko")
    fill_sample(rig)
    sys.stdout.write(f"{rig.url}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
