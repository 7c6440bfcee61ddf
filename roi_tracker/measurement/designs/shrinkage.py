"""Regression to the mean: lines chosen because they were bad improve by themselves.

Empirical Bayes (Robbins 1956; Morris, Journal of the American Statistical Association 78, 1983): a line's baseline
level is part truth, part bad luck. How much is luck is known from how far all the plant's lines lie apart compared with
how far one line's own level wanders; that part is taken back before anything is claimed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.measurement.longrun import noise_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roi_tracker.measurement.estimation import Contrast
    from roi_tracker.measurement.panels.panel import Panel

FEWEST_LINES = 4
"""Lines from which on the distance between lines is known well enough to shrink by."""


class Level(msgspec.Struct, frozen=True):
    """A line's baseline level, as a logarithm.

    Attributes:
        variance: of the level, by the long-run variance of its days.
    """

    line: str
    log_rate: float
    variance: float


class Shrinkage(msgspec.Struct, frozen=True):
    """What is taken back.

    Attributes:
        factor: by which the expectation is multiplied; below 1 where the line had bad luck in the baseline.
        weight: share of the line's distance from the plant's mean that is believed, 0 to 1.
        lines: how many lines it was learned from.
        relative_error: standard error of the shrunken level.
    """

    factor: float
    weight: float
    lines: int
    relative_error: float


def levels_of(panel: Panel) -> tuple[Level, ...]:
    """Baseline level of each line of a panel."""
    found: list[Level] = []
    for line in panel.line.seen:
        rows = panel.line.among((line,))
        outcome, exposure = (
            panel.by_day(np.where(rows, panel.outcome, 0)),
            panel.by_day(np.where(rows, panel.exposure, 0)),
        )
        total, exposed = float(outcome.sum()), float(exposure.sum())
        if total <= 0 or exposed <= 0:
            continue
        noise = noise_of([outcome - total / exposed * exposure], [1.0])
        found.append(Level(line, float(np.log(total / exposed)), len(outcome) * noise.variances[0] / total**2))
    return tuple(found)


def shrink(levels: Sequence[Level], treated: Sequence[str]) -> Shrinkage | None:
    """How much of the treated lines' distance from the plant's mean is believed; None with too few lines.

    >>> same = [Level(f"l{n}", rate, 0.04) for n, rate in enumerate((-0.1, 0.0, 0.1, 0.3))]
    >>> shrink(same, ["l3"]).weight  # lines no further apart than luck explains: nothing of the distance is believed
    0.0
    """
    if len(levels) < FEWEST_LINES:
        return None
    rates: NDArray[np.float64] = np.array([level.log_rate for level in levels])
    variances = np.array([level.variance for level in levels])
    mean = float(np.average(rates, weights=1 / variances))
    surplus = float(((rates - mean) ** 2 / variances).sum()) - (len(levels) - 1)
    spread = float((1 / variances).sum() - (variances**-2.0).sum() / (1 / variances).sum())
    between = max(0.0, surplus / spread)  # DerSimonian and Laird, Controlled Clinical Trials 7, 1986
    centre = float(np.average(rates, weights=1 / (variances + between)))
    chosen = [level for level in levels if level.line in treated]
    weights = [between / (between + level.variance) for level in chosen]
    pulls = [(weight - 1) * (level.log_rate - centre) for level, weight in zip(chosen, weights, strict=True)]
    if not chosen:
        return None
    errors = [level.variance * weight for level, weight in zip(chosen, weights, strict=True)]
    return Shrinkage(
        factor=float(np.exp(np.mean(pulls))),
        weight=float(np.mean(weights)),
        lines=len(levels),
        relative_error=float(np.sqrt(np.mean(errors) / len(chosen))),
    )


def against(chosen: Shrinkage, others: Shrinkage) -> Shrinkage:
    """What is taken back from chosen lines that are compared with others, whose luck was the opposite.

    >>> found = against(Shrinkage(0.9, 0.5, 20, 0.03), Shrinkage(1.02, 0.5, 20, 0.04))
    >>> round(found.factor, 4), round(found.relative_error, 4)
    (0.8824, 0.05)
    """
    error = float(np.hypot(chosen.relative_error, others.relative_error))
    return msgspec.structs.replace(chosen, factor=chosen.factor / others.factor, relative_error=error)


def shrunk(contrast: Contrast, shrinkage: Shrinkage) -> Contrast:
    """The contrast with the luck of the baseline taken out of its expectation."""
    return replace(
        contrast, expected=contrast.expected * shrinkage.factor, gradient=contrast.gradient * shrinkage.factor
    )
