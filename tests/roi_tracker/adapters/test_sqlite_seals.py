"""Whoever changes the store behind the program's back is found out, with the import, day and line named."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from roi_tracker.adapters import sqlite_seals
from roi_tracker.adapters.sqlite_schema import APPLICATION_ID, MIGRATIONS
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.errors import StoreUnusableError, UnreachableError
from roi_tracker.observations import facts as f
from roi_tracker.observations.rows import LineShift, Observations
from roi_tracker.observations.seals import GENESIS, Seal, StoreAlteredError, StoreFault, digest_of
from roi_tracker.ports import Imported

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2025, 3, 1, 5, tzinfo=UTC)
SLIPPED_IN = (
    "INSERT INTO fact SELECT {}, 'new', kind, line, at_us, end_us, ref, import, NULL, body FROM fact WHERE number = 1"
)


def made(number: int, line: str = "press-1", produced: int = 600) -> f.ProductionFact:
    at = AT + timedelta(days=number)
    return f.ProductionFact(
        key=f"counts.csv/{number}",
        line=line,
        at=at,
        origin="imported",
        end=at + timedelta(hours=8),
        product="bracket",
        shift="day",
        produced=produced,
    )


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two imports, of seven facts and of two; a seal takes three."""
    monkeypatch.setattr(sqlite_seals, "SEALED_AT_ONCE", 3)
    place = tmp_path / "roi.sqlite"
    store = SqliteStore(place)
    store.add_facts([made(number) for number in range(7)], source="counts.csv")
    store.add_facts(
        [made(7), f.MachineWatched(key="w", line="press-2", at=AT, origin="measured", asset="m")], source="a"
    )
    store.close()
    return place


def tamper(path: Path, *statements: str) -> None:
    raw = apsw.Connection(str(path))
    raw.execute("DROP TRIGGER fact_no_update; DROP TRIGGER fact_no_delete; DROP TRIGGER frozen_baseline_no_update")
    for statement in statements:
        raw.execute(statement)
    raw.close()


def found(path: Path) -> list[StoreFault]:
    """What every command meets, and what `verify` lists."""
    store = SqliteStore(path)
    try:
        with pytest.raises(StoreAlteredError) as caught:
            list(store.facts())
        assert caught.value.faults
        assert set(caught.value.faults) <= set(store.verify())
        return list(caught.value.faults)
    finally:
        store.close()


def test_a_store_as_imported_holds(path: Path) -> None:
    store = SqliteStore(path)
    assert store.verify() == ()
    assert len(list(store.facts())) == 9
    assert store.head().number == 4, "three seals of the first import, one of the second"
    assert store.facts_head(7) != store.facts_head(9) == store.head().sha256
    assert store.facts_head(0) == GENESIS
    assert store.verify([store.facts_head(7)]) == ()
    assert [fault.name for fault in store.verify(["f" * 64])] == ["head_unknown"]
    store.close()


def test_an_altered_quantity_is_named_with_import_line_and_day(path: Path) -> None:
    tamper(path, "UPDATE fact SET body = CAST(replace(CAST(body AS TEXT), '600', '900') AS BLOB) WHERE number = 5")
    (fault,) = found(path)
    assert (fault.name, fault.batch, fault.source, fault.fact) == ("fact_altered", 1, "counts.csv", 5)
    assert (fault.key, fault.line, fault.day) == ("counts.csv/4", "press-1", date(2025, 3, 5))
    assert "fact_altered: import 1 (counts.csv), number 5, counts.csv/4, press-1, 2025-03-05" in str(fault)


@pytest.mark.parametrize(
    ("statement", "name", "fact"),
    [
        ("UPDATE fact SET at_us = at_us + 86400000000 WHERE number = 2", "fact_altered", 2),
        ("UPDATE fact SET line = 'other' WHERE number = 9", "fact_altered", 9),
        ("UPDATE fact SET import = 2 WHERE number = 1", "fact_altered", 1),
        ("DELETE FROM fact WHERE number = 4", "fact_missing", 4),
        ("DELETE FROM fact WHERE number = 9", "fact_missing", 9),
        ("UPDATE fact SET superseded = 9 WHERE number = 3", "replacement_altered", 3),
        (SLIPPED_IN.format(10), "fact_not_imported", 10),
        (SLIPPED_IN.format(-1), "fact_not_imported", -1),
    ],
)
def test_every_other_change_of_a_fact_is_found(path: Path, statement: str, name: str, fact: int) -> None:
    tamper(path, statement)
    assert (name, fact) in [(one.name, one.fact) for one in found(path)]


def test_a_cut_tail_is_found_by_the_head_kept_apart(path: Path) -> None:
    tamper(path, "DELETE FROM fact WHERE number > 7", "DELETE FROM seal WHERE number > 3")
    assert "seals_cut_off" in [fault.name for fault in found(path)]


def test_an_altered_seal_is_found(path: Path) -> None:
    tamper(path, "UPDATE fact SET body = CAST(replace(CAST(body AS TEXT), '600', '900') AS BLOB) WHERE number = 5")
    raw = apsw.Connection(str(path))
    rows: list[Any] = [text for _, text in raw.execute(sqlite_seals._ROWS["facts"], (4, 6)).fetchall()]
    content = hashlib.sha256(b"\x1e".join(rows)).digest()
    raw.execute("UPDATE seal SET content = ? WHERE number = 2", (content,))
    raw.close()
    assert [fault.name for fault in found(path)] == ["seal_altered"]


