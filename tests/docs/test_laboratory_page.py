"""The page "why before/after is wrong" says what the committed results say, in both languages, to the letter."""

from __future__ import annotations

import msgspec
import pytest

pytest.importorskip("benchmarks", reason="benchmarks are not part of the wheel")
pytest.importorskip("statsmodels", reason='the tracker needs `pip install "lineproof[roi]"`')
from benchmarks.laboratory.page import PAGES, WORDS, Page, rendered
from benchmarks.laboratory.results import Count, read_results
from benchmarks.laboratory.running import experiments_of


@pytest.mark.parametrize("language", PAGES)
def test_the_tables_are_those_of_the_results(language: str) -> None:
    """Where this fails: python -m benchmarks.laboratory.page"""
    text = PAGES[language].read_text(encoding="utf-8")
    assert rendered(text, Page(read_results(), WORDS[language]).blocks()) == text


def test_another_result_is_another_page() -> None:
    results = read_results()
    changed = tuple(
        msgspec.structs.replace(row, claims=Count(row.claims.trials, row.claims.trials)) for row in results.rows
    )
    other = msgspec.structs.replace(results, rows=changed)
    mine, theirs = (Page(one, WORDS["ko"]).blocks() for one in (results, other))
    assert [name for name in mine if mine[name] != theirs[name]] == [
        "null",
        "luck",
        "inspection",
        "closing",
        "power",
        "fails",
    ]


def test_the_results_hold_every_experiment() -> None:
    known = {(row.part, row.scenario) for row in read_results().rows}
    assert known == {(one.part, one.name) for one in experiments_of(quick=False)}


def test_a_page_without_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="put each between its marks once"):
        rendered("<!-- laboratory: null -->\nx\n<!-- /laboratory -->", {"null": "x", "power": "y"})
