from __future__ import annotations

from pathlib import Path

import roi_tracker
from edge_agent.demo.business_case import write_demo_case
from roi_tracker.business_case import parse_case


def test_the_demos_case_is_valid_and_its_board_has_figures_in_both_languages(tmp_path: Path) -> None:
    example = Path(roi_tracker.__file__).parent / "examples" / "small_press_line.yaml"
    write_demo_case(example, tmp_path / "case.yaml")
    case = parse_case((tmp_path / "case.yaml").read_text("utf-8"), "yaml")
    assert [target.source for target in case.kpi_board] == ["defects", "overkill", "escape", "downtime", "energy"]
    assert all(target.name.ko != target.name.en for target in case.kpi_board)
    assert case.benefits == parse_case(example.read_text("utf-8"), "yaml").benefits
