"""An event window: the weeks before and after one change, each modelled on its own data.

For looking, not for claiming: nothing was frozen before the change, so its grade is D.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.case.plant import Period
from roi_tracker.measurement.estimation import BaselineFloor, Counterfactual, Estimate, estimate
from roi_tracker.measurement.placebo import MINIMUM_MEASURED_DAYS, usable
from roi_tracker.measurement.regression import fit

if TYPE_CHECKING:
    from datetime import date

    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.panels.readings import Source

DIP = 0.5
"""A day with less than this share of the window's median exposure is a dip: a stoppage or a stocktaking."""


@dataclass(frozen=True)
class EventWindow:
    """What changed around a day.

    Attributes:
        estimate: outcome avoided after the change, against the days before it.
        dips: days left out because hardly anything was produced.
    """

    estimate: Estimate
    dips: tuple[date, ...]


def event_window(source: Source, change: date, weeks: int, blackout_days: int) -> EventWindow | None:
    """Compare the weeks after a change with the weeks before it; None where too little was measured.

    Args:
        source: the measure's readings.
        change: first day of the change.
        weeks: length of each side.
        blackout_days: days from the change on that belong to neither side.
    """
    side = timedelta(weeks=weeks)
    begins = change + timedelta(days=blackout_days)
    before = source.panel(Period(first=change - side, last=change - timedelta(days=1)))
    after = source.panel(Period(first=begins, last=begins + side - timedelta(days=1)))
    dips = (*_dips(before), *_dips(after))
    if before.noise or after.noise:
        kept_before, kept_after = before, after  # audits belong to days; a dip's few parts weigh little in them
        dips = ()
    else:
        kept_before, kept_after = _without(before), _without(after)
    if not usable(kept_before) or len(kept_after.days) < MINIMUM_MEASURED_DAYS:
        return None
    return EventWindow(estimate(Counterfactual(fit(kept_before), BaselineFloor(), 1.0), kept_after), dips)


def _dips(panel: Panel) -> tuple[date, ...]:
    daily = panel.by_day(panel.exposure)
    return tuple(day for day, dips in zip(panel.days, daily < DIP * np.median(daily), strict=True) if dips)


def _without(panel: Panel) -> Panel:
    dips = set(_dips(panel))
    kept = np.array([day not in dips for day in panel.days], dtype=np.bool_)
    return panel.on_days(kept)
