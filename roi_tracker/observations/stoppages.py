"""Time on a line cut into shifts: stops, whether anybody watched, and in which mode the inspection ran."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from datetime import date, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.observations.rhythm import bearable_silence
from roi_tracker.observations.rows import Finding, Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.observations.facts import ModeFact, ProductionFact, StopFact
    from roi_tracker.observations.shifts import ShiftCalendar, ShiftInstance

STOP_SILENCE = timedelta(days=7)
"""A silence that is borne whatever a line's rhythm: a week in which nothing was written down."""
MOST_SILENT_DAYS = 60
"""Working days, a quarter, after which nobody can say any more whether stops are recorded."""

ShiftKey = tuple[str, date, str]


class StopTime(msgspec.Struct, frozen=True):
    """Stop time within one shift: seconds, stops that began in it, origins of the facts."""

    seconds: float = 0.0
    count: int = 0
    origins: tuple[Origin, ...] = ()


NO_STOPS = StopTime()


def stops_by_shift(
    stops: Sequence[StopFact], calendar: ShiftCalendar, findings: list[Finding]
) -> dict[ShiftKey, StopTime]:
    """Clip the stops of one line at shift borders; time covered by two stops counts once and is reported."""
    found: dict[ShiftKey, StopTime] = defaultdict(StopTime)
    covered_until: datetime | None = None
    for stop in sorted(stops, key=lambda item: (item.at, item.end)):
        start = stop.at
        if covered_until is not None and start < covered_until:
            findings.append(
                Finding("overlapping_stops", stop.line, calendar.local_day(start), f"{stop.asset} {start.isoformat()}")
            )
            start = covered_until
        first = calendar.at(stop.at)
        for instance, low, high in calendar.clip(start, stop.end):
            key = (stop.line, instance.day, instance.label)
            old = found[key]
            found[key] = StopTime(
                old.seconds + (high - low).total_seconds(),
                old.count + (1 if instance == first else 0),
                (*old.origins, stop.origin),
            )
        covered_until = stop.end if covered_until is None else max(covered_until, stop.end)
    return dict(found)


class Watch:
    """Whether anybody recorded the stops of a line, shift by shift.

    A line that hardly ever stops says nothing for weeks: how long a silence may be follows from the line's own rhythm
    of signs, on working days (`rhythm.bearable_silence`), and is never less than `STOP_SILENCE`.

    Args:
        signs: moments of stops and of reported states, ascending.
        calendar: the plant's shifts and working days.
    """

    def __init__(self, signs: Sequence[datetime], calendar: ShiftCalendar) -> None:
        self._signs = signs
        self._calendar = calendar
        days = sorted({calendar.local_day(sign).toordinal() for sign in signs})
        span = range(days[0], days[-1] + 1) if days else ()
        self._working = [day for day in span if calendar.expected(date.fromordinal(day))]
        place = {day: number for number, day in enumerate(self._working)}
        entries = [place[day] for day in days if day in place]
        borne = bearable_silence(entries, len(self._working))
        self.silence_days = 0.0 if borne == inf else min(borne, MOST_SILENT_DAYS)  # without a rhythm, only the week

    def covers(self, instance: ShiftInstance) -> bool:
        """True when signs of life surround the shift without a silence that is no chance."""
        index = bisect_right(self._signs, instance.start)
        before = self._signs[index - 1] if index else None
        after = self._signs[index] if index < len(self._signs) else None
        if after is not None and after < instance.end:
            return True
        if before is None or after is None:
            nearest = before or after
            if nearest is None:
                return False
            if abs(nearest - instance.start) <= STOP_SILENCE:
                return True
            first, last = sorted((self._calendar.local_day(nearest).toordinal(), instance.day.toordinal()))
            return self._silent(first, last) + 1 <= self.silence_days
        if after - before <= STOP_SILENCE:
            return True
        first, last = (self._calendar.local_day(sign).toordinal() for sign in (before, after))
        return bisect_left(self._working, last) - bisect_right(self._working, first) <= self.silence_days

    def _silent(self, first: int, last: int) -> int:
        """Working days between two days, counted no further than matters."""
        silent = 0
        for day in range(first + 1, last):
            silent += self._calendar.expected(date.fromordinal(day))
            if silent > MOST_SILENT_DAYS:
                break
        return silent


def planned_busy_s(production: Sequence[ProductionFact]) -> float | None:
    """Planned busy time of a shift from its production periods: products that share the same time share its planned
    busy time (the greatest counts), products one after the other add up; None when any period does not state it.
    """
    if not production or any(fact.planned_busy_s is None for fact in production):
        return None
    total, group, group_end = 0.0, 0.0, None
    for fact in sorted(production, key=lambda item: (item.at, item.end)):
        busy = fact.planned_busy_s or 0.0
        if group_end is not None and fact.at < group_end:
            group, group_end = max(group, busy), max(group_end, fact.end)
        else:
            total, group, group_end = total + group, busy, fact.end
    return total + group


class ModeSpan(msgspec.Struct, frozen=True):
    """An inspection mode from `start` until `end` (None: still)."""

    start: datetime
    end: datetime | None
    mode: str


_PRECEDENCE = ("off", "shadow", "live")


def mode_spans(changes: Sequence[ModeFact]) -> tuple[ModeSpan, ...]:
    """Spans of one line: live while any of its stations is, else shadow while any is, else off."""
    stations: dict[str, str] = {}
    starts: list[tuple[datetime, str]] = []
    for change in sorted(changes, key=lambda item: (item.at, item.key)):
        stations[change.station] = change.mode
        starts.append((change.at, max(stations.values(), key=_PRECEDENCE.index)))
    ends: list[datetime | None] = [start for start, _ in starts[1:]]
    return tuple(ModeSpan(start, end, mode) for (start, mode), end in zip(starts, [*ends, None], strict=True))


def mode_seconds(instance: ShiftInstance, spans: Sequence[ModeSpan], mode: str) -> float | None:
    """Seconds of a shift in a mode; None for a line that never reported one."""
    if not spans:
        return None
    total = 0.0
    for span in spans:
        if span.mode == mode:
            high = instance.end if span.end is None else min(instance.end, span.end)
            total += max(0.0, (high - max(instance.start, span.start)).total_seconds())
    return total


def covered_ratio(instance: ShiftInstance, production: Sequence[ProductionFact]) -> float | None:
    """Share of a shift that its production periods cover, 0 to 1; None without any."""
    if not production:
        return None
    covered, until = 0.0, instance.start
    for fact in sorted(production, key=lambda item: item.at):
        low, high = max(fact.at, until), min(fact.end, instance.end)
        if low < high:
            covered += (high - low).total_seconds()
            until = high
    return covered / (instance.end - instance.start).total_seconds()
