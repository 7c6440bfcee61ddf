from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

import roi_tracker
from roi_tracker.business_case import parse_case
from roi_tracker.errors import CaseError

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("xlsxwriter")

from roi_tracker.adapters.xlsx_case import read_xlsx_case, write_xlsx_case  # noqa: E402 - after its libraries are known

EXAMPLES = sorted((Path(roi_tracker.__file__).parent / "examples").glob("*.yaml"))


def workbook(change: dict[str, Any]) -> bytes:
    """The workshop's workbook with some cells changed, `sheet!cell` to value."""
    path = next(path for path in EXAMPLES if path.stem == "small_workshop")
    book = openpyxl.load_workbook(io.BytesIO(write_xlsx_case(parse_case(path.read_text(encoding="utf-8"), "yaml"))))
    for place, value in change.items():
        sheet, _, cell = place.partition("!")
        book[sheet][cell] = value
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_case_comes_back_as_it_was_with_its_printed_digits(path: Path) -> None:
    case = parse_case(path.read_text(encoding="utf-8"), "yaml")
    again = read_xlsx_case(write_xlsx_case(case))
    assert again == case
    assert [str(one.value) for one in again.stated] == [str(one.value) for one in case.stated]


def test_a_guide_in_both_languages_comes_first_and_is_not_read() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook({"안내 Read me!A3": "anything"})))
    assert book.sheetnames[:2] == ["안내 Read me", "case"]
    texts = [cell.value for row in book["안내 Read me"].iter_rows() for cell in row if cell.value]
    assert "How to fill in a business case" in texts
    assert any("책임" in text for text in texts)
    for name in book.sheetnames[1:]:
        assert any(name in text for text in texts), f"the guide does not say what {name} is"
    assert read_xlsx_case(workbook({"안내 Read me!A3": "=1+"})).id == "small-workshop"


def test_heads_have_notes_in_both_languages_and_choices_have_lists() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook({})))
    sheet = book["benefits"]
    heads = {cell.value: cell for cell in sheet[1]}
    note = heads["class"].comment.text
    assert "현금화" in note
    assert "choose from the list" in note
    lists = {str(one.sqref): one.formula1 for one in sheet.data_validations.dataValidation}
    column = heads["class"].column_letter
    assert lists[f"{column}2:{column}501"] == '"cashable,redeployed,released,indirect"'
    keys = {row[0].value: row[1].coordinate for row in book["case"].iter_rows()}
    single = {str(one.sqref): one.formula1 for one in book["case"].data_validations.dataValidation}
    assert single[keys["conventions.tax.losses"]] == '"carried_forward,set_off"'


def test_usual_columns_stand_ready_and_empty_ones_change_nothing() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook({})))
    heads = [cell.value for cell in book["correlations"][1]]
    assert {"between.1", "between.2", "coefficient", "source"} <= set(heads)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"assumptions!B2": "about 18000"}, r"assumptions!B2 holds text where a number belongs"),
        ({"assumptions!B2": "=1000*18"}, r"assumptions!B2 is a formula without a value"),
        ({"assumptions!C2": None}, r"assumptions!A2: 'unit' is missing"),
        ({"case!B5": "-0.09 or so"}, r"case!B5 holds text where a number belongs"),
        ({"assumptions!B2": "#DIV/0!"}, r"assumptions!B2 holds an error"),
        ({"assumptions!A3": "parts_per_month"}, r"assumptions!A3: repeated id"),
        ({"capex!A1": "idd"}, r"capex!A2: 'id' is missing"),
    ],
)
def test_a_wrong_cell_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CaseError, match=message):
        read_xlsx_case(workbook(change))


def test_a_bomb_is_refused_before_it_is_parsed() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", b"<a>" + b" " * 20_000_000)
    with pytest.raises(CaseError, match="unpacks to"):
        read_xlsx_case(target.getvalue())


def test_a_part_with_entities_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        package.writestr("xl/workbook.xml", '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>')
    with pytest.raises(CaseError, match="not what it says"):
        read_xlsx_case(target.getvalue())


@pytest.mark.parametrize("content", [b"", b"id,value\n", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(CaseError, match="not an Excel workbook"):
        read_xlsx_case(content)


def test_a_sheet_outside_the_schema_is_named() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook({})))
    book.create_sheet("notes")
    target = io.BytesIO()
    book.save(target)
    with pytest.raises(CaseError, match="unknown sheet 'notes'"):
        read_xlsx_case(target.getvalue())
