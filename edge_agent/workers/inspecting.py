"""One station's worker: an image in, an inspection event out. One thread a station, one model session a thread."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import structlog

from edge_agent.errors import AgentError, ImageRefusedError
from edge_agent.events import AuditDraw, Event, Inspection, LatencyMs
from edge_agent.inspection.inspections import Decision, Score, decide
from edge_agent.workers.recipes import RecipeBook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_agent.events import Mode, Origin, VerdictName
    from edge_agent.human_events import AuditedVerdict
    from edge_agent.inspection.inspections import Frame
    from edge_agent.inspection.sampling import AuditLottery, AuditRates
    from edge_agent.metrics import Metrics
    from edge_agent.ports import Clock, Delivery, EvidenceStore, ImageDecoder, ImageScorer
    from edge_agent.workers.reduced_view import ReducedView

log = structlog.get_logger(__name__)

_POLL_S = 0.2
_AUDITED = frozenset({"PASS", "FAIL"})


@dataclass(frozen=True, slots=True)
class StationAudit:
    """How parts of a station are drawn for the blind audit."""

    lottery: AuditLottery
    rates: AuditRates


@dataclass(frozen=True, slots=True)
class StationPlan:
    """How a station judges.

    Attributes:
        name, line: the station.
        mode: shadow or live.
        keep_evidence: verdicts whose images are kept.
        origin: `simulated` when the images come from the virtual plant.
        audit: how parts are drawn for the blind audit, None when none are.
    """

    name: str
    line: str
    mode: Mode
    keep_evidence: frozenset[VerdictName]
    origin: Origin = "measured"
    audit: StationAudit | None = None


@dataclass(frozen=True, slots=True)
class Eyes:
    """What a station sees and judges with; `draw_map` turns a float map into bytes worth keeping; `reduced` is its
    small view of JPEGs, None where it has none.
    """

    decoder: ImageDecoder
    scorer: ImageScorer
    evidence: EvidenceStore
    draw_map: Callable[[NDArray[np.float32], float], bytes]
    reduced: ReducedView | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A delivery of images with the inspection events that they became, ready to commit.

    A delivery without images has waited here behind those before it; `left` names stations it has still to wait for.
    """

    delivery: Delivery
    events: tuple[Event, ...]
    captured_us: int
    left: Sequence[str] = ()


