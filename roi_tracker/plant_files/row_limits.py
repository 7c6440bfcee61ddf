"""Figures and times beyond what a line can do, refused while the row is read: the cell, the limit, the way out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from roi_tracker.observations import limits
from roi_tracker.plant_files.bad_row import BadRow
from roi_tracker.plant_files.fault_words import cell_fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

_AHEAD = timedelta(days=1)
"""A plant east of here is a day ahead of the clock at most."""


class RowLimits:
    """Limits of the rows of one file.

    Args:
        headers: what the column of each field is called.
        now: later days are of the future; None takes any.
    """

    def __init__(self, headers: Mapping[str, str], now: datetime | None) -> None:
        self._headers = headers
        self._latest = None if now is None else (now + _AHEAD).date()

    def times(self, row: dict[str, Any]) -> None:
        """Days that no record of a plant can be of: a clock that was never set, a slip of the year."""
        for name in ("start", "end", "day"):
            value: date | None = row.get(name)
            if value is None:
                continue
            day = value.date() if isinstance(value, datetime) else value
            if day < limits.FIRST_DAY:
                raise BadRow(self._headers[name], value, cell_fault("early", first=limits.FIRST_DAY))
            if self._latest is not None and day > self._latest:
                raise BadRow(self._headers[name], value, cell_fault("future"))

    def length(self, header: str, end: datetime, length: timedelta, *, stop: bool) -> None:
        """The time that a row speaks of."""
        longest = limits.LONGEST_STOP if stop else limits.LONGEST_PERIOD
        if length > longest:
            raise BadRow(header, end, cell_fault("long", days=length.days, most=longest.days))

    def counts(self, row: dict[str, Any], length: timedelta) -> None:
        """What a line can make, and be planned to run, in a period."""
        self._within(row, "produced", int(limits.MOST_PARTS_AN_HOUR * _hours(length)), "beyond")
        busy, room = row.get("planned_busy"), _hours(length)
        if busy is not None and busy > limits.BUSY_TOLERANCE * room:
            raise BadRow(
                self._headers["planned_busy"], f"{busy:.10g} h", cell_fault("busy_beyond", most=f"{room:.10g}")
            )

    def energy(self, row: dict[str, Any], length: timedelta) -> None:
        """What a line can draw in a period."""
        self._within(row, "energy", limits.MOST_KILOWATTS * _hours(length), "beyond")

    def labour(self, row: dict[str, Any], length: timedelta) -> None:
        """What people can work in a period: a person alone, or all of a role."""
        room = max(length, limits.LONGEST_PERSON_DAY) if row.get("person") else limits.MOST_PEOPLE * length
        self._within(row, "hours", _hours(room), "hours_beyond")

    def _within(self, row: dict[str, Any], name: str, most: float, fault: str) -> None:
        value = row.get(name)
        if value is not None and value > most:
            raise BadRow(self._headers[name], f"{value:.10g}", cell_fault(fault, most=f"{most:,.10g}"))


def _hours(length: timedelta) -> float:
    return length.total_seconds() / 3600
