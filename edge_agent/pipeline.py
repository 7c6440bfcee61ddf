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
from typing import TYPE_CHECKING

import structlog

from edge_agent.errors import StoreBusyError, StoreError
from edge_agent.events import Event, MachineState
from edge_agent.ports import BatchSource, Delivery, Quarantined
from edge_agent.workers.committing import Committer, Durable, Entry, Recording
from edge_agent.workers.deliveries import DeliveryWatch
from edge_agent.workers.fences import Fence
from edge_agent.workers.inspecting import Judged
from edge_agent.workers.line import Line, Pace
from edge_agent.workers.outbox_feed import OutboxFeed
from edge_agent.workers.publishing import messages_for
from edge_agent.workers.writer_queue import WriterQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edge_agent.instant import Instant
    from edge_agent.ports import Source
    from edge_agent.system_state import Interlock
    from edge_agent.workers.inspecting import StationWorker

__all__ = ["Line", "Pace", "Pipeline"]

log = structlog.get_logger(__name__)

_IDLE_S = 0.1
_WARNINGS = 1_000
_GROUP_READINGS = 20_000
"""Readings in one group at most: what is derived from them must not keep the writer from its next sign of life."""


WriterItem = Delivery | Judged | Recording | Fence


def _weight(item: WriterItem) -> int:
    """Readings of an item: what they are worth of `_GROUP_READINGS`."""
    return len(item.readings) if isinstance(item, Delivery) else 0


def _messages(item: WriterItem) -> int:
    """Messages of an item: a run of them is one item."""
    return item.messages if isinstance(item, Delivery) else 1


