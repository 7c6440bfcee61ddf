"""A run of messages that holds a value no store takes: its neighbours are kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.ports import Delivery
from edge_agent.readings import Channel, Reading, ReadingRun, SequenceMark
from edge_agent.workers.committing import Committer, Entry

if TYPE_CHECKING:
    from pathlib import Path

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
