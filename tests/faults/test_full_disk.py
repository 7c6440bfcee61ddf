"""A real file system that is filled to the last byte and freed again, twenty times: facts go on, nothing is lost.

The file system is a small tmpfs in a mount namespace of the test's own; without the right to make one it is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.adapters import file_evidence
from edge_agent.adapters.file_clock_notes import FileClockNotes
from edge_agent.adapters.file_evidence import FileEvidence
from edge_agent.adapters.posix_disk import PosixDisk
from edge_agent.adapters.sqlite_images import SqliteImageIndex
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.errors import StoreBusyError, StoreError
from edge_agent.events import Event, Inspection, Purge
from edge_agent.metrics import Metrics
from edge_agent.ports import Batch
from edge_agent.readings import Channel, Reading
from edge_agent.retention import retention_rules
from edge_agent.settings.retention import RetentionSettings
from edge_agent.status.evidence_holds import EvidenceHolds
from edge_agent.status.evidence_pins import PinLedger
from edge_agent.status.review_desk import ReviewDesk
from edge_agent.workers.clock_watching import WatchedClock
from edge_agent.workers.keeping import Keeper
from edge_agent.workers.purging import Kept, Purger

CYCLES = 20
BATCHES = 5
EVENTS = 20
MB = 1024 * 1024
SETTINGS = RetentionSettings(min_free_gb=0.024, stop_images_free_gb=0.012, ballast_mb=8)
MOUNT = 'mount -t tmpfs -o size=64m tmpfs "$1" && exec "$2" "$3" "$1"'


def may_mount(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs tmpfs "$1"', "sh", str(folder)]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.faults
def test_filled_and_freed_again_no_fact_is_lost_and_it_recovers_by_itself(tmp_path: Path) -> None:
    if not may_mount(tmp_path):
        pytest.skip("needs the right to mount a file system of its own (user namespaces)")
    command = ["unshare", "-rm", "sh", "-c", MOUNT, "sh", str(tmp_path), sys.executable, __file__]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3_000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["cycles"] == CYCLES
    assert told["stored"] == told["acknowledged"] == CYCLES * BATCHES * EVENTS
    assert told["readings"] == CYCLES * BATCHES * EVENTS
    assert told["refused_images"] == CYCLES  # on a full disk none is kept
    assert told["kept_again"] == CYCLES  # and the first look after it was freed brings them and the ballast back
    assert told["purged"] >= CYCLES  # images were given up for room
    assert told["full_commits"] >= 1  # the disk was full for the store too


class Agent:
    """The parts of an agent that write to the disk, in one thread."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore.open(folder / "lineproof.sqlite", staging_s=0)
        self.evidence = FileEvidence(folder / "evidence")
        self.clock = SystemClock()
        self.disk = PosixDisk(folder, SETTINGS.ballast_mb * MB)
        self.acknowledged = self.full_commits = 0
        index, metrics, rules = SqliteImageIndex(self.store.path), Metrics(), retention_rules(SETTINGS)
        holds = EvidenceHolds(PinLedger(self.store), ReviewDesk(self.store, {}), index)
        purger = Purger(Kept(self.store, index, self.evidence, holds), rules, self, metrics)
        self.metrics = metrics
        self.keeper = Keeper(
            purger,
            days=self.store,
            images=self.evidence,
            disk=self.disk,
            rules=rules,
            clock=self.clock,
            watch=WatchedClock(rules, FileClockNotes(folder), self.store),
            metrics=metrics,
            every_ns=10**18,
        )

    def record(self, event: Event, *, timeout_s: float) -> bool:
        assert timeout_s > 0
        try:
            return bool(self.store.commit(Batch(self.clock.now(), events=[event])).events)
        except StoreError as error:
            raise StoreBusyError("not durable", hint="later") from error

    def commit(self, number: int, image: str | None = None) -> None:
        """Make a batch durable as the writer does: the same again until the store takes it."""
        now = self.clock.now()
        events = [
            Event(f"i-{number}-{n}", "l", now.utc, Inspection("c", "p", "x", "FAIL", "r", "live", image=image))
            for n in range(EVENTS)
        ]
        channel = Channel("l", "a", "n")
        batch = Batch(now, events, [Reading(channel, (number * EVENTS + n) * 1_000_000, 1.5) for n in range(EVENTS)])
        for _ in range(50):
            try:
                self.acknowledged += len(self.store.commit(batch).events)
            except StoreError:
                self.full_commits += 1
                self.keeper.look()  # in an agent this runs beside the writer
                continue
            self.compact()
            return
        message = "the store took a batch at no time"
        raise AssertionError(message)

    def compact(self) -> None:
        """As the writer does: what fails now is tried again."""
        try:
            while self.store.compact(self.clock.now()):
                pass
        except StoreError:
            self.full_commits += 1


def fill(file: Path) -> None:
    """Take every byte that is left."""
    with file.open("wb", buffering=0) as filler:
        try:
            while filler.write(b"\xa5" * MB):
                pass
        except OSError:
            pass
        try:
            while filler.write(b"\xa5" * 4_096):
                pass
        except OSError:
            pass
        os.fsync(filler.fileno())


def main() -> None:
    """Fill and free, and print what became of everything."""
    folder = Path(sys.argv[1])
    file_evidence.JUST_PUT_S = 0.0  # images may go as soon as they are kept
    agent, filler = Agent(folder), folder / "filler"
    refused = kept_again = number = 0
    agent.keeper.look()
    for _ in range(CYCLES):
        agent.commit(number, agent.evidence.put(os.urandom(3 * MB)))
        number += 1
        fill(filler)
        for step in range(BATCHES - 1):
            agent.commit(number)
            number += 1
            if step == 1:
                agent.keeper.look()
                try:
                    agent.evidence.put(os.urandom(1_000))
                except StoreError:
                    refused += 1
        filler.unlink()
        agent.keeper.look()
        agent.evidence.put(os.urandom(1_000))
        kept_again += agent.disk.ballast()
    agent.compact()
    agent.store.close()
    again = SqliteStore.open(folder / "lineproof.sqlite")
    purges = (recorded.event.body for recorded in again.events_after(0, limit=10_000, kinds=frozenset({"purge"})))
    told = {
        "cycles": CYCLES,
        "stored": len(again.events_after(0, limit=100_000, kinds=frozenset({"inspection"}))),
        "acknowledged": agent.acknowledged,
        "readings": len(again.readings("l/a/n", 0, 2**60)[0]),
        "refused_images": refused,
        "kept_again": kept_again,
        "purged": sum(purge.count for purge in purges if isinstance(purge, Purge)),
        "full_commits": agent.full_commits,
    }
    again.close()
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
