"""The good phase that models are taught from."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge_agent.virtual_plant import conveyor, press
from edge_agent.virtual_plant.good_phase import Pace, record_good_pictures, record_good_readings

if TYPE_CHECKING:
    from pathlib import Path


def test_pictures_are_written_whole_and_nothing_else(tmp_path: Path) -> None:
    record_good_pictures(tmp_path / "good", "bracket-a", 3, seed=1)
    assert sorted(path.name for path in (tmp_path / "good").iterdir()) == [f"good-000{n}.png" for n in range(3)]


def test_readings_have_the_live_columns_and_the_clock_of_the_pace(tmp_path: Path) -> None:
    since = datetime(2025, 1, 1, tzinfo=UTC)
    paths = record_good_readings(tmp_path, Pace(0.5, 60.0), since, rows=241, seed=1)
    for path, units in ((paths["press"], press.UNITS), (paths["conveyor"], conveyor.UNITS)):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert set(rows[0]) == {"time", *units}
        assert len(rows) == 241
        assert datetime.fromisoformat(rows[240]["time"]) == datetime(2025, 1, 1, 0, 2, tzinfo=UTC)
    with paths["press"].open(encoding="utf-8", newline="") as file:
        rates = [float(row["stroke_rate"]) for row in csv.DictReader(file)]
    # two plant hours with 1,680 s of break, meal and coil change; running down takes a sample or two each
    assert 0.20 < sum(rate < 1 for rate in rates) / len(rates) < 0.235
