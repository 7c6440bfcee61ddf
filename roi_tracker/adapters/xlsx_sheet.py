"""Plant files as XLSX, read as a stream after the package was looked at: bombs, macros and entities are refused."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from contextlib import contextmanager
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from roi_tracker.errors import IntakeError
from roi_tracker.plant_files.fault_words import file_fault
from roi_tracker.plant_files.sheet import MAX_COLUMNS, MAX_ROWS, NotCalculated, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from roi_tracker.plant_files.mapping import Mapping

MAX_FILE_BYTES = 200_000_000
MAX_UNPACKED_BYTES = 2_000_000_000
MAX_PARTS = 1_000
MAX_RATIO = 200
_CHUNK = 1 << 20
_EPOCH_1904 = 1904
_DAMAGE = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, SyntaxError, OSError, EOFError,
    zipfile.BadZipFile, zlib.error, InvalidFileException,
)  # fmt: skip
"""What the library raises on parts that are not as the standard says."""


@contextmanager
def open_xlsx(path: Path, mapping: Mapping) -> Iterator[Sheet]:
    """A sheet of a workbook, while the context lasts.

    Raises:
        IntakeError: no workbook, damaged, or larger than any honest one.
    """
    try:
        formulas = _check(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the library's remarks on styles and odd dates
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
            written = openpyxl.load_workbook(path, read_only=True, keep_links=False) if formulas else None
    except IntakeError:
        raise
    except _DAMAGE as error:
        raise _damaged(path, error) from error
    try:
        name = mapping.sheet or book.sheetnames[0]
        if name not in book.sheetnames:
            raise file_fault("sheet_absent", source=path.name, sheet=name, known=", ".join(book.sheetnames))
        rows = _rows(book[name], written[name] if written else None, path)
        headers: list[str] = []
        for number, cells in rows:
            if number == mapping.header_row:
                headers = ["" if cell is None else str(cell).strip() for cell in cells]
                break
        if not any(headers):
            raise file_fault("no_headers", source=path.name, row=mapping.header_row)
        yield Sheet(f"{path.name}!{name}", headers, rows, epoch_1904=book.epoch.year == _EPOCH_1904)
    finally:
        book.close()
        if written is not None:
            written.close()


def _damaged(path: Path, error: Exception) -> IntakeError:
    what = str(error).splitlines()[0] if str(error) else type(error).__name__
    return file_fault("damaged", source=path.name, why=what)


def _check(path: Path) -> bool:
    """Refuse what could harm; True when any sheet has formulas."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise file_fault("large_file", source=path.name, most=MAX_FILE_BYTES)
    with zipfile.ZipFile(path) as package:
        parts = package.infolist()
        unpacked = sum(part.file_size for part in parts)
        if (
            len(parts) > MAX_PARTS
            or unpacked > MAX_UNPACKED_BYTES
            or any(p.file_size > _CHUNK and p.file_size > MAX_RATIO * p.compress_size for p in parts)
        ):
            raise file_fault("unpacks", source=path.name, size=unpacked, parts=len(parts))
        if any("vbaProject" in part.filename for part in parts):
            raise file_fault("macros", source=path.name)
        sheets = [part for part in parts if part.filename.startswith("xl/worksheets/")]
        return any(_has_formulas(package, part) for part in sheets)


def _has_formulas(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    found, tail = False, b""
    with package.open(part) as opened:
        while chunk := opened.read(_CHUNK):
            text = tail + chunk
            if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                raise file_fault("entities", source=part.filename)
            found = found or b"<f>" in text or b"<f " in text
            tail = chunk[-16:]
    return found


def _rows(sheet: Any, written: Any, path: Path) -> Iterator[tuple[int, Sequence[object]]]:  # noqa: ANN401 - untyped library
    for one in (sheet, written):
        if one is not None:
            one.reset_dimensions()  # what the file says of its own size is not to be relied on
    shown = sheet.iter_rows(values_only=True)
    formulas = written.iter_rows(values_only=True) if written is not None else iter(())
    try:
        for number, (cells, texts) in enumerate(zip_longest(shown, formulas, fillvalue=()), start=1):
            if number > MAX_ROWS or len(cells) > MAX_COLUMNS:
                raise file_fault("beyond", source=path.name, most=MAX_ROWS, columns=MAX_COLUMNS)
            if any(cell is not None for cell in cells) or any(text is not None for text in texts):
                yield number, tuple(_cell(cell, text) for cell, text in zip_longest(cells, texts))
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def _cell(cell: object, written: object) -> object:
    if cell is None and isinstance(written, str) and written.startswith("="):
        return NotCalculated()
    if isinstance(cell, datetime) and cell.microsecond:
        return cell.replace(microsecond=0)  # serial numbers are not exact to the microsecond
    return cell
