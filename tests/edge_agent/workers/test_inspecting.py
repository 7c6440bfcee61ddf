from __future__ import annotations

import dataclasses
import math
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_agent.adapters.system_clock import SystemClock
from edge_agent.errors import ImageRefusedError, ModelRefusedError, StoreError
from edge_agent.events import AuditDraw, Inspection
from edge_agent.inspection.inspections import Frame, Limits, Score
from edge_agent.inspection.sampling import AuditLottery, AuditRates
from edge_agent.metrics import Metrics
from edge_agent.ports import Delivery, ModelIdentity
from edge_agent.workers.inspecting import Eyes, Judged, StationAudit, StationPlan, StationWorker

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_agent.events import VerdictName

CLOCK = SystemClock()


class OnePixelDecoder:
    """Decodes bytes into their own values; refuses what begins with an exclamation mark."""

    def decode(self, encoded: bytes) -> NDArray[np.uint8]:
        if encoded.startswith(b"!"):
            raise ImageRefusedError("image_truncated", "cut off")
        return np.frombuffer(encoded, dtype=np.uint8)


class FirstByteScorer:
    """Scores an image by its first byte: 10 is 1.0; 250 is NaN, 251 fails as a model, 252 as a program."""

    identity = ModelIdentity("first-byte@3", "d" * 64)
    limits = Limits(threshold=1.0, review_from=0.8)
    provider = "test"

    def score(self, pixels: NDArray[np.uint8]) -> Score:
        first = int(pixels[0])
        if first == 251:
            raise ModelRefusedError("broke its contract")
        if first == 252:
            raise RuntimeError("a fault nobody thought of")
        value = math.nan if first == 250 else first / 10
        return Score(value, np.full((2, 2), value, dtype=np.float32))


class MemoryEvidence:
    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.full: Exception | None = None

    def put(self, content: bytes) -> str:
        if self.full is not None:
            raise self.full
        self.kept.append(content)
        return f"digest{len(self.kept)}"

    def get(self, digest: str) -> bytes | None:
        del digest
        return None


def station(keep: frozenset[VerdictName] = frozenset({"FAIL"})) -> tuple[StationWorker, MemoryEvidence]:
    evidence = MemoryEvidence()
    eyes = Eyes(OnePixelDecoder(), FirstByteScorer(), evidence, lambda drawn, limit: b"map %g" % (drawn[0, 0] / limit))
    plan = StationPlan("cam", "press-1", "live", keep, "simulated")
    return StationWorker(plan, eyes, CLOCK, Metrics(), queue_size=2), evidence


def audited_station(pass_rate: float, fail_rate: float) -> tuple[StationWorker, MemoryEvidence]:
    worker, evidence = station(keep=frozenset())
    rates = AuditRates(pass_rate, fail_rate, 0.0, 0.01, 0.05, capped=False)
    plan = dataclasses.replace(worker.plan, mode="shadow", audit=StationAudit(AuditLottery(bytes(32)), rates))
    return StationWorker(plan, worker.eyes, CLOCK, Metrics(), queue_size=2), evidence


def test_a_drawn_part_gives_a_second_event_and_keeps_its_picture() -> None:
    worker, evidence = audited_station(1.0, 0.0)

    inspection, draw = worker.judge(frame(b"\x05"))

    assert isinstance(draw.body, AuditDraw)
    assert (draw.key, draw.body.inspection_key) == (f"audit_draw/{inspection.key}", inspection.key)
    assert (draw.body.stratum, draw.body.probability, draw.body.station) == ("PASS", 1.0, "cam")
    assert (draw.line, draw.origin, draw.occurred_at) == ("press-1", "simulated", inspection.occurred_at)
    assert evidence.kept == [b"\x05", b"map 0.5"]
    assert len(worker.judge(frame(b"\x14"))) == 1  # FAIL, with a chance of nothing
    assert len(evidence.kept) == 2


@pytest.mark.parametrize("content", [b"\x08", b"\xfa", b"!cut"])
def test_review_and_no_verdict_are_never_drawn(content: bytes) -> None:
    assert len(audited_station(1.0, 1.0)[0].judge(frame(content))) == 1


