"""The route of the data, and nothing else: source -> decide -> commit -> acknowledge -> publish.

    source threads ----- deliver() --+--> readings and facts ----------------------------+
                                     +--> images -> station worker (decode, score) ------+--> writer queue
    status page -------- record() -------------------------------------------------------+
    sink thread -------- settled() ------------------------------------------------------+
    writer thread:  collect a group -> derive health, alarms, stops -> store.commit (durable)
                    -> acknowledge, in receive order -> hand to the sink -> tell the observers

Three rules hold everywhere: nothing is acknowledged before it is durable; a failed commit is offered again
unchanged and never recomputed; what is derived has a key made of event time, so that a redelivery derives it again
without effect.
"""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from edge_agent.deliveries import DeliveryWatch
from edge_agent.errors import StoreBusyError, StoreError
from edge_agent.events import Event, MachineState, encode
from edge_agent.inspecting import Judged
from edge_agent.ports import Batch, Committed, Delivery, OutboxMessage
from edge_agent.publishing import StationPolicy, messages_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.downtime import DowntimeTracker
    from edge_agent.inspecting import StationWorker
    from edge_agent.metrics import Metrics
    from edge_agent.monitoring import AssetMonitor
    from edge_agent.ports import Clock, Observer, Sink, Source, Store
    from edge_agent.system_state import Interlock

log = structlog.get_logger(__name__)

_IDLE_S = 0.1
_RETRY_FIRST_S = 0.05
_RETRY_LONGEST_S = 2.0


@dataclass(frozen=True, slots=True)
class Settled:
    """The sink's peer acknowledged the message with this key."""

    key: str


@dataclass(frozen=True, slots=True)
class Recording:
    """One fact from the status page, whose author waits for it to be durable."""

    event: Event
    done: Future[bool]


WriterItem = Delivery | Judged | Settled | Recording


@dataclass(frozen=True, slots=True)
class Pace:
    """When the writer commits, and how much may wait for it.

    Attributes:
        commit_messages: items in a group at most.
        commit_s: a group is committed this long after its first item at the latest.
        queue_messages: items waiting before sources are held back.
    """

    commit_messages: int
    commit_s: float
    queue_messages: int


@dataclass(frozen=True, slots=True)
class Line:
    """Everything the pipeline joins; made by `app`.

    Attributes:
        names: names of the production lines.
        workers: station workers by station name.
        monitors: asset monitors by `line/asset`.
        stops: downtime trackers by line.
        policies: delivery policies by station name.
        prefix: first topic level of everything published.
    """

    store: Store
    clock: Clock
    metrics: Metrics
    sink: Sink
    sources: Sequence[Source]
    workers: dict[str, StationWorker]
    monitors: dict[str, AssetMonitor]
    stops: dict[str, DowntimeTracker]
    policies: dict[str, StationPolicy]
    observers: Sequence[Observer]
    names: tuple[str, ...]
    prefix: str
    pace: Pace


