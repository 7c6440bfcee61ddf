"""A report says of every claim whether its events show it, and whether anybody keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from roi_tracker.render.content_page import render_content_page
from roi_tracker.render.report_content import report_content
from tests.roi_tracker.report.conftest import ON

if TYPE_CHECKING:
    from roi_tracker.money import Language
    from tests.roi_tracker.report.conftest import Plant


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "evidence checked; not pinned at an agent: 1 of 1 events may be deleted there"),
        ("ko", "증거 확인됨; 에이전트에 고정되지 않음: 이벤트 1건 중 1건이 그곳에서 삭제될 수 있습니다"),
    ],
)
def test_a_claim_that_nobody_keeps_is_told(plant: Plant, language: Language, words: str) -> None:
    report = plant.reporting().report(ON)
    assert [(state.why, state.kept) for state in report.claim_states] == [(None, 0)]
    assert words in render_content_page(report_content(report, language))
