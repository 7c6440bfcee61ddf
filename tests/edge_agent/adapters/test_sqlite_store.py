"""What only the SQLite store promises: its file, its checks, its errors."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import apsw
import msgspec
import pytest

from edge_agent.adapters import sqlite_schema
from edge_agent.adapters.sqlite_days import day_of
from edge_agent.adapters.sqlite_reader import SqliteReader
from edge_agent.adapters.sqlite_schema import MIGRATIONS, Migration, open_writer
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.errors import StoreBusyError, StoreError, ValueRefusedError
from edge_agent.events import Disposition, Energy, Event
from edge_agent.instant import Instant, from_us
from edge_agent.ports import Batch, OutboxMessage, Quarantined
from edge_agent.readings import Channel, Reading, SequenceMark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T0 = 1_700_000_400_000_000
AT = Instant(T0, 7, "boot-1")


def energy(key: str, kwh: float = 1.5) -> Event:
    return Event(key, "press-1", from_us(T0), Energy("electricity", from_us(T0 + 1), kwh))


NAIVE = msgspec.structs.replace(energy("naive"), occurred_at=from_us(T0).replace(tzinfo=None))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lineproof.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore.open(path)
    yield store
    store.close()


# ---- the file -------------------------------------------------------------------------------------------------


def test_the_file_is_ours_durable_and_strict(store: SqliteStore) -> None:
    connection = store._connection
    assert tuple(map(int, apsw.sqlite_lib_version().split("."))) >= (3, 51, 3)
    assert connection.pragma("journal_mode") == "wal"
    assert connection.pragma("synchronous") == 2
    assert connection.pragma("foreign_keys") == 1
    assert connection.pragma("application_id") == sqlite_schema.APPLICATION_ID
    lax = "SELECT name FROM pragma_table_list WHERE NOT strict AND schema = 'main' AND name NOT LIKE 'sqlite_%'"
    assert connection.execute(lax).fetchall() == []
    assert connection.execute("SELECT version FROM schema_version").fetchall() == [
        (step.version,) for step in MIGRATIONS
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET body = '{}'",
        "DELETE FROM event",
        "REPLACE INTO event SELECT seq, key, kind, 'b', occurred_us, recorded_us, mono_ns, boot_id, body FROM event",
    ],
)
def test_events_are_append_only(store: SqliteStore, statement: str) -> None:
    store.commit(Batch(AT, events=[energy("e-1")]))
    with pytest.raises(apsw.ConstraintError, match="append-only"):
        store._connection.execute(statement)
    assert [recorded.event for recorded in store.events_after(0, limit=9)] == [energy("e-1")]


def test_readers_cannot_write(store: SqliteStore, path: Path) -> None:
    reader = SqliteReader.open(path)
    with reader._reading("trying to write") as connection, pytest.raises(apsw.ReadOnlyError):
        connection.execute("DELETE FROM tally")
    reader.close()
    assert store.totals().events == 0


def test_a_reader_beside_the_agent_sees_its_commits(store: SqliteStore, path: Path) -> None:
    reader = SqliteReader.open(path)
    store.commit(Batch(AT, events=[energy("e-1")]))
    assert reader.last_seq() == 1
    reader.close()
    with pytest.raises(StoreError, match="is closed"):
        reader.last_seq()


def test_one_read_sees_one_state_though_a_commit_comes_between(store: SqliteStore) -> None:
    store.commit(Batch(AT, events=[energy("e-1")]))
    with store._reading("reading twice") as connection:
        assert connection.execute("SELECT count(*) FROM event").get == 1
        store.commit(Batch(AT, events=[energy("e-2")]))
        assert connection.execute("SELECT count(*) FROM event").get == 1
    assert store.last_seq() == 2


def test_connections_are_used_again_and_closed_with_the_store(path: Path) -> None:
    store = SqliteStore.open(path)
    for _ in range(3):
        store.last_seq()
    assert len(store._idle) == 1
    with store._reading("reading while closing") as connection:
        store.close()
        assert connection.execute("SELECT count(*) FROM event").get == 0
    assert len(store._idle) == 0
    with pytest.raises(apsw.ConnectionClosedError):
        connection.execute("SELECT 1")


def test_a_reader_makes_no_store(path: Path) -> None:
    with pytest.raises(StoreError, match=r"lineproof\.db"):
        SqliteReader.open(path)
    assert not path.exists()


# ---- opening --------------------------------------------------------------------------------------------------


def test_a_second_agent_is_kept_out(store: SqliteStore, path: Path) -> None:
    with pytest.raises(StoreBusyError, match="open in another agent"):
        SqliteStore.open(path)
    store.close()
    SqliteStore.open(path).close()


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    newer = (*MIGRATIONS, Migration(99, "CREATE TABLE of_the_future (id INTEGER PRIMARY KEY) STRICT"))
    open_writer(path, newer).close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="has schema 99, this version of lineproof knows up to 2"):
        SqliteStore.open(path)
    with pytest.raises(StoreError, match="has schema 99, this version of lineproof reads 2"):
        SqliteReader.open(path)
    assert path.read_bytes() == before


def test_a_migration_is_applied_once_and_whole_or_not_at_all(path: Path) -> None:
    SqliteStore.open(path).close()
    added = Migration(3, "CREATE TABLE added (id INTEGER PRIMARY KEY) STRICT; INSERT INTO added VALUES (5)")
    broken = Migration(4, "CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT; INSERT INTO nowhere VALUES (1)")
    with pytest.raises(StoreError, match="nowhere"):
        open_writer(path, (*MIGRATIONS, added, broken))
    connection = open_writer(path, (*MIGRATIONS, added))
    assert connection.execute("SELECT version FROM schema_version").fetchall() == [(1,), (2,), (3,)]
    assert connection.execute("SELECT id FROM added").fetchall() == [(5,)]
    assert not connection.table_exists("main", "half")
    connection.close()


def test_somebody_elses_database_is_refused_and_left_alone(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE theirs (id)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="database of another program"):
        SqliteStore.open(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"not a database" * 1_000)
    with pytest.raises(StoreError, match="damaged"):
        SqliteStore.open(path)
    assert path.read_bytes() == b"not a database" * 1_000


def test_a_damaged_store_is_refused_and_kept_as_evidence(path: Path) -> None:
    store = SqliteStore.open(path)
    store.commit(Batch(AT, events=[energy(f"e-{n}") for n in range(2_000)]))
    store.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged") as refused:
        SqliteStore.open(path)
    assert "edge-agent restore" in refused.value.hint
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be used"):
        SqliteStore.open(tmp_path / "file" / "lineproof.db")


# ---- committing -----------------------------------------------------------------------------------------------


def test_a_full_disk_writes_nothing_and_the_same_batch_goes_in_later(store: SqliteStore) -> None:
    connection = store._connection
    channel = Channel("press-1", "pump", "flow")
    batch = Batch(
        AT,
        events=[energy(f"e-{n}") for n in range(3_000)],
        readings=[Reading(channel, T0 + n, 1.0) for n in range(100)],
        marks=[SequenceMark("plc", "e", 1), SequenceMark("plc", "e", 5)],
        outbox=[OutboxMessage("m-1", "e-0", "t", b"p", T0, "press-1")],
    )
    connection.pragma("max_page_count", connection.pragma("page_count") + 10)
    with pytest.raises(StoreError, match="no space left") as refused:
        store.commit(batch)
    assert not refused.value.retryable
    totals = store.totals()
    assert (totals.events, totals.readings, totals.missing_messages, totals.outbox_pending) == (0, 0, 0, 0)
    assert store.channels() == []
    connection.pragma("max_page_count", 1_000_000)
    committed = store.commit(batch)
    assert (len(committed.events), len(committed.outbox), committed.duplicate_readings) == (3_001, 1, 0)
    assert [recorded.seq for recorded in committed.events] == list(range(1, 3_002))
    assert len(store.readings("press-1/pump/flow", T0, T0 + 100)[0]) == 100


def test_a_writer_beside_us_means_try_again(store: SqliteStore, path: Path) -> None:
    store._connection.set_busy_timeout(20)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError) as refused:
        store.commit(Batch(AT, events=[energy("e-1")]))
    assert refused.value.retryable
    assert store.compact(AT) == 0  # nothing to do asks for no lock
    other.execute("ROLLBACK")
    other.close()
    assert len(store.commit(Batch(AT, events=[energy("e-1")])).events) == 1


def test_compaction_that_fails_moves_nothing_and_can_be_repeated(store: SqliteStore) -> None:
    channel = Channel("press-1", "pump", "flow")
    noise = random.Random(1)  # values that do not compress
    readings = [Reading(channel, T0 + n * 10_000, noise.random()) for n in range(9_000)]
    store.commit(Batch(AT, readings=[Reading(channel, T0 - 600_000_000, 1.0), *readings]))
    later = Instant(T0 + 300_000_000, 8, "boot-1")
    assert store.compact(later) == 1  # the file of the day is there
    day = store._day_writer._open[day_of(T0)]
    day.pragma("max_page_count", day.pragma("page_count"))
    with pytest.raises(StoreError, match="no space left"):
        store.compact(later)
    assert store.minutes(channel.key, T0, T0 + 1)[0].count == 6_000
    day.pragma("max_page_count", 1_000_000)
    assert store.compact(later) == 9_000
    assert store.compact(later) == 0
    assert store.commit(Batch(AT, readings=readings)).duplicate_readings == 9_000
    times, values = store.readings(channel.key, T0, T0 + 10**9)
    assert times.tolist() == [reading.t_us for reading in readings]
    assert values.tolist() == [reading.value for reading in readings]


def test_late_readings_are_recognised_after_a_restart(path: Path) -> None:
    channel = Channel("press-1", "pump", "flow")
    readings = [Reading(channel, T0 + n * 1_000_000, float(n)) for n in range(600)]
    store = SqliteStore.open(path, staging_s=0)
    store.commit(Batch(AT, readings=readings[:300] + readings[301:]))
    assert store.compact(Instant(T0 + 600_000_000, 8, "boot-1")) == 599
    store.close()
    store = SqliteStore.open(path, staging_s=0)
    assert store.commit(Batch(AT, readings=readings)).duplicate_readings == 599
    assert store.compact(Instant(T0 + 600_000_000, 8, "boot-1")) == 1
    assert store.readings(channel.key, T0, T0 + 10**9)[1].tolist() == [float(n) for n in range(600)]
    assert [rollup.count for rollup in store.minutes(channel.key, T0, T0 + 10**9)] == [60] * 10
    store.close()


@pytest.mark.parametrize(
    "batch",
    [
        Batch(AT, events=[NAIVE]),
        Batch(AT, events=[energy("lone \ud800 surrogate")]),
        Batch(AT, marks=[SequenceMark("plc", "e", 1), SequenceMark("plc", "e", 2**70)]),
        Batch(AT, readings=[Reading(Channel("l", "a", "n"), 2**63, 1.0)]),
    ],
    ids=["naive time", "surrogate", "number past 64 bits", "time past 64 bits"],
)
def test_what_no_store_can_hold_is_refused_with_a_reason(store: SqliteStore, batch: Batch) -> None:
    with pytest.raises(ValueRefusedError, match="cannot be stored"):
        store.commit(batch)
    assert store.last_seq() == 0
    assert len(store.commit(Batch(AT, events=[energy("e-1")])).events) == 1


def test_a_second_writing_thread_is_a_mistake_until_the_first_has_ended(store: SqliteStore) -> None:
    faults: list[BaseException] = []

    def write() -> None:
        try:
            store.commit(Batch(AT, events=[energy("e-other")]))
        except RuntimeError as error:
            faults.append(error)

    first = threading.Thread(target=write)
    first.start()
    first.join(10)
    store.commit(Batch(AT, events=[energy("e-main")]))
    second = threading.Thread(target=write)
    second.start()
    second.join(10)
    assert ["'MainThread' is its writer" in str(fault) for fault in faults] == [True]
    assert [recorded.event.key for recorded in store.events_after(0, limit=9)] == ["e-other", "e-main"]


def test_an_event_of_the_future_is_named_when_it_cannot_be_read(store: SqliteStore) -> None:
    store._connection.execute(
        "INSERT INTO event VALUES (1, 'k', 'telepathy', 'l', 0, 0, 0, 'b',"
        """ '{"key":"k","line":"l","occurred_at":"2026-01-01T00:00:00Z","body":{"kind":"telepathy"}}')"""
    )
    with pytest.raises(StoreError, match="event 1 cannot be read"):
        store.events_after(0, limit=1)
    store.commit(Batch(AT, events=[Event("d", "l", from_us(T0), Disposition("k", "good", None, "kim"))]))
    assert [recorded.seq for recorded in store.dispositions_of("k")] == [2]


def test_settled_keys_without_a_subject_are_remembered_up_to_a_limit(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.adapters.sqlite_store.SETTLED_KEPT", 3)
    messages = [OutboxMessage(f"m-{n}", "", "t", b"", T0, "press-1") for n in range(5)]
    store.commit(Batch(AT, outbox=messages))
    store.commit(Batch(AT, settled=[message.key for message in messages]))
    assert [message.key for message in store.commit(Batch(AT, outbox=messages)).outbox] == ["m-0", "m-1"]


def test_totals_say_why_messages_were_quarantined_most_frequent_first(store: SqliteStore) -> None:
    assert store.totals().quarantine_reasons == ()
    reasons = ["clock_skew", "not_json", "not_json", "clock_skew", "not_json", "too_large"]
    poison = [Quarantined(f"q-{n}", "mqtt", "t", reason, "", b"") for n, reason in enumerate(reasons)]
    store.commit(Batch(AT, quarantined=poison))
    found = [(why.reason, why.count) for why in store.totals().quarantine_reasons]
    assert found == [("not_json", 3), ("clock_skew", 2), ("too_large", 1)]
