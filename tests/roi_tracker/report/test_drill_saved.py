"""What stood behind a saved report is shown as it was known then."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from roi_tracker.__main__ import app
from roi_tracker.observations import facts as f
from roi_tracker.render.json_document import render_json
from roi_tracker.reporting import Reporting, register_text, save_report
from tests.roi_tracker.report.conftest import ON, Plant

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def saved(plant: Plant, tmp_path: Path) -> tuple[Path, str]:
    """A store with a saved report, and a correction that came after it."""
    path = tmp_path / "roi.sqlite"
    shutil.copy(plant.path, path)
    store, ledger = Plant(path, plant.text).open()
    now = datetime(2026, 1, 5, 8, tzinfo=UTC)
    register_text(plant.case.id, plant.text, ledger, now)
    report = Reporting(plant.case, store, ledger, text=plant.text).report(ON)
    digest = save_report(report, render_json(report).encode(), ledger, now)
    late = f.InspectedPart(
        key="part/late",
        line="press-1",
        at=datetime(2025, 10, 1, 2, tzinfo=UTC),
        origin="simulated",
        product="bracket-a",
        verdict="FAIL",
        mode="live",
    )
    store.add_facts([late], source="later")
    store.close()
    ledger.close()
    return path, digest


def test_events_that_came_later_are_not_behind_a_saved_report(saved: tuple[Path, str], tmp_path: Path) -> None:
    path, digest = saved
    out = tmp_path / "rows.json"
    asked = ["report", "--reproduce", digest[:12], "--store", path, "--drill", "fewer-defects", "--month", "2025-10"]
    done = CliRunner().invoke(app, [*map(str, asked), "--out", str(out)])
    assert done.exit_code == 0, done.output
    rows = {row["key"]: row for row in json.loads(out.read_text(encoding="utf-8"))["observations"]}
    keys = {event["key"] for event in rows["press-1/2025-10-01/day/bracket-a"]["events"]}
    assert "part/1" in keys
    assert "part/late" not in keys


def test_a_month_without_observations_ends_with_no(saved: tuple[Path, str], tmp_path: Path) -> None:
    path, digest = saved
    asked = ["report", "--reproduce", digest, "--store", path, "--drill", "fewer-defects", "--month", "2031-01"]
    done = CliRunner().invoke(app, [*map(str, asked), "--out", str(tmp_path / "rows.csv")])
    assert done.exit_code == 1
