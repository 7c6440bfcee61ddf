"""Removes what is past its age or has no room, and tells it: one image or day after another, each removal an event."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from edge_agent.errors import AgentError
from edge_agent.events import Event, Purge
from edge_agent.instant import from_us
from edge_agent.retention import PURGE_ORDER, aged, days_for_room, days_past_age, free_to_go, too_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_agent.events import VerdictName
    from edge_agent.instant import Instant
    from edge_agent.metrics import Metrics
    from edge_agent.ports import Recorder
    from edge_agent.ports.keeping import Holds, ImageFolder, ImageIndex, ImageUse, KeptDays, RemovedDay
    from edge_agent.retention import RetentionRules
    from edge_agent.storage_events import PurgeReason

IMAGES_AT_ONCE = 200
"""Images removed between two looks at what must stay, and named by one event."""
_TELL_S = 2.0
_UNATTENDED_S = 86_400.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept for a time only, and what must stay."""

    days: KeptDays
    index: ImageIndex
    images: ImageFolder
    holds: Holds


class Purger:
    """Removes; used by the keeper's thread alone.

    A file is removed before its event is recorded. A crash between the two is mended by the next pass, which finds the
    image gone and tells it; a day keeps what is left of it until its event is durable, unless room is short.

    Args:
        kept: what may be removed.
        rules: how long and how much.
        recorder: takes the events.
        metrics: counts.
    """

    def __init__(self, kept: Kept, rules: RetentionRules, recorder: Recorder, metrics: Metrics) -> None:
        self._kept = kept
        self._rules = rules
        self._recorder = recorder
        self._metrics = metrics
        self._untold: list[tuple[Event, RemovedDay | None]] = []
        self._gone: set[str] = set()  # digests of events that are not durable yet
        self.refused = ""

    # ---- by age -----------------------------------------------------------------------------------------------

    def images_by_age(self, now: Instant) -> None:
        """Remove images that are past the age of their class, all of them or none."""
        total = self._kept.index.images()
        due: list[ImageUse] = []
        with self._kept.holds.held(now.utc) as held:
            pass
        for verdict in PURGE_ORDER:
            for use in aged(self._stream(verdict), self._rules.images_us[verdict], now.utc_us):
                if use.digest not in held and use.digest not in self._gone:
                    due.append(use)
                if too_many(len(due), total, self._rules.max_share):
                    self._refuse("images", len(due), total)
                    return
        gone = frozenset((use.digest, use.seq) for use in due)
        for verdict in PURGE_ORDER:
            for some in _batches(use.digest for use in due if use.verdict == verdict):
                self._remove_images(some, gone, "age", now)

    def days_by_age(self, now: Instant) -> None:
        """Remove days of readings that are past their age, all of them or none."""
        days = self._kept.days.kept_days()
        due = days_past_age(days, self._rules, now.utc_us)
        if too_many(len(due), len(days), self._rules.max_share):
            self._refuse("days of readings", len(due), len(days))
            return
        for day in due:
            self._remove_day(day.day, "age", now)

    def images_unattended(self, now: Instant) -> None:
        """Remove files that no inspection refers to: what was kept for a part whose verdict never became durable."""
        found = self._kept.images.unattended(_UNATTENDED_S)
        unknown = [digest for some in _batches(found) for digest in self._kept.index.unknown(some)]
        unknown = [digest for digest in unknown if digest not in self._gone]
        if too_many(len(unknown), len(found), self._rules.max_share):
            self._refuse("unattended images", len(unknown), len(found))
            return
        for some in _batches(unknown):
            self._remove_images(some, frozenset(), "unreferenced", now)

    def _refuse(self, what: str, due: int, total: int) -> None:
        refused = f"{due} or more of {total} {what} are past their age, more than retention.max_share_ratio allows"
        if not self.refused:
            log.error(
                "purge refused",
                reason=refused,
                fix="see that the clock is right; if it is, raise retention.max_share_ratio for one run",
            )
        self.refused = refused

    # ---- for room ---------------------------------------------------------------------------------------------

    def images_for_room(self, wanted_bytes: int, reason: PurgeReason, now: Instant) -> int:
        """Remove images until so much room is given back, PASS first, each class from its old end; returns bytes."""
        given = 0
        for place, verdict in enumerate(PURGE_ORDER):
            classes = frozenset(PURGE_ORDER[: place + 1])
            for some in _batches(use.digest for use in self._stream(verdict)):
                if given >= wanted_bytes:
                    return given
                fresh = [digest for digest in dict.fromkeys(some) if digest not in self._gone]
                uses = self._kept.index.uses(fresh)
                gone = frozenset((use.digest, use.seq) for use in uses if use.verdict in classes)
                given += self._remove_images(fresh, gone, reason, now, wanted_bytes=wanted_bytes - given)
        return given

    def days_for_room(self, wanted_bytes: int, reason: PurgeReason, now: Instant) -> int:
        """Remove the oldest days until so much room is given back; returns bytes."""
        days = days_for_room(self._kept.days.kept_days(), self._rules, wanted_bytes)
        return sum(self._remove_day(day.day, reason, now) for day in days)

    # ---- removing ---------------------------------------------------------------------------------------------

    def _remove_images(
        self,
        digests: Sequence[str],
        gone: frozenset[tuple[str, int]],
        reason: PurgeReason,
        now: Instant,
        *,
        wanted_bytes: int | None = None,
    ) -> int:
        """Remove those of some images that may go; returns the bytes given back."""
        removed: list[str] = []
        given = 0
        with self._kept.holds.held(now.utc if reason == "age" else None) as held:
            uses = self._kept.index.uses(digests)
            for digest in free_to_go(digests, uses, gone, held):
                if wanted_bytes is not None and given >= wanted_bytes:
                    break
                size = self._kept.images.remove(digest)
                if size is not None:
                    removed.append(digest)
                    given += size
        if removed:
            self._tell_images(removed, [use for use in uses if use.digest in set(removed)], reason, now, given)
        return given

    def _tell_images(
        self, removed: list[str], uses: Sequence[ImageUse], reason: PurgeReason, now: Instant, given: int
    ) -> None:
        times = [use.at_us for use in uses]
        body = Purge(
            what="images",
            reason=reason,
            count=len(removed),
            size_bytes=given,
            verdict=max((use.verdict for use in uses), key=PURGE_ORDER.index, default=""),
            oldest=from_us(min(times)) if times else None,
            newest=from_us(max(times)) if times else None,
            digests=tuple(removed),
            until_seq=max((use.seq for use in uses), default=0),
        )
        self._gone.update(removed)
        self._untold.append((Event(f"purge/images/{now.utc_us}/{removed[0]}", "", now.utc, body), None))
        self._metrics.purged("images", reason, len(removed), given)
        log.info("images removed", reason=reason, count=len(removed), size_bytes=given)
        self.tell()

    def _remove_day(self, day: int, reason: PurgeReason, now: Instant) -> int:
        removed = self._kept.days.remove_day(day)
        if removed is None:
            return 0
        self._tell_day(removed, reason, now)
        if reason == "disk":
            self._kept.days.finish_day(removed)  # its room is what the event may wait for
        return removed.size_bytes

    def _tell_day(self, removed: RemovedDay, reason: PurgeReason, now: Instant) -> None:
        body = Purge(what="readings", reason=reason, count=1, size_bytes=removed.size_bytes, day=removed.name)
        self._untold.append((Event(f"purge/readings/{removed.file}", "", now.utc, body), removed))
        self._metrics.purged("readings", reason, 1, removed.size_bytes)
        log.info("a day of readings removed", reason=reason, day=removed.name, size_bytes=removed.size_bytes)
        self.tell()

    def take_up(self, now: Instant) -> None:
        """Go on with removals of days that a sudden end interrupted."""
        for removed in self._kept.days.unfinished_days():
            self._tell_day(removed, "age", now)

    def tell(self) -> None:
        """Record what was removed; what cannot be recorded now is recorded later."""
        while self._untold:
            event, day = self._untold[0]
            try:
                self._recorder.record(event, timeout_s=_TELL_S)
            except AgentError as error:
                log.warning("a removal is not recorded yet", error=str(error))
                return
            self._untold.pop(0)
            if isinstance(event.body, Purge):
                self._gone.difference_update(event.body.digests)
            if day is not None:
                self._kept.days.finish_day(day)

    def close(self) -> None:
        """End; nothing is removed after it."""
        self._kept.index.close()

    def _stream(self, verdict: VerdictName) -> Iterator[ImageUse]:
        seq = 0
        while page := self._kept.index.oldest(verdict, seq, IMAGES_AT_ONCE):
            yield from page
            seq = page[-1].seq


def _batches(digests: Iterable[str]) -> Iterator[tuple[str, ...]]:
    rest = iter(digests)
    while some := tuple(islice(rest, IMAGES_AT_ONCE)):
        yield some
