"""Whole weeks of an indicator: which of them every line has reported to its end, and what a baseline week gave."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.realization.indicators import Days

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.realization.indicators import Indicators

BaselineBasis = Literal["share", "mean_week"]
WEEK = timedelta(days=7)
WEEKS_SHOWN = 26
WEEKS_WAITED = 4
"""A line that reported nothing for so long is told, and no longer waited for."""


class WeekPoint(msgspec.Struct, frozen=True):
    """One week, Monday to Sunday, named by its Monday; None where the indicator was not measured."""

    monday: date
    value: float | None


class LineReach(msgspec.Struct, frozen=True):
    """How far a line has reported.

    Attributes:
        last: None where it never reported what the indicator reads.
        awaited: whether later weeks wait for it.
    """

    line: str
    last: date | None
    awaited: bool


class BaselineWeek(msgspec.Struct, frozen=True):
    """What a week of the baseline period gave, in the indicator's unit; None where that cannot be told.

    Attributes:
        basis: `share` where the whole baseline gives the same ratio that a week gives; `mean_week` where weeks add up:
            the mean of the baseline's whole weeks.
        weeks: whole weeks of the baseline with a value.
    """

    value: float | None
    basis: BaselineBasis
    weeks: int


class IndicatorWeeks:
    """The weeks of one indicator. A week is whole where every line of it reported to the week's last day.

    Args:
        indicators: values over any days.
        span: first and last day with anything observed in the plant.
    """

    def __init__(self, indicators: Indicators, span: tuple[date, date] | None) -> None:
        self._indicators, self._span = indicators, span
        self._observed = {line: indicators.observed(line) for line in indicators.lines}

    def shown(self) -> tuple[WeekPoint, ...]:
        """Weeks up to the day that every line waited for has reached, the latest `WEEKS_SHOWN`. One in which a line
        began or ended has no value.
        """
        if self._span is None:
            return ()
        first, last = self._span
        mondays = list(_mondays(first, min((days.last for days in self._awaited()), default=last)))
        return tuple(self._point(monday) for monday in mondays[-WEEKS_SHOWN:])

    def behind(self) -> tuple[LineReach, ...]:
        """Lines a week or more behind the plant: the board shows no later week than they allow, or, after
        `WEEKS_WAITED` silent weeks, goes on without them.
        """
        if self._span is None or not any(self._observed.values()):
            return ()
        last = self._span[1]
        reaches = (
            LineReach(line, days.last if days else None, awaited=days is not None and self._is_awaited(days))
            for line, days in self._observed.items()
        )
        return tuple(one for one in reaches if one.last is None or last - one.last >= WEEK)

    def reaches(self, last: date) -> bool:
        """Whether every line waited for has reached a day."""
        return self._span is not None and all(days.last >= last for days in self._awaited())

    def of_baseline(self, baseline: Days) -> BaselineWeek:
        """A week of the baseline, to set beside a week of now."""
        values = [
            value
            for monday in _mondays(baseline.first, baseline.last)
            if (value := self._point(monday).value) is not None
        ]
        if not self._indicators.adds_up:
            return BaselineWeek(self._indicators.value(baseline), "share", len(values))
        return BaselineWeek(sum(values) / len(values) if values else None, "mean_week", len(values))

    def _awaited(self) -> Iterator[Days]:
        """Of lines that further days are waited for of."""
        return (days for days in self._observed.values() if days is not None and self._is_awaited(days))

    def _is_awaited(self, days: Days) -> bool:
        return self._span is not None and self._span[1] - days.last <= WEEKS_WAITED * WEEK

    def _point(self, monday: date) -> WeekPoint:
        days = Days(monday, monday + WEEK - timedelta(days=1))
        return WeekPoint(monday, self._indicators.value(days) if self._is_whole(days) else None)

    def _is_whole(self, days: Days) -> bool:
        """A line that rests on Sundays is known to have reported its whole week once a later row has come."""
        return not any(
            days.first < found.first <= days.last or days.first <= found.last < days.last
            for found in self._observed.values()
            if found is not None
        )


def _mondays(first: date, last: date) -> Iterator[date]:
    """Mondays of the weeks that lie wholly between two days."""
    monday = first + timedelta(days=(7 - first.weekday()) % 7)
    while monday + WEEK - timedelta(days=1) <= last:
        yield monday
        monday += WEEK