def test_the_same_image_is_drawn_again_by_another_worker() -> None:
    frames = [frame(bytes([5, n])) for n in range(100)]
    first = [len(audited_station(0.5, 0.5)[0].judge(f)) for f in frames]
    again = audited_station(0.5, 0.5)[0]

    assert [len(again.judge(f)) for f in frames] == first
    assert set(first) == {1, 2}


def test_a_full_disk_does_not_take_a_part_out_of_the_sample() -> None:
    worker, evidence = audited_station(1.0, 1.0)
    evidence.full = StoreError("disk full")

    inspection, draw = worker.judge(frame(b"\x05"))

    assert isinstance(inspection.body, Inspection)
    assert inspection.body.image is None
    assert draw.kind == "audit_draw"


def frame(content: bytes) -> Frame:
    return Frame(f"key {content!r}", "press-1", "cam", "p1", "bracket", CLOCK.now(), content, "p1.png")


@pytest.mark.parametrize(
    ("content", "verdict", "reason", "score"),
    [
        (b"\x05", "PASS", "score_below_review", 0.5),
        (b"\x08", "REVIEW", "score_in_review_band", 0.8),
        (b"\x0a", "FAIL", "score_above_threshold", 1.0),
        (b"\xfa", "NO_VERDICT", "score_not_finite", None),
        (b"\xfb", "NO_VERDICT", "model_failed", None),
        (b"\xfc", "NO_VERDICT", "judging_failed", None),
        (b"!cut", "NO_VERDICT", "image_truncated", None),
    ],
)
def test_doubt_is_never_pass(content: bytes, verdict: VerdictName, reason: str, score: float | None) -> None:
    (event,) = station()[0].judge(frame(content))
    body = event.body
    assert isinstance(body, Inspection)
    assert (body.verdict, body.reason, body.score) == (verdict, reason, score)
    assert (event.key, event.origin, body.model) == (f"key {content!r}", "simulated", "first-byte@3")
    assert (body.threshold, body.review_from, body.mode) == (1.0, 0.8, "live")


def test_evidence_is_kept_for_the_wanted_verdicts_with_its_map() -> None:
    worker, evidence = station()
    worker.judge(frame(b"\x05"))
    assert evidence.kept == []
    body = worker.judge(frame(b"\x14"))[0].body
    assert isinstance(body, Inspection)
    assert (body.image, body.anomaly_map) == ("digest1", "digest2")
    assert evidence.kept == [b"\x14", b"map 2"]


@pytest.mark.parametrize("fault", [StoreError("disk full"), OSError(28, "No space left"), ValueError("no map")])
def test_a_full_disk_costs_the_picture_and_not_the_verdict(fault: Exception) -> None:
    worker, evidence = station()
    evidence.full = fault
    body = worker.judge(frame(b"\x14"))[0].body
    assert isinstance(body, Inspection)
    assert (body.verdict, body.image) == ("FAIL", None)


def test_images_come_out_in_order_and_a_full_queue_holds_the_source_back() -> None:
    worker, _ = station()
    done: list[str] = []
    release, all_done = threading.Event(), threading.Event()

    def hand_on(judged: Judged) -> None:
        release.wait(10)
        done.append(str(judged.delivery.token))
        if len(done) == 6:
            all_done.set()

    worker.start(hand_on)
    offered: list[int] = []

    def offer() -> None:
        for number in range(6):
            worker.offer(Delivery("folder:cam", f"t{number}", 0, frames=(frame(b"\x05"),)))
            offered.append(number)

    source = threading.Thread(target=offer)
    source.start()
    source.join(0.5)
    # one is being handed on, two wait in the queue: the source stands at the fourth
    assert len(offered) <= 3
    assert worker.busy_s > 0.3
    assert worker.oldest_s >= worker.busy_s
    release.set()
    assert all_done.wait(10)
    assert done == [f"t{number}" for number in range(6)]
    deadline = time.monotonic() + 10
    while worker.busy_s and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert worker.busy_s == 0
    for _ in range(6):
        assert worker.oldest_s > 0  # handed on, and not durable
        worker.settle()
    assert worker.oldest_s == 0
    worker.stop()
    assert not worker.alive
