"""Parts made by line and shift, for measures that explain or divide an outcome by production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.measurement.panels.columns import LineColumns
    from roi_tracker.observations.rows import Observations


@dataclass(frozen=True)
class Production:
    """Parts made in each row of the line columns it was asked for.

    Attributes:
        products: names, in the order of the columns.
        units: (rows, products) parts made; NaN in shifts whose production was not measured.
    """

    products: tuple[str, ...]
    units: NDArray[np.float64]

    @property
    def total(self) -> NDArray[np.float64]:
        """(rows,) parts of all products."""
        total: NDArray[np.float64] = self.units.sum(axis=1)
        return total


def production_of(observations: Observations, columns: LineColumns) -> Production:
    """Parts made in the line x shift rows of a scope. A shift without any count of parts is not measured, not zero."""
    table, lines = observations.product_table, columns.table
    line = np.array([lines.lines.index(name) if name in lines.lines else -1 for name in table.lines], dtype=np.int64)
    shift = np.array(
        [lines.shifts.index(name) if name in lines.shifts else -1 for name in table.shifts], dtype=np.int64
    )
    names = table.products
    units = np.full((len(columns.day), len(names)), np.nan)
    if not len(table) or not len(columns.day):
        return Production(names, units)
    first = int(min(table.day.min(), columns.day.min()))
    wanted = _slot(columns.day - first, columns.line.codes, columns.shift.codes, columns)
    made = _slot(table.day.astype(np.int64) - first, line[table.line], shift[table.shift], columns)
    order = np.argsort(wanted)
    place = np.searchsorted(wanted[order], made)
    known = place < len(wanted)
    known[known] = wanted[order][place[known]] == made[known]
    known &= (line[table.line] >= 0) & (shift[table.shift] >= 0)
    row = order[place[known]]
    units[np.unique(row)] = 0.0
    np.add.at(units, (row, table.product[known]), table.produced[known])
    units[np.isnan(units).any(axis=1)] = np.nan
    return Production(names, units)


def _slot(
    day: NDArray[np.int64], line: NDArray[np.int64], shift: NDArray[np.int64], columns: LineColumns
) -> NDArray[np.int64]:
    """(rows,) one number for each day, line and shift."""
    slot: NDArray[np.int64] = (day * len(columns.line.levels) + line) * len(columns.shift.levels) + shift
    return slot
