"""The headline that the demo repeats is the tracker's own."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from edge_agent.demo.children import Children
from edge_agent.demo.report import ReportHeadline, TrackerFiles, measure_year, read_headline

REPORT = {
    "origin": "simulated",
    "currency": "KRW",
    "schema": "anything",
    "lines": [
        {"result": {"benefit_id": "fewer-defects", "proof": {"type": "realized", "estimate": {}}}},
        {"result": {"benefit_id": "labour", "proof": {"type": "not_proven", "reason": "interval_contains_zero"}}},
    ],
    "realization": {"achievement": 0.82, "realized": {"benefit": "12.5"}, "projected": {"benefit": "15.2"}},
}


def test_the_headline_is_what_the_report_says() -> None:
    assert read_headline(json.dumps(REPORT).encode()) == ReportHeadline(
        origin="simulated",
        currency="KRW",
        proven=("fewer-defects",),
        not_proven={"labour": "interval_contains_zero"},
        realized_benefit="12.5",
        projected_benefit="15.2",
        achievement=0.82,
    )


def test_another_shape_is_refused_by_name() -> None:
    with pytest.raises(msgspec.ValidationError, match="realization"):
        read_headline(b'{"origin": "simulated", "currency": "KRW", "lines": []}')


@pytest.mark.skipif(find_spec("statsmodels") is None, reason='the tracker needs `pip install "lineproof[roi]"`')
def test_the_simulated_year_goes_through_the_trackers_commands(tmp_path: Path) -> None:
    spec = find_spec("roi_tracker")
    assert spec is not None
    assert spec.origin is not None
    case = Path(spec.origin).parent / "examples" / "small_press_line.yaml"
    (tmp_path / "logs").mkdir()
    children = Children(tmp_path / "logs")
    headline = measure_year(children, TrackerFiles(case, tmp_path / "tracker.sqlite", tmp_path))
    assert headline.origin == "simulated"
    assert "fewer-defects" in headline.proven  # a planted reduction of 30 % is plain in half a year
    assert "inspection-labour" in headline.not_proven  # labour was planted unchanged
    assert (tmp_path / "report.html").stat().st_size > 10_000
