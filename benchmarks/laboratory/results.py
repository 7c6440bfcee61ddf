"""The laboratory's results as a file: counts, no percentages; every figure of the docs page is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from benchmarks.laboratory.scoring import Rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.laboratory.running import Found

RESULTS = Path(__file__).with_name("results.json")


class Count(msgspec.Struct, frozen=True, array_like=True):
    """How often, of how many."""

    hits: int
    trials: int

    @property
    def rate(self) -> Rate:
        """The share with its Wilson interval."""
        return Rate(self.hits, self.trials)


class Row(msgspec.Struct, frozen=True):
    """One method in one experiment.

    Attributes:
        claims: plants of which a benefit was claimed.
        covers: 90 % intervals that hold the truth.
        refused: plants of which a rule about the data forbade any figure.
        rules: plants by the rule that refused them.
        bias: mean error, as a share of the defects expected without the programme.
        width: mean width of the interval, likewise.
    """

    part: str
    scenario: str
    violates: str
    method: str
    claims: Count
    covers: Count
    refused: Count
    rules: dict[str, int]
    bias: float
    width: float


class Results(msgspec.Struct, frozen=True):
    """A run.

    Attributes:
        plants: asked for of each experiment; what was measured stands in each row.
    """

    plants: int
    rows: tuple[Row, ...]

    def of(self, part: str, scenario: str, method: str) -> Row:
        """One row.

        Raises:
            KeyError: the run has no such row.
        """
        for row in self.rows:
            if (row.part, row.scenario, row.method) == (part, scenario, method):
                return row
        raise KeyError((part, scenario, method))

    def parts(self, part: str, method: str) -> tuple[Row, ...]:
        """All rows of a method in one part, in order."""
        return tuple(row for row in self.rows if (row.part, row.method) == (part, method))

    def encoded(self) -> bytes:
        """JSON, one row a line, so that a change shows where it is."""
        rows = b",\n".join(msgspec.json.encode(row) for row in self.rows)
        return b'{"plants":%d,"rows":[\n%s\n]}\n' % (self.plants, rows)


def read_results(path: Path = RESULTS) -> Results:
    """The committed run."""
    return msgspec.json.decode(path.read_bytes(), type=Results)


def results_of(found: Sequence[Found], plants: int) -> Results:
    """Count a run."""
    return Results(plants, tuple(_row(one, name) for one in found for name in one.scores))


def _row(found: Found, name: str) -> Row:
    score, experiment = found.scores[name], found.experiment
    return Row(
        part=experiment.part,
        scenario=experiment.name,
        violates=getattr(experiment.arguments[0], "violates", ""),
        method=name,
        claims=Count(score.realized, score.plants),
        covers=Count(score.covered, score.measured),
        refused=Count(score.barred, score.plants),
        rules=dict(score.refused.most_common()),
        bias=round(score.bias, 6),
        width=round(score.width / score.measured, 6) if score.measured else 0.0,
    )
