"""Measures whose power no baseline foretells: why, and the nearest quantity that can be told before go-live.

The inspection benefit is read off audits of both inspections, and the new one has none yet; the maintenance credit
counts findings after alarms, and there are no alarms yet. What the baseline does know is how often the former
inspection errs, and how long a stop takes.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from roi_tracker.baseline.rules import check
from roi_tracker.measurement.estimation import CONFIDENCE, POWER
from roi_tracker.measurement.quantiles import beta_quantile, normal_quantile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.baseline.rules import Check
    from roi_tracker.observations.rows import LineShift, Observation

UNPREDICTED = frozenset({"inspection", "maintenance"})
_SECONDS_PER_HOUR = 3600.0


def escapes_known(rows: Iterable[Observation]) -> Check:
    """How well the former inspection's escapes are known: share of defects among passed parts, exact 90 % interval
    (Clopper and Pearson, Biometrika 26, 1934).

    Args:
        rows: of the lines in the baseline.
    """
    audited = found = 0
    for row in rows:
        for audit in row.audits:
            if audit.inspector == "previous" and audit.stratum == "PASS":
                audited, found = audited + audit.audited, found + audit.defects_found
    low = beta_quantile(1 - CONFIDENCE, found, audited - found + 1) if found else 0.0
    high = beta_quantile(CONFIDENCE, found + 1, audited - found) if found < audited else 1.0
    return check(
        "power_of_inspection",
        "baseline",
        passed=False,
        audited=audited,
        found=found,
        low=f"{100 * low:.2f} %",
        high=f"{100 * high:.2f} %",
    )


def alarms_wanted(rows: Iterable[LineShift], projected_h: float, weeks: int) -> Check:
    """How many alarms must be confirmed and acted on for the credit to reach its projection, and how many for any
    credit to be shown: the count of failures is chance, so that its lower bound must exceed zero four times in five.

    Args:
        rows: of the lines in the baseline.
        projected_h: stop hours that the plan avoids in that time.
        weeks: of the pilot.
    """
    hours = stops = 0.0
    for row in rows:
        if row.unplanned_stop_s is not None and row.unplanned_stops:
            hours, stops = hours + row.unplanned_stop_s / _SECONDS_PER_HOUR, stops + row.unplanned_stops
    each = hours / stops if stops else 0.0
    fewest = (normal_quantile(CONFIDENCE) + normal_quantile(POWER)) ** 2
    return check(
        "power_of_maintenance",
        "baseline",
        passed=False,
        stop_h=each if stops else "-",
        projected=projected_h,
        wanted=f"{projected_h / each:.1f}" if each else "-",
        fewest=ceil(fewest),
        weeks=weeks,
    )
