"""Stop hours taken apart into how often the line stops and for how long, and what an hour of it may be valued at.

A line stops n times for d hours each. Of the avoided hours n0 d0 - n1 d1 the rarer stops explain (n0 - n1)(d0 + d1)/2
and the shorter ones (d0 - d1)(n0 + n1)/2: the two add up exactly and do not depend on an order (Shapley, 1953, for two
factors).
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from roi_tracker.measurement.estimation import Estimate

HourValue = Literal["contribution_margin", "repair_and_overtime", "not_said"]
_MARGIN = re.compile(r"contribution|margin|공헌\s*이익|한계\s*이익|기여\s*이익", re.IGNORECASE)
_REPAIR = re.compile(r"repair|overtime|수리|수선|정비|보수|잔업|연장|특근", re.IGNORECASE)
_NEGATED = re.compile(r"\b(?:not|no|without|never)\b|아님|아닌|아니|제외|없", re.IGNORECASE)
_CLAUSES = re.compile(r"[;,.()\n]|\bbut\b|\binstead of\b")


class StopChange(msgspec.Struct, frozen=True):
    """Avoided stop hours by what changed.

    Attributes:
        by_rate: because the line stops less often.
        by_duration: because a stop is over sooner.
        stops_expected, stops: without the programme and observed.
        hours_per_stop_expected, hours_per_stop: likewise; 0 where there was no stop.
    """

    by_rate: float
    by_duration: float
    stops_expected: float
    stops: float
    hours_per_stop_expected: float
    hours_per_stop: float


class DowntimeDetail(msgspec.Struct, frozen=True, tag="downtime"):
    """What stands behind a downtime benefit.

    Attributes:
        unplanned: unplanned stop hours alone.
        all_stops: planned and unplanned together; None where planned stops were not measured.
        counted: which of the two is claimed: the smaller, so that what was moved into the plan is no saving.
        change: unplanned hours by rate and duration; None where stops were not counted.
        hour_value: what the unit value's source says an hour is valued at.
    """

    unplanned: Estimate
    all_stops: Estimate | None
    counted: Literal["unplanned", "all_stops"]
    change: StopChange | None
    hour_value: HourValue


def stop_change(hours_expected: float, hours: float, stops_expected: float, stops: float) -> StopChange:
    """Split avoided stop hours into rarer and shorter stops.

    >>> found = stop_change(100.0, 60.0, 50.0, 40.0)  # 50 stops of 2 h become 40 of 1.5 h
    >>> (found.by_rate, found.by_duration)
    (17.5, 22.5)
    """
    before = hours_expected / stops_expected if stops_expected > 0 else 0.0
    after = hours / stops if stops > 0 else 0.0
    if not stops_expected > 0 or not stops > 0:
        # Without a stop there is no length of one: the length stays what it was, and the rate explains everything.
        return StopChange(hours_expected - hours, 0.0, stops_expected, stops, before, after)
    return StopChange(
        by_rate=(stops_expected - stops) * (before + after) / 2,
        by_duration=(before - after) * (stops_expected + stops) / 2,
        stops_expected=stops_expected,
        stops=stops,
        hours_per_stop_expected=before,
        hours_per_stop=after,
    )


def hour_value_of(source: str) -> HourValue:
    """What the source of a unit value says an hour is valued at, clause by clause; a denied one does not count.

    >>> hour_value_of("avoided repair and overtime cost, 2024; not contribution margin, the press is no bottleneck")
    'repair_and_overtime'
    >>> hour_value_of("2025 시간당 공헌이익")
    'contribution_margin'
    >>> hour_value_of("board paper")
    'not_said'
    """
    said = [clause for clause in _CLAUSES.split(source) if not _NEGATED.search(clause)]
    if any(_MARGIN.search(clause) for clause in said):
        return "contribution_margin"
    return "repair_and_overtime" if any(_REPAIR.search(clause) for clause in said) else "not_said"
