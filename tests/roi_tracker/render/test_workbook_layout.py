from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import roi_tracker
from roi_tracker.business_case import BusinessCase, parse_case
from roi_tracker.documents import appraisal_document
from roi_tracker.render.appraisal_outputs import render_appraisal
from tests.roi_tracker.oracles.recalculate import PACKAGE, compare, soffice

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("xlsxwriter")

EXAMPLES = Path(roi_tracker.__file__).parent / "examples"
AS_OF = date(2025, 3, 1)


def example(name: str) -> BusinessCase:
    return parse_case((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"), "yaml")


def workbook(name: str, *, values: bool = False) -> Any:
    case = example(name)
    content = render_appraisal(case, appraisal_document(case, 1_000), "xlsx", "en", AS_OF)
    return openpyxl.load_workbook(io.BytesIO(content), data_only=values)


def test_every_sheet_prints_landscape_on_the_width_of_a_page_with_numbers() -> None:
    book = workbook("small_workshop")
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape", sheet.title
        assert sheet.page_setup.fitToWidth in {None, 1}, sheet.title  # left out, one page wide is meant
        assert sheet.page_setup.fitToHeight == 0, sheet.title
        assert sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.title
        assert sheet.oddFooter.right.text == "&P / &N", sheet.title
    assert book["Sensitivity"].print_title_rows == "$27:$27"
    assert book["Assumptions"].column_dimensions["A"].width > 20


def test_sensitivity_of_lines_and_rate_is_live_and_of_assumptions_is_said_to_be_the_engines() -> None:
    formulas, values = workbook("abc_manufacturing")["Sensitivity"], workbook("abc_manufacturing", values=True)
    rows = {row[0].value: row for row in formulas.iter_rows(min_row=28) if row[0].value}
    assert rows["Fewer defects"][1].value.startswith("=0.1*SUMPRODUCT(")
    assert rows["Discount rate"][3].value.startswith("=SUMPRODUCT(")
    assert rows["Discount rate"][7].value == "formula (live)"
    assert rows["Electricity cost"][7].value == "engine"
    shown = {row[0].value: row[1].value for row in values["Sensitivity"].iter_rows(min_row=28) if row[0].value}
    assert shown["Fewer defects"] == pytest.approx(292.23, abs=0.01)  # 10 % of PV 2,922.3, KRW million
    assert formulas["A2"].value.startswith("=IF(ABS(npv-(28979.58")
    assert values["Sensitivity"]["A2"].value == "Matches this workbook's inputs."


def test_after_tax_every_row_is_the_engines_and_the_sheet_says_so() -> None:
    case = example("small_workshop")
    taxed = case.model_copy(update={"conventions": case.conventions.model_copy(update={"headline": "after_tax"})})
    content = render_appraisal(taxed, appraisal_document(taxed, 1_000), "xlsx", "en", AS_OF)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Break-even"]
    assert sheet["A1"].value.startswith("Results of the engine (after tax")
    assert {row[2].value for row in sheet.iter_rows(min_row=5) if row[0].value} <= {"engine", "formula (live)"}


def test_simulation_names_its_draws_and_seed() -> None:
    text = workbook("small_workshop")["Monte Carlo"]["A1"].value
    assert re.fullmatch(r"Result of a simulation with 1,000 draws and seed \d+; it does not recalculate\.", text)


def test_decision_heads_say_what_stands_below() -> None:
    heads = [cell.value for cell in workbook("abc_manufacturing")["Decision"][1]]
    assert heads == ["Condition", "Scenario", "", "Limit", "Actual", "Met"]


def test_korean_and_english_count_in_their_own_units() -> None:
    case = example("abc_manufacturing")
    document = appraisal_document(case, 1_000)
    shown = {}
    for language in ("ko", "en"):
        content = render_appraisal(case, document, "xlsx", "ko" if language == "ko" else "en", AS_OF)
        summary = openpyxl.load_workbook(io.BytesIO(content), data_only=True).worksheets[0]
        shown[language] = (summary["A4"].value, round(summary["B4"].value, 1))
    assert shown == {
        "ko": ("순현재가치(NPV) (억원)", 289.8),
        "en": ("Net present value (NPV) (KRW million)", 28979.6),
    }


def test_libreoffice_recalculates_to_the_same_without_an_error(tmp_path: Path) -> None:
    if soffice() is None:
        pytest.skip(f"LibreOffice is not installed; on Debian: {PACKAGE}")
    found = compare([example(name) for name in ("abc_manufacturing", "small_workshop", "chatbot_pilot")], tmp_path)
    assert found.formulas > 1_500
    assert found.differences == ()