class _Group:
    """What one transaction will write, and whom it lets acknowledge."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.outbox: list[OutboxMessage] = []
        self.settled: list[str] = []
        self.deliveries: list[Delivery] = []
        self.recordings: list[Recording] = []

    def __bool__(self) -> bool:
        return bool(self.deliveries or self.recordings or self.settled or self.events)


class Pipeline:
    """Runs the route. `start` and `stop` are called once, from one thread; `record` from any."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._queue: queue.Queue[WriterItem] = queue.Queue(maxsize=line.pace.queue_messages)
        self._watch = DeliveryWatch()
        self._sources = {source.name: source for source in line.sources}
        self._stopping = threading.Event()
        self._writer = threading.Thread(target=self._write_guarded, name="writer", daemon=True)
        self._advanced_ns = time.monotonic_ns()
        self._commit_began_ns: int | None = None
        self._last_commit_ms: float | None = None
        self._problem = ""
        self._fatal: BaseException | None = None
        self._interlocks = self._watch.interlocks(line.names)

    # ---- life -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin: messages left from the last run go out first, then the sources are opened."""
        line = self._line
        line.sink.start(self._settled)
        now = line.clock.now()
        for message in line.store.pending_outbox():
            self._watch.sent(message, now)
            line.sink.send(message)
        self._writer.start()
        for worker in line.workers.values():
            worker.start(self._put)
        for source in line.sources:
            source.start(self.deliver)

    def stop(self) -> None:
        """End in order: sources, stations, then what waits is committed and acknowledged, then the sink."""
        for source in self._line.sources:
            source.stop()
        for worker in self._line.workers.values():
            worker.stop()
        self._stopping.set()
        if self._writer.ident is not None:
            self._writer.join(timeout=30)
        self._line.sink.stop()

    # ---- what others may ask ------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Items waiting for the writer."""
        return self._queue.qsize()

    @property
    def last_commit_ms(self) -> float | None:
        """Duration of the last commit, None before the first."""
        return self._last_commit_ms

    @property
    def problem(self) -> str:
        """Why commits fail at present, in words; empty when they succeed."""
        return self._problem

    @property
    def fatal(self) -> BaseException | None:
        """What ended the writer, if anything did: the agent must restart."""
        return self._fatal

    @property
    def stalled_s(self) -> float:
        """Seconds since the writer last came round; small while all is well, however idle the line."""
        return (time.monotonic_ns() - self._advanced_ns) / 1e9

    @property
    def interlocks(self) -> tuple[Interlock, ...]:
        """What each line's controller must be told because of late messages."""
        return self._interlocks

    # ---- in: any thread -----------------------------------------------------------------------------------------

    def deliver(self, delivery: Delivery) -> None:
        """Take a delivery from a source's thread; blocks while the pipeline is full."""
        self._line.metrics.messages(delivery.source, 1)
        if delivery.frames:
            self._line.workers[delivery.frames[0].station].offer(delivery)
        else:
            self._put(delivery)

    def record(self, event: Event, *, timeout_s: float) -> bool:
        """Commit one event from another thread (port `Recorder`)."""
        if self._fatal is not None:
            raise StoreError("the writer has ended", hint="restart the agent; see its log for the cause")
        try:
            encode(event)
        except ValueError as error:
            raise StoreError(f"the fact cannot be written: {error}", hint="send valid Unicode text") from error
        done: Future[bool] = Future()
        self._put(Recording(event, done))
        try:
            return done.result(timeout=timeout_s)
        except FutureTimeoutError as error:
            raise StoreBusyError(
                f"not durable within {timeout_s:g} s", hint="try again; the same request is stored once"
            ) from error

    def _settled(self, key: str) -> None:
        self._put(Settled(key))

    def _put(self, item: WriterItem) -> None:
        while True:
            try:
                self._queue.put(item, timeout=_IDLE_S)
            except queue.Full:
                if self._stopping.is_set() or self._fatal is not None:
                    return  # not acknowledged, so it comes again
                continue
            return

    # ---- the writer thread --------------------------------------------------------------------------------------

    def _write_guarded(self) -> None:
        try:
            self._write()
        except BaseException as error:
            # the thread's boundary: its end must be seen, whatever it was
            self._fatal = error
            log.critical("writer ended", error=repr(error), exc_info=error)

    def _write(self) -> None:
        while not (self._stopping.is_set() and self._queue.empty()):
            self._advanced_ns = time.monotonic_ns()
            group = self._collect()
            group.events += self._watch.expire(self._line.clock.now())
            self._interlocks = self._watch.interlocks(self._line.names)
            if group:
                self._commit(group)
            elif not self._stopping.is_set():
                self._line.store.compact(self._line.clock.now())

    def _collect(self) -> _Group:
        """Wait for a first item, then gather until the group is full or its time is up."""
        group = _Group()
        try:
            self._take(self._queue.get(timeout=_IDLE_S), group)
        except queue.Empty:
            return group
        deadline = time.monotonic() + self._line.pace.commit_s
        for _ in range(self._line.pace.commit_messages - 1):
            left_s = deadline - time.monotonic()
            try:
                item = self._queue.get(timeout=left_s) if left_s > 0 else self._queue.get_nowait()
            except queue.Empty:
                break
            self._take(item, group)
        return group

    def _take(self, item: WriterItem, group: _Group) -> None:
        match item:
            case Delivery():
                group.deliveries.append(item)
                self._derive(item, group)
            case Judged():
                group.deliveries.append(item.delivery)
                for event in item.events:
                    self._tell(event, group, captured_us=item.captured_us)
            case Recording():
                group.recordings.append(item)
                self._tell(item.event, group)
            case Settled():
                elapsed_s, arrived_late = self._watch.settled(item.key, self._line.clock.now())
                group.settled.append(item.key)
                if elapsed_s is not None:
                    self._line.metrics.published(elapsed_s)
                if arrived_late is not None:
                    group.events.append(arrived_late)

    def _derive(self, delivery: Delivery, group: _Group) -> None:
        for fact in delivery.facts:
            self._tell(fact, group)
            stops = self._line.stops.get(fact.line)
            if stops is not None and isinstance(fact.body, MachineState):
                ended = stops.update(fact)
                if ended is not None:
                    self._tell(ended, group)
        for reading in delivery.readings:
            monitor = self._line.monitors.get(f"{reading.channel.line}/{reading.channel.asset}")
            if monitor is not None:
                for event in monitor.offer(reading):
                    self._tell(event, group)

    def _tell(self, event: Event, group: _Group, *, captured_us: int | None = None) -> None:
        group.events.append(event)
        group.outbox += messages_for(
            event,
            prefix=self._line.prefix,
            policies=self._line.policies,
            now_us=self._line.clock.now().utc_us,
            captured_us=captured_us,
        )

    def _commit(self, group: _Group) -> None:
        began_ns = time.monotonic_ns()
        committed = self._until_durable(
            Batch(
                at=self._line.clock.now(),
                events=group.events,
                readings=[reading for delivery in group.deliveries for reading in delivery.readings],
                marks=[delivery.mark for delivery in group.deliveries if delivery.mark is not None],
                outbox=group.outbox,
                settled=group.settled,
                quarantined=[item for delivery in group.deliveries for item in delivery.quarantined],
            )
        )
        if committed is None:
            return
        seconds = (time.monotonic_ns() - began_ns) / 1e9
        self._last_commit_ms = seconds * 1e3
        self._acknowledge(group.deliveries)
        now = self._line.clock.now()
        for message in committed.outbox:
            self._watch.sent(message, now)
            self._line.sink.send(message)
        self._answer(group.recordings, committed)
        self._line.metrics.committed(committed, seconds)
        for delivery in group.deliveries:
            for poison in delivery.quarantined:
                self._line.metrics.quarantined(poison.reason)
        for observer in self._line.observers:
            observer.committed(committed)

    def _until_durable(self, batch: Batch) -> Committed | None:
        """Offer the same batch until it is durable; None only when the agent stops before that.

        Waiting here is the back-pressure: the queue fills, sources are held back, nothing is acknowledged. The
        page shows `problem`, and the interlock goes to stop once the writer has stalled too long.
        """
        pause_s = _RETRY_FIRST_S
        while True:
            self._advanced_ns = time.monotonic_ns()
            try:
                committed = self._line.store.commit(batch)
            except StoreError as error:
                if self._problem != str(error):
                    log.warning("commit failed; the batch waits", error=str(error), retryable=error.retryable)
                self._problem = str(error)
                if self._stopping.wait(pause_s):
                    return None
                pause_s = min(pause_s * 2, _RETRY_LONGEST_S)
                continue
            if self._problem:
                log.info("commits succeed again")
                self._problem = ""
            return committed

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        tokens: dict[str, list[object]] = {}
        for delivery in deliveries:
            tokens.setdefault(delivery.source, []).append(delivery.token)
        for name, handles in tokens.items():
            self._sources[name].acknowledge(handles)

    @staticmethod
    def _answer(recordings: Sequence[Recording], committed: Committed) -> None:
        new = {recorded.event.key for recorded in committed.events} if recordings else set()
        for recording in recordings:
            # a page that gave up waiting cancelled nothing: the fact is durable all the same
            if recording.done.set_running_or_notify_cancel():
                recording.done.set_result(recording.event.key in new)
