"""Accounts, alternatives and verdict of the workbook are numbers and formulas, as the engine computes them."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import roi_tracker
from roi_tracker.business_case import parse_case
from roi_tracker.documents import appraisal_document
from roi_tracker.render.appraisal_outputs import render_appraisal
from roi_tracker.render.appraisal_wording import AppraisalWording
from tests.roi_tracker.oracles.recalculate import PACKAGE, compare, soffice

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("xlsxwriter")

EXAMPLES = Path(roi_tracker.__file__).parent / "examples"
NAMES = ("abc_manufacturing", "small_workshop", "chatbot_pilot", "small_press_line")


def workbook(name: str) -> tuple[Any, Any, Any]:
    """The document, and the workbook with formulas and with values."""
    case = parse_case((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"), "yaml")
    document = appraisal_document(case, 200)
    content = render_appraisal(case, document, "xlsx", "en", date(2025, 3, 1))
    books = (openpyxl.load_workbook(io.BytesIO(content), data_only=values) for values in (False, True))
    return (case, document), *books


@pytest.mark.parametrize("name", NAMES)
def test_accounts_are_live_and_what_the_engine_computes(name: str) -> None:
    (case, document), formulas, values = workbook(name)
    w = AppraisalWording(case, "en", document.unit)
    shown = {row[0].value: row[1:] for row in values["Effect on the accounts"].iter_rows(min_row=2) if row[0].value}
    live = {row[0].value: row[1:] for row in formulas["Effect on the accounts"].iter_rows(min_row=2) if row[0].value}
    for account, years in document.statements.effects.items():
        label = w.t(f"account.{account}")
        assert [cell.value for cell in shown[label][: len(years)]] == pytest.approx([w.axis(one) for one in years])
        before_tax = case.conventions.headline == "before_tax"  # then no sheet has a tax that is stated
        engine = account == "tax" and before_tax and any(years)
        assert {cell.data_type for cell in live[label][: len(years)]} == {"n" if engine else "f"}
        assert shown[label][len(years)].value == ("engine" if engine else "formula (live)")


def test_alternatives_are_numbers_and_the_plan_itself_is_live() -> None:
    (case, document), formulas, _ = workbook("abc_manufacturing")
    w = AppraisalWording(case, "en", document.unit)
    rows = {row[0].value: row for row in formulas["Alternatives"].iter_rows(min_row=4) if row[0].value}
    for one in document.alternatives:
        row = rows[w.variable(one.id)]
        if one.npv is None:
            assert row[1].value == "no flows given"
        elif one.this:
            assert row[1].value.startswith("='Cash flows'!")
            assert row[7].value == "formula (live)"
        else:
            assert row[1].value == pytest.approx(w.axis(one.npv))
            assert "#,##0" in row[1].number_format
            assert row[7].value == "engine"


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_follows_the_decision_sheet(name: str) -> None:
    (case, document), formulas, values = workbook(name)
    w = AppraisalWording(case, "en", document.unit)
    assert values["Summary"]["A2"].value == w.t(f"verdict.{document.decision.verdict}")
    formula = formulas["Summary"]["A2"].value
    count = len(document.decision.conditions)
    assert formula.count(f"COUNTIF('Decision'!$F$2:$F${count + 1},") == (2 if count else 0)


def test_libreoffice_recalculates_them_to_the_same(tmp_path: Path) -> None:
    if soffice() is None:
        pytest.skip(f"LibreOffice is not installed; on Debian: {PACKAGE}")
    case = parse_case((EXAMPLES / "small_press_line.yaml").read_text(encoding="utf-8"), "yaml")
    found = compare([case], tmp_path)
    assert found.formulas > 300
    assert found.differences == ()
