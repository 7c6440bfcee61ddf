"""Where and when a programme is measured: the plant's calendar, the periods, the money really spent."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from roi_tracker.case.section import Identifier, Name, Section


class Period(Section):
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            message = f"period ends {self.last} before it starts {self.first}"
            raise ValueError(message)
        return self

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last


class Periods(Section):
    """Before, commissioning, after. Commissioning is blacked out: it counts in neither."""

    baseline: Period
    blackout: Period
    reporting: Period

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.baseline.last < self.blackout.first <= self.blackout.last < self.reporting.first:
            message = "baseline, blackout and reporting must follow one another without overlap"
            raise ValueError(message)
        if self.reporting.first - self.blackout.last != timedelta(days=1):
            message = "reporting must begin the day after the blackout ends"
            raise ValueError(message)
        return self


class Shift(Section):
    """A shift of the plant's day; one that runs over midnight belongs to the day it starts."""

    label: Identifier
    start: time
    end: time


_THREE_SHIFTS = (
    Shift(label="day", start=time(6), end=time(14)),
    Shift(label="evening", start=time(14), end=time(22)),
    Shift(label="night", start=time(22), end=time(6)),
)


class Plant(Section):
    """Local time and calendar of the plant.

    Attributes:
        time_zone: IANA name.
        working_weekdays: days on which production is expected, Monday is 0.
        holidays: ISO 3166 code of the country whose public holidays are closed (`KR`), with its subdivision after a
            hyphen where it has some (`DE-BY`); left out, only `closed_days` are closed.
        worked_holidays: public holidays on which the plant worked all the same.
        closed_days: shut-downs; like holidays, not counted as missing.
    """

    time_zone: str
    shifts: tuple[Shift, ...] = _THREE_SHIFTS
    working_weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4, 5, 6)
    holidays: Annotated[str, Field(pattern="^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] | None = None
    worked_holidays: tuple[date, ...] = ()
    closed_days: tuple[date, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = f"{value!r} is no IANA time zone, for example Asia/Seoul"
            raise ValueError(message) from error
        return value


class CostEntry(Section):
    """Money really spent."""

    day: date
    name: Name
    amount: Annotated[Decimal, Field(ge=0)]
    kind: Literal["capital", "running"]
    source: str = Field(min_length=1)
