"""Synthetic control: a mixture of control lines that moved like the treated ones all through the baseline.

Abadie, Diamond and Hainmueller, Journal of the American Statistical Association 105 (490), 2010: weights are not
negative and sum to one, so that nothing is extrapolated. Few control lines leave an error that no number of days
removes; it is measured by pretending that each control line had been treated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.measurement.designs.comparison import Stretch, compare
from roi_tracker.measurement.regression import predict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.measurement.estimation import Contrast
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.regression import Model

FEWEST_CONTROLS = 3
"""With fewer there is nothing to mix, and no placebo to tell the error from."""
_DAYS_A_POINT = 7
_SUM_TO_ONE = 1e3


@dataclass(frozen=True)
class LineSeries:
    """Observed over expected outcome of each line.

    Attributes:
        lines: names, in the order of the columns.
        ratios: (points, lines) week by week.
        expected: (lines,) mean expected outcome of a day.
    """

    lines: tuple[str, ...]
    ratios: NDArray[np.float64]
    expected: NDArray[np.float64]

    def column(self, line: str) -> int:
        """Where a line stands."""
        return self.lines.index(line)


def simplex_weights(donors: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """(donors,) weights, not negative and of sum one, whose mixture of (points, donors) is nearest to (points,).

    >>> simplex_weights(np.array([[1.0, 3.0], [2.0, 6.0]]), np.array([2.0, 4.0])).round(6).tolist()
    [0.5, 0.5]
    """
    from scipy.optimize import nnls  # noqa: PLC0415 - only where a mixture is looked for

    heavy = _SUM_TO_ONE * max(1.0, float(np.abs(donors).max()))
    system = np.vstack([donors, np.full(donors.shape[1], heavy)])
    found, _ = nnls(system, np.append(target, heavy))
    total = found.sum()
    weights: NDArray[np.float64] = found / total if total > 0 else np.full(len(found), 1 / len(found))
    return weights


def series_of(model: Model, panel: Panel) -> LineSeries:
    """Observed over expected, line by line and week by week."""
    lines, points = panel.line.seen, panel.ordinals[panel.day_index] // _DAYS_A_POINT
    points = points - points.min()
    expected_rows = predict(model, panel).rows
    count = int(points.max()) + 1
    ratios, means = [], []
    for line in lines:
        rows = panel.line.among((line,))
        expected = np.bincount(points[rows], expected_rows[rows], count)
        observed = np.bincount(points[rows], panel.outcome[rows], count)
        ratios.append(np.divide(observed, expected, out=np.ones(count), where=expected > 0))
        means.append(float(expected.sum()) / len(panel.days))
    return LineSeries(lines, np.stack(ratios, axis=1), np.array(means))


def _stretch(series: LineSeries, treated: tuple[str, ...], donors: tuple[str, ...], panel: Panel) -> Stretch:
    columns = [series.column(line) for line in donors]
    own = [series.column(line) for line in treated]
    target = np.average(series.ratios[:, own], axis=1, weights=series.expected[own])
    weights = simplex_weights(series.ratios[:, columns], target)
    control = {
        line: float(weight / series.expected[column])
        for line, weight, column in zip(donors, weights, columns, strict=True)
        if weight > 0 and series.expected[column] > 0
    }
    return Stretch(panel.days[0], panel.days[-1], treated, control)


def synthetic_control(
    model: Model, baseline: Panel, reporting: Panel, treated: tuple[str, ...], donors: tuple[str, ...]
) -> Contrast:
    """Reduce a comparison with a mixture of control lines to days.

    Args:
        model: the frozen model, fitted on treated and control lines.
        baseline: where the mixture is chosen; the reporting days have no say in it.
        reporting: where it is compared.
        treated: lines with the programme.
        donors: lines without it, at least `FEWEST_CONTROLS`.
    """
    series = series_of(model, baseline)
    contrast = compare(model, baseline, reporting, [_stretch(series, treated, donors, reporting)])
    errors = []
    for line in donors:
        others = tuple(other for other in donors if other != line)
        placebo = compare(model, baseline, reporting, [_stretch(series, (line,), others, reporting)])
        expected = float(placebo.expected.sum())
        if expected > 0:
            errors.append(float(placebo.observed.sum()) / expected - 1.0)
    lasting = float(np.sqrt(np.mean(np.square(errors)))) * float(contrast.expected.sum()) if errors else 0.0
    return replace(contrast, floor_error=lasting, floor_dof=max(1.0, len(errors) - 1.0))
