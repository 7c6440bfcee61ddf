"""Workbooks: dates as numbers, both epochs, formulas, and packages that would harm."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from roi_tracker.errors import IntakeError


def book(rows: list[list[Any]], *, epoch_1904: bool = False, sheet: str = "MES") -> bytes:
    target = io.BytesIO()
    made = xlsxwriter.Workbook(target, {"in_memory": True, "date_1904": epoch_1904})
    made.add_worksheet(sheet)
    look = made.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, datetime):
                made.get_worksheet_by_name(sheet).write_datetime(number, column, value, look)
            else:
                made.get_worksheet_by_name(sheet).write(number, column, value)
    made.close()
    return target.getvalue()


HEAD: list[Any] = ["라인", "시작시각", "종료시각", "생산수량"]
SIX, TWO = datetime(2025, 3, 1, 6), datetime(2025, 3, 1, 14)  # noqa: DTZ001 - as a spreadsheet holds them
EXPECTED = datetime(2025, 2, 28, 21, tzinfo=UTC)


@pytest.mark.parametrize("epoch_1904", [False, True])
def test_dates_in_both_epochs(desk: Any, *, epoch_1904: bool) -> None:
    serial = 44255.25 + (0 if epoch_1904 else 1462)
    rows = [HEAD, ["a", SIX, TWO, 100], ["b", serial, serial + 8 / 24, 90.0], ["총계", None, None, 190]]
    desk.load(desk.lay("m.xlsx", book(rows, epoch_1904=epoch_1904)))
    assert [(f.line, f.at, f.produced) for f in desk.facts()] == [("a", EXPECTED, 100), ("b", EXPECTED, 90)]


def test_a_formula_without_a_result_is_refused_not_read_as_empty(desk: Any) -> None:
    made = openpyxl.Workbook()
    made.active.append([*HEAD, "검사수"])
    made.active.append(["a", SIX, TWO, 100, "=D2-1"])
    target = io.BytesIO()
    made.save(target)
    with pytest.raises(IntakeError) as refused:
        desk.load(desk.lay("f.xlsx", target.getvalue()))
    (row,) = refused.value.rows
    assert (row.line, row.column) == (2, "검사수")
    assert "recalculate" in row.fix


def test_sheets_are_named(desk: Any) -> None:
    path = desk.lay("m.xlsx", book([HEAD, ["a", SIX, TWO, 1]]))
    with pytest.raises(IntakeError, match="no sheet 'ERP'"):
        desk.load(path, sheet="ERP")
    desk.load(path, sheet="MES")
    assert desk.store._connection.execute("SELECT source FROM import").fetchall() == [("m.xlsx!MES",)]


def test_a_bomb_and_a_fake_are_refused(desk: Any) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet1.xml", b" " * 50_000_000)
    with pytest.raises(IntakeError, match="unpacks to"):
        desk.load(desk.lay("bomb.xlsx", target.getvalue()))
    with pytest.raises(IntakeError, match="damaged"):
        desk.load(desk.lay("fake.xlsx", b"PK\x03\x04 no package"))
    with pytest.raises(IntakeError, match="not read"):
        desk.load(desk.lay("old.xls", b"\xd0\xcf\x11\xe0"))
    with pytest.raises(IntakeError, match="no text"):
        desk.load(desk.lay("binary.csv", b"line,a\0b"))
