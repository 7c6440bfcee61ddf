"""Names and notes of a case are text wherever they come out: no spreadsheet runs them, no browser, no shell."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from roi_tracker.__main__ import app
from roi_tracker.business_case import parse_case
from tests.roi_tracker.case.refusals import YAML

if TYPE_CHECKING:
    from pathlib import Path

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("xlsxwriter")

from roi_tracker.adapters.xlsx_case import read_xlsx_case, write_xlsx_case  # noqa: E402 - after its libraries are known

SHELL = "=cmd|' /C calc'!A0"
EVIL = (SHELL, "+1+1", "-2+3", "@SUM(1,1)", "\t=1+1", "<script>alert(1)</script>", "=HYPERLINK(0)", "#import evil")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'


def evil_case(text: str) -> str:
    """The good case with a text as every name, source, owner, label and place."""
    evil = _quoted(text)
    spoiled = YAML.replace("{ko: 시험, en: test}", f"{{ko: {evil}, en: {evil}}}")
    spoiled = spoiled.replace("ko: 기계, en: machine", f"ko: {evil}, en: {evil}")
    spoiled = spoiled.replace("ko: 절감, en: saving", f"ko: {evil}, en: {evil}").replace("kpi: cost", f"kpi: {evil}")
    spoiled = spoiled.replace("source: s, owner: o", f"source: {evil}, owner: {evil}")
    return spoiled + f"stated:\n  - {{id: capex.total, value: 7, label: {evil}, where: {evil}}}\n"


def written(folder: Path, command: str, text: str, ending: str) -> bytes:
    """What a command makes of the case."""
    case, out = folder / "case.yaml", folder / f"out.{ending}"
    case.write_text(evil_case(text), encoding="utf-8")
    result = CliRunner().invoke(app, [command, str(case), "--lang", "en", "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out.read_bytes()


@pytest.mark.parametrize("text", EVIL)
def test_the_template_keeps_evil_names_as_text(text: str) -> None:
    case = parse_case(evil_case(text), "yaml")
    content = write_xlsx_case(case)
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    assert sum(cell.value == text for cell in cells) >= 5
    assert read_xlsx_case(content) == case


@pytest.mark.parametrize("command", ["appraise", "audit"])
@pytest.mark.parametrize("text", EVIL)
def test_a_report_as_workbook_never_has_them_as_formula(command: str, text: str, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(tmp_path, command, text, "xlsx")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    formulas = [str(cell.value) for cell in cells if cell.data_type == "f"]
    assert formulas
    assert not [
        one for one in formulas if "cmd" in one or "HYPERLINK" in one or one.lstrip("=") == text.lstrip("=+@\t")
    ]
    assert any(text.strip() in str(cell.value) for cell in cells if cell.data_type == "s")


@pytest.mark.parametrize("command", ["appraise", "audit"])
@pytest.mark.parametrize("text", EVIL)
def test_a_report_as_csv_starts_no_cell_with_a_formula(command: str, text: str, tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(written(tmp_path, command, text, "csv").decode("utf-8-sig"))))
    assert len(rows) > 1
    for cell in (cell for row in rows for cell in row if cell[:1] in tuple("=+-@\t\r")):
        assert re.fullmatch(r"[-+][\d.]+(e[-+]?\d+)?", cell), cell


@pytest.mark.parametrize("command", ["appraise", "audit"])
def test_a_report_as_page_escapes_them(command: str, tmp_path: Path) -> None:
    page = written(tmp_path, command, "<script>alert(1)</script>", "html").decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
