"""The design matrix of a panel, row by row or by cells of equal rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.measurement.panels.panel import Panel

SEASON = "season"
DAYS_PER_YEAR = 365.25
HARMONICS = 2
"""Sine and cosine of a year and of half a year: the seasonal shape of the published count studies."""
_SAME = 1e-9
"""A column whose part that no earlier column explains is smaller than this share of it says nothing new."""


class Term(msgspec.Struct, frozen=True):
    """A categorical covariate of the model; the first level is the reference."""

    name: str
    levels: tuple[str, ...]


class Numeric(msgspec.Struct, frozen=True):
    """A numeric covariate: it enters as (value - centre) / spread.

    Attributes:
        low, high: range in which the baseline has seen it.
    """

    name: str
    centre: float
    spread: float
    low: float
    high: float


class Specification(msgspec.Struct, frozen=True):
    """The columns of a design: intercept, non-reference levels of each term, numeric covariates, harmonics."""

    terms: tuple[Term, ...]
    numerics: tuple[Numeric, ...] = ()
    harmonics: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of each column."""
        names = ["intercept"]
        names.extend(f"{term.name}={level}" for term in self.terms for level in term.levels[1:])
        names.extend(numeric.name for numeric in self.numerics)
        names.extend(f"{SEASON} {wave} {order}" for order in range(1, self.harmonics + 1) for wave in ("sin", "cos"))
        return tuple(names)


@dataclass(frozen=True)
class Design:
    """A design matrix with equal rows written once.

    Attributes:
        matrix: (cells, k).
        cell: (rows,) the cell of each row.
        day_index: (rows,) the day of each row.
        days: how many days there are.
    """

    matrix: NDArray[np.float64]
    cell: NDArray[np.int64]
    day_index: NDArray[np.int64]
    days: int

    def by_cell(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum (rows,) values within each cell."""
        return np.bincount(self.cell, weights=values, minlength=len(self.matrix)).astype(np.float64)

    def by_day(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(days, k): the sum over a day's rows of value times design row; values are (rows,)."""
        cells = len(self.matrix)
        if cells * self.days > 4 * len(self.cell) + cells:
            products = self.matrix[self.cell] * values[:, None]
            columns = [np.bincount(self.day_index, products[:, j], self.days) for j in range(products.shape[1])]
            return np.stack(columns, axis=1)
        table = np.bincount(self._slot, weights=values, minlength=self.days * cells).reshape(self.days, cells)
        product: NDArray[np.float64] = table @ self.matrix
        return product

    @cached_property
    def _slot(self) -> NDArray[np.int64]:
        return self.day_index * len(self.matrix) + self.cell


def design(panel: Panel, specification: Specification) -> Design:
    """Lay out a panel. A level the specification does not know counts as its reference; whether that is admissible is
    for the rules on the reporting data to say.
    """
    key = np.zeros(len(panel.exposure), dtype=np.int64)
    for term in specification.terms:
        factor = panel.factor(term.name)
        known = {level: code for code, level in enumerate(term.levels)}
        codes = np.array([known.get(level, 0) for level in factor.levels] or [0], dtype=np.int64)[factor.codes]
        key = key * len(term.levels) + codes
    numeric = _numeric_columns(panel, specification)
    if numeric.shape[1]:
        cells, cell = key, np.arange(len(key), dtype=np.int64)
    else:
        cells, cell = np.unique(key, return_inverse=True)
    columns: list[NDArray[np.float64]] = []
    for term in reversed(specification.terms):
        cells, codes = np.divmod(cells, len(term.levels))
        columns[:0] = [(codes == code).astype(np.float64) for code in range(1, len(term.levels))]
    matrix = np.column_stack(
        [np.ones(len(cells)), *columns, numeric if numeric.shape[1] else np.zeros((len(cells), 0))]
    )
    return Design(matrix, cell.astype(np.int64), panel.day_index, len(panel.days))


def _numeric_columns(panel: Panel, specification: Specification) -> NDArray[np.float64]:
    columns = [
        (panel.covariates.values[:, panel.covariates.names.index(numeric.name)] - numeric.centre) / numeric.spread
        for numeric in specification.numerics
    ]
    if specification.harmonics:
        angle = 2 * np.pi * panel.ordinals[panel.day_index] / DAYS_PER_YEAR
        for order in range(1, specification.harmonics + 1):
            columns += [np.sin(order * angle), np.cos(order * angle)]
    return np.stack(columns, axis=1) if columns else np.zeros((len(panel.exposure), 0))


def identified(gram: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(k,) which columns say something that no earlier column says, from the (k, k) matrix of their products.

    >>> identified(np.array([[2.0, 1.0, 2.0], [1.0, 1.0, 1.0], [2.0, 1.0, 2.0]])).tolist()
    [True, True, False]
    """
    kept: list[int] = []
    for column in range(len(gram)):
        left = gram[column, column]
        if kept:
            cross = gram[np.ix_(kept, [column])][:, 0]
            left -= float(cross @ np.linalg.solve(gram[np.ix_(kept, kept)], cross))
        if left > _SAME * gram[column, column]:
            kept.append(column)
    return np.isin(np.arange(len(gram)), kept)


def aliases(gram: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(dropped, k) combinations of columns that are zero throughout the data: a row is predictable only where they are
    zero as well.
    """
    inside = np.flatnonzero(kept)
    found = np.zeros((int((~kept).sum()), len(kept)))
    for row, column in enumerate(np.flatnonzero(~kept)):
        found[row, column] = 1.0
        found[row, inside] = -np.linalg.solve(gram[np.ix_(inside, inside)], gram[inside, column])
    return found
