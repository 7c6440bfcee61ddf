"""What no line of any plant can do: figures beyond these are slips of the pen, of the unit or of the clock."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from roi_tracker.observations import facts as f

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_DAY = date(1990, 1, 1)
"""No plant's file reaches back further; an earlier day is a clock that was never set."""
MOST_PARTS = 1_000_000_000
"""Parts that one row can count, whatever its period."""
MOST_PARTS_AN_HOUR = 10_000_000
"""2,800 a second: five times what the fastest presses for caps and tablets make."""
MOST_VALUE = 1e15
"""Any other figure; whole numbers up to here are exact as floats, and fit 64 bits."""
MOST_KILOWATTS = 1e6
"""A line that draws a gigawatt."""
MOST_PEOPLE = 200
"""People of one role on one line at once, round the clock: 600 in three shifts."""
BUSY_TOLERANCE = 1.01
"""Times the length of its period that planned busy time may be: hours are rounded."""
LONGEST_PERSON_DAY = timedelta(hours=24)
LONGEST_STOP = timedelta(days=92)
"""A line that stands still for longer is out of service."""
LONGEST_PERIOD = timedelta(days=366)
"""The time that one row can speak of: a yearly bill."""

_COUNTED: Mapping[type, tuple[str, ...]] = {
    f.ProductionFact: ("produced", "inspected", "rejected", "scrap", "rework"),
    f.AuditFact: ("audited", "defects_found"),
    f.ChallengeFact: ("defective", "caught", "good", "rejected"),
    f.EscapeFact: ("count",),
}
_VALUED: Mapping[type, tuple[str, ...]] = {
    f.ProductionFact: ("planned_busy_s",),
    f.EnergyFact: ("kwh",),
    f.LabourFact: ("hours",),
    f.KpiFact: ("numerator", "denominator"),
    f.CovariateFact: ("value",),
    f.AlarmOutcomeFact: ("avoided_stop_h",),
}
_SHOWN = 40


def beyond(fact: f.Fact) -> str:
    """Which figures of a stored fact cannot be, with their values; empty where all can.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2025, 9, 1, tzinfo=UTC)
    >>> beyond(f.EscapeFact(key="k", line="l", at=at, origin="imported", product="p", count=10**20))
    'count 100000000000000000000'
    >>> beyond(f.EscapeFact(key="k", line="l", at=at, origin="imported", product="p", count=3))
    ''
    """
    kind = type(fact)
    if kind not in _COUNTED and kind not in _VALUED:
        return ""
    told = []
    for names, most in ((_COUNTED.get(kind, ()), MOST_PARTS), (_VALUED.get(kind, ()), MOST_VALUE)):
        for name in names:
            value = getattr(fact, name)
            if value is not None and not -most <= value <= most:
                told.append(f"{name} {value!s:.{_SHOWN}}")
    return ", ".join(told)
