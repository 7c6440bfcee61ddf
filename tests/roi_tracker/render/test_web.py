from __future__ import annotations

import re
from string import Formatter
from typing import get_args

import pytest

from roi_tracker.baseline import sufficiency
from roi_tracker.business_case import BenefitClass, Measure
from roi_tracker.case.evaluation import GateFigure
from roi_tracker.measurement import estimation
from roi_tracker.observations import rows
from roi_tracker.proof import comparing, grading, proving
from roi_tracker.render.catalogue import catalogue
from roi_tracker.render.content_charts import PRINT, Bar, Chart, Layer, Spark, svg
from roi_tracker.render.portal_pages import Page
from roi_tracker.render.report_background import COMPUTED
from roi_tracker.render.report_wording import report_words
from roi_tracker.report.drilldown import PeriodOfDay
from roi_tracker.report.model import Gap

KO, EN = catalogue("ko"), catalogue("en")
REPORT_KO, REPORT_EN = report_words("ko"), report_words("en")


def places(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert KO.keys == EN.keys
    assert REPORT_KO.keys == REPORT_EN.keys


@pytest.mark.parametrize("key", sorted(REPORT_KO.keys))
def test_both_languages_fill_places_that_the_other_knows(key: str) -> None:
    """A Korean sentence may leave a place out or use it in another order, never one that is not given."""
    korean, english = places(REPORT_KO.raw(key)), places(REPORT_EN.raw(key))
    assert korean == english


def test_every_code_has_words() -> None:
    wanted = {
        f"rule.{rule}.{part}" for rule in get_args(sufficiency.RuleName) for part in ("name", "passed", "failed", "fix")
    }
    wanted |= {f"finding.{name}" for name in get_args(rows.FindingName)}
    wanted |= {f"origin.{name}" for name in get_args(rows.Origin)}
    wanted |= {f"grade.{name}" for name in get_args(grading.Grade)}
    wanted |= {f"method.{name}" for name in get_args(proving.Method)}
    wanted |= {f"design.{name}" for name in get_args(comparing.Design)}
    wanted |= {f"grade_reason.{name}" for name in get_args(grading.GradeReason)}
    wanted |= {f"interval_kind.{name}" for name in get_args(estimation.IntervalKind)}
    wanted |= {f"measure.{name}" for name in get_args(Measure)}
    wanted |= {f"class.{name}" for name in get_args(BenefitClass)}
    wanted |= {f"reason.{name}" for name in get_args(proving.ReasonCode) if name != "rules_failed"}
    assert wanted <= EN.keys


def test_hangul_only_where_it_belongs() -> None:
    korean_in_english = {key for key in REPORT_EN.keys if re.search("[가-힣]", REPORT_EN.raw(key))}
    assert korean_in_english == {"banner.both"}


def test_every_code_of_the_report_has_words() -> None:
    wanted = {f"gap.{name}" for name in get_args(Gap)}
    wanted |= {f"how.{name}.{part}" for name in COMPUTED for part in ("name", "text", "source")}
    wanted |= {f"gate_figure.{name}" for name in get_args(GateFigure)}
    wanted |= {f"page.{name}" for name in get_args(Page)}
    wanted |= {f"drill_period.{name}" for name in get_args(PeriodOfDay)}
    wanted |= {f"inspector.{name}" for name in get_args(rows.Inspector)}
    assert wanted <= REPORT_EN.keys


def test_a_curve_by_hand() -> None:
    """From 0 to 100 over two places: the axis ends at 100, its foot is at y 270 and its top at y 26."""
    chart = Chart(
        "curve",
        "of money",
        "KRW",
        layers=(Layer("projected", "dashed", (0.0, 100.0)), Layer("interval", "interval", (0.0, 20.0), (0.0, 80.0))),
        marks=((0.0, ""), (10.0, "2025-07-31")),
    )
    drawn = svg(chart, PRINT)
    assert '<polyline points="74.0,270.0 744.0,26.0"' in drawn
    assert '<polygon points="74.0,270.0 744.0,221.2 744.0,74.8 74.0,270.0"' in drawn
    assert ">2025-07-31<" in drawn
    assert drawn.index("<polygon") < drawn.index("<polyline")


def test_a_bridge_by_hand() -> None:
    """100 falls by 60 to 40: the fall starts at the height of 100 and ends at that of 40, in the colour of losses."""
    bars = (Bar("plan", 0.0, 100.0, "100"), Bar("mix", 100.0, 40.0, "-60"), Bar("actual", 0.0, 40.0, "40"))
    drawn = svg(Chart("bridge", "bridge", "KRW", bars), PRINT)
    boxes = re.findall(r'<rect x="[^"]*" y="([^"]*)" width="[^"]*" height="([^"]*)" fill="([^"]*)"/>', drawn)
    top, foot = 34.0, 206.0
    assert [(float(y), float(h)) for y, h, _ in boxes] == [
        (top, foot - top),
        (top, pytest.approx(0.6 * (foot - top), abs=0.11)),
        (pytest.approx(foot - 0.4 * (foot - top), abs=0.11), pytest.approx(0.4 * (foot - top), abs=0.11)),
    ]
    assert [colour for _, _, colour in boxes] == [PRINT.plan, PRINT.bad, PRINT.plan]


def test_a_week_that_was_not_measured_is_a_gap() -> None:
    drawn = svg(
        Chart("sparks", "weeks", "", sparks=(Spark("rate", (1.0, 2.0, None, 3.0, 4.0), 2.0, "4 / 2 %"),)), PRINT
    )
    assert drawn.count("<polyline") == 2
    assert "4 / 2 %" in drawn
