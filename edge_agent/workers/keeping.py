"""The keeper: looks at disk and clock in a thread of its own, and has removed what may go.

When the disk fills up, in this order: images are removed, then old days of readings; no image is kept any more; the
ballast is given up, so that facts go on. Each is taken back by itself when there is room again. Commits never wait for
any of it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from edge_agent.errors import AgentError
from edge_agent.retention import over

if TYPE_CHECKING:
    from edge_agent.instant import Instant
    from edge_agent.metrics import Metrics
    from edge_agent.ports import Clock
    from edge_agent.ports.keeping import Disk, ImageFolder, KeptDays
    from edge_agent.retention import RetentionRules
    from edge_agent.workers.clock_watching import WatchedClock
    from edge_agent.workers.purging import Purger

LOOK_S = 2.0
"""Time between two looks at the disk: short enough to be back to normal within ten seconds of room."""
CRITICAL_BYTES = 8 * 1024 * 1024
"""With less than this free the store's next commits may fail: the ballast goes."""
_DAY_NS = 86_400 * 10**9

log = structlog.get_logger(__name__)


class Keeper:
    """Looks now and then; `look` may also be called by hand, never from two threads at once.

    Args:
        purger: removes.
        days, images, disk: what it watches.
        rules: how long and how much.
        clock: time.
        watch: says whether that may be trusted.
        metrics: what it shows.
        every_ns: time between two passes by age, monotonic nanoseconds.
    """

    def __init__(  # noqa: PLR0913 - the ports it joins
        self,
        purger: Purger,
        *,
        days: KeptDays,
        images: ImageFolder,
        disk: Disk,
        rules: RetentionRules,
        clock: Clock,
        watch: WatchedClock,
        metrics: Metrics,
        every_ns: int,
    ) -> None:
        self._purger = purger
        self._days = days
        self._images = images
        self._disk = disk
        self._rules = rules
        self._clock = clock
        self._metrics = metrics
        self._every_ns = every_ns
        self._watch = watch
        self._next_pass_ns: int | None = None
        self._next_sweep_ns: int | None = None
        self._images_stopped = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End after the look in hand; the ballast is for a running agent only."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)
        if self._thread.is_alive():
            return  # it hangs in the disk; what it holds ends with the process
        self._watch.note()
        try:
            self._disk.drop_ballast()
        except AgentError as error:
            log.warning("the ballast could not be given back", error=str(error))
        self._purger.close()

    @property
    def images_stopped(self) -> bool:
        """Whether no image is kept because the disk is nearly full."""
        return self._images_stopped

    def look(self) -> None:
        """Meet a full disk, keep within the limits, and make the pass by age when it is due."""
        now = self._clock.now()
        steady = self._watch.is_steady(now)
        self._metrics.purge_held("clock", holds=not steady)
        if self._next_pass_ns is None:
            self._purger.take_up(now)
        self._purger.tell()
        self._meet_full_disk(now)
        for wanted, give in (
            (over(self._rules.images_bytes, self._images.size_bytes()), self._purger.images_for_room),
            (over(self._rules.readings_bytes, self._days_bytes()), self._purger.days_for_room),
        ):
            if wanted:
                give(wanted, "size", now)
        if steady and (self._next_pass_ns is None or now.mono_ns >= self._next_pass_ns):
            self._pass_by_age(now)
        self._next_pass_ns = self._next_pass_ns or now.mono_ns

    def _pass_by_age(self, now: Instant) -> None:
        self._next_pass_ns = now.mono_ns + self._every_ns
        self._purger.refused = ""
        self._purger.images_by_age(now)
        self._purger.days_by_age(now)
        if self._next_sweep_ns is None or now.mono_ns >= self._next_sweep_ns:
            self._next_sweep_ns = now.mono_ns + _DAY_NS
            self._purger.images_unattended(now)
        self._metrics.purge_held("share", holds=bool(self._purger.refused))

    def _days_bytes(self) -> int:
        return sum(day.size_bytes for day in self._days.kept_days()) if self._rules.readings_bytes is not None else 0

    def _meet_full_disk(self, now: Instant) -> None:
        free = self._disk.free_bytes()
        if free < CRITICAL_BYTES and self._disk.drop_ballast():
            log.error("the disk is full: the ballast is given up for facts", free_bytes=free)
            free = self._disk.free_bytes()
        self._stop_images(free)
        wanted = self._rules.min_free_bytes - free
        if wanted > 0:
            given = self._purger.images_for_room(wanted, "disk", now)
            if given < wanted:
                self._purger.days_for_room(wanted - given, "disk", now)
            free = self._disk.free_bytes()
            self._stop_images(free)
        if not self._disk.ballast() and free > self._rules.stop_images_bytes + self._disk.ballast_bytes * 2:
            self._disk.take_ballast()
        self._metrics.room(
            free_bytes=free,
            images_bytes=self._images.size_bytes(),
            images_stopped=self._images_stopped,
            ballast=self._disk.ballast(),
        )

    def _stop_images(self, free: int) -> None:
        stopped = free < self._rules.stop_images_bytes
        if stopped == self._images_stopped:
            return
        self._images_stopped = stopped
        self._images.halt("the disk is nearly full" if stopped else "")
        if stopped:
            log.error("no image is kept any more: the disk is nearly full", free_bytes=free)
        else:
            log.info("images are kept again", free_bytes=free)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception:
                # the thread's boundary: whatever failed, the disk must be looked at again
                log.exception("looking at what is kept failed; it is tried again")
            self._stopping.wait(LOOK_S)
