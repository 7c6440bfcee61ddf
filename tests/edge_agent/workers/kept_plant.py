"""A plant whose images and readings are kept for a time: a real store, real images and pins, disk and clock in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.adapters.file_clock_notes import FileClockNotes
from edge_agent.adapters.file_evidence import FileEvidence
from edge_agent.adapters.sqlite_days import DAY_US
from edge_agent.adapters.sqlite_images import SqliteImageIndex
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.errors import StoreBusyError
from edge_agent.events import Event, Inspection, Purge, VerdictName
from edge_agent.instant import Instant, from_us
from edge_agent.metrics import Metrics
from edge_agent.ports import Batch
from edge_agent.retention import EARLIEST_CLOCK_US, RetentionRules
from edge_agent.status.evidence_holds import EvidenceHolds
from edge_agent.status.evidence_pins import PinLedger
from edge_agent.status.review_desk import ReviewDesk
from edge_agent.workers.clock_watching import WatchedClock
from edge_agent.workers.keeping import Keeper
from edge_agent.workers.purging import Kept, Purger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

S = 10**9
NOW_US = (EARLIEST_CLOCK_US // DAY_US + 1_000) * DAY_US
FREE = 10**9
IMAGE_BYTES = 1_000


class HandClock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.utc_us, self.mono_ns, self.boot_id = NOW_US, 0, "boot-1"

    def now(self) -> Instant:
        return Instant(self.utc_us, self.mono_ns, self.boot_id)

    def pass_s(self, seconds: float, *, jump_us: int = 0) -> None:
        self.mono_ns += round(seconds * S)
        self.utc_us += round(seconds * 1e6) + jump_us


class HandDisk:
    """A disk whose free space is what the test says, less what was put, plus what was removed."""

    ballast_bytes = 32_000_000

    def __init__(self) -> None:
        self.free = FREE
        self.has_ballast = True

    def free_bytes(self) -> int:
        return self.free

    def ballast(self) -> bool:
        return self.has_ballast

    def take_ballast(self) -> None:
        self.has_ballast = True
        self.free -= self.ballast_bytes

    def drop_ballast(self) -> int:
        given = self.ballast_bytes if self.has_ballast else 0
        self.has_ballast = False
        self.free += given
        return given


class Plant:
    """A store, its images and its keeper."""

    def __init__(self, folder: Path, *, images_bytes: int | None = None, max_share: float = 0.5) -> None:
        self.folder = folder
        self.store = SqliteStore.open(folder / "lineproof.sqlite", staging_s=0)
        self.evidence = FileEvidence(folder / "evidence")
        self.clock, self.disk, self.metrics = HandClock(), HandDisk(), Metrics()
        self.failing = False
        self.pins = PinLedger(self.store)
        self.rules = RetentionRules(
            images_us={"PASS": DAY_US, "NO_VERDICT": 2 * DAY_US, "REVIEW": 10 * DAY_US, "FAIL": 100 * DAY_US},
            images_bytes=images_bytes,
            readings_us=10 * DAY_US,
            readings_bytes=None,
            readings_least_days=2,
            min_free_bytes=100_000_000,
            stop_images_bytes=50_000_000,
            max_share=max_share,
            settle_ns=3_600 * S,
            gap_us=3 * DAY_US,
        )
        self.open()
        self.keeper = self.new_keeper()

    def open(self) -> None:
        """What a run opens and a stop closes."""
        self.index = SqliteImageIndex(self.store.path)
        holds = EvidenceHolds(self.pins, ReviewDesk(self.store, {}), self.index)
        self.purger = Purger(Kept(self.store, self.index, self.evidence, holds), self.rules, self, self.metrics)

    def new_keeper(self) -> Keeper:
        """A keeper of a new run; the one before ended without a word, as in a crash."""
        return Keeper(
            self.purger,
            days=self.store,
            images=self.evidence,
            disk=self.disk,
            rules=self.rules,
            clock=self.clock,
            watch=WatchedClock(self.rules, FileClockNotes(self.folder), self.store),
            metrics=self.metrics,
            every_ns=60 * S,
        )

    def record(self, event: Event, *, timeout_s: float) -> bool:
        assert timeout_s > 0
        if self.failing:
            raise StoreBusyError("not durable", hint="later")
        return bool(self.store.commit(Batch(self.clock.now(), events=[event])).events)

    def inspect(self, key: str, verdict: VerdictName, age_days: float, content: bytes | None = None) -> str:
        """Commit an inspection of so many days ago with an image; returns the image's digest."""
        digest = self.evidence.put(content or key.encode().ljust(IMAGE_BYTES, b"."))
        body = Inspection("cam-1", key, "bracket", verdict, "score", "shadow", threshold=1.0, image=digest)
        self.commit(Event(key, "press-1", from_us(NOW_US - round(age_days * DAY_US)), body))
        return digest

    def commit(self, *events: Event) -> None:
        self.store.commit(Batch(self.clock.now(), events=list(events)))

    def kept(self, digests: Sequence[str]) -> list[bool]:
        return [self.evidence.get(digest) is not None for digest in digests]

    def purges(self) -> list[Purge]:
        found = self.store.events_after(0, limit=1_000, kinds=frozenset({"purge"}))
        return [recorded.event.body for recorded in found if isinstance(recorded.event.body, Purge)]

    def gauge(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)
