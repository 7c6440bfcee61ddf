"""The plant's shift calendar: which shift a moment belongs to, in local time, summer time included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holidays import HolidayBase

    from roi_tracker.business_case import Plant

_ONE_DAY = timedelta(days=1)


def _public_holidays(place: str) -> HolidayBase:
    """Public holidays of a country or its subdivision, substitute days included.

    Raises:
        CaseError: the library knows no such place.
    """
    import holidays  # noqa: PLC0415 - heavy, and only plants with a holiday calendar need it

    country, _, subdivision = place.partition("-")
    try:
        return holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError as error:
        raise CaseError(
            f"no holidays are known for {place}",
            field="plant.holidays",
            value=place,
            hint="an ISO 3166 code such as KR or DE-BY; or leave it out and list closed_days",
        ) from error


class ShiftInstance(msgspec.Struct, frozen=True):
    """One shift on one day, as a UTC interval [start, end).

    Attributes:
        day: local date on which the shift starts.
    """

    day: date
    label: str
    start: datetime
    end: datetime


class ShiftCalendar:
    """Shifts of a plant. Instances of a day are computed once and kept."""

    def __init__(self, plant: Plant) -> None:
        self._zone = ZoneInfo(plant.time_zone)
        self._shifts = plant.shifts
        self._working_weekdays = frozenset(plant.working_weekdays)
        self._closed = frozenset(plant.closed_days)
        self._worked = frozenset(plant.worked_holidays)
        self._public = _public_holidays(plant.holidays) if plant.holidays else None
        self._days: dict[date, tuple[ShiftInstance, ...]] = {}
        self._near: dict[date, tuple[ShiftInstance, ...]] = {}

    @property
    def labels(self) -> tuple[str, ...]:
        """Shift labels in the order of the day."""
        return tuple(shift.label for shift in self._shifts)

    def local_day(self, moment: datetime) -> date:
        """The plant's date at a moment."""
        return moment.astimezone(self._zone).date()

    def holiday(self, day: date) -> str | None:
        """Name of the public holiday of the plant's country on a day, in its language; None on others."""
        if self._public is None:
            return None
        found: str | None = self._public.get(day)
        return found

    def closed(self, day: date) -> bool:
        """True on shut-downs, and on public holidays unless the plant worked all the same."""
        return day in self._closed or (day not in self._worked and self.holiday(day) is not None)

    def expected(self, day: date) -> bool:
        """True when production is expected on this day."""
        return day in self._worked or (day.weekday() in self._working_weekdays and not self.closed(day))

    def of_day(self, day: date) -> tuple[ShiftInstance, ...]:
        """All shifts that start on a local day."""
        known = self._days.get(day)
        if known is None:
            known = tuple(self._instance(day, index) for index in range(len(self._shifts)))
            self._days[day] = known
        return known

    def _instance(self, day: date, index: int) -> ShiftInstance:
        shift = self._shifts[index]
        end_day = day if shift.end > shift.start else day + _ONE_DAY
        start = datetime.combine(day, shift.start, self._zone).astimezone(UTC)
        end = datetime.combine(end_day, shift.end, self._zone).astimezone(UTC)
        return ShiftInstance(day, shift.label, start, end)

    def offset(self, moment: datetime) -> timedelta:
        """The plant's offset from UTC at a moment."""
        return moment.astimezone(self._zone).utcoffset() or timedelta()

    def _around(self, moment: datetime) -> tuple[ShiftInstance, ...]:
        """Shifts that may hold a moment or have ended within the day before it, the latest first."""
        today = moment.astimezone(UTC).date()
        known = self._near.get(today)
        if known is None:
            days = (today + timedelta(days=ahead) for ahead in (1, 0, -1, -2))
            known = tuple(sorted((i for day in days for i in self.of_day(day)), key=lambda i: i.start, reverse=True))
            self._near[today] = known
        return known

    def at(self, moment: datetime) -> ShiftInstance | None:
        """The shift that is running at a moment, the one begun last where two overlap; None between shifts."""
        return next((i for i in self._around(moment) if i.start <= moment < i.end), None)

    def labelled(self, label: str, moment: datetime) -> ShiftInstance | None:
        """The latest shift of that label which had begun by `moment` (a shift's own summary is written at its end);
        the shift running at `moment` where the plant has no such label or it lies more than a day back.
        """
        if label:
            for instance in self._around(moment):
                if instance.label == label and instance.start <= moment < instance.start + _ONE_DAY:
                    return instance
        return self.at(moment)

    def clip(self, start: datetime, end: datetime) -> Iterator[tuple[ShiftInstance, datetime, datetime]]:
        """Cut [start, end) at shift borders; time between shifts is left out."""
        day = self.local_day(start) - _ONE_DAY
        last = self.local_day(end)
        while day <= last:
            for instance in self.of_day(day):
                low, high = max(start, instance.start), min(end, instance.end)
                if low < high:
                    yield instance, low, high
            day += _ONE_DAY
