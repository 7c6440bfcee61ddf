"""A clock set back is refused: an entry or a freeze never passes for earlier than what the store knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from roi_tracker.adapters.sqlite_ledger import SqliteLedger
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.commands import clock
from roi_tracker.errors import StoreError
from roi_tracker.ledger.entries import Draft, GateDecision
from roi_tracker.observations.facts import EscapeFact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = GateDecision(gate="a", answer="go_on", reason="b", decided_by="c")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[SqliteStore, SqliteLedger]]:
    store, ledger = SqliteStore(tmp_path / "roi.sqlite"), SqliteLedger(tmp_path / "roi.sqlite")
    yield store, ledger
    ledger.close()
    store.close()


def set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Clock:
            assert tz is UTC
            return cls.fromtimestamp(now.timestamp(), UTC)

    monkeypatch.setattr(clock, "datetime", Clock)


def test_an_empty_store_takes_any_time(
    opened: tuple[SqliteStore, SqliteLedger], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, datetime(2025, 7, 14, tzinfo=UTC))
    assert clock.writing_time(*opened) == datetime(2025, 7, 14, tzinfo=UTC)


def test_behind_an_import(opened: tuple[SqliteStore, SqliteLedger], monkeypatch: pytest.MonkeyPatch) -> None:
    store, ledger = opened
    at = datetime.now(UTC) - timedelta(days=200)
    store.add_facts(
        [EscapeFact(key="w", line="press-1", at=at, origin="measured", product="a", count=1)], source="mes.csv"
    )
    assert clock.writing_time(store, ledger) <= datetime.now(UTC)
    set_clock(monkeypatch, at)
    with pytest.raises(StoreError, match="before the last import or freeze"):
        clock.writing_time(store, ledger)


def test_behind_a_fact(opened: tuple[SqliteStore, SqliteLedger]) -> None:
    """Less than a day ahead is a shift that is not over yet."""
    store, ledger = opened
    for hours, key in ((20, "near"), (30, "far")):
        at = datetime.now(UTC) + timedelta(hours=hours)
        store.add_facts(
            [EscapeFact(key=key, line="press-1", at=at, origin="measured", product="a", count=1)], source="mes.csv"
        )
        if key == "near":
            clock.writing_time(store, ledger)
    with pytest.raises(StoreError, match="before the newest fact"):
        clock.writing_time(store, ledger)


def test_behind_an_entry(opened: tuple[SqliteStore, SqliteLedger], monkeypatch: pytest.MonkeyPatch) -> None:
    store, ledger = opened
    last = datetime(2026, 3, 1, tzinfo=UTC)
    ledger.append([Draft("case", last, "controller", BODY)])
    with pytest.raises(StoreError, match="behind one of 2026-03-01"):
        ledger.append([Draft("case", last - timedelta(seconds=1), "controller", BODY)])
    assert ledger.head().number == 1
    set_clock(monkeypatch, last - timedelta(seconds=1))
    with pytest.raises(StoreError, match="before the last entry of the ledger"):
        clock.writing_time(store, ledger)
