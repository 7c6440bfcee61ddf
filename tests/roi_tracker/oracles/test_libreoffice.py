"""Workbooks recalculated by LibreOffice, with nothing of ours left in their formula cells."""

from __future__ import annotations

import re
import zipfile
from datetime import date
from typing import TYPE_CHECKING

import pytest

from roi_tracker.documents import appraisal_document
from roi_tracker.render.appraisal_workbook import render_appraisal_workbook
from tests.roi_tracker.oracles.random_cases import random_case
from tests.roi_tracker.oracles.recalculate import (
    PACKAGE,
    Cell,
    Difference,
    cells,
    compare,
    differences,
    same,
    soffice,
    without_values,
)

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = range(12)
NEAR_TOTAL_LOSS, FAR_BREAK_EVEN = 1113, 1283
needs_libreoffice = pytest.mark.skipif(soffice() is None, reason=f"needs LibreOffice; on Debian: {PACKAGE}")


@needs_libreoffice
def test_every_formula_recalculates_to_the_stored_value(tmp_path: Path) -> None:
    drawn = [random_case(seed) for seed in (*SEEDS, NEAR_TOTAL_LOSS, FAR_BREAK_EVEN)]
    ways = {one.way.operations for one in drawn} | {"monthly" for one in drawn if one.monthly}
    assert ways == {"year_end", "mid_year", "dated", "monthly"}  # every kind of IRR formula is there
    found = compare([one.case() for one in drawn], tmp_path)
    assert found.differences == ()
    assert found.workbooks == len(drawn)
    assert found.formulas > 400 * len(drawn)


def test_nothing_of_ours_is_left_for_libreoffice_to_return(tmp_path: Path) -> None:
    case = random_case(0).case()
    stored, bare = tmp_path / "stored.xlsx", tmp_path / "bare.xlsx"
    stored.write_bytes(render_appraisal_workbook(case, appraisal_document(case, 100), "en", date(2026, 1, 5)))
    without_values(stored, bare)
    before, after = cells(stored), cells(bare)
    formulas = [place for place, cell in before.items() if cell.formula is not None]
    assert sum(before[place].value is not None for place in formulas) > 100  # the others hold an empty text
    assert all(after[place].formula == before[place].formula for place in formulas)
    assert all(after[place].value in {None, ""} for place in formulas)
    rest = before.keys() - formulas
    assert all(before[place] == after[place] for place in rest)
    with zipfile.ZipFile(stored) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(formulas) == sum(len(re.findall(rb"<f>", sheet)) for sheet in sheets)


def test_a_wrong_value_is_a_difference() -> None:
    ours = {"A!B1": Cell("1+1", 2.0), "A!B2": Cell("1/3", 1 / 3), "A!B3": Cell(None, 9.0), "A!B4": Cell("C1", "never")}
    theirs = {"A!B1": Cell(None, 2.0), "A!B2": Cell(None, 0.33333333), "A!B3": Cell(None, 8.0)}
    assert list(differences("w", ours, theirs)) == [
        Difference("w", "A!B2", "1/3", 1 / 3, 0.33333333),
        Difference("w", "A!B4", "C1", "never", None),
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (1e9, 1e9 + 0.5, True),
        (1e9, 1e9 + 2.0, False),
        (0.0, 1e-10, True),
        (0.0, 1e-8, False),
        ("", None, True),
        ("", 0.0, False),
        ("never", "never", True),
        (True, 1.0, False),
        (True, True, True),
        (0.1, "#VALUE!", False),
    ],
)
def test_what_counts_as_the_same(ours: float | str | None, theirs: float | str | None, *, expected: bool) -> None:
    assert same(ours, theirs) is expected
