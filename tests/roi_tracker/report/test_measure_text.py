"""What `measure` says of a signed adjustment is what the report counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from roi_tracker.proof.proving import NotProven
from roi_tracker.render.measure_text import measure_lines
from tests.roi_tracker.report.conftest import ON

if TYPE_CHECKING:
    from roi_tracker.money import Language
    from tests.roi_tracker.report.conftest import Plant


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_signed_adjustment_is_told_with_the_figure_that_the_report_counts(plant: Plant, language: Language) -> None:
    programme = plant.reporting()
    line = programme.report(ON).lines[0].result
    (adjusted,) = programme.adjusted()
    assert line.realized is not None
    assert adjusted.benefit_id == line.benefit_id
    measured, signed, counted = measure_lines(line.proof, adjusted, "defect", language)
    assert line.benefit_id in measured
    assert "\N{MINUS SIGN}40.0" in signed
    assert "supplier changed" in signed
    for amount in (line.realized.low, line.realized.value, line.realized.high):
        assert f"{float(amount / line.unit_value):,.1f}" in counted


def test_a_line_that_is_not_proven_counts_no_adjustment(plant: Plant) -> None:
    programme = plant.reporting()
    (adjusted,) = programme.adjusted()
    texts = list(measure_lines(NotProven("d", "interval_contains_zero"), adjusted, "widget", "en"))
    assert (
        texts[0]
        == "d: not proven (The 90 % interval contains zero: the result could have come about without any effect.)"
    )
    assert texts[-1] == "  together \N{MINUS SIGN}40.0 widget expected; nothing is counted, the line is not proven"
    assert len(list(measure_lines(NotProven("d", "rules_failed"), None, "", "ko"))) == 1
