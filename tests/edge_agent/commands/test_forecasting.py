"""The doctor tells what is kept and when it goes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edge_agent.adapters.file_clock_notes import CLOCK_NOTE, FileClockNotes
from edge_agent.adapters.sqlite_days import DAY_US
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.commands.forecasting import Forecast, forecast
from edge_agent.events import Event, Inspection
from edge_agent.instant import Instant, from_us
from edge_agent.ports import Batch
from edge_agent.ports.keeping import ClockNote
from edge_agent.readings import Channel, Reading
from edge_agent.settings.retention import RetentionSettings

if TYPE_CHECKING:
    from pathlib import Path

T0 = 20_600 * DAY_US  # 2026-05-27
SETTINGS = RetentionSettings(readings_days=10, min_free_gb=0.000_001, stop_images_free_gb=0)


def filled(data: Path) -> None:
    """Three days of readings, and five images of FAIL parts a day apart."""
    store = SqliteStore.open(data / "lineproof.sqlite", staging_s=0)
    channel = Channel("press-1", "pump", "flow")
    for number in range(3):
        at = Instant(T0 + number * DAY_US, 0, "boot-1")
        store.commit(Batch(at, readings=[Reading(channel, at.utc_us, 1.0)]))
        while store.compact(Instant(at.utc_us + 3_600_000_000, 0, "boot-1")):
            pass
    for number in range(5):
        body = Inspection("cam", "p", "x", "FAIL", "score", "live", image=f"{number:064x}")
        event = Event(f"i-{number}", "press-1", from_us(T0 + number * DAY_US), body)
        store.commit(Batch(Instant(T0, 0, "boot-1"), events=[event]))
    store.close()
    for day in (data / "lineproof.readings").iterdir():
        os.utime(day, (T0 / 1e6, T0 / 1e6))


def told(data: Path, now_us: int) -> dict[str, Forecast]:
    return {entry.subject: entry for entry in forecast(SETTINGS, data, now_us)}


def test_before_the_first_run_nothing_is_kept(tmp_path: Path) -> None:
    assert forecast(SETTINGS, tmp_path, T0) == [Forecast("retention", "nothing is kept yet")]


def test_it_names_the_day_on_which_the_oldest_goes(tmp_path: Path) -> None:
    filled(tmp_path)
    found = told(tmp_path, T0 + 3 * DAY_US)
    assert "3 days from 2026-05-27 to 2026-05-29" in found["readings"].found
    assert "2026-05-27 goes on 2026-06-07" in found["readings"].found
    assert found["images FAIL"].found == "5 kept, the oldest of 2026-05-27; it goes on 2028-05-26"
    assert found["images PASS"].found == "none"
    assert not any(entry.todo for entry in found.values())


def test_what_goes_next_and_what_would_be_refused_is_told(tmp_path: Path) -> None:
    filled(tmp_path)
    found = told(tmp_path, T0 + 11 * DAY_US)
    assert "1 of them go at the next pass" in found["readings"].found
    assert not found["readings"].todo
    found = told(tmp_path, T0 + 2_000 * DAY_US)
    assert "refused" in found["readings"].found
    assert "clock is right" in found["readings"].todo
    assert "5 are past 730 days and go" in found["images FAIL"].found
    assert "clock is right" in found["images FAIL"].todo


def test_a_damaged_day_is_named(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "lineproof.readings" / "2026-05-27.sqlite.damaged0").write_bytes(b"")
    assert "2026-05-27.sqlite.damaged0 was damaged" in told(tmp_path, T0)["readings"].found


def test_a_hold_after_a_jump_of_the_clock_is_told_with_what_is_left_of_it(tmp_path: Path) -> None:
    filled(tmp_path)
    for held_ns, words in ((5_400 * 10**9, "nothing goes by age for another 1.5 h of running"), (0, "")):
        FileClockNotes(tmp_path).write(ClockNote(Instant(T0, 0, "boot-1"), 5, held_ns))
        todo = [entry for entry in forecast(SETTINGS, tmp_path, T0) if entry.todo]
        assert len(todo) == bool(held_ns)
        assert all(words in entry.found and "clock_settle_h = 0" in entry.todo for entry in todo)
    (tmp_path / CLOCK_NOTE).write_bytes(b"{")
    assert [entry.subject for entry in forecast(SETTINGS, tmp_path, T0) if entry.todo] == ["retention"]
