from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import apsw
import msgspec
import pytest

from roi_tracker.adapters.sqlite_schema import MIGRATIONS
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.errors import StoreError
from roi_tracker.observations import facts as f
from roi_tracker.observations.rows import AuditSample, Finding, LineShift, Observation, Observations

if TYPE_CHECKING:
    from pathlib import Path

FACT = f.MachineWatched(key="k", line="l", at=datetime(2025, 3, 1, tzinfo=UTC), origin="imported", asset="press")


def test_facts_survive_a_reopen(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    store = SqliteStore(path)
    store.add_facts([FACT], source="a", reached=7)
    store.close()
    again = SqliteStore(path)
    assert list(again.facts()) == [FACT]
    assert (again.fact_count(), again.reached("a"), again.reached("b")) == (1, 7, 0)
    again.close()


def test_observations_are_kept_under_their_name(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.sqlite")
    audit = AuditSample("ai", "PASS", 3, 1)
    product = Observation("l", date(2025, 3, 1), "day", "a", "simulated", "ai", produced=5, audits=(audit,))
    row = LineShift("l", date(2025, 3, 1), "day", "measured", planned_busy_s=1.5)
    kept = Observations((product,), (row,), (Finding("outside_shifts", "l", date(2025, 3, 1), "x"),))
    store.keep_observations("one", 7, kept, {product.day})
    assert store.observations("one") == kept
    assert (store.derived("one"), store.derived("two")) == (7, None)
    assert store.observations("two") is None
    store.keep_observations("two", 8, Observations((), (), ()), ())
    assert store.observations("one") is None
    assert store.observations("two") == Observations((), (), ())
    store.close()


def test_a_frozen_baseline_cannot_be_touched(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    SqliteStore(path).close()
    connection = apsw.Connection(str(path))
    connection.execute("INSERT INTO frozen_baseline VALUES (1, 'c', 'b', 'h', 't', x'00')")
    with pytest.raises(apsw.ConstraintError, match="cannot be changed"):
        connection.execute("UPDATE frozen_baseline SET sha256 = 'other'")
    with pytest.raises(apsw.ConstraintError, match="cannot be removed"):
        connection.execute("DELETE FROM frozen_baseline")
    connection.close()


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.sqlite"
    text.write_text("this is not a database, it is a long line of text, longer than a header would be" * 20)
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore(text)
    newer = tmp_path / "newer.sqlite"
    connection = apsw.Connection(str(newer))
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreError, match="update lineproof"):
        SqliteStore(newer)


def test_a_store_of_the_first_schema_keeps_its_facts(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    at = datetime(2025, 3, 1, 5, tzinfo=UTC)
    stop = f.StopFact(key="s", line="l", at=at, origin="measured", asset="m", end=at.replace(hour=7), planned=False)
    judged = f.JudgedPart(
        key="j", line="l", at=at, origin="measured", inspection_key="i", defective=True, stratum="review"
    )
    connection = apsw.Connection(str(path))
    connection.execute(MIGRATIONS[0])
    connection.executemany(
        "INSERT INTO fact (key, line, at, origin, source, body) VALUES (?, ?, ?, ?, ?, ?)",
        [(x.key, x.line, x.at.isoformat(), x.origin, "feed", msgspec.json.encode(x)) for x in (FACT, stop, judged)],
    )
    connection.execute("PRAGMA user_version=1")
    connection.close()
    store = SqliteStore(path)
    assert list(store.facts()) == [FACT, stop, judged]
    assert list(store.facts_between(at, at.replace(hour=6))) == [stop, judged]
    assert store.signs().by_line == {"l": (FACT.at, at.replace(hour=7))}
    assert store.add_facts([stop], source="feed").duplicates == 1
    rows = store._connection.execute("SELECT kind, end_us - at_us, ref FROM fact ORDER BY number").fetchall()
    assert rows == [("watched", 0, None), ("stop", 7_200_000_000, None), ("judged", 0, "i")]
    store.close()
