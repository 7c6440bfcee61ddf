"""What becomes of a group: a value that no store takes, and readings that wait to be compressed."""

from __future__ import annotations

import itertools
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.ports import Delivery
from edge_agent.readings import Channel, Reading, ReadingRun, SequenceMark
from edge_agent.workers import committing
from edge_agent.workers.committing import Committer, Entry

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TEMP = Channel("press-1", "ram", "temp", "Cel")


def test_a_run_is_taken_apart_where_the_store_refuses_a_value(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "s.sqlite")
    run = ReadingRun.of([Reading(TEMP, 1_000 + n, float("nan") if n == 3 else float(n)) for n in range(6)])
    marks = (SequenceMark("plc", "0", 1), SequenceMark("plc", "0", 4))
    entry = Entry(delivery=Delivery("mqtt", None, 7, readings=run, messages=6, marks=marks))
    durable = Committer(store, SystemClock(), threading.Event()).commit([entry])
    assert durable is not None
    times, values = store.readings(TEMP.key, 0, 10_000)
    assert (times.tolist(), values.tolist()) == ([1_000, 1_001, 1_002, 1_004, 1_005], [0.0, 1.0, 2.0, 4.0, 5.0])
    totals = store.totals()
    assert (totals.readings, totals.quarantined, totals.missing_messages) == (5, 1, 2)
    assert len(durable.refused) == 1
    store.close()


class Backlog:
    """A store with so many blocks to compact, each of which takes a tenth of a second."""

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks
        self.now_s = 100.0
        self.done_at_s: list[float] = []

    def monotonic(self) -> float:
        return self.now_s

    def compact(self, _now: object) -> int:
        self.done_at_s.append(round(self.now_s, 3))
        if not self.blocks:
            return 0
        self.blocks -= 1
        self.now_s += 0.1
        return 10


def test_a_busy_writer_compacts_for_a_fifth_of_its_time_while_there_is_more(monkeypatch: pytest.MonkeyPatch) -> None:
    backlog: Any = Backlog(2)
    monkeypatch.setattr(committing, "time", SimpleNamespace(monotonic=backlog.monotonic, monotonic_ns=lambda: 0))
    committer = Committer(backlog, SystemClock(), threading.Event())
    while backlog.now_s < 104.5:
        committer.compact_when_due(idle=False)
        backlog.now_s += 0.001
    gaps = [round(b - a, 2) for a, b in itertools.pairwise(backlog.done_at_s)]
    # two blocks half a second apart, then nothing to do: a look once a second
    assert gaps == [0.5, 0.5, 1.0, 1.0]
    committer.compact_when_due(idle=True)
    assert len(backlog.done_at_s) == 6
