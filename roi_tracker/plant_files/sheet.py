"""A table as the readers of CSV and XLSX hand it over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_ROWS = 5_000_000
MAX_COLUMNS = 500
"""More than any honest export; a sheet formatted down to its end is refused with a reason instead of read for hours."""


@dataclass(frozen=True)
class NotCalculated:
    """A formula whose result the file does not hold."""

    def __str__(self) -> str:
        return "(formula without a stored result)"


@dataclass(frozen=True)
class Sheet:
    """One table.

    Attributes:
        source: file name, with the sheet where there are several.
        headers: as written.
        rows: row number in the file, from 1, and cells; read once.
        delimiter, encoding: of a CSV file, empty for others.
        epoch_1904: the workbook counts days from 1904.
    """

    source: str
    headers: list[str]
    rows: Iterator[tuple[int, Sequence[object]]]
    delimiter: str = ""
    encoding: str = ""
    epoch_1904: bool = False
