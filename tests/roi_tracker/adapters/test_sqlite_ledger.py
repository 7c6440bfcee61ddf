from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import apsw
import pytest

from roi_tracker.adapters.sqlite_ledger import SqliteLedger
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.errors import StoreError
from roi_tracker.ledger.chain import GENESIS, Head, verify
from roi_tracker.ledger.entries import ActualCost, Adjustment, ClosingDate, Draft

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2025, 7, 1, 9, 0, tzinfo=UTC)


def cost(reference: str) -> Draft:
    body = ActualCost(
        day=date(2025, 7, 1),
        amount=Decimal("1.50"),
        cost="running",
        name_ko="비용",
        name_en="Cost",
        reference=reference,
    )
    return Draft("case", NOW, "controller", body)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "roi.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqliteLedger]:
    opened = SqliteLedger(path)
    yield opened
    opened.close()


def test_entries_survive_a_reopen_and_the_chain_goes_on(path: Path, ledger: SqliteLedger) -> None:
    assert (ledger.entries(), ledger.head()) == ([], Head(0, GENESIS))
    first, second = ledger.append([cost("1"), cost("2")])
    again = SqliteLedger(path)
    (third,) = again.append([Draft("case", NOW, "a", ClosingDate(benefit_id="x", day=date(2025, 12, 31)))])
    assert again.entries() == [first, second, third]
    assert again.head() == Head(3, third.sha256)
    assert verify(again.entries(), again.head()) == ()
    again.close()


def test_store_and_ledger_are_one_file(path: Path, ledger: SqliteLedger) -> None:
    store = SqliteStore(path)
    ledger.append([cost("1")])
    assert store.fact_count() == 0
    store.close()


def test_all_or_none(ledger: SqliteLedger) -> None:
    unsigned = Adjustment(
        benefit_id="x", first=date(2025, 7, 1), last=date(2025, 7, 1), quantity=Decimal(1), reason="r",
        approver="controller",
    )  # fmt: skip
    with pytest.raises(StoreError, match="somebody else"):
        ledger.append([cost("1"), Draft("case", NOW, "controller", unsigned)])
    assert (ledger.entries(), ledger.head()) == ([], Head())


@pytest.mark.parametrize("attack", ["UPDATE ledger SET at = 'x'", "DELETE FROM ledger"])
def test_the_table_itself_refuses_changes(path: Path, ledger: SqliteLedger, attack: str) -> None:
    ledger.append([cost("1")])
    raw = apsw.Connection(str(path))
    with pytest.raises(apsw.ConstraintError, match="cannot be"):
        raw.execute(attack)
    raw.close()


@pytest.mark.parametrize(
    ("attack", "fault"),
    [
        (
            "UPDATE ledger SET body = CAST(replace(CAST(body AS TEXT), '1.50', '9.50') AS BLOB) WHERE number = 2",
            "altered",
        ),
        ("DELETE FROM ledger WHERE number = 1", "out_of_order"),
        ("DELETE FROM ledger WHERE number = 3", "truncated"),
        ("UPDATE ledger_head SET sha256 = 'x'", "altered"),
    ],
)
def test_what_somebody_did_with_the_triggers_off_is_found_and_nothing_more_is_written(
    path: Path, ledger: SqliteLedger, attack: str, fault: str
) -> None:
    ledger.append([cost("1"), cost("2"), cost("3")])
    raw = apsw.Connection(str(path))
    raw.execute("DROP TRIGGER ledger_no_update; DROP TRIGGER ledger_no_delete")
    raw.execute(attack)
    raw.close()
    assert fault in {found.name for found in verify(ledger.entries(), ledger.head())}
    with pytest.raises(StoreError, match="does not hold"):
        ledger.append([cost("4")])


def test_an_entry_of_a_newer_program_is_told(path: Path, ledger: SqliteLedger) -> None:
    ledger.append([cost("1")])
    raw = apsw.Connection(str(path))
    raw.execute("INSERT INTO ledger VALUES (2, 'case', 'magic', 'now', 'x', CAST('{}' AS BLOB))")
    raw.close()
    with pytest.raises(StoreError, match="entry 2 of the ledger cannot be read"):
        ledger.entries()
