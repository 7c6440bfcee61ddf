"""One station's camera as a source: a process that may be killed, newest frame wins, one frame a part where triggered.

Two threads. The watching thread holds the camera's process, judges every frame's delivery, and gives the connection up
when it is not what it should be. The handing thread gives frames to the station, two at most under way, so that a busy
station never holds the watch up and always gets the newest frame.

A stale frame cannot reach a PASS: only frames delivered in time are kept; the newest is looked at again when it is
handed on; without trigger the station looks at its age once more. With a trigger the frame is chosen by its time, and a
part without a frame becomes a NO_VERDICT with the reason.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from typing import TYPE_CHECKING

import structlog

from edge_agent.adapters.camera_frames import ENDING_FAULTS, CameraRequest, Record, RecordKind
from edge_agent.adapters.camera_process import CameraProcess
from edge_agent.errors import AgentError, ConfigError
from edge_agent.events import PartIdentity
from edge_agent.inspection.camera_triggers import Shot, Triggers, trigger_of
from edge_agent.inspection.capture_health import CAMERA_FAULTS, Arrival, Backoff, CaptureHealth, CaptureRules
from edge_agent.inspection.inspections import Frame
from edge_agent.instant import Instant
from edge_agent.ports import Delivery, LinkHealth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_agent.events import Event
    from edge_agent.metrics import Metrics
    from edge_agent.ports import Clock, Committed
    from edge_agent.settings.camera import CameraSettings
    from edge_agent.settings.config import StationSettings

log = structlog.get_logger(__name__)

_TICK_S = 0.02
_JOIN_S = 10.0
_START_S = 20.0  # a process that imports OpenCV on a busy, slow machine
_IN_FLIGHT = 2  # one is judged, one waits
_KEPT_FREE_RUNNING = 2
_KEPT_MOST = 64
_SPARE_SLOTS = 3
_COMMIT_S = 0.5  # a trigger comes here after its commit; its frame is kept for so long
_HELD_S = 10.0  # a connection that held so long begins anew with the shortest wait
_MS = 1_000_000
_S = 1_000_000_000


class _Held:
    """A usable frame whose slot is ours."""

    __slots__ = ("captured_ns", "process", "record")

    def __init__(self, process: CameraProcess, record: Record, captured_ns: int) -> None:
        self.process = process
        self.record = record
        self.captured_ns = captured_ns


class CameraSource:
    """Delivers one station's camera (port `Source`), and takes triggers as an observer of commits (port `Observer`).

    Args:
        station: its camera and limits.
        clock: the agent's.
        password: reads the password anew at every connection; raises `ConfigError`. None without one.
        metrics: frames and faults are counted here.

    Raises:
        ConfigError: the station has no camera.
    """

    def __init__(
        self, station: StationSettings, clock: Clock, password: Callable[[], str] | None, metrics: Metrics
    ) -> None:
        if station.camera is None:
            raise ConfigError("the station has no camera", field="stations.camera", value=station.name)
        self._station = station
        self._camera = station.camera
        self._clock = clock
        self._password = password
        self._metrics = metrics
        self._rules = _rules(station.camera)
        self._backoff = Backoff(self._camera.retry_least_s, self._camera.retry_most_s, random.SystemRandom())
        self._triggers = Triggers(self._camera.trigger, self._rules.stale_after_ns) if self._camera.trigger else None
        self._kept = _kept(station.camera)
        self._changed = threading.Condition()  # guards everything below, and the memory of the process in use
        self._history: deque[_Held] = deque()
        self._in_flight = 0
        self._token = 0
        self._handed_ns = 0
        self._last_ns: int | None = None
        self._fault = "camera_starting"
        self._note = ""
        self._pausing = threading.Event()
        self._stopping = threading.Event()
        self._handing = threading.Lock()
        self._deliver: Callable[[Delivery], None] | None = None
        self._threads: tuple[threading.Thread, ...] = ()
        self.pid: int | None = None

    @property
    def name(self) -> str:
        """`camera:<station>`."""
        return f"camera:{self._station.name}"

    def start(self, deliver: Callable[[Delivery], None]) -> None:
        """Begin; the camera may be down, it is tried until it is there."""
        self._deliver = deliver
        self._threads = (
            threading.Thread(target=self._guarded, args=(self._watch,), name=self.name, daemon=True),
            threading.Thread(target=self._guarded, args=(self._hand,), name=f"{self.name}-out", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def acknowledge(self, tokens: Sequence[object]) -> None:
        """Verdicts are durable: as many frames may follow."""
        with self._changed:
            self._in_flight = max(0, self._in_flight - len(tokens))
            self._changed.notify_all()

    def committed(self, committed: Committed) -> None:
        """Take the triggers among new facts: the `part` facts of this station."""
        if self._triggers is None:
            return
        facts = [recorded.event for recorded in committed.events]
        found = [event for event in facts if isinstance(event.body, PartIdentity) and self._is_ours(event)]
        if found:
            now = self._clock.now()
            with self._changed:
                for event in found:
                    self._triggers.add(trigger_of(event, self._station, now))

    def recover(self, events: Sequence[Event]) -> None:
        """Parts whose fact is durable and whose verdict is not, from before this start: they get NO_VERDICT."""
        if self._triggers is None:
            return
        now = self._clock.now()
        with self._changed:
            for event in events:
                self._triggers.give_up(trigger_of(event, self._station, now), "agent_was_away")

    def health(self) -> LinkHealth:
        """Alive while both threads run and frames come as they should."""
        fault, note = self._fault, self._note
        if not self._threads or not all(thread.is_alive() for thread in self._threads):
            return LinkHealth(self.name, alive=False, last_activity_mono_ns=self._last_ns, detail="its thread ended")
        detail = note or CAMERA_FAULTS.get(fault, "")
        return LinkHealth(self.name, not fault, self._last_ns, detail if fault else "", fault)

    def pause(self) -> None:
        """Deliver nothing more; waits briefly for the frame in hand."""
        self._pausing.set()
        with self._changed:
            self._changed.notify_all()
        if self._handing.acquire(timeout=_JOIN_S):
            self._handing.release()

    def stop(self) -> None:
        """End; the camera's process is killed."""
        self._pausing.set()
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_JOIN_S)

    def _is_ours(self, event: Event) -> bool:
        return (
            isinstance(event.body, PartIdentity)
            and event.line == self._station.line
            and event.body.station == self._station.name
        )

    def _guarded(self, run: Callable[[], None]) -> None:
        """A thread's boundary: whatever ends one round must not end the source."""
        while not self._stopping.is_set():
            try:
                run()
            except Exception as error:
                # the text may come from anywhere; the address has no password, and the password is in no argument
                log.exception("camera thread failed", source=self.name, error=type(error).__name__)
                self._stopping.wait(1.0)

    # ---- the watching thread ------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopping.is_set():
            began_ns = self._clock.now().mono_ns
            fault = self._connection()
            if self._stopping.is_set():
                return
            self._metrics.camera_fault(self._station.name, fault)
            if self._clock.now().mono_ns - began_ns > _HELD_S * _S:
                self._backoff.reset()
            wait_s = self._backoff.next_s()
            log.warning("camera lost; it is tried again", source=self.name, reason=fault, wait_s=round(wait_s, 2))
            until_ns = self._clock.now().mono_ns + round(wait_s * _S)
            while not self._stopping.is_set() and (now_ns := self._clock.now().mono_ns) < until_ns:
                self._settle_triggers(now_ns)
                self._stopping.wait(min(_TICK_S, (until_ns - now_ns) / _S))

    def _connection(self) -> str:
        """One connection from opening to its end; returns what ended it."""
        try:
            request = self._request()
            process = CameraProcess(request)
        except AgentError as error:
            self._note = str(error.args[0])
            self._fault = "camera_unreachable"
            return self._fault
        except OSError as error:
            self._note = f"the camera's process cannot be started: {error.strerror}"
            self._fault = "camera_failed"
            return self._fault
        self._note = ""
        self.pid = process.pid
        try:
            self._fault = self._follow(process)
            return self._fault
        finally:
            with self._changed:
                self._settle_triggers(self._clock.now().mono_ns, last=True)
                self._history.clear()  # from here on nobody else reads the process's memory
            process.kill()

    def _follow(self, process: CameraProcess) -> str:
        began_ns = self._clock.now().mono_ns
        capture: CaptureHealth | None = None
        while not self._stopping.is_set():
            for record in process.poll(_TICK_S):
                if record.kind == RecordKind.STARTED:
                    capture = CaptureHealth(self._rules, self._clock.now().mono_ns)
                elif record.kind == RecordKind.ENDED:
                    return ENDING_FAULTS.get(record.detail, "camera_failed")
                elif capture is not None:
                    self._take(process, record, capture)
            now_ns = self._clock.now().mono_ns
            if capture is None:
                if now_ns - began_ns > _START_S * _S:
                    return "camera_failed"
                continue
            fault = capture.fault(now_ns)
            self._say(fault)
            if capture.lost(now_ns):
                return fault
            self._settle_triggers(now_ns)
        return ""

    def _say(self, fault: str) -> None:
        if fault == self._fault:
            return
        # while a lost camera is opened again, what it was lost for stays the answer
        if fault == "camera_starting" and self._fault:
            return
        if not fault:
            log.info("camera delivers", source=self.name)
        self._fault = fault

    def _take(self, process: CameraProcess, record: Record, capture: CaptureHealth) -> None:
        if record.kind not in {RecordKind.FRAME, RecordKind.DROPPED}:
            return
        delivered = capture.arrived(Arrival(record.arrived_ns, record.pts_ns))
        if record.kind == RecordKind.DROPPED:
            self._metrics.camera_frame(self._station.name, "dropped")
            return
        self._metrics.camera_frame(self._station.name, delivered.fate)
        if delivered.fate != "usable":
            process.give_back(record)
            return
        with self._changed:
            self._last_ns = record.arrived_ns
            self._history.append(_Held(process, record, delivered.captured_ns))
            while len(self._history) > self._kept:
                process.give_back(self._history.popleft().record)
            self._changed.notify_all()

    def _settle_triggers(self, now_ns: int, *, last: bool = False) -> None:
        """Choose frames for the triggers that wait; `last`: no frame of this connection will follow."""
        if self._triggers is None:
            return
        with self._changed:
            chosen = self._triggers.match([held.captured_ns for held in self._history], now_ns, last=last)
            for trigger, index in chosen:
                held = self._history[index]
                self._triggers.take(Shot(trigger, held.captured_ns, held.process.content(held.record)))
            if self._triggers.ready:
                self._changed.notify_all()

    def _request(self) -> CameraRequest:
        camera = self._camera
        return CameraRequest(
            kind=camera.kind,
            address=camera.address,
            username=camera.username or "",
            password=self._password() if self._password is not None else "",
            rate_hz=camera.rate_hz,
            open_timeout_ms=round(camera.open_timeout_s * 1e3),
            read_timeout_ms=round(2e3 * max(camera.stall_after_s, camera.open_timeout_s)),
            max_pixels=self._station.limits.max_pixels,
            slots=self._kept + _SPARE_SLOTS,
            memory=-1,
            loop=camera.loop,
        )

    # ---- the handing thread -------------------------------------------------------------------------------------

    def _hand(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                self._changed.wait(_TICK_S)
                if self._pausing.is_set() or self._in_flight >= _IN_FLIGHT:
                    continue
                frame = self._next_frame()
                if frame is None:
                    continue
                self._token += 1
                self._in_flight += 1
                delivery = Delivery(self.name, self._token, self._clock.now().mono_ns, frames=(frame,))
            with self._handing:
                if self._deliver is not None and not self._pausing.is_set():
                    self._deliver(delivery)

    def _next_frame(self) -> Frame | None:
        """What the station shall judge next; the caller holds the lock."""
        now = self._clock.now()
        if self._triggers is not None:
            shot = self._triggers.next_shot()
            return self._of_part(shot, now) if shot is not None else None
        if not self._history or self._fault:
            return None
        newest = self._history[-1]
        too_soon = newest.captured_ns - self._handed_ns < max(1, self._camera.interval_ms * _MS)
        if too_soon or now.mono_ns - newest.captured_ns > self._rules.stale_after_ns:
            return None
        self._handed_ns = newest.captured_ns
        captured = _instant(newest.captured_ns, now)
        return Frame(
            key=f"{self._station.line}/{self._station.name}/frame/{captured.utc_us}",
            line=self._station.line,
            station=self._station.name,
            part_id=f"frame-{captured.utc_us}",
            product=self._station.product,
            captured=captured,
            encoded=newest.process.content(newest.record),
            name=f"{self._station.name} {captured.utc:%H:%M:%S.%f}"[:-3],
            fresh_for_ms=self._camera.stale_after_ms,
        )

    def _of_part(self, shot: Shot, now: Instant) -> Frame:
        trigger = shot.trigger
        return Frame(
            key=trigger.key,
            line=self._station.line,
            station=self._station.name,
            part_id=trigger.part_id,
            product=trigger.product,
            captured=_instant(shot.captured_ns, now),
            encoded=shot.content,
            name=trigger.part_id,
            refused=shot.refused,
        )


def _instant(mono_ns: int, now: Instant) -> Instant:
    return Instant(now.utc_us - (now.mono_ns - mono_ns) // 1_000, mono_ns, now.boot_id)


def _rules(camera: CameraSettings) -> CaptureRules:
    return CaptureRules(
        rate_hz=camera.rate_hz,
        least_rate_ratio=camera.least_rate_ratio,
        stall_after_ns=round(camera.stall_after_s * _S),
        stale_after_ns=round(camera.stale_after_ms * _MS),
        open_timeout_ns=round(camera.open_timeout_s * _S),
        fault_limit_ns=round(camera.fault_limit_s * _S),
    )


def _kept(camera: CameraSettings) -> int:
    """Frames to keep: the newest two, or as many as the parts of late triggers may need."""
    if camera.trigger is None:
        return _KEPT_FREE_RUNNING
    back_s = (camera.trigger.tolerance_ms + max(0.0, -camera.trigger.offset_ms)) / 1e3 + _COMMIT_S
    return min(_KEPT_MOST, round(camera.rate_hz * back_s) + _KEPT_FREE_RUNNING)
