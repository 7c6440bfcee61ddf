"""Recorded sensor readings from CSV files: a time column and one column a sensor, put on the grid the agent uses."""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.errors import DatasetError
from models.manifest import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DELIMITERS = (";", ",", "\t")
_MIN_ROWS = 2
# A gap longer than this many periods is not bridged by the last value.
MAX_HELD_PERIODS = 10


class ReadingsTable(msgspec.Struct, frozen=True):
    """One file's readings.

    Attributes:
        name: the file's name.
        digest: sha256 of the file's bytes.
        columns: names of the value columns.
        times_s: (n,), seconds, strictly increasing.
        values: (n, columns); NaN where the file has no value.
    """

    name: str
    digest: str
    columns: tuple[str, ...]
    times_s: NDArray[np.float64]
    values: NDArray[np.float64]

    def rows(self, start: int, stop: int | None) -> ReadingsTable:
        """Rows start to stop of the file, as a slice."""
        return msgspec.structs.replace(self, times_s=self.times_s[start:stop], values=self.values[start:stop])

    def select(self, columns: Sequence[str]) -> NDArray[np.float64]:
        """The named columns, (n, len(columns)).

        Raises:
            DatasetError: a column is missing.
        """
        missing = [column for column in columns if column not in self.columns]
        if missing:
            raise DatasetError(
                f"{self.name} lacks columns", field="columns", value=missing, hint=f"it has {', '.join(self.columns)}"
            )
        return self.values[:, [self.columns.index(column) for column in columns]]

    def period_s(self) -> float:
        """The usual time between two rows: the median step, seconds."""
        return float(np.median(np.diff(self.times_s)))


class GridStretch(msgspec.Struct, frozen=True):
    """Readings on a regular grid without a gap.

    Attributes:
        rows: (m,), for each grid point the row of the table it took, which is the newest at or before it.
        values: float64 (m, channels).
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float64]


def read_table(path: Path) -> ReadingsTable:
    """Read a CSV file (`;`, `,` or tab; UTF-8) with a header.

    The time is the first column of dates, or of numbers where there are no dates.

    Raises:
        DatasetError: no rows, no time column, or a cell that is no number; says which.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"the file cannot be read: {error.strerror}", field="file", value=path.name) from error
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DatasetError("the file is not UTF-8 text", field="file", value=path.name) from error
    if len(lines) <= _MIN_ROWS:
        raise DatasetError("the file has no rows", field="file", value=path.name, hint="a header and two rows at least")
    delimiter = max(_DELIMITERS, key=lines[0].count)
    header, *rows = csv.reader((line for line in lines if line.strip()), delimiter=delimiter)
    ragged = next((index for index, row in enumerate(rows) if len(row) != len(header)), None)
    if ragged is not None:
        raise DatasetError(
            f"{path.name}, line {ragged + 2} has {len(rows[ragged])} cells, the header {len(header)}",
            field="line",
            value=ragged + 2,
        )
    time_at = _time_column(rows[0])
    if time_at is None:
        raise DatasetError(
            f"{path.name} has no time column", field="columns", value=header, hint="ISO 8601 dates or seconds"
        )
    names = tuple(name.strip() for at, name in enumerate(header) if at != time_at)
    times = np.array([_required_time(row[time_at], path.name, line) for line, row in enumerate(rows, start=2)])
    cells = ((line, row[:time_at] + row[time_at + 1 :]) for line, row in enumerate(rows, start=2))
    values = np.array([[_number(cell, path.name, line) for cell in row] for line, row in cells])
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    keep = np.append(np.diff(times) > 0, True)  # of equal times the last row of the file holds
    return ReadingsTable(
        name=path.name, digest=digest_of(content), columns=names, times_s=times[keep], values=values[keep]
    )


def on_grid(table: ReadingsTable, columns: Sequence[str], period_s: float) -> list[GridStretch]:
    """Put columns on a grid of `period_s`, each point holding the newest value, split at gaps.

    This is what the agent's window does with live readings. A stretch begins when every column has had a value.
    """
    values = _hold_last(table.select(columns))
    complete = np.flatnonzero(np.isfinite(values).all(axis=1))
    if complete.size == 0:
        return []
    first = int(complete[0])
    times, values = table.times_s[first:], values[first:]
    stretches = []
    breaks = np.flatnonzero(np.diff(times) > MAX_HELD_PERIODS * period_s) + 1
    for part in np.split(np.arange(times.size), breaks):
        # half a millionth of a period absorbs rounding of decimal seconds
        count = math.floor((times[part[-1]] - times[part[0]]) / period_s + 1e-6) + 1
        grid = times[part[0]] + period_s * (np.arange(count) + 1e-6)
        rows = np.searchsorted(times[part], grid, side="right") - 1
        stretches.append(GridStretch(rows=part[rows] + first, values=values[part[rows]]))
    return stretches


def _hold_last(values: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = np.where(np.isfinite(values), np.arange(len(values))[:, None], -1)
    newest = np.maximum.accumulate(rows, axis=0)
    held = np.take_along_axis(values, np.maximum(newest, 0), axis=0)
    return np.where(newest >= 0, held, np.nan)


def _time_column(first_row: Sequence[str]) -> int | None:
    """The first column that holds a date; where none does, the first that holds a number."""
    for read in (_date, _time):
        for at, cell in enumerate(first_row):
            if read(cell) is not None:
                return at
    return None


def _date(cell: str) -> float | None:
    text = cell.strip()
    # eight bare digits would pass for a date, and are more likely a count
    if "-" not in text[1:]:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # a plant's log without a zone: only differences are used, so any fixed zone will do
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _time(cell: str) -> float | None:
    date = _date(cell)
    if date is not None:
        return date
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _required_time(cell: str, name: str, line: int) -> float:
    value = _time(cell)
    if value is None:
        raise DatasetError(f"{name}, line {line}: the time cannot be read", field="time", value=cell)
    return value


def _number(cell: str, name: str, line: int) -> float:
    text = cell.strip()
    if not text:
        return math.nan
    try:
        return float(text)
    except ValueError:
        raise DatasetError(
            f"{name}, line {line}: a cell is no number", field="cell", value=cell, hint="leave it empty if unknown"
        ) from None
