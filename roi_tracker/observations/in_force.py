"""Which inspection judged a row's parts where no mode was ever reported, as in a plant that brings files alone."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.observations.tables import INSPECTOR_CODES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.observations.rows import Inspector, Observation, Observations

NEVER = date.max
"""For `InForce.since` where no AI went live: the previous inspection judged all rows without a mode."""


class InForce(msgspec.Struct, frozen=True):
    """Who judged. A reported mode holds; without one, the AI judged from its go-live on, on lines whose audits say that
    there is one.

    Attributes:
        ai_lines: lines with audits of an AI's verdicts.
        since: go-live.
    """

    ai_lines: frozenset[str]
    since: date

    def of(self, row: Observation) -> Inspector:
        """The inspection of a row."""
        if row.inspector is not None:
            return row.inspector
        return "ai" if row.day >= self.since and row.line in self.ai_lines else "previous"


def in_force(observations: Observations, since: date) -> InForce:
    """Learn from the audits which lines have an AI.

    Args:
        observations: of all lines.
        since: day from which the AI decides, as the plan says.
    """
    table = observations.product_table
    by_ai = table.audits.row[table.audits.inspector == INSPECTOR_CODES["ai"]]
    return InForce(frozenset(table.lines[code] for code in np.unique(table.line[by_ai]).tolist()), since)


def codes_in_force(observations: Observations, since: date) -> NDArray[np.int8]:
    """(rows,) codes of `INSPECTOR_CODES` for all rows of the product table."""
    table = observations.product_table
    lines = [table.lines.index(line) for line in in_force(observations, since).ai_lines]
    by_ai = np.isin(table.line, lines) & (table.day >= since.toordinal())
    unknown = np.where(by_ai, INSPECTOR_CODES["ai"], INSPECTOR_CODES["previous"])
    return np.where(table.inspector < 0, unknown, table.inspector).astype(np.int8)
