"""One file a day: reads across midnight, removal by one rename, what a crash leaves, damage, and older stores."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import numpy as np
import pytest

from edge_agent.adapters import reading_blocks
from edge_agent.adapters.minute_rollups import MINUTE_US
from edge_agent.adapters.sqlite_days import DAY_US, day_from, day_name, days_folder
from edge_agent.adapters.sqlite_reader import SqliteReader
from edge_agent.adapters.sqlite_schema import MIGRATIONS, open_writer
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.commands.exporting import export_all
from edge_agent.errors import StoreError
from edge_agent.instant import Instant
from edge_agent.ports import Batch
from edge_agent.readings import Channel, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

MIDNIGHT = 20_000 * DAY_US  # 2024-10-04
SECOND = 1_000_000
CHANNEL = Channel("press-1", "pump", "flow", "L/min")
KEY = CHANNEL.key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lineproof.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore.open(path, staging_s=0)
    yield store
    store.close()


def at(t_us: int) -> Instant:
    return Instant(t_us, 0, "boot-1")


def commit(store: SqliteStore, first_s: int, last_s: int, channel: Channel = CHANNEL) -> None:
    """A reading a second, in seconds from midnight; its value is that second."""
    readings = [Reading(channel, MIDNIGHT + second * SECOND, float(second)) for second in range(first_s, last_s)]
    store.commit(Batch(at(MIDNIGHT), readings=readings))


def compact(store: SqliteStore) -> int:
    moved = 0
    while step := store.compact(at(MIDNIGHT + 10 * DAY_US)):
        moved += step
    return moved


def seconds(store: SqliteReader, first_s: int = -10 * 86_400, last_s: int = 10 * 86_400) -> list[float]:
    _, values = store.readings(KEY, MIDNIGHT + first_s * SECOND, MIDNIGHT + last_s * SECOND)
    return [float(value) for value in values]


# ---- reading --------------------------------------------------------------------------------------------------


def test_readings_and_minutes_are_read_across_midnight(store: SqliteStore, path: Path) -> None:
    commit(store, -1_300, 1_300)
    assert compact(store) == 2_600
    assert [kept.name for kept in store.kept_days()] == ["2024-10-03", "2024-10-04"]
    assert seconds(store) == [float(n) for n in range(-1_300, 1_300)]
    assert seconds(store, -1, 1) == [-1.0, 0.0]
    minutes = store.minutes(KEY, MIDNIGHT - 2 * MINUTE_US, MIDNIGHT + MINUTE_US)
    assert [(m.start_us - MIDNIGHT, m.count, m.minimum, m.mean, m.maximum) for m in minutes] == [
        (-2 * MINUTE_US, 60, -120.0, -90.5, -61.0),
        (-MINUTE_US, 60, -60.0, -30.5, -1.0),
        (0, 60, 0.0, 29.5, 59.0),
    ]
    beside = SqliteReader.open(path)
    assert seconds(beside) == seconds(store)
    beside.close()


def test_late_readings_are_recognised_in_the_day_they_belong_to(store: SqliteStore) -> None:
    commit(store, -600, 0)
    commit(store, 0, 600)
    compact(store)
    late = [Reading(CHANNEL, MIDNIGHT + n * SECOND + half, -1.0) for n in (-5, 5) for half in (0, SECOND // 2)]
    assert store.commit(Batch(at(MIDNIGHT), readings=late)).duplicate_readings == 2
    assert compact(store) == 2
    assert seconds(store, -6, -3) == [-6.0, -5.0, -1.0, -4.0]
    assert seconds(store, 5, 6) == [5.0, -1.0]


def test_a_day_file_tells_its_channels_by_itself(store: SqliteStore) -> None:
    commit(store, 0, 60)
    compact(store)
    day = apsw.Connection(str(days_folder(store.path) / "2024-10-04.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    assert day.execute("SELECT key, line, asset, name, unit FROM channel").fetchall() == [
        (KEY, "press-1", "pump", "flow", "L/min")
    ]
    assert day.execute("SELECT period, count FROM block").fetchall() == [(0, 60)]
    day.close()


def test_a_time_that_no_calendar_has_makes_a_day_all_the_same(store: SqliteStore) -> None:
    far = 2**62
    store.commit(Batch(at(MIDNIGHT), readings=[Reading(CHANNEL, far, 5.0)]))
    while store.compact(at(2**62 + 10 * DAY_US)):
        pass
    assert [kept.name for kept in store.kept_days()] == [f"day+{far // DAY_US}"]
    assert store.readings(KEY, far, far + 1)[1].tolist() == [5.0]
    assert day_from(day_name(far // DAY_US)) == far // DAY_US


def test_an_export_holds_every_day(store: SqliteStore, tmp_path: Path) -> None:
    commit(store, -700, 700)
    compact(store)
    commit(store, 700, 720)  # still staged
    reader = SqliteReader.open(store.path)
    assert export_all(reader, tmp_path / "out").readings == 1_420
    reader.close()


# ---- removing -------------------------------------------------------------------------------------------------


def test_a_removed_day_is_gone_for_every_reader_at_once_and_its_room_comes_back(store: SqliteStore, path: Path) -> None:
    beside = SqliteReader.open(path)
    commit(store, -600, 600)
    compact(store)
    assert len(seconds(store)) == len(seconds(beside)) == 1_200
    size = store.totals().size_bytes
    removed = store.remove_day(MIDNIGHT // DAY_US - 1)
    assert removed is not None
    assert (removed.name, removed.size_bytes > 10_000) == ("2024-10-03", True)
    assert seconds(store) == seconds(beside) == [float(n) for n in range(600)]
    assert [kept.name for kept in store.kept_days()] == ["2024-10-04"]
    assert store.unfinished_days()[0].file == removed.file
    store.finish_day(removed)
    store.finish_day(removed)
    assert store.unfinished_days() == []
    assert store.totals().size_bytes < size - 10_000
    assert store.remove_day(removed.day) is None
    beside.close()


def test_a_removed_day_begins_anew_with_late_readings_though_a_reader_has_the_old_file_open(
    store: SqliteStore, path: Path
) -> None:
    commit(store, 0, 600)
    compact(store)
    beside = SqliteReader.open(path)
    with beside._days._reading(MIDNIGHT // DAY_US) as old:
        assert old is not None
        assert old.execute("SELECT count FROM block").get == 600
        removed = store.remove_day(MIDNIGHT // DAY_US)
        assert removed is not None
        store.finish_day(removed)
        commit(store, 100, 110)
        compact(store)
        assert old.execute("SELECT count FROM block").get == 600
    beside.close()
    assert seconds(store) == [float(n) for n in range(100, 110)]
    store.close()
    again = SqliteStore.open(path, staging_s=0)  # nothing of the new file was lost when the old one was closed
    assert seconds(again) == [float(n) for n in range(100, 110)]
    again.close()


def test_what_an_interrupted_removal_left_is_cleared_away_at_the_start(store: SqliteStore, path: Path) -> None:
    commit(store, 0, 600)
    compact(store)
    store.close()
    orphan = days_folder(path) / "2020-01-01.sqlite-wal"
    orphan.write_bytes(b"of a file that is gone")
    store = SqliteStore.open(path, staging_s=0)
    assert not orphan.exists()
    assert len(seconds(store)) == 600
    store.close()


# ---- damage ---------------------------------------------------------------------------------------------------


def test_a_damaged_day_is_set_aside_and_later_readings_go_on(path: Path) -> None:
    store = SqliteStore.open(path, staging_s=0)
    commit(store, 0, 600)
    compact(store)
    store.close()
    file = days_folder(path) / "2024-10-04.sqlite"
    content = bytearray(file.read_bytes())
    content[16_384:] = b"\xa5" * (len(content) - 16_384)
    file.write_bytes(content)
    store = SqliteStore.open(path, staging_s=0)
    with pytest.raises(StoreError, match="damaged"):
        seconds(store)
    commit(store, 600, 660)
    assert compact(store) == 60
    assert seconds(store) == [float(n) for n in range(600, 660)]
    assert (days_folder(path) / "2024-10-04.sqlite.damaged0").read_bytes() == content
    store.close()


# ---- older stores ---------------------------------------------------------------------------------------------


def old_store(path: Path) -> None:
    """A store of schema 1 with 20 minutes round midnight in its own tables."""
    connection = open_writer(path, MIGRATIONS[:1])
    connection.execute("INSERT INTO channel VALUES (7, ?, 'press-1', 'pump', 'flow', 'L/min')", (KEY,))
    for start_s in (-600, 0):
        times = MIDNIGHT + np.arange(start_s, start_s + 600, dtype=np.int64) * SECOND
        values = np.arange(start_s, start_s + 600, dtype=np.float64)
        data = reading_blocks.encode(reading_blocks.Series(times, values, np.zeros(600, np.uint8)))
        connection.execute(
            "INSERT INTO block (channel_id, start_us, last_us, count, data) VALUES (7, ?, ?, 600, ?)",
            (int(times[0]), int(times[-1]), data),
        )
    connection.close()


def test_readings_of_an_older_store_move_to_their_days(path: Path) -> None:
    old_store(path)
    with pytest.raises(StoreError, match="has schema 1, this version of lineproof reads 2"):
        SqliteReader.open(path)
    store = SqliteStore.open(path, staging_s=0)
    assert seconds(store) == [float(n) for n in range(-600, 600)]
    assert store.newest_us(KEY) == MIDNIGHT + 599 * SECOND
    assert [m.count for m in store.minutes(KEY, MIDNIGHT - DAY_US, MIDNIGHT + DAY_US)] == [60] * 20
    again = [Reading(CHANNEL, MIDNIGHT + n * SECOND, 0.0) for n in range(-10, 10)]
    assert store.commit(Batch(at(MIDNIGHT), readings=again)).duplicate_readings == 20
    store.close()


def test_a_move_that_was_interrupted_is_done_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_store(path)
    with monkeypatch.context() as cut:
        cut.setattr("edge_agent.adapters.sqlite_schema._migrate", _power_cut)
        with pytest.raises(KeyboardInterrupt):
            SqliteStore.open(path)
    store = SqliteStore.open(path, staging_s=0)
    assert seconds(store) == [float(n) for n in range(-600, 600)]
    store.close()


def _power_cut(*_: object) -> None:
    raise KeyboardInterrupt


# ---- killed ---------------------------------------------------------------------------------------------------


@pytest.mark.faults
def test_killed_between_any_two_steps_no_reading_is_lost_or_doubled(path: Path) -> None:
    SqliteStore.open(path, staging_s=0).close()
    acknowledged = 0
    for kill in range(10):
        command = [sys.executable, __file__, str(path), str(acknowledged)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(1 + 5 * kill):
                acknowledged = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
        store = SqliteStore.open(path, staging_s=0)
        stored = seconds(store)
        assert stored == [float(n) for n in range(len(stored))]
        assert acknowledged <= len(stored) <= acknowledged + STEP
        minutes = store.minutes(KEY, MIDNIGHT, MIDNIGHT + DAY_US)
        assert sum(m.count for m in minutes) == len(stored)
        assert len(list(store.kept_days())) <= 1
        for removed in store.unfinished_days():
            store.finish_day(removed)
        compact(store)
        assert seconds(store) == stored
        store.close()


STEP = 40


def main() -> None:
    """Commit, compact and remove a day of another channel for ever, printing how many readings are durable."""
    path, first = Path(sys.argv[1]), int(sys.argv[2])
    store = SqliteStore.open(path, staging_s=0)
    other = Channel("press-1", "pump", "speed")
    while True:
        commit(store, first, first + STEP)
        first += STEP
        sys.stdout.write(f"{first}\n")
        sys.stdout.flush()
        commit(store, -86_400 + first, -86_400 + first + STEP, other)
        compact(store)
        removed = store.remove_day(MIDNIGHT // DAY_US - 1)
        if removed is not None:
            store.finish_day(removed)


if __name__ == "__main__":
    main()
