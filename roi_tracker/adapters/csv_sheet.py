"""Plant files as CSV: encoding and delimiter found out, rows read one by one."""

from __future__ import annotations

import codecs
import csv
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from roi_tracker.plant_files.fault_words import file_fault
from roi_tracker.plant_files.sheet import MAX_COLUMNS, MAX_ROWS, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import IO

    from roi_tracker.plant_files.mapping import Mapping

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = ",;\t|"
_CHUNK = 1 << 20
_MAX_CELL = 10_000


@contextmanager
def open_csv(path: Path, mapping: Mapping) -> Iterator[Sheet]:
    """A CSV file as a sheet, while the context lasts.

    Raises:
        IntakeError: it cannot be read, or has no headers.
    """
    csv.field_size_limit(_MAX_CELL)
    try:
        encoding = mapping.encoding or _encoding(path)
        with path.open(encoding=encoding, newline="") as text:
            skipped = list(islice(text, mapping.header_row - 1))
            head = text.readline()
            likely = max(_DELIMITERS, key=lambda sign: _outside_quotes(head, sign))
            delimiter: str = mapping.delimiter or likely
            headers = [header.strip().lstrip("\ufeff") for header in next(csv.reader([head], delimiter=delimiter), [])]
            if not any(headers):
                raise file_fault("no_headers", source=path.name, row=mapping.header_row)
            if len(headers) > MAX_COLUMNS:
                raise file_fault("many_columns", source=path.name, columns=len(headers), most=MAX_COLUMNS)
            rows = _rows(text, delimiter, len(skipped) + 1, path.name)
            yield Sheet(path.name, headers, rows, delimiter, encoding)
    except (OSError, LookupError, UnicodeError) as error:
        raise file_fault("unreadable", source=path.name, why=error) from error


def _encoding(path: Path) -> str:
    """By its mark, else UTF-8 where all of it is, else the Windows code page of Korea."""
    with path.open("rb") as raw:
        start = raw.read(4)
        for mark, name in _BOMS:
            if start.startswith(mark):
                return name
        raw.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := raw.read(_CHUNK):
                if b"\0" in chunk:
                    raise file_fault("no_text", source=path.name)
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp949"
    return "utf-8"


def _outside_quotes(line: str, sign: str) -> int:
    return sum(part.count(sign) for part in line.split('"')[::2])


def _rows(text: IO[str], delimiter: str, header_rows: int, source: str) -> Iterator[tuple[int, Sequence[object]]]:
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            number = header_rows + reader.line_num
            if number > MAX_ROWS:
                raise file_fault("many_rows", source=source, most=MAX_ROWS)
            if cells:
                yield number, cells
    except csv.Error as error:
        raise file_fault("quote", source=source, row=header_rows + reader.line_num, why=error) from error