class StationWorker:
    """Decodes, scores and judges one station's images, in order. Doubt is NO_VERDICT, never PASS."""

    def __init__(
        self,
        plan: StationPlan,
        eyes: Eyes | RecipeBook,
        clock: Clock,
        metrics: Metrics,
        *,
        queue_size: int,
    ) -> None:
        self.plan = plan
        self.book = eyes if isinstance(eyes, RecipeBook) else RecipeBook(eyes)
        self.failing = ""
        self._clock = clock
        self._metrics = metrics
        self._queue: queue.Queue[tuple[Delivery, Sequence[str]]] = queue.Queue(maxsize=queue_size)
        self._finishing = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._busy: tuple[int, int] | None = None
        self._underway: deque[int] = deque()
        self._hand_on: Callable[[Judged], None] | None = None

    @property
    def eyes(self) -> Eyes:
        """What the station sees and judges with where a product has no recipe of its own."""
        return self.book.usual

    @property
    def waiting(self) -> int:
        """Images waiting for the model."""
        return self._queue.qsize()

    @property
    def alive(self) -> bool:
        """Whether the worker's thread runs, or ended because it was asked to finish."""
        return self._thread is not None and (self._thread.is_alive() or self._finishing.is_set())

    @property
    def started(self) -> bool:
        """Whether the worker was ever started."""
        return self._thread is not None

    @property
    def busy_s(self) -> float:
        """Seconds since the worker took up the image in its hand, 0 when it has none."""
        busy = self._busy
        return (time.monotonic_ns() - busy[0]) / 1e9 if busy is not None else 0.0

    @property
    def oldest_s(self) -> float:
        """Age since its capture, seconds, of the oldest image whose verdict is not durable yet; 0 without one."""
        busy = self._busy
        oldest = list(tuple(self._underway)[:1])
        if busy is not None:
            oldest.append(busy[1])
        return (self._clock.now().mono_ns - min(oldest)) / 1e9 if oldest else 0.0

    def settle(self) -> None:
        """The oldest verdict handed on is durable, and on its way. Called by the writer, in the order of `hand_on`."""
        if self._underway:
            self._underway.popleft()

    def start(self, hand_on: Callable[[Judged], None]) -> None:
        """Begin; `hand_on` takes each result and may block."""
        self._hand_on = hand_on
        self._thread = threading.Thread(target=self._run, name=f"station-{self.plan.name}", daemon=True)
        self._thread.start()

    def offer(self, delivery: Delivery, *, left: Sequence[str] = ()) -> None:
        """Queue images; blocks while the queue is full, which holds the source back. Gives up only at a stop."""
        while not self._stopping.is_set():
            try:
                self._queue.put((delivery, left), timeout=_POLL_S)
            except queue.Full:
                continue
            return

    def finish(self, within_s: float) -> None:
        """Judge what is queued and end; whoever feeds the station has ceased before."""
        self._finishing.set()
        if self._thread is not None:
            self._thread.join(timeout=within_s)
        self._stopping.set()

    def stop(self) -> None:
        """End after the image in hand; images still queued stay unacknowledged with their source."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def judge(self, frame: Frame) -> tuple[Event, ...]:
        """Judge one image; whatever goes wrong is a NO_VERDICT with its reason. A part drawn for the audit gives a
        second event, which says so.
        """
        began_ns = time.monotonic_ns()
        queued_ms = max(0.0, (self._clock.now().mono_ns - frame.captured.mono_ns) / 1e6)
        score: Score | None = None
        decoded_ns = began_ns
        book, failing = self.book, ""  # one book from here to the event, whatever a reload puts in its place
        if not frame.product:
            frame = msgspec.structs.replace(frame, product=book.product_at(frame.written or frame.captured))
        eyes = book.usual
        try:
            _refuse_unfit(frame, queued_ms)
            eyes = book.of(frame.product)
            pixels = _small(frame, eyes)
            reduced = pixels is not None
            if pixels is None:
                pixels = eyes.decoder.decode(frame.encoded)
            decoded_ns = time.monotonic_ns()
            score = self._settled(frame, eyes, eyes.scorer.score(pixels), reduced=reduced)
            decision = decide(score.value, eyes.scorer.limits)
        except ImageRefusedError as error:
            self._metrics.image_refused(self.plan.name, error.reason)
            decision = Decision("NO_VERDICT", error.reason)
        except AgentError as error:
            log.warning("model failed on an image", station=self.plan.name, image=frame.name, error=str(error))
            decision = Decision("NO_VERDICT", failing := "model_failed")
        except Exception:
            # the task boundary of one image: the part must get NO_VERDICT and the station must go on
            log.exception("judging an image failed", station=self.plan.name, image=frame.name)
            decision = Decision("NO_VERDICT", failing := "judging_failed")
        inferred_ns = time.monotonic_ns()
        self.failing = failing
        drawn = self._drawn(frame, decision.verdict)
        image, anomaly_map = self._keep(eyes, frame, score, decision, wanted=drawn is not None)
        latency = LatencyMs(
            queue=queued_ms,
            decode=(decoded_ns - began_ns) / 1e6,
            infer=(inferred_ns - decoded_ns) / 1e6,
            decide=(time.monotonic_ns() - inferred_ns) / 1e6,
        )
        inspection = self._event(eyes.scorer, frame, decision, score, (image, anomaly_map), latency)
        return (inspection,) if drawn is None else (inspection, drawn)

    def _settled(self, frame: Frame, eyes: Eyes, score: Score, *, reduced: bool) -> Score:
        """The score that holds: a small picture's near a limit does not."""
        view, scorer = eyes.reduced, eyes.scorer
        if view is None:
            return score
        held = view.settle(frame.encoded, score, scorer, scorer.limits, reduced=reduced)
        self._metrics.image_view(self.plan.name, "reduced" if reduced and held is score else "full")
        return held

    def _drawn(self, frame: Frame, verdict: VerdictName) -> Event | None:
        """The event that says that a part was drawn for the audit, None for all others.

        It is derived before anything can fail: a part whose image cannot be kept was drawn all the same, or the
        sample would leave out what a full disk did.
        """
        audit = self.plan.audit
        if audit is None or verdict not in _AUDITED:
            return None
        stratum: AuditedVerdict = "PASS" if verdict == "PASS" else "FAIL"
        draw = audit.lottery.draw(frame.key, audit.rates.of(stratum))
        if draw is None:
            return None
        body = AuditDraw(
            inspection_key=frame.key,
            station=frame.station,
            product=frame.product,
            stratum=stratum,
            probability=draw.probability,
            seed_id=audit.lottery.seed_id,
            rank=draw.rank,
        )
        return Event(f"audit_draw/{frame.key}", frame.line, frame.captured.utc, body, self.plan.origin)

    def _keep(
        self, eyes: Eyes, frame: Frame, score: Score | None, decision: Decision, *, wanted: bool
    ) -> tuple[str | None, str | None]:
        if not frame.encoded or not (wanted or decision.verdict in self.plan.keep_evidence):
            return None, None
        try:
            image = eyes.evidence.put(frame.encoded)
            if score is None or score.anomaly_map is None:
                return image, None
            drawn = eyes.draw_map(score.anomaly_map, eyes.scorer.limits.threshold)
            return image, eyes.evidence.put(drawn)
        except (AgentError, OSError, ValueError) as error:
            # a full disk, or a map that cannot be drawn, costs the picture, never the verdict
            log.warning("evidence image not kept", station=self.plan.name, image=frame.name, error=str(error))
            return None, None

    def _event(
        self,
        scorer: ImageScorer,
        frame: Frame,
        decision: Decision,
        score: Score | None,
        kept: tuple[str | None, str | None],
        latency: LatencyMs,
    ) -> Event:
        finite = score is not None and math.isfinite(score.value)
        for stage in ("queue", "decode", "infer", "decide"):
            self._metrics.stage(stage, getattr(latency, stage) / 1e3)
        return Event(
            key=frame.key,
            line=frame.line,
            occurred_at=frame.captured.utc,
            origin=self.plan.origin,
            body=Inspection(
                station=frame.station,
                part_id=frame.part_id,
                product=frame.product,
                verdict=decision.verdict,
                reason=decision.reason,
                mode=self.plan.mode,
                score=score.value if score is not None and finite else None,
                threshold=_written(scorer.limits.threshold),
                review_from=_written(scorer.limits.review_from),
                model=scorer.identity.label,
                model_digest=scorer.identity.digest,
                image=kept[0],
                anomaly_map=kept[1],
                latency_ms=latency,
            ),
        )

    def _run(self) -> None:
        hand_on = self._hand_on
        if hand_on is None:
            return
        while not self._stopping.is_set():
            try:
                delivery, left = self._queue.get(timeout=_POLL_S)
            except queue.Empty:
                if self._finishing.is_set():
                    return
                continue
            if not delivery.frames:
                hand_on(Judged(delivery, (), 0, left))  # it waited here for the images before it
                continue
            captured = delivery.frames[0].captured
            self._busy = (time.monotonic_ns(), captured.mono_ns)
            events = tuple(event for frame in delivery.frames for event in self.judge(frame))
            self._underway.append(captured.mono_ns)
            hand_on(Judged(delivery, events, captured.utc_us))
            if self.eyes.reduced is not None:
                self._busy = (time.monotonic_ns(), self._clock.now().mono_ns)  # a hang in the trial must be seen too
                self.eyes.reduced.try_kept()
            self._busy = None


def _small(frame: Frame, eyes: Eyes) -> NDArray[np.uint8] | None:
    """The frame's small picture, where it may decide."""
    view = eyes.reduced
    return view.decode(frame.encoded, eyes.scorer) if view is not None else None


def _written(limit: float) -> float | None:
    """A limit as an event bears it: that of a model that cannot be used is none."""
    return limit if math.isfinite(limit) else None


def _refuse_unfit(frame: Frame, queued_ms: float) -> None:
    """Refuse what its source says cannot be judged, or can no longer."""
    if frame.refused:
        raise ImageRefusedError(frame.refused, "its source has no image of this part")
    if frame.fresh_for_ms is not None and queued_ms > frame.fresh_for_ms:
        raise ImageRefusedError("frame_stale", f"{queued_ms:.0f} ms old", field="stale_after_ms", value=queued_ms)
