from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from string import Formatter
from typing import get_args

import pytest

from roi_tracker.baseline import sufficiency
from roi_tracker.business_case import BenefitClass, Measure
from roi_tracker.measurement import estimation
from roi_tracker.observations import rows
from roi_tracker.proof import comparing, grading, proving
from roi_tracker.realization.realized import CurvePoint
from roi_tracker.render.catalogue import catalogue
from roi_tracker.render.curve import chart

KO, EN = catalogue("ko"), catalogue("en")


def places(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert KO.keys == EN.keys


@pytest.mark.parametrize("key", sorted(KO.keys))
def test_both_languages_fill_places_that_the_other_knows(key: str) -> None:
    """A Korean sentence may leave a place out or use it in another order, never one that is not given."""
    korean, english = places(KO._messages[key]), places(EN._messages[key])
    assert korean == english


def test_every_code_has_words() -> None:
    wanted = {
        f"rule.{rule}.{part}" for rule in get_args(sufficiency.RuleName) for part in ("name", "passed", "failed", "fix")
    }
    wanted |= {f"finding.{name}" for name in get_args(rows.FindingName)}
    wanted |= {f"origin.{name}" for name in get_args(rows.Origin)}
    wanted |= {f"grade.{name}" for name in get_args(proving.Grade)}
    wanted |= {f"method.{name}" for name in get_args(proving.Method)}
    wanted |= {f"design.{name}" for name in get_args(comparing.Design)}
    wanted |= {f"grade_reason.{name}" for name in get_args(grading.GradeReason)}
    wanted |= {f"interval_kind.{name}" for name in get_args(estimation.IntervalKind)}
    wanted |= {f"measure.{name}" for name in get_args(Measure)}
    wanted |= {f"class.{name}" for name in get_args(BenefitClass)}
    wanted |= {f"reason.{name}" for name in get_args(proving.ReasonCode) if name != "rules_failed"}
    assert wanted <= EN.keys


def test_hangul_only_where_it_belongs() -> None:
    korean_in_english = {key for key in EN.keys if re.search("[가-힣]", EN._messages[key])}
    assert korean_in_english == {"banner.both"}


def test_the_chart_by_hand() -> None:
    """One month, 100 projected, realized 50 from 20 to 80: axis from 0 to 150 in steps of 50."""
    point = CurvePoint(date(2025, 7, 31), Decimal(100), Decimal(50), Decimal(20), Decimal(80))
    found = chart(date(2025, 7, 1), [point], 1, str)
    assert found is not None
    assert [tick.label for tick in found.y_ticks] == ["0.0", "50.0", "100.0", "150.0"]
    height = 300 - 30 - 26
    assert found.projected == f"74.0,270.0 744.0,{round(270 - height * 100 / 150, 1)}"
    assert found.low == f"74.0,270.0 744.0,{round(270 - height * 20 / 150, 1)}"
    assert chart(date(2025, 7, 1), [], 1, str) is None
