"""Bad input in workbooks: a clear error with file, cell or part, and fix."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from roi_tracker.business_case import parse_case
from roi_tracker.commands.case_file import load_case
from roi_tracker.errors import CaseError
from tests.roi_tracker.case.refusals import YAML, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("xlsxwriter")

from roi_tracker.adapters.xlsx_case import write_xlsx_case  # noqa: E402 - after its libraries are known


def workbook(cells: dict[str, Any], more: Callable[[Any], object] | None = None) -> bytes:
    """The good case as a workbook with some cells changed."""
    book = openpyxl.load_workbook(io.BytesIO(write_xlsx_case(parse_case(YAML, "yaml"))))
    for place, value in cells.items():
        sheet, _, cell = place.partition("!")
        book[sheet][cell] = value
    if more is not None:
        more(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _cell(sheet: str, head: str, row: int = 2) -> str:
    """`sheet!B2` of a column, or of a key of the sheet `case`."""
    book = openpyxl.load_workbook(io.BytesIO(workbook({})))
    if sheet == "case":
        found = next(cells[0].row for cells in book[sheet].iter_rows() if cells[0].value == head)
        return f"case!B{found}"
    return f"{sheet}!{next(cell.column_letter for cell in book[sheet][1] if cell.value == head)}{row}"


CELLS = [
    ("assumptions", "unit", None, "'unit' is missing", "assumptions!A2"),
    ("case", "discount_rate.value", -0.1, "is negative", ""),
    ("case", "horizon_years", "two", "holds text where a number belongs", ""),
    ("calculations", "formula", "hours.year + 1", "in a circle: hours.year", ""),
    ("benefits", "formula", "hour * 2", "did you mean 'hours'", ""),
    ("assumptions", "value", "about 40", "holds text where a number belongs", ""),
    ("assumptions", "value", "40", "holds text where a number belongs", ""),
    ("assumptions", "value", True, "true stands where a number belongs", ""),
    ("assumptions", "value", 1e300, "is out of range", ""),
    ("assumptions", "value", datetime(2025, 1, 1, tzinfo=UTC).replace(tzinfo=None), "this is no number", ""),
    ("assumptions", "value", "#REF!", "holds an error", ""),
    ("assumptions", "source", "=cmd|' /C calc'!A0", "is a formula without a value", ""),
    ("case", "start_date", "2025-13-15", "month value is outside", ""),
    ("case", "start_date", datetime(9999, 12, 31, tzinfo=UTC).replace(tzinfo=None), "not between 1950 and 2200", ""),
    ("case", "start_date", 20250101, "", ""),
    ("capex", "amount.unit", "USD", "a unit in USD in a case in EUR", ""),
    ("capex", "amount.value", "100", "holds text where a number belongs", ""),
]  # fmt: skip


@pytest.mark.parametrize(("sheet", "head", "value", "message", "place"), CELLS)
def test_a_mistake_in_a_cell_names_file_cell_and_fix(
    sheet: str, head: str, value: object, message: str, place: str, tmp_path: Path
) -> None:
    cell = _cell(sheet, head)
    said = refusal(tmp_path, workbook({cell: value}), "xlsx")
    assert message in said
    assert (place or cell) in said


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (".".join("a" * 3000), "has a key of 3000 levels"),
        ("analysis_years.²", "case!B"),
        ("...", "unknown column or key"),
        ("currency.x", "case!B"),
        ("name", "repeats name"),
    ],
)
def test_a_strange_key_in_a_workbook_is_refused(key: str, message: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, workbook({}, lambda book: book["case"].append([key, "x"])), "xlsx")
    assert message in said


def repacked(change: Callable[[str, bytes], bytes], add: dict[str, bytes] | None = None) -> bytes:
    """The good workbook with parts rewritten or added."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook({}))) as package,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for part in package.infolist():
            out.writestr(part.filename, change(part.filename, package.read(part)))
        for name, text in (add or {}).items():
            out.writestr(name, text)
    return target.getvalue()


