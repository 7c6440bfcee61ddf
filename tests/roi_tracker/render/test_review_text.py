"""A review says direction, size, interval, and proven or not: apart for the indicator and for the measurement."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec
import pytest

from roi_tracker.realization.board import (
    BoardEntry,
    MeasuredLine,
    Movement,
    ReviewEvidence,
    ReviewPage,
    ReviewRow,
    Support,
)
from roi_tracker.render.catalogue import catalogue
from roi_tracker.render.review_text import review_texts

if TYPE_CHECKING:
    from roi_tracker.money import Language

ENTRY = msgspec.convert(
    {
        "id": "rate",
        "name_ko": "불량률",
        "name_en": "Defect rate",
        "axis": "cost",
        "unit": "%",
        "target": 1.6,
        "better": "lower",
        "owner": "quality",
        "action_ko": None,
        "action_en": None,
        "basis": "audited",
        "state": "off_target",
        "week": date(2025, 9, 1),
        "actual": 2.1,
        "before": {"value": 2.0, "basis": "share", "weeks": 20},
        "behind": [],
        "trend": "steady",
        "weeks": [],
    },
    BoardEntry,
    strict=False,
)
PROVEN = MeasuredLine("d", "불량 감소", "Fewer defects", True, 13_649.0, 10_380.0, 16_918.0)


def said(
    language: Language, number: int, values: tuple[float | None, float | None], movement: Movement, *lines: MeasuredLine
) -> list[str]:
    support: Support = "proven" if lines else "no_benefit_line"
    evidence = ReviewEvidence(*values, movement, support, tuple(one.benefit_id for one in lines), lines)
    row = ReviewRow("rate", None, None, None, None, "quality", evidence)
    page = ReviewPage(number, date(2025, 9, 1), date(2025, 9, 28), (row,))
    return list(review_texts(page, row, ENTRY, catalogue(language)))


def test_an_indicator_that_got_worse_beside_a_proven_line() -> None:
    moved, measured = said("en", 2, (2.105, 2.046), "worse", PROVEN)
    assert moved.startswith(
        "The indicator went from 2.046 to 2.105 %: 2.9 % higher than in the four weeks before, which is not the wanted"
    )
    assert moved.endswith("this alone proves nothing.")
    assert measured == (
        "Fewer defects, all days since go-live: avoided 13,649, 90 % interval 10,380 to 16,918: proven."
    )
    korean, _ = said("ko", 2, (2.105, 2.046), "worse", PROVEN)
    assert "앞선 4주보다 2.9 % 높음" in korean
    assert "바라던 방향이 아닙니다" in korean


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_case_has_its_words(language: Language) -> None:
    open_line = MeasuredLine("z", "z", "z", False, 3.0, -1.5, 7.5)
    refused = MeasuredLine("r", "r", "r", False, 30.0, 10.0, 50.0)
    harm = MeasuredLine("h", "h", "h", True, -30.0, -50.0, -10.0)
    texts = said(language, 1, (1.0, 2.0), "better", open_line, refused, harm, MeasuredLine("n", "n", "n", False))
    t = catalogue(language)
    minus = "\N{MINUS SIGN}"
    assert texts[1:] == [
        t("review.zero", line="z", avoided="3.0", low=f"{minus}1.5", high="7.5"),
        t("review.refused", line="r", avoided="30.0", low="10.0", high="50.0"),
        t("review.harm", line="h", avoided=f"{minus}30.0", low=f"{minus}50.0", high=f"{minus}10.0"),
        t("review.no_figure", line="n"),
    ]
    assert t("review.than_baseline") in texts[0]
    assert said(language, 2, (None, 2.0), "not_comparable") == [t("review.not_comparable"), t("review.no_line")]
    assert t("review.same") in said(language, 2, (2.0, 2.0), "unchanged")[0]
