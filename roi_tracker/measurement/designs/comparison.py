"""Difference-in-differences on frozen expectations: what control lines or shifts did meanwhile corrects the baseline.

The frozen model predicts treated and control rows alike. Over a stretch of days in which the groups do not change, the
controls' observed over expected is what the plant as a whole did; the treated rows' expectation is moved by it before
the difference is taken (a ratio of ratios, or a difference of differences where the measure is a mean). Its noise is
the long-run variance over days of the difference, so that whatever hits all lines on one day cancels.

A staggered roll-out is a sequence of such stretches. Lines not yet treated are controls, treated ones never are: the
comparisons that bias two-way fixed effects do not occur (Goodman-Bacon, Journal of Econometrics 225, 2021; Callaway
and Sant'Anna, same issue).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from roi_tracker.measurement.estimation import CONFIDENCE, Contrast, left_over
from roi_tracker.measurement.regression import predict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, timedelta

    from numpy.typing import NDArray

    from roi_tracker.measurement.panels.panel import Factor, Panel
    from roi_tracker.measurement.regression import Model

Grouping = Literal["line", "shift"]


@dataclass(frozen=True)
class Stretch:
    """Days in which the groups do not change.

    Attributes:
        first, last: both included.
        treated: levels of the grouping that run with the programme.
        control: weight of each level that runs without it; they sum up to anything, only proportions matter.
    """

    first: date
    last: date
    treated: tuple[str, ...]
    control: Mapping[str, float]


@dataclass(frozen=True)
class _Group:
    """Rows of a panel, weighted and summed by day."""

    expected: NDArray[np.float64]
    observed: NDArray[np.float64]
    exposure: NDArray[np.float64]
    gradient: NDArray[np.float64]
    audit: NDArray[np.float64]


class Compared:
    """A panel with its expectations, ready to be summed by group."""

    def __init__(self, model: Model, panel: Panel, grouping: Grouping) -> None:
        self.panel = panel
        self.linear = model.family == "linear"
        self._prediction = predict(model, panel)
        self._factor = panel.line if grouping == "line" else panel.shift

    def group(self, weights: Mapping[str, float]) -> _Group:
        """Sum the rows of some levels by day, each level with its weight."""
        by_level = np.array([weights.get(level, 0.0) for level in self._factor.levels])
        weight = by_level[self._factor.codes]
        panel, prediction = self.panel, self._prediction
        audit = np.zeros(len(panel.days))
        for noise in panel.noise:
            audit += noise.day_residual * float(noise.population @ weight) / noise.population.sum()
        return _Group(
            expected=panel.by_day(prediction.rows * weight),
            observed=panel.by_day(panel.outcome * weight),
            exposure=panel.by_day(panel.exposure * weight),
            gradient=prediction.design.by_day(prediction.slope * weight),
            audit=audit,
        )


def compare(
    model: Model, baseline: Panel, reporting: Panel, stretches: Sequence[Stretch], grouping: Grouping = "line"
) -> Contrast:
    """Reduce a comparison to days.

    Args:
        model: the frozen model, fitted on treated and control rows of the baseline.
        baseline: treated and control rows before the programme.
        reporting: the same rows with it.
        stretches: in time order, not overlapping; days outside all of them are not measured.
        grouping: whether lines or shifts are compared.
    """
    before, after = Compared(model, baseline, grouping), Compared(model, reporting, grouping)
    pieces = [piece for stretch in stretches if (piece := _piece(before, after, stretch)) is not None]
    days = np.concatenate([piece.days for piece in pieces]) if pieces else np.zeros(0, dtype=np.int64)
    weight = np.array([len(piece.days) for piece in pieces], dtype=np.float64)
    share = weight / weight.sum() if pieces else weight
    down, up = (0.0, 0.0) if reporting.ruler is None else reporting.ruler.margins(CONFIDENCE)
    columns = len(model.coefficients)
    return Contrast(
        days=tuple(reporting.days[day] for day in days),
        expected=np.concatenate([piece.expected for piece in pieces] or [np.zeros(0)]),
        observed=np.concatenate([piece.observed for piece in pieces] or [np.zeros(0)]),
        gradient=np.concatenate([piece.gradient for piece in pieces] or [np.zeros((0, columns))]),
        noise=np.concatenate([piece.noise for piece in pieces] or [np.zeros(0)]),
        baseline_noise=sum(
            (part * piece.before for part, piece in zip(share, pieces, strict=True)), np.zeros(len(baseline.days))
        ),
        baseline_level=float(sum(part * piece.level for part, piece in zip(share, pieces, strict=True))),
        audit_down=down,
        audit_up=up,
        linear=model.family == "linear",
    )


@dataclass(frozen=True)
class _Piece:
    """One stretch, reduced.

    Attributes:
        days: positions in the reporting panel.
        before: (baseline days,) the same difference before the programme.
        level: mean outcome of the treated rows on a baseline day.
    """

    days: NDArray[np.int64]
    expected: NDArray[np.float64]
    observed: NDArray[np.float64]
    gradient: NDArray[np.float64]
    noise: NDArray[np.float64]
    before: NDArray[np.float64]
    level: float


def _piece(before: Compared, after: Compared, stretch: Stretch) -> _Piece | None:
    ordinals = after.panel.ordinals
    inside = np.flatnonzero((ordinals >= stretch.first.toordinal()) & (ordinals <= stretch.last.toordinal()))
    treated, control = after.group(dict.fromkeys(stretch.treated, 1.0)), after.group(stretch.control)
    expected_control = float(control.expected[inside].sum())
    if not len(inside) or expected_control <= 0:
        return None
    own = treated.expected[inside]
    if after.linear:
        size = float(treated.exposure[inside].sum() / control.exposure[inside].sum())
        moved = float((control.observed - control.expected)[inside].sum() / control.exposure[inside].sum())
        ratio, expected = 1.0, own + moved * treated.exposure[inside]
        control_noise = (control.observed - control.expected - moved * control.exposure + control.audit)[inside]
    else:
        size = float(own.sum()) / expected_control
        ratio = float(control.observed[inside].sum()) / expected_control
        expected = ratio * own
        control_noise = (control.observed - ratio * control.expected + control.audit)[inside]
    observed = treated.observed[inside]
    treated_before, control_before = before.group(dict.fromkeys(stretch.treated, 1.0)), before.group(stretch.control)
    return _Piece(
        days=inside,
        expected=expected,
        observed=observed,
        gradient=ratio * (treated.gradient - size * control.gradient)[inside],
        noise=left_over(observed, expected, linear=after.linear) + treated.audit[inside] - size * control_noise,
        before=_residual(treated_before) - size * _residual(control_before),
        level=float(treated_before.observed.mean()),
    )


def _residual(group: _Group) -> NDArray[np.float64]:
    residual: NDArray[np.float64] = group.observed - group.expected + group.audit
    return residual


def side_by_side(reporting: Panel, treated: tuple[str, ...], control: tuple[str, ...]) -> tuple[Stretch, ...]:
    """One stretch: the same groups all through."""
    if not reporting.days:
        return ()
    return (Stretch(reporting.days[0], reporting.days[-1], treated, dict.fromkeys(control, 1.0)),)


def staggered(
    reporting: Panel, go_live: Mapping[str, date], never: tuple[str, ...], commissioning: timedelta
) -> tuple[Stretch, ...]:
    """Stretches of a roll-out. A line being commissioned belongs to neither group; days on which no line is left to
    compare with belong to no stretch.

    Args:
        reporting: the days.
        go_live: first day with the programme of each treated line, after its commissioning.
        never: lines that never get it.
        commissioning: how long before its first day a line is already being changed.
    """
    stretches: list[Stretch] = []
    for day in reporting.days:
        treated = tuple(line for line, starts in go_live.items() if day >= starts)
        waiting = [line for line, starts in go_live.items() if day < starts - commissioning]
        control = dict.fromkeys((*never, *waiting), 1.0)
        if not treated or not control:
            continue
        if stretches and stretches[-1].treated == treated and stretches[-1].control == control:
            stretches[-1] = Stretch(stretches[-1].first, day, treated, control)
        else:
            stretches.append(Stretch(day, day, treated, control))
    return tuple(stretches)


def as_marked(model: Model, baseline: Panel, reporting: Panel) -> Contrast:
    """Compare the rows that a panel marks as treated with those it does not: lines with lines where every line is
    wholly one or the other, else shifts with shifts.
    """
    grouping: Grouping = "line"
    treated, control = _levels(reporting.line, reporting.treated)
    if set(treated) & set(control):
        grouping = "shift"
        treated, control = _levels(reporting.shift, reporting.treated)
    return compare(model, baseline, reporting, side_by_side(reporting, treated, control), grouping)


def _levels(factor: Factor, treated: NDArray[np.bool_]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return factor.where(treated).seen, factor.where(~treated).seen
