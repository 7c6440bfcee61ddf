from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.commands.exporting import export_all
from edge_agent.errors import ConfigError
from edge_agent.events import Energy, Event, decode_recorded
from edge_agent.ports import Batch
from edge_agent.readings import Channel, Reading

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def test_everything_is_written_and_reads_back(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "data" / "lineproof.sqlite")
    flow = Channel("press-1", "pump", "Volume Flow RateRMS", "l/min")
    events = [Event(f"e{n}", "press-1", NOW, Energy("power", NOW, float(n))) for n in range(3)]
    readings = [Reading(flow, 1_000_000 * n, n / 3) for n in range(5)]
    twins = [Channel("press-1", "pump", name) for name in ("t/1", "t_1")]
    readings += [Reading(twin, 0, 1.0) for twin in twins]
    store.commit(Batch(at=SystemClock().now(), events=events, readings=readings))

    written = export_all(store, tmp_path / "out")

    assert (written.events, written.readings, written.channels) == (3, 7, 3)
    lines = (tmp_path / "out" / "events.jsonl").read_bytes().splitlines()
    assert [decode_recorded(line).event for line in lines] == events
    table = (tmp_path / "out" / "readings" / "press-1__pump__Volume Flow RateRMS.csv").read_text().splitlines()
    assert table[0] == "time_utc,value [l/min]"
    assert table[2] == "1970-01-01T00:00:01.000000+00:00,0.3333333333333333"
    assert len(list((tmp_path / "out" / "readings").iterdir())) == 3
    assert "Data dictionary" in (tmp_path / "out" / "README.md").read_text()
    store.close()


def test_an_export_never_overwrites(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "lineproof.sqlite")
    with pytest.raises(ConfigError, match="exists already"):
        export_all(store, tmp_path)
    store.close()
