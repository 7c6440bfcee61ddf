"""Placebo in time: the same measurement at go-live dates that never were, inside the baseline.

Where nothing happened, z = avoided / standard error must scatter like Student's t. If it scatters more than chance
explains, the model promises more precision than it has: the true measurement's interval is widened by that factor.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.case.plant import Period
from roi_tracker.measurement.designs.comparison import as_marked
from roi_tracker.measurement.estimation import BaselineFloor, Counterfactual, Measurement, before_and_after
from roi_tracker.measurement.panels.building import source_of
from roi_tracker.measurement.quantiles import fisher_exceeded
from roi_tracker.measurement.regression import fit

if TYPE_CHECKING:
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.panels.readings import Source
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Observations

MAXIMUM_WINDOWS = 6
MINIMUM_WINDOW_DAYS = 7
MINIMUM_WINDOWS = 2
MINIMUM_FIT_DAYS = 10
MINIMUM_MEASURED_DAYS = 5
REFUSAL_RATIO = 2.0
"""Six windows scatter twice as wide as promised in about one honest baseline in two thousand."""
_REFUSED = 1 / 2000
_ROUNDING = 1e-9
"""Share of what is expected below which a standard error is rounding: such a window never varied and tests nothing."""
_WIDENED = 0.1
"""Share of honest baselines whose interval is widened all the same."""


class Placebo(msgspec.Struct, frozen=True):
    """Outcome of the placebo test.

    Attributes:
        z: standardised effect in each window, oldest first.
        ratio: their root mean square over what Student's t gives; 1 is as promised, higher is worse.
        limit: ratio from which on the baseline is refused; one honest baseline in two thousand reaches it.
        chance: ratio that one honest baseline in ten reaches.
    """

    z: tuple[float, ...]
    ratio: float
    limit: float = REFUSAL_RATIO
    chance: float = 1.0

    @property
    def inflation(self) -> float:
        """By how much intervals are widened."""
        return max(1.0, self.ratio / self.chance)


def usable(panel: Panel) -> bool:
    """True when a period carries a fit: several days and some outcome."""
    return len(panel.days) >= MINIMUM_FIT_DAYS and panel.outcome.sum() > 0 and _audited(panel)


def placebo_in_time(observations: Observations, scope: Scope, baseline: Period) -> Placebo | None:
    """Measure disjoint windows of the baseline's second half, each against all days before it, and against control rows
    where the scope has some; None when too short, or when nothing ever varied: no interval rests on that.
    """
    return placebo_of(source_of(observations, scope, "previous"), baseline)


def placebo_of(source: Source, baseline: Period) -> Placebo | None:
    """The same, from readings that are there already."""
    half = baseline.days // 2
    windows = min(MAXIMUM_WINDOWS, half // MINIMUM_WINDOW_DAYS)
    if windows < MINIMUM_WINDOWS:
        return None
    length = half // windows
    scores: list[float] = []
    freedom: list[float] = []
    for index in range(windows):
        start = baseline.last - timedelta(days=length * (windows - index) - 1)
        before = source.panel(Period(first=baseline.first, last=start - timedelta(days=1)))
        window = source.panel(Period(first=start, last=start + timedelta(days=length - 1)))
        if not usable(before) or len(window.days) < MINIMUM_MEASURED_DAYS or not _audited(window):
            continue
        counterfactual = Counterfactual(fit(before), BaselineFloor(), 1.0)
        if window.treated.all():
            contrast = before_and_after(counterfactual, window)
        else:
            contrast = as_marked(counterfactual.model, before, window)
        found = Measurement(counterfactual, contrast).whole("closing")
        if found.standard_error > _ROUNDING * abs(found.expected):
            scores.append(found.avoided / found.standard_error)
            freedom.append(found.dof)
    if len(scores) < MINIMUM_WINDOWS:
        return None
    dof = float(np.mean(freedom))
    promised = dof / (dof - 2) if dof > 3 else 3.0  # noqa: PLR2004 - variance of t, finite from 2 on, steady from 3
    ratio = float(np.sqrt(np.mean(np.square(scores)) / promised))
    limit = max(REFUSAL_RATIO, float(np.sqrt(fisher_exceeded(_REFUSED, len(scores), dof) / promised)))
    chance = max(1.0, float(np.sqrt(fisher_exceeded(_WIDENED, len(scores), dof) / promised)))
    return Placebo(tuple(scores), ratio, limit, chance)


def _audited(panel: Panel) -> bool:
    return panel.ruler is None or all(stratum.audited or not stratum.population for stratum in panel.ruler.strata)
