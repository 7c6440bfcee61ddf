"""The columns of the lines of a scope; what the builders of the measures read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.measurement.panels.panel import Covariates, Factor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Observations
    from roi_tracker.observations.tables import LineTable, ProductTable

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class LineColumns:
    """Line x shift rows of a scope.

    Attributes:
        table: all lines.
        kept: (rows of the table,) those of the scope; everything else here has been cut to them.
    """

    table: LineTable
    kept: NDArray[np.bool_]
    day: NDArray[np.int64]
    line: Factor
    shift: Factor
    covariates: Covariates

    def cut(self, column: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scope's rows of one of the table's columns."""
        return column[self.kept]


@dataclass(frozen=True)
class ProductColumns:
    """Line x shift x product rows of a scope.

    Attributes:
        table: all lines.
        kept: (rows of the table,) those of the scope; everything else here has been cut to them.
    """

    table: ProductTable
    kept: NDArray[np.bool_]
    day: NDArray[np.int64]
    line: Factor
    shift: Factor
    product: Factor
    covariates: Covariates

    def cut(self, column: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scope's rows of one of the table's columns."""
        return column[self.kept]


def line_columns(observations: Observations, scope: Scope) -> LineColumns:
    """The line x shift rows of a scope's lines."""
    table = observations.line_table
    kept = _of_lines(table, scope)
    unknown = np.full(int(kept.sum()), np.nan)
    values = [table.covariate(name) for name in scope.covariates]
    cut = [unknown if column is None else column[kept] for column in values]
    return LineColumns(
        table,
        kept,
        table.day[kept].astype(np.int64),
        Factor("line", table.lines, table.line[kept].astype(np.int64)),
        Factor("shift", table.shifts, table.shift[kept].astype(np.int64)),
        Covariates(scope.covariates, np.stack(cut, axis=1) if cut else np.zeros((len(unknown), 0))),
    )


def product_columns(observations: Observations, scope: Scope) -> ProductColumns:
    """The line x shift x product rows of a scope's lines; covariates are those of their line and shift."""
    table = observations.product_table
    kept = _of_lines(table, scope)
    covariates = Covariates.none(int(kept.sum()))
    if scope.covariates:
        found = _by_shift(observations, scope)
        shifts = zip(table.day[kept].tolist(), table.line[kept].tolist(), table.shift[kept].tolist(), strict=True)
        keys = [(day, table.lines[line], table.shifts[shift]) for day, line, shift in shifts]
        unknown = np.full(len(scope.covariates), np.nan)
        covariates = Covariates(scope.covariates, np.array([found.get(key, unknown) for key in keys]))
    return ProductColumns(
        table,
        kept,
        table.day[kept].astype(np.int64),
        Factor("line", table.lines, table.line[kept].astype(np.int64)),
        Factor("shift", table.shifts, table.shift[kept].astype(np.int64)),
        Factor("product", table.products, table.product[kept].astype(np.int64)),
        covariates,
    )


def _of_lines(table: LineTable | ProductTable, scope: Scope) -> NDArray[np.bool_]:
    return np.isin(table.line, [code for code, line in enumerate(table.lines) if line in scope.lines])


def _by_shift(observations: Observations, scope: Scope) -> dict[tuple[int, str, str], NDArray[np.float64]]:
    lines = line_columns(observations, scope)
    codes = zip(lines.day.tolist(), lines.line.codes.tolist(), lines.shift.codes.tolist(), strict=True)
    return {
        (day, lines.line.levels[line], lines.shift.levels[shift]): values
        for (day, line, shift), values in zip(codes, lines.covariates.values, strict=True)
    }
