"""A station with a camera, from the stream to the verdict, whose verdicts know how old their pictures were."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from edge_agent.adapters.camera_source import CameraSource
from edge_agent.adapters.opencv_decoder import OpencvDecoder
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.events import Event, Inspection, PartIdentity, RecordedEvent
from edge_agent.inspection.inspections import Limits, Score
from edge_agent.instant import from_us
from edge_agent.metrics import Metrics
from edge_agent.ports import Committed, Delivery, ModelIdentity
from edge_agent.settings.config import StationSettings
from edge_agent.workers.inspecting import Eyes, Judged, StationPlan, StationWorker
from tests.edge_agent.cameras.numbered_pictures import age_s

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

RATE_HZ = 20.0
FAST = {
    "kind": "rtsp",
    "rate_hz": RATE_HZ,
    "interval_ms": 0.0,
    "stall_after_s": 0.6,
    "stale_after_ms": 300.0,
    "open_timeout_s": 3.0,
    "fault_limit_s": 0.5,
    "retry_least_s": 0.1,
    "retry_most_s": 0.4,
}


class Passing:
    """A model that passes everything, so that nothing but the source stands between a stale picture and a PASS."""

    identity = ModelIdentity("passing@1", "0" * 64)
    limits = Limits(1.0, 1.0)
    provider = "CPUExecutionProvider"

    def __init__(self) -> None:
        self.takes_s = 0.0

    def score(self, pixels: NDArray[np.uint8]) -> Score:
        time.sleep(self.takes_s)
        return Score(float(pixels.mean()) * 0.0, None)


class Kept:
    """Evidence in memory."""

    def __init__(self) -> None:
        self.newest = b""

    def put(self, content: bytes) -> str:
        self.newest = content
        return "0" * 64

    def get(self, digest: str) -> bytes | None:
        return self.newest if digest else None


class Verdict:
    """A verdict and what its picture says of itself.

    Attributes:
        picture_age_s: at the verdict; None without a picture.
        claim_error_s: how much older the picture is than the agent says it is.
    """

    def __init__(self, event: Event, picture: bytes, captured_ns: int, rate_hz: float) -> None:
        assert isinstance(event.body, Inspection)
        self.key = event.key
        self.body = event.body
        self.captured_ns = captured_ns
        self.judged_ns = time.monotonic_ns()
        self.picture = picture
        self.picture_age_s = age_s(picture, self.judged_ns, rate_hz) if picture else None
        self.claim_error_s = age_s(picture, captured_ns, rate_hz) if picture else None


class CameraStation:
    """Source and station worker, joined as the pipeline joins them; a verdict is acknowledged at once."""

    def __init__(
        self, address: str, *, password: Callable[[], str] | None = None, rate_hz: float = RATE_HZ, **camera: Any
    ) -> None:
        settings = {**FAST, "address": address, **camera}
        self.station = StationSettings.model_validate(
            {"name": "eye", "line": "press-1", "model": "m", "product": "bracket", "camera": settings}
        )
        self.clock = SystemClock()
        self.metrics = Metrics()
        self.model = Passing()
        self.verdicts: list[Verdict] = []
        self.faults: list[str] = []
        self._rate_hz = rate_hz
        self._kept = Kept()
        self._changed = threading.Condition()
        self.source = CameraSource(self.station, self.clock, password, self.metrics)
        everything = frozenset({"PASS", "FAIL", "REVIEW", "NO_VERDICT"})
        plan = StationPlan("eye", "press-1", "shadow", everything)  # type: ignore[arg-type] # verdict names, widened
        eyes = Eyes(OpencvDecoder(self.station.limits), self.model, self._kept, lambda _map, _threshold: b"")
        self.worker = StationWorker(plan, eyes, self.clock, self.metrics, queue_size=4)

    def __enter__(self) -> Self:
        self.worker.start(self._judged)
        self.source.start(self._deliver)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.source.pause()
        self.worker.stop()
        self.source.stop()

    def _deliver(self, delivery: Delivery) -> None:
        self.worker.offer(delivery)

    def _judged(self, judged: Judged) -> None:
        frame = judged.delivery.frames[0]
        verdict = Verdict(judged.events[0], frame.encoded, frame.captured.mono_ns, self._rate_hz)
        with self._changed:
            self.verdicts.append(verdict)
            self._changed.notify_all()
        self.source.acknowledge([judged.delivery.token])

    def part(self, part_id: str, *, back_s: float = 0.0) -> Event:
        """A part's fact, of now or so long ago."""
        occurred = from_us(self.clock.now().utc_us - round(back_s * 1e6))
        return Event(f"press-1/part/{part_id}", "press-1", occurred, PartIdentity("eye", part_id, "hinge"))

    def trigger(self, part_id: str, *, back_s: float = 0.0) -> int:
        """Announce a part as a committed fact; returns the moment it stands for, monotonic nanoseconds."""
        event = self.part(part_id, back_s=back_s)
        now = self.clock.now()
        self.source.committed(Committed([RecordedEvent(1, now.utc, now.boot_id, now.mono_ns, event)], []))
        return now.mono_ns - round(back_s * 1e9)

    def wait(self, condition: Callable[[], object], what: str, limit_s: float = 30.0) -> None:
        """Wait until something is so; fails with the state when it never is."""
        until_s = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < until_s, f"{what}: {self.source.health()}, {len(self.verdicts)} verdicts"
            with self._changed:
                self._changed.wait(0.02)

    def wait_delivering(self, more: int = 5) -> None:
        """Wait until the camera is well and some more verdicts have come."""
        seen = len(self.verdicts)
        self.wait(lambda: self.source.health().alive and len(self.verdicts) >= seen + more, "delivering")

    def wait_fault(self, *reasons: str) -> str:
        """Wait until the camera is not well, for one of these reasons."""
        self.wait(lambda: self.source.health().reason in reasons, f"one of {reasons}")
        return self.source.health().reason

    def passed(self) -> list[Verdict]:
        """Verdicts that let a part pass."""
        return [verdict for verdict in self.verdicts if verdict.body.verdict == "PASS"]

    def stale(self) -> list[Verdict]:
        """PASS verdicts whose picture was older than allowed, by the picture's own number.

        A picture's number tells its moment to one frame; the station takes a moment to judge.
        """
        limit_s = self.station.camera.stale_after_ms / 1e3 if self.station.camera is not None else 0.0
        slack_s = 1 / self._rate_hz + 0.2 + self.model.takes_s
        return [verdict for verdict in self.passed() if (verdict.picture_age_s or 0.0) > limit_s + slack_s]

    def wait_count_above(self, before: float, name: str, **labels: str) -> None:
        """Wait until a metric has grown."""
        self.wait(lambda: self.count(name, **labels) > before, f"{name} above {before}")

    def count(self, name: str, **labels: str) -> float:
        """A metric's value, 0 where it has none."""
        return self.metrics.registry.get_sample_value(name, {"station": "eye", **labels}) or 0.0
