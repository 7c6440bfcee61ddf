"""Same-context keys: which observations may be compared with one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from roi_tracker.observations.rows import Observation
    from roi_tracker.observations.shifts import ShiftCalendar

DayType = Literal["workday", "saturday", "sunday", "holiday"]
"""A public holiday or closed day is `holiday`; a holiday on which the plant worked is what its weekday says."""
_SATURDAY, _SUNDAY = 5, 6


class ContextKey(msgspec.Struct, frozen=True, order=True):
    """What must agree before two observations are compared."""

    line: str
    product: str
    shift: str
    day_type: DayType


def context_of(row: Observation, calendar: ShiftCalendar) -> ContextKey:
    """The context of an observation."""
    return ContextKey(row.line, row.product, row.shift, day_type(row.day.weekday(), closed=calendar.closed(row.day)))


def day_type(weekday: int, *, closed: bool) -> DayType:
    """The type of a day; Monday is 0.

    >>> day_type(6, closed=False), day_type(0, closed=True)
    ('sunday', 'holiday')
    """
    if closed:
        return "holiday"
    return {_SATURDAY: "saturday", _SUNDAY: "sunday"}.get(weekday, "workday")  # type: ignore[return-value]  # literals
