"""A report of a day before anything is measured: what is paid later is not paid yet."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from roi_tracker.adapters.sqlite_ledger import SqliteLedger
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.report.case_text import CaseText
from roi_tracker.reporting import Reporting
from tests.roi_tracker.report.conftest import EXAMPLE

if TYPE_CHECKING:
    from pathlib import Path


def test_costs_after_the_day_of_the_report_are_not_to_date(tmp_path: Path) -> None:
    text, day = CaseText(EXAMPLE.read_text(encoding="utf-8"), "yaml"), date(2025, 7, 5)
    case, path = text.case(), tmp_path / "empty.sqlite"
    due = [cost.source for cost in case.costs_actual if cost.day <= day]
    found = Reporting(case, SqliteStore(path), SqliteLedger(path), text=text).report(day).realization
    assert 0 < len(due) < len(case.costs_actual)
    assert sorted(row.source for row in found.costs.paid) == sorted(due)