RELATIONS = "xl/_rels/workbook.xml.rels"
LINK = (
    b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLink"'
    b' Target="http://127.0.0.1:9/x.xlsx" TargetMode="External"/></Relationships>'
)
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
LATE = b"<!--" + b"x" * 9000 + b"--><!DOCTYPE x SYSTEM 'http://127.0.0.1:9/'>"


def sheets(change: Callable[[bytes], bytes]) -> bytes:
    """Every sheet's part changed."""
    return repacked(lambda name, text: change(text) if name.startswith("xl/worksheets/sheet") else text)


def replaced(old: bytes, new: bytes) -> bytes:
    """A text in the sheets replaced; it must be there."""
    hits: list[int] = []

    def change(text: bytes) -> bytes:
        hits.append(text.count(old))
        return text.replace(old, new, 1)

    content = sheets(change)
    assert sum(hits)
    return content


def part(wanted: str, change: Callable[[bytes], bytes]) -> bytes:
    """One part changed."""
    return repacked(lambda name, text: change(text) if name == wanted else text)


def added(name: str, text: bytes = b"x") -> bytes:
    """A part more."""
    return repacked(lambda _, old: old, {name: text})


def many_parts() -> bytes:
    return repacked(lambda _, old: old, {f"xl/media/{number}": b"" for number in range(300)})


def many_elements() -> bytes:
    return b"".join(b'<a b="%d"/>' % (number * 7919 % 1_000_003) for number in range(401_000))


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "entities": (lambda: replaced(b"<worksheet", LAUGHS + b"<worksheet"), "defines entities"),
    "entities late": (lambda: sheets(lambda text: LATE + text), "defines entities"),
    "entities in UTF-16": (lambda: sheets(lambda text: (LAUGHS + text).decode().encode("utf-16")), "is not UTF-8"),
    "link": (lambda: part(RELATIONS, lambda text: text.replace(b"</Relationships>", LINK)), f"{RELATIONS} links to"),
    "linked book": (lambda: added("xl/externalLinks/externalLink1.xml", b"<x/>"), "externalLink1.xml links to another"),
    "macro": (lambda: added("xl/vbaProject.bin"), "xl/vbaProject.bin is a macro"),
    "path": (lambda: added("../../evil.txt"), "lies outside the workbook"),
    "zeros": (lambda: added("xl/media/a.bin", b"\0" * 30_000_000), "unpacks to"),
    "parts": (many_parts, "parts: too much"),
    "elements": (lambda: added("xl/media/a.xml", many_elements()), "XML elements"),
    "cut": (lambda: sheets(lambda text: text[: len(text) // 2]), "the workbook is damaged"),
    "styles": (lambda: part("xl/styles.xml", lambda _: b"<x"), "the workbook is damaged"),
    "text as number": (lambda: replaced(b"<v>40</v>", b"<v>forty</v>"), "the workbook is damaged"),
    "infinite": (lambda: replaced(b"<v>40</v>", b"<v>1e999</v>"), "assumptions!B2"),
    "relations": (lambda: part(RELATIONS, lambda _: b"<Relationships/>"), "the workbook is damaged"),
    "rows": (lambda: workbook({"assumptions!A1048576": "x"}), "1048576 rows"),
    "columns": (lambda: workbook({"assumptions!XFD2": "x"}), "16384 columns"),
    "empty": (lambda: b"", "not an Excel workbook"),
    "stump": (lambda: b"PK\x03\x04" + b"\0" * 90, "not an Excel workbook"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_workbook_is_refused_by_its_part(kind: str, tmp_path: Path) -> None:
    content, message = HOSTILE[kind]
    assert message in refusal(tmp_path, content(), "xlsx")


@pytest.mark.parametrize("seed", range(12))
def test_a_workbook_with_flipped_bits_is_read_or_refused(seed: int, tmp_path: Path) -> None:
    rng, damaged = random.Random(seed), bytearray(workbook({}))
    for _ in range(3):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    path = tmp_path / "plan.xlsx"
    path.write_bytes(bytes(damaged))
    try:
        assert load_case(path).id
    except CaseError as error:
        assert "Fix: " in str(error)  # noqa: PT017 - either outcome is right
