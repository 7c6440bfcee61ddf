"""Randomisation inference: how often the drawing by lot alone would have shown as much.

R. A. Fisher, The Design of Experiments, 1935: with the effect absent, every assignment that could have been drawn is as
good as the one that was. It needs no model; with few lines it cannot be sharp, and says so by its smallest p value.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_ENUMERATED = 20_000
_SEED = 20_250_701


class Randomisation(msgspec.Struct, frozen=True):
    """What the drawing says.

    Attributes:
        p: share of possible assignments that show at least as great an improvement, one-sided.
        assignments: how many there are; 1 / assignments is the smallest p.
    """

    p: float
    assignments: int

    @property
    def decisive(self) -> bool:
        """Whether there are enough assignments for a p of 5 % to be possible."""
        return self.assignments >= 20  # noqa: PLR2004 - 1 / 0.05


def randomisation_test(ratios: Mapping[str, float], treated: tuple[str, ...]) -> Randomisation:
    """Compare the drawn assignment with all others.

    Args:
        ratios: observed over expected outcome of each unit that took part in the drawing.
        treated: units that were drawn.

    >>> drawn = randomisation_test({"a": 0.7, "b": 0.6, "c": 1.0, "d": 1.1}, ("a", "b"))
    >>> (round(drawn.p, 4), drawn.assignments)  # one of the six pairs
    (0.1667, 6)
    """
    units = tuple(ratios)
    values = np.array([ratios[unit] for unit in units])
    drawn = [units.index(unit) for unit in treated]
    total, size = float(values.sum()), len(drawn)
    assignments = comb(len(units), size)
    reached = values[drawn].sum() + 1e-12 * abs(total)
    if assignments <= MOST_ENUMERATED:
        low = sum(values[list(chosen)].sum() <= reached for chosen in combinations(range(len(units)), size))
        return Randomisation(float(low) / assignments, assignments)
    lots = np.random.default_rng(_SEED)
    low = 1 + sum(values[lots.permutation(len(units))[:size]].sum() <= reached for _ in range(MOST_ENUMERATED))
    return Randomisation(float(low) / (MOST_ENUMERATED + 1), assignments)
