"""The contract of ports.Store, for every adapter that implements it."""

from __future__ import annotations

import importlib.util
import math
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.errors import StoreError, ValueRefusedError
from edge_agent.events import Alarm, Event, Gap, Inspection
from edge_agent.instant import from_us
from edge_agent.ports import Batch, MinuteRollup, Store
from edge_agent.readings import Channel, Quality

if TYPE_CHECKING:
    from collections.abc import Iterator

_FACTS_FILE = Path(__file__).with_name("store_facts.py")


def _load_facts() -> Any:
    spec = importlib.util.spec_from_file_location("store_facts", _FACTS_FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


f = _load_facts()
T0, SECOND = f.T0, f.SECOND


class Open(Protocol):
    """Opens the store at a place, made when absent; opened again, it is the same store."""

    def __call__(self, place: Path) -> Store: ...


def _sqlite(place: Path) -> Store:
    return SqliteStore.open(place / "store" / "lineproof.db")


FACTORIES: list[Open] = [_sqlite]


@pytest.fixture(params=FACTORIES, ids=lambda factory: factory.__name__.strip("_"))
def opened(request: pytest.FixtureRequest) -> Open:
    factory: Open = request.param
    return factory


@pytest.fixture
def store(opened: Open, tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path)
    yield store
    store.close()


def keys(events: Any) -> list[str]:
    return [recorded.event.key for recorded in events]


def compact_all(store: Store, seconds: float) -> int:
    moved = 0
    while step := store.compact(f.at(seconds)):
        moved += step
    return moved


# ---- events ---------------------------------------------------------------------------------------------------


def test_an_event_comes_back_as_it_was_recorded(store: Store) -> None:
    event = f.inspection("i-1", second=0.000001)
    (recorded,) = store.commit(Batch(f.at(3), events=[event])).events
    assert (recorded.seq, recorded.boot_id, recorded.mono_ns) == (1, "boot-1", 3_000_005_000)
    assert recorded.recorded_at == from_us(T0 + 3 * SECOND)
    assert recorded.event == event
    assert store.event("i-1") == recorded
    assert store.event("i-2") is None
    assert store.events_after(0, limit=10) == [recorded]


def test_one_key_is_one_effect_within_and_between_batches(store: Store) -> None:
    first, other = f.inspection("i-1"), f.inspection("i-1", "FAIL")
    assert store.commit(Batch(f.at(), events=[first, other])).duplicate_events == 1
    again = store.commit(Batch(f.at(1), events=[other, f.inspection("i-2")]))
    assert (keys(again.events), again.duplicate_events) == (["i-2"], 1)
    kept = store.event("i-1")
    assert kept is not None
    assert kept.event == first
    assert store.totals().events == 2


@pytest.mark.parametrize("key", ["nul\x00key", "한글 키", "quote'\"\\", "😀"])
def test_any_text_is_a_key(store: Store, key: str) -> None:
    store.commit(Batch(f.at(), events=[f.inspection(key)]))
    assert store.commit(Batch(f.at(), events=[f.inspection(key)])).duplicate_events == 1
    assert keys(store.events_after(0, limit=5)) == [key]


def test_the_feed_filters_and_pages_in_order(store: Store) -> None:
    lines = ["a", "b", "a", "a", "b"]
    events = [f.inspection(f"i-{n}", line=line) for n, line in enumerate(lines)]
    events.insert(3, f.disposition("d-0", "i-0", line="a"))
    store.commit(Batch(f.at(), events=events))
    assert keys(store.events_after(2, limit=2)) == ["i-2", "d-0"]
    assert keys(store.events_after(0, limit=9, line="a")) == ["i-0", "i-2", "d-0", "i-3"]
    assert keys(store.events_after(1, limit=2, line="a")) == ["i-2", "d-0"]
    assert keys(store.events_after(0, limit=9, kinds=frozenset({"disposition"}))) == ["d-0"]
    both = frozenset({"disposition", "inspection"})
    assert keys(store.events_after(2, limit=3, kinds=both)) == ["i-2", "d-0", "i-3"]
    assert keys(store.events_after(0, limit=9, kinds=both, line="b")) == ["i-1", "i-4"]
    assert store.events_after(0, limit=9, kinds=frozenset()) == []
    assert store.last_seq() == 6


def test_latest_events_are_the_newest_of_their_kind(store: Store) -> None:
    store.commit(Batch(f.at(), events=[f.inspection(f"i-{n}", line="ab"[n % 2]) for n in range(5)]))
    assert keys(store.latest_events("inspection")) == ["i-4"]
    assert keys(store.latest_events("inspection", line="b", limit=5)) == ["i-3", "i-1"]
    assert store.latest_events("alarm") == []


def test_reviews_are_open_until_a_disposition_in_either_order(store: Store) -> None:
    store.commit(Batch(f.at(), events=[f.disposition("d-early", "i-early")]))
    reviews = [
        f.inspection("i-early", "REVIEW"),
        f.inspection("i-1", "REVIEW"),
        f.inspection("i-2", "REVIEW", line="b"),
    ]
    store.commit(Batch(f.at(), events=[*reviews, f.inspection("i-pass"), f.inspection("i-none", "NO_VERDICT")]))
    assert keys(store.open_reviews()) == ["i-1", "i-2"]
    assert keys(store.open_reviews(line="b")) == ["i-2"]
    assert keys(store.open_reviews(limit=1)) == ["i-1"]
    store.commit(Batch(f.at(), events=[f.disposition("d-1", "i-1"), f.disposition("d-2", "i-1")]))
    assert keys(store.open_reviews()) == ["i-2"]
    assert keys(store.dispositions_of("i-1")) == ["d-1", "d-2"]
    assert store.dispositions_of("i-2") == []
    store.commit(Batch(f.at(), events=[reviews[1]]))  # redelivered: must not open again
    assert keys(store.open_reviews()) == ["i-2"]


# ---- sequence marks -------------------------------------------------------------------------------------------


def test_a_hole_is_a_gap_event_once_and_a_late_message_fills_it(store: Store) -> None:
    assert store.commit(Batch(f.at(), marks=[f.mark(7)])).events == []
    (gap,) = store.commit(Batch(f.at(9), marks=[f.mark(12), f.mark(11), f.mark(8)])).events
    assert gap.event == Event("gap/plc-1/e1/9-10", "", f.at(9).utc, Gap("plc-1", "e1", 9, 10))
    assert store.totals().missing_messages == 2
    assert store.commit(Batch(f.at(), marks=[f.mark(10), f.mark(12)])).events == []
    assert store.totals().missing_messages == 1
    assert store.commit(Batch(f.at(), marks=[f.mark(9)])).events == []
    assert store.totals().missing_messages == 0
    assert keys(store.latest_events("gap", limit=5)) == ["gap/plc-1/e1/9-10"]


def test_sources_and_epochs_count_by_themselves(store: Store) -> None:
    marks = [f.mark(1), f.mark(5, epoch="e2"), f.mark(9, source="plc-2"), f.mark(12, source="plc-2")]
    assert keys(store.commit(Batch(f.at(), marks=marks)).events) == ["gap/plc-2/e1/10-11"]
    assert keys(store.commit(Batch(f.at(), marks=[f.mark(3), f.mark(6, epoch="e2")])).events) == ["gap/plc-1/e1/2-2"]
    assert store.totals().missing_messages == 3


# ---- outbox and quarantine ------------------------------------------------------------------------------------


def test_a_message_is_queued_only_with_a_new_subject(store: Store) -> None:
    batch = Batch(f.at(), events=[f.inspection("i-1")], outbox=[f.message("m-1", "i-1"), f.message("m-x", "i-other")])
    first = store.commit(batch)
    assert first.outbox == [f.message("m-1", "i-1")]
    assert store.commit(batch).outbox == []
    store.commit(Batch(f.at(), settled=["m-1", "m-unknown"]))
    assert store.commit(batch).outbox == []
    assert store.pending_outbox() == []


def test_a_message_without_subject_is_never_queued_twice(store: Store) -> None:
    batch = Batch(f.at(), outbox=[f.message("m-2"), f.message("m-1"), f.message("m-2")])
    assert [m.key for m in store.commit(batch).outbox] == ["m-2", "m-1"]
    assert store.pending_outbox() == [f.message("m-2"), f.message("m-1")]
    assert store.totals().outbox_pending == 2
    store.commit(Batch(f.at(), settled=["m-2"]))
    assert store.commit(batch).outbox == []
    assert [m.key for m in store.pending_outbox()] == ["m-1"]


def test_poison_is_kept_once(store: Store) -> None:
    store.commit(Batch(f.at(), quarantined=[f.poison("q-1"), f.poison("q-1")]))
    store.commit(Batch(f.at(), quarantined=[f.poison("q-1"), f.poison("q-2")]))
    assert store.totals().quarantined == 2


# ---- readings -------------------------------------------------------------------------------------------------


def test_readings_come_back_in_time_order_without_bad_ones(store: Store) -> None:
    readings = [f.reading(2, 2.5), f.reading(1, -0.0, Quality.UNCERTAIN), f.reading(3, 9.0, Quality.BAD)]
    assert store.commit(Batch(f.at(), readings=readings)).duplicate_readings == 0
    times, values = store.readings("press-1/pump/temperature", T0, T0 + 10 * SECOND)
    assert times.tolist() == [T0 + SECOND, T0 + 2 * SECOND]
    assert values.tolist() == [0.0, 2.5]
    assert store.readings("press-1/pump/temperature", T0 + SECOND, T0 + 2 * SECOND)[1].tolist() == [0.0]
    assert store.readings("no/such/channel", T0, T0 + SECOND)[0].tolist() == []
    assert store.channels() == [f.CHANNEL]


def test_a_channel_shows_its_newest_unit(store: Store) -> None:
    for second, unit in enumerate(["Cel", "K", "Cel", "K"]):
        channel = Channel("press-1", "pump", "temperature", unit)
        store.commit(Batch(f.at(), readings=[f.reading(second, channel=channel)]))
        assert [channel.unit for channel in store.channels()] == [unit]
    assert store.totals().readings == 4


def test_a_reading_is_a_duplicate_before_and_after_compaction(store: Store) -> None:
    readings = [f.reading(n / 2, n / 4) for n in range(1_400)]  # 700 s: two blocks
    store.commit(Batch(f.at(), readings=readings))
    assert store.commit(Batch(f.at(), readings=readings[:10])).duplicate_readings == 10
    assert store.compact(f.at(0)) == 0
    assert compact_all(store, 780) == 1_400
    changed = [f.reading(n / 2, 99.0) for n in range(1_400)]
    assert store.commit(Batch(f.at(), readings=changed)).duplicate_readings == 1_400
    times, values = store.readings("press-1/pump/temperature", T0, T0 + 1_000 * SECOND)
    assert times.tolist() == [T0 + n * SECOND // 2 for n in range(1_400)]
    assert values.tolist() == [n / 4 for n in range(1_400)]
    assert store.totals().readings == 1_400


def test_only_whole_minutes_past_the_staging_time_move(store: Store) -> None:
    store.commit(Batch(f.at(), readings=[f.reading(n) for n in range(180)]))
    assert compact_all(store, 119.9) == 0
    assert compact_all(store, 179) == 60
    assert compact_all(store, 240) == 120
    assert compact_all(store, 10_000) == 0


def test_roll_ups_are_right_before_and_after_compaction_and_with_late_readings(store: Store) -> None:
    key = "press-1/pump/temperature"
    readings = [f.reading(0, 1.0), f.reading(30, 4.0), f.reading(59, 100.0, Quality.BAD), f.reading(61, -2.0)]
    store.commit(Batch(f.at(), readings=readings))
    expected = [MinuteRollup(T0, 2, 1.0, 2.5, 4.0), MinuteRollup(T0 + 60 * SECOND, 1, -2.0, -2.0, -2.0)]
    assert store.minutes(key, T0, T0 + 600 * SECOND) == expected
    assert compact_all(store, 180) == 4
    assert store.minutes(key, T0, T0 + 600 * SECOND) == expected
    assert store.minutes(key, T0 + 1, T0 + 60 * SECOND) == []
    late = Batch(f.at(), readings=[f.reading(10, 10.0), f.reading(30, 77.0)])
    assert store.commit(late).duplicate_readings == 1
    expected[0] = MinuteRollup(T0, 3, 1.0, 5.0, 10.0)
    assert store.minutes(key, T0, T0 + 600 * SECOND) == expected
    assert compact_all(store, 180) == 1
    assert store.minutes(key, T0, T0 + 600 * SECOND) == expected
    assert store.readings(key, T0, T0 + 31 * SECOND)[1].tolist() == [1.0, 10.0, 4.0]


def test_the_newest_time_of_a_channel_is_known_staged_and_compacted(store: Store) -> None:
    key = "press-1/pump/temperature"
    other = Channel("press-1", "ram", "current", "A")
    assert store.newest_us(key) is None
    readings = [f.reading(second) for second in range(1_400)]  # three blocks
    store.commit(Batch(f.at(), readings=[*readings, f.reading(5_000, channel=other)]))
    assert store.newest_us(key) == T0 + 1_399 * SECOND
    assert compact_all(store, 100_000) == 1_401
    assert store.newest_us(key) == T0 + 1_399 * SECOND
    store.commit(Batch(f.at(), readings=[f.reading(700.5)]))  # late: staged, and older than the newest block
    assert store.newest_us(key) == T0 + 1_399 * SECOND
    store.commit(Batch(f.at(), readings=[f.reading(1_400, quality=Quality.BAD)]))
    assert store.newest_us(key) == T0 + 1_400 * SECOND
    assert store.newest_us(other.key) == T0 + 5_000 * SECOND
    assert store.newest_us("press-1/pump/none") is None


def test_compaction_is_bounded_a_call_and_reaches_every_channel(store: Store) -> None:
    channels = [Channel("press-1", f"motor-{n}", "current", "A") for n in range(120)]
    readings = [f.reading(second, second / 8, channel=channel) for second in range(200) for channel in channels]
    store.commit(Batch(f.at(), readings=readings))
    steps = []
    while step := store.compact(f.at(1_000)):
        steps.append(step)
    assert sum(steps) == 24_000
    assert len(steps) > 1
    for channel in channels:
        assert store.readings(channel.key, T0, T0 + 600 * SECOND)[1].tolist() == [second / 8 for second in range(200)]


# ---- the whole ------------------------------------------------------------------------------------------------


def test_an_offered_batch_is_written_whole_or_not_at_all(store: Store) -> None:
    store.commit(f.numbered_batch(1))
    before = store.totals()
    batch = f.numbered_batch(3)
    bad = Batch(batch.at, batch.events, [*batch.readings, f.reading(5, float("nan"))], batch.marks, batch.outbox)
    with pytest.raises(ValueRefusedError, match="refuses a value"):
        store.commit(bad)
    after = store.totals()
    assert (after.events, after.readings, after.missing_messages) == (before.events, before.readings, 0)
    assert store.event("b3-0") is None
    assert [m.key for m in store.pending_outbox()] == ["out-1"]
    again = store.commit(batch)
    assert keys(again.events) == [*(f"b3-{n}" for n in range(20)), "gap/plc-1/e1/2-2"]
    assert again.duplicate_readings == 0
    assert [m.key for m in again.outbox] == ["out-3"]


def test_an_event_that_could_not_be_read_again_is_refused(store: Store) -> None:
    alarm = Alarm("hot", "press", "raised", math.nan, 80.0, "Check the water", from_us(0))
    with pytest.raises(ValueRefusedError, match="could not be read again"):
        store.commit(Batch(at=f.at(), events=[Event("a", "press-1", from_us(0), alarm)]))
    assert store.last_seq() == 0


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_reading_that_is_not_finite_is_refused(store: Store, value: float) -> None:
    with pytest.raises(ValueRefusedError, match="refuses a value"):
        store.commit(Batch(f.at(), readings=[f.reading(1, value)]))
    assert store.channels() == []
    assert store.commit(Batch(f.at(), readings=[f.reading(1, 1.7976931348623157e308)])).duplicate_readings == 0
    assert store.channels() == [f.CHANNEL]  # nothing remembered from the refused transaction
    assert store.readings(f.CHANNEL.key, T0, T0 + 2 * SECOND)[1].tolist() == [1.7976931348623157e308]


def test_a_closed_store_opens_again_as_it_was(opened: Open, tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.commit(f.numbered_batch(1))
    compact_all(store, 500)
    feed, totals = store.events_after(0, limit=100), store.totals()
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.last_seq()
    with pytest.raises(StoreError, match="closed"):
        store.commit(f.numbered_batch(2))
    store = opened(tmp_path)
    assert store.events_after(0, limit=100) == feed
    assert store.totals().readings == totals.readings == 10
    again = store.commit(f.numbered_batch(1))
    assert (again.duplicate_events, again.duplicate_readings) == (20, 10)
    store.close()


def test_readers_in_other_threads_see_whole_commits_only(store: Store) -> None:
    stop, seen, faults = threading.Event(), set(), []

    def watch() -> None:
        while not stop.is_set():
            totals = store.totals()
            seen.add(totals.events)
            if totals.events != 2 * totals.readings or totals.events % 20:
                faults.append(totals)

    watchers = [threading.Thread(target=watch) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    for number in range(60):
        store.commit(f.numbered_batch(number))
        store.compact(f.at(number))
    stop.set()
    for watcher in watchers:
        watcher.join(10)
    assert faults == []
    assert store.totals().events == 1_200
    assert len(seen) > 1


@pytest.mark.faults
def test_killed_in_the_midst_of_commits_it_keeps_what_it_acknowledged(opened: Open, tmp_path: Path) -> None:
    path, acknowledged = tmp_path / "store" / "lineproof.db", -1
    opened(tmp_path).close()
    for kill in range(10):
        command = [sys.executable, str(_FACTS_FILE), str(path), str(acknowledged + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(1 + 7 * kill):
                acknowledged = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
        store = opened(tmp_path)
        stored = store.events_after(0, limit=1_000_000)
        batches = len(stored) // 20
        assert batches >= acknowledged + 1  # one more may have been committed and not yet told
        assert batches <= acknowledged + 2
        assert keys(stored) == [f"b{batch}-{n}" for batch in range(batches) for n in range(20)]
        assert [recorded.seq for recorded in stored] == list(range(1, 20 * batches + 1))
        totals = store.totals()
        assert (totals.readings, totals.quarantined, totals.missing_messages) == (10 * batches, batches, 0)
        times, values = store.readings(f.CHANNEL.key, T0, T0 + 10**12)
        assert times.tolist() == [T0 + n * SECOND // 10 for n in range(10 * batches)]
        assert values.tolist() == [float(n % 10) for n in range(10 * batches)]
        assert [m.key for m in store.pending_outbox()] == [f"out-{batches - 1}"]
        assert all(isinstance(recorded.event.body, Inspection) for recorded in stored)
        store.close()