class Pipeline:
    """Runs the route. `start` and `stop` are called once, from one thread; `record` from any."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._queue: WriterQueue[WriterItem] = WriterQueue(line.pace.queue_messages, _weight, _messages)
        # not in the queue: a full queue must never hold up the sink's network thread
        self._settlements: queue.SimpleQueue[tuple[str, Instant]] = queue.SimpleQueue()
        self._watch = DeliveryWatch()
        self._feed = OutboxFeed(line.store, line.sink, self._watch)
        self._sources = {source.name: source for source in line.sources}
        self._stopping = threading.Event()
        self._writer = threading.Thread(target=self._write_guarded, name="writer", daemon=True)
        self._committer = Committer(line.store, line.clock, self._stopping)
        self._last_commit_ms: float | None = None
        self._fatal: BaseException | None = None
        self._warned: set[tuple[str, str]] = set()
        self._fences: list[Fence] = []

    # ---- life -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to write: messages left from the last run go out first. `record` works from here on."""
        line = self._line
        line.sink.start(lambda key: self._settlements.put((key, line.clock.now())))
        self._feed.look_again()
        self._feed.top_up(line.clock.now())
        self._writer.start()

    def open(self) -> None:
        """Open the stations and then the sources."""
        self.begin(self._line.workers.values(), self._line.sources)

    def begin(self, workers: Iterable[StationWorker], sources: Iterable[Source]) -> None:
        """Open some stations and then some sources, which a `switch` has brought into the line."""
        for worker in workers:
            worker.start(self._hand_on)
        for source in sources:
            if isinstance(source, BatchSource):
                source.start_batches(self.deliver_all)
            else:
                source.start(self.deliver)

    def stop(self) -> None:
        """End in order: sources pause, stations end, what waits is committed and acknowledged, then all is closed."""
        for source in self._line.sources:
            source.pause()
        for worker in self._line.workers.values():
            worker.stop()
        self._stopping.set()
        if self._writer.ident is not None:
            self._writer.join(timeout=30)
        for source in self._line.sources:
            source.stop()
        self._line.sink.stop()

    def switch(self, line: Line) -> None:
        """Put another line in the place of this one; store, sink and pace are the same. Writer thread only."""
        self._sources |= {source.name: source for source in line.sources}
        self._line = line

    def between_commits(self, action: Callable[[], None], timeout_s: float) -> None:
        """Run `action` on the writer's thread once all that waits now is durable and acknowledged.

        Raises:
            StoreBusyError: not within the time; it is not run later.
        """
        Fence(action).wait(lambda fence, room_s: self._queue.put([fence], room_s), timeout_s)

    # ---- what others may ask ------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Items waiting for the writer."""
        return len(self._queue)

    @property
    def last_commit_ms(self) -> float | None:
        """Duration of the last commit, None before the first."""
        return self._last_commit_ms

    @property
    def problem(self) -> str:
        """Why commits fail at present, in words; empty when they succeed."""
        return self._committer.problem

    @property
    def fatal(self) -> BaseException | None:
        """What ended the writer, if anything did: the agent must restart."""
        return self._fatal

    @property
    def stalled_s(self) -> float:
        """Seconds since the writer's last sign of life; small while all is well, however idle the line."""
        return self._committer.stalled_s

    @property
    def interlocks(self) -> tuple[Interlock, ...]:
        """What each line's controller must be told because of late messages."""
        return self._watch.interlocks(self._line.names, self._line.clock.now())

    @property
    def committing_s(self) -> float:
        """Seconds since the group in the writer's hand was offered to the store first, 0 between commits."""
        return self._committer.committing_s

    # ---- in: any thread -----------------------------------------------------------------------------------------

    def deliver(self, delivery: Delivery) -> None:
        """Take a delivery from a source's thread; blocks while the pipeline is full."""
        self._line.metrics.messages(delivery.source, delivery.messages)
        if delivery.frames:
            self._line.workers[delivery.frames[0].station].offer(delivery)
        else:
            self._follow(delivery, delivery.behind)

    def deliver_all(self, deliveries: Sequence[Delivery]) -> None:
        """Take deliveries of one source that arrived together, in their order; blocks while the pipeline is full."""
        if any(delivery.frames or delivery.behind for delivery in deliveries):
            for delivery in deliveries:
                self.deliver(delivery)
        elif deliveries:
            self._line.metrics.messages(deliveries[0].source, sum(delivery.messages for delivery in deliveries))
            self._put(deliveries)

    def record(self, event: Event, *, timeout_s: float) -> bool:
        """Commit one event from another thread (port `Recorder`)."""
        if self._fatal is not None:
            raise StoreError("the writer has ended", hint="restart the agent; see its log for the cause")
        done: Future[bool] = Future()
        began_s = time.monotonic()
        try:
            if not self._queue.put([Recording(event, done)], timeout_s):
                raise FutureTimeoutError  # noqa: TRY301 - one answer, whether it waited for room or for the commit
            return done.result(timeout=max(0.0, timeout_s - (time.monotonic() - began_s)))
        except FutureTimeoutError as error:
            raise StoreBusyError(
                f"not durable within {timeout_s:g} s", hint="try again; the same request is stored once"
            ) from error

    def _hand_on(self, judged: Judged) -> None:
        """Take what a station is done with."""
        if judged.delivery.frames:
            self._put([judged])
        else:
            self._follow(judged.delivery, judged.left)

    def _follow(self, delivery: Delivery, stations: Sequence[str]) -> None:
        """Let facts wait behind the images of some stations, in one station's queue after the other: durable only after
        those images, they are redelivered only with them.
        """
        for position, name in enumerate(stations):
            worker = self._line.workers.get(name)
            if worker is not None:
                worker.offer(delivery, left=stations[position + 1 :])
                return
        self._put([delivery])

    def _put(self, items: Sequence[WriterItem]) -> None:
        while not self._queue.put(items, _IDLE_S):
            if self._stopping.is_set() or self._fatal is not None:
                return  # not acknowledged, so it comes again

    # ---- the writer thread --------------------------------------------------------------------------------------

    def _write_guarded(self) -> None:
        try:
            self._write()
        except BaseException as error:
            # the thread's boundary: its end must be seen, whatever it was
            self._fatal = error
            log.critical("writer ended", error=repr(error), exc_info=error)

    def _write(self) -> None:
        while not (self._stopping.is_set() and not self._queue):
            self._committer.advance()
            entries = self._collect()
            late = self._watch.expire(self._line.clock.now())
            if late:
                entries.append(Entry(events=late))
            if entries:
                self._commit(entries)
            self._feed.top_up(self._line.clock.now())
            while self._fences:
                self._fences.pop(0).pass_by()
            if not self._stopping.is_set():
                self._committer.compact_when_due(idle=not entries)

    def _collect(self) -> list[Entry]:
        """Wait for a first item, then gather until the group is full or its time is up; take all settlements."""
        entries: list[Entry] = []
        deadline = time.monotonic() + _IDLE_S
        messages = readings = 0
        while messages < self._line.pace.commit_messages and readings < _GROUP_READINGS:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            items = self._queue.take(self._line.pace.commit_messages - messages, _GROUP_READINGS - readings, left_s)
            if not items:
                break
            if not entries:
                deadline = time.monotonic() + self._line.pace.commit_s
            for item in items:
                entries.append(self._enter(item))
                messages += _messages(item)
                readings += _weight(item)
                self._committer.advance()
        return [*entries, *self._settled()]

    def _settled(self) -> list[Entry]:
        entries = []
        for _ in range(self._settlements.qsize()):
            key, at = self._settlements.get()
            settlement = self._watch.settled(key, at)
            if settlement.elapsed_s is not None:
                self._line.metrics.published(settlement.elapsed_s)
            entries.append(Entry(events=list(settlement.events), settled=[key]))
        return entries

    def _enter(self, item: WriterItem) -> Entry:
        """Derive everything that an item causes."""
        match item:
            case Delivery():
                entry = Entry(delivery=item)
                if item.facts or item.silent or self._line.monitors:
                    self._derive(item, entry)
            case Judged():
                entry = Entry(delivery=item.delivery)
                for event in item.events:
                    self._tell(event, entry, captured_us=item.captured_us)
            case Recording():
                entry = Entry(recording=item)
                self._tell(item.event, entry)
            case Fence():
                entry = Entry()
                self._fences.append(item)
        return entry

    def _derive(self, delivery: Delivery, entry: Entry) -> None:
        for fact in delivery.facts:
            self._tell(fact, entry)
            stops = self._line.stops.get(fact.line)
            if stops is not None and isinstance(fact.body, MachineState):
                ended = stops.update(fact)
                if ended is not None:
                    self._tell(ended, entry)
        for reading in delivery.readings:
            monitor = self._line.monitors.get(f"{reading.channel.line}/{reading.channel.asset}")
            if monitor is not None:
                for event in monitor.offer(reading):
                    self._tell(event, entry)
        for silence in delivery.silent:
            monitor = self._line.monitors.get(f"{silence.line}/{silence.asset}")
            if monitor is not None:
                for event in monitor.fall_silent(silence.t_us):
                    self._tell(event, entry)

    def _tell(self, event: Event, entry: Entry, *, captured_us: int | None = None) -> None:
        entry.events.append(event)
        entry.outbox += messages_for(
            event,
            prefix=self._line.prefix,
            policies=self._line.policies,
            now_us=self._line.clock.now().utc_us,
            captured_us=captured_us,
        )

    def _commit(self, entries: list[Entry]) -> None:
        began_ns = time.monotonic_ns()
        durable = self._committer.commit(entries)
        if durable is None:
            return  # the agent stops; nothing is acknowledged, so that it comes again
        seconds = (time.monotonic_ns() - began_ns) / 1e9
        self._last_commit_ms = seconds * 1e3
        self._acknowledge([entry.delivery for entry in entries if entry.delivery is not None])
        self._send(durable)
        self._settle_images(entries)
        self._answer(entries, durable)
        for committed in durable.committed:
            self._line.metrics.committed(committed, seconds)
            for observer in self._line.observers:
                observer.committed(committed)
        for entry in entries:
            if entry.delivery is not None and entry.delivery.waveforms:
                self._line.metrics.signals(entry.delivery.readings)
            for poison in entry.delivery.quarantined if entry.delivery is not None else ():
                self._line.metrics.quarantined(poison.reason)
                self._warn_once(poison)

    def _warn_once(self, poison: Quarantined) -> None:
        """The first message of each kind from each topic is told; the metric counts all, the store keeps them."""
        known = (poison.topic, poison.reason)
        if known not in self._warned and len(self._warned) < _WARNINGS:
            self._warned.add(known)
            log.warning("message quarantined", topic=poison.topic, reason=poison.reason, detail=poison.detail)

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        tokens: dict[str, list[object]] = {}
        for delivery in deliveries:
            tokens.setdefault(delivery.source, []).append(delivery.token)
        for name, handles in tokens.items():
            self._sources[name].acknowledge(handles)

    def _send(self, durable: Durable) -> None:
        if durable.in_doubt:
            self._feed.look_again()
        for committed in durable.committed:
            self._feed.offer(committed.outbox, self._line.clock.now())

    def _settle_images(self, entries: Sequence[Entry]) -> None:
        """From here on the delivery watch keeps the deadlines of what these images became."""
        for entry in entries:
            frames = entry.delivery.frames if entry.delivery is not None else ()
            worker = self._line.workers.get(frames[0].station) if frames else None
            if worker is not None:
                worker.settle()

    @staticmethod
    def _answer(entries: Sequence[Entry], durable: Durable) -> None:
        refused = {id(entry): error for entry, error in durable.refused}
        new = {recorded.event.key for committed in durable.committed for recorded in committed.events}
        for entry in entries:
            # a page that gave up waiting cancelled nothing: the fact is durable all the same
            if entry.recording is None or not entry.recording.done.set_running_or_notify_cancel():
                continue
            if id(entry) in refused:
                entry.recording.done.set_exception(refused[id(entry)])
            else:
                entry.recording.done.set_result(entry.recording.event.key in new)