def test_altered_signs_of_life_are_found(path: Path) -> None:
    tamper(path, "UPDATE sign SET last_us = last_us + 1")
    assert [fault.name for fault in found(path)] == ["signs_altered"]


def test_a_correction_is_no_tampering(path: Path) -> None:
    store = SqliteStore(path)
    done = store.add_facts([made(2, produced=610)], source="again.csv", on_change="replace")
    assert done == Imported(added=0, duplicates=0, ignored=0, replaced=1)
    assert store.verify() == ()
    assert [fact.produced for fact in store.facts() if isinstance(fact, f.ProductionFact)][-1] == 610
    store.close()
    tamper(path, "UPDATE fact SET superseded = NULL, key = 'x' WHERE number = 3")
    assert "fact_altered" in {fault.name for fault in found(path)}


def test_an_altered_derived_day_is_named(path: Path) -> None:
    store = SqliteStore(path)
    rows = tuple(LineShift("press-1", date(2025, 3, day), "day", "imported", planned_busy_s=28800.0) for day in (1, 2))
    store.keep_observations("one", 9, Observations((), rows, ()), {row.day for row in rows})
    assert store.observations("one") == Observations((), rows, ())
    store.close()
    raw = apsw.Connection(str(path))
    raw.execute(
        "UPDATE derived_day SET body = CAST(body || 'x' AS BLOB) WHERE day = ?", (date(2025, 3, 2).toordinal(),)
    )
    raw.close()
    again = SqliteStore(path)
    with pytest.raises(StoreAlteredError, match="day_altered: 2025-03-02"):
        again.observations("one")
    again.forget_observations()
    assert again.observations("one") is None
    assert again.verify() == ()
    again.close()


def test_a_derived_day_taken_away_is_found(path: Path) -> None:
    store = SqliteStore(path)
    row = LineShift("press-1", date(2025, 3, 1), "day", "imported", planned_busy_s=28800.0)
    store.keep_observations("one", 9, Observations((), (row,), ()), {row.day})
    store.close()
    raw = apsw.Connection(str(path))
    raw.execute("DELETE FROM derived_day")
    raw.close()
    again = SqliteStore(path)
    with pytest.raises(StoreAlteredError, match="day_altered"):
        again.observations("one")
    again.close()


def test_what_another_process_alters_meanwhile_is_found(path: Path) -> None:
    """A portal keeps nothing it once believed when the file is another one."""
    store = SqliteStore(path)
    assert len(list(store.facts())) == 9
    tamper(path, "DELETE FROM fact WHERE number = 1")
    with pytest.raises(StoreAlteredError, match="fact_missing"):
        list(store.facts())
    store.close()
    assert [fault.name for fault in found(path)] == ["fact_missing"]


def test_a_store_from_before_the_seals_is_sealed_as_found(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    raw = apsw.Connection(str(path))
    for script in MIGRATIONS[:3]:
        raw.execute(script)
    raw.execute("INSERT INTO import (source) VALUES ('feed')")
    raw.execute(
        "INSERT INTO fact VALUES (1, 'k', 'watched', 'l', 0, 0, NULL, 1, NULL, ?)",
        (b'{"fact":"watched","key":"k","line":"l","at":"1970-01-01T00:00:00Z","origin":"imported","asset":"m"}',),
    )
    raw.execute("INSERT INTO sign VALUES ('l', 0, 0, 0)")
    raw.execute("INSERT INTO frozen_baseline VALUES (1, 'c', 'b', 'h', 't', x'00')")
    raw.execute("PRAGMA user_version=3")
    raw.close()
    store = SqliteStore(path)
    assert (store.verify(), store.head().number) == ((), 2)
    store.close()
    tamper(path, "UPDATE frozen_baseline SET frozen_at = 'earlier'")
    (fault,) = found(path)
    assert (fault.name, fault.key, fault.source) == ("baseline_altered", "b", "h")


def test_a_baseline_slipped_in_is_found(path: Path) -> None:
    tamper(path, "INSERT INTO frozen_baseline VALUES (1, 'c', 'b', 'h', 't', x'00')")
    assert [fault.name for fault in found(path)] == ["baseline_not_frozen"]


def test_another_programs_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    raw = apsw.Connection(str(path))
    raw.execute("CREATE TABLE customers (name TEXT)")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnusableError, match=r"no store of roi-tracker"):
        SqliteStore(path)
    assert path.read_bytes() == before
    assert issubclass(StoreUnusableError, UnreachableError)


def test_a_store_says_whose_it_is(path: Path) -> None:
    raw = apsw.Connection(str(path))
    assert raw.pragma("application_id") == APPLICATION_ID
    raw.close()


def test_the_digest_covers_every_field(path: Path) -> None:
    store = SqliteStore(path)
    rows: list[Any] = store._connection.execute(sqlite_seals._SEALS).fetchall()
    held = Seal(*rows[0])
    assert digest_of(held, GENESIS) == held.sha256 != digest_of(held, "1" * 64)
    store.close()
