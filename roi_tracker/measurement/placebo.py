"""Placebo in time: the same measurement at go-live dates that never were, inside the baseline.

Where nothing happened, z = avoided / standard error must scatter like Student's t. If it scatters more, the model
promises more precision than it has: the true measurement's interval is widened by that factor.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.business_case import Period
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.measurement.regression import fit, predict

if TYPE_CHECKING:
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Observations

MAXIMUM_WINDOWS = 6
MINIMUM_WINDOW_DAYS = 10
MINIMUM_WINDOWS = 2
REFUSAL_RATIO = 2.0
"""Six windows scatter twice as wide as promised in about one honest baseline in two thousand."""


class Placebo(msgspec.Struct, frozen=True):
    """Outcome of the placebo test.

    Attributes:
        z: standardised effect in each window, oldest first.
        ratio: their root mean square over what Student's t gives; 1 is as promised, higher is worse.
    """

    z: tuple[float, ...]
    ratio: float

    @property
    def inflation(self) -> float:
        """By how much intervals are widened."""
        return max(1.0, self.ratio)


def usable(panel: Panel) -> bool:
    """True when a period carries a fit: several days and some outcome."""
    return (
        len(panel.days) >= MINIMUM_WINDOW_DAYS
        and panel.outcome.sum() > 0
        and (panel.ruler is None or all(stratum.audited or not stratum.population for stratum in panel.ruler.strata))
    )


def placebo_in_time(observations: Observations, scope: Scope, baseline: Period) -> Placebo | None:
    """Measure disjoint windows of the baseline's second half, each against all days before it; None when too short."""
    half = baseline.days // 2
    windows = min(MAXIMUM_WINDOWS, half // MINIMUM_WINDOW_DAYS)
    if windows < MINIMUM_WINDOWS:
        return None
    length = half // windows
    scores: list[float] = []
    expectation: list[float] = []
    for index in range(windows):
        start = baseline.last - timedelta(days=length * (windows - index) - 1)
        before = panel_of(observations, scope, Period(first=baseline.first, last=start - timedelta(days=1)), "previous")
        window = panel_of(observations, scope, Period(first=start, last=start + timedelta(days=length - 1)), "previous")
        if not usable(before) or not usable(window):
            continue
        model = fit(before)
        prediction = predict(model, window)
        gradient = prediction.gradient.sum(axis=0)
        variance = float(gradient @ np.array(model.covariance) @ gradient) + len(window.days) * model.day_variance
        if variance <= 0:
            continue
        scores.append(float(prediction.rows.sum() - window.outcome.sum()) / variance**0.5)
        expectation.append(model.dof / (model.dof - 2) if model.dof > 2 else 3.0)  # noqa: PLR2004 - variance of t
    if len(scores) < MINIMUM_WINDOWS:
        return None
    ratio = float(np.sqrt(np.mean(np.square(scores)) / np.mean(expectation)))
    return Placebo(tuple(scores), ratio)
