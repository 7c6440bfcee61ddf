"""Runs a health model over a recorded table, row by row, as the agent would have done live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from models.readings_table import on_grid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.inference import HealthModel
    from models.readings_table import ReadingsTable


class AssessedRow(msgspec.Struct, frozen=True):
    """The model's answer for the window that ends at a row of the table (counted from 0)."""

    row: int
    statistic: float
    health: float
    contributions: tuple[float, ...]


def assess_table(model: HealthModel, table: ReadingsTable) -> Iterator[AssessedRow]:
    """Answers for all full windows of a table, in time order."""
    rows = model.contract.window_rows
    for stretch in on_grid(table, model.channels, model.contract.period_s):
        values = stretch.values.astype(np.float32)
        for end in range(rows, len(values) + 1):
            statistic, health, contributions = model.assess(values[end - rows : end])
            yield AssessedRow(int(stretch.rows[end - 1]), statistic, health, contributions)
