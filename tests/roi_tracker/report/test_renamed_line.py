"""A case whose production line was renamed after the freezing: the report answers, and says that the case changed."""

from __future__ import annotations

from roi_tracker.proof.proving import NotProven
from roi_tracker.report.case_text import CaseText
from tests.roi_tracker.report.conftest import ON, Plant


def test_a_renamed_line_fails_its_rule_and_has_no_power_curve(plant: Plant) -> None:
    was = plant.reporting().report(ON)
    report = Plant(plant.path, CaseText(plant.text.text.replace("press-1", "press-9"), "yaml")).reporting().report(ON)
    assert was.prospects
    assert report.prospects == ()
    for line in report.lines:
        proof = line.result.proof
        assert isinstance(proof, NotProven)
        assert "baseline_unchanged" in [rule.rule for rule in proof.failed]
