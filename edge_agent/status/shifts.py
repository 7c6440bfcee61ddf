"""Shifts of a plant on its own wall clock, daylight saving included."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence


class Shift(msgspec.Struct, frozen=True):
    """One shift: its start and end as aware UTC times, the end not included."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether `moment` lies in this shift."""
        return self.start <= moment < self.end


class ShiftCalendar:
    """Finds the shift of a moment.

    A start that the clock skips in spring falls on the moment the clock jumps over it; a start that comes twice in
    autumn is taken the first time. Shifts on those days are an hour shorter or longer, none is lost or doubled.

    Args:
        time_zone: IANA name of the plant's zone.
        starts: start of each shift, local `HH:MM`.

    >>> calendar = ShiftCalendar("Asia/Seoul", ("06:00", "14:00", "22:00"))
    >>> calendar.at(datetime(2026, 1, 5, 21, 30, tzinfo=UTC)).start.isoformat()  # 06:30 in Seoul
    '2026-01-05T21:00:00+00:00'
    >>> calendar.at(datetime(2026, 1, 5, 20, 30, tzinfo=UTC)).start.isoformat()  # 05:30: still the night shift
    '2026-01-05T13:00:00+00:00'
    """

    def __init__(self, time_zone: str, starts: Sequence[str]) -> None:
        self.zone = ZoneInfo(time_zone)
        self._starts = tuple(time.fromisoformat(start) for start in starts)

    def at(self, moment: datetime) -> Shift:
        """The shift that holds `moment`, an aware time."""
        today = moment.astimezone(self.zone).date()
        days = [today + timedelta(days=offset) for offset in (-1, 0, 1)]
        begins = sorted(
            {datetime.combine(day, start, self.zone).astimezone(UTC) for day in days for start in self._starts}
        )
        following = next(index for index, begin in enumerate(begins) if begin > moment)
        return Shift(begins[following - 1], begins[following])
