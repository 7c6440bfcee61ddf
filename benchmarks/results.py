"""What a benchmark answers: ratios and figures with their spread and limit; written to a file that the runner reads.

A benchmark's `main` adds the option and writes once it has measured:

    results.add_option(parser)
    ...
    results.write(given.outcomes, [Outcome("ingest.of_c", "...", samples, limit=0.9, better="more")])
"""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

CANNOT_RUN = 3
"""Exit status of a benchmark that lacks something it needs: a program, a data set. Its last line says what."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One measured figure.

    Attributes:
        name: stable, `benchmark.figure`.
        sentence: what is compared with what, in words.
        samples: of each repetition; a ratio is taken within one repetition.
        limit: what the median must keep; None for a figure that is told and not judged.
        better: whether more or less of it is better; says on which side of the limit it must lie.
        unit: of the samples, empty for a ratio.
    """

    name: str
    sentence: str
    samples: Sequence[float]
    limit: float | None = None
    better: Literal["more", "less"] = "less"
    unit: str = ""

    @property
    def median(self) -> float:
        """Of the samples."""
        return statistics.median(self.samples)

    @property
    def held(self) -> bool | None:
        """Whether the median keeps the limit; None where there is no limit.

        >>> Outcome("a.b", "", [0.8, 0.95, 1.0], limit=0.9, better="more").held
        True
        """
        if self.limit is None:
            return None
        return self.median >= self.limit if self.better == "more" else self.median <= self.limit

    @property
    def asked(self) -> str:
        """The limit in words."""
        if self.limit is None:
            return ""
        return f"at {'least' if self.better == 'more' else 'most'} {self.limit:g}"


def add_option(parser: argparse.ArgumentParser) -> None:
    """Let the runner say where the outcomes shall be written."""
    parser.add_argument("--outcomes", type=Path, metavar="FILE", help="write the outcomes here as JSON")


def write(path: Path | None, outcomes: Iterable[Outcome]) -> None:
    """Write outcomes for the runner; does nothing without a path."""
    if path is not None:
        path.write_text(json.dumps([asdict(outcome) for outcome in outcomes]), encoding="utf-8")


def read(path: Path) -> list[Outcome]:
    """Read what `write` wrote."""
    return [outcome_of(each) for each in json.loads(path.read_text(encoding="utf-8"))]


def outcome_of(fields: dict[str, Any]) -> Outcome:
    """An outcome out of its JSON form.

    Raises:
        ValueError: it holds no sample, so that nothing was measured.
    """
    outcome = Outcome(**{**fields, "samples": tuple(fields["samples"])})
    if not outcome.samples:
        message = f"{outcome.name} holds no sample"
        raise ValueError(message)
    return outcome
