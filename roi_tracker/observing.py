"""Observations of a store, kept up to date: only the days that new facts touch are derived again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.observations import facts as f
from roi_tracker.observations.derivation import derive
from roi_tracker.observations.hygiene import with_hygiene
from roi_tracker.observations.stop_revisions import related
from roi_tracker.observations.stoppages import STOP_SILENCE, is_watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from roi_tracker.observations.facts import Fact
    from roi_tracker.observations.rows import Observations
    from roi_tracker.observations.shifts import ShiftCalendar
    from roi_tracker.ports import TrackerStore

DERIVATION_VERSION = 2
"""Raised whenever the same facts would give other observations."""
_DAY = timedelta(days=1)
_REACH = STOP_SILENCE + 3 * _DAY
"""How far signs of life are looked for around a day: the longest silence and the length of shifts and time zones."""
_MOST_DAYS = 120
"""When more days are touched, deriving everything in one pass is quicker."""


def observe(store: TrackerStore, calendar: ShiftCalendar, name: str) -> Observations:
    """Observations of all facts so far.

    Args:
        store: facts, and the observations kept of them.
        calendar: the plant's shifts.
        name: names version and calendar of the derivation; under another name nothing kept is used.
    """
    return with_hygiene(_refreshed(store, calendar, name), calendar)


def observe_as_of(store: TrackerStore, calendar: ShiftCalendar, watermark: int) -> Observations:
    """Observations as they were when the store had this watermark; a later report can be held against an older one."""
    return with_hygiene(derive(store.facts(watermark), calendar), calendar)


def _refreshed(store: TrackerStore, calendar: ShiftCalendar, name: str) -> Observations:
    watermark, known = store.fact_watermark(), store.derived(name)
    if known is None:
        return _anew(store, calendar, name)
    if known != watermark:
        changed = store.changed_since(known)
        days = frozenset(_touched(store, calendar, changed, known))
        if len(days) > _MOST_DAYS:
            return _anew(store, calendar, name)
        parts = [_of_days(store, calendar, run) for run in _runs(days)]
        merged = msgspec.structs.replace(
            parts[0] if parts else derive((), calendar),
            products=tuple(row for part in parts for row in part.products),
            line_shifts=tuple(row for part in parts for row in part.line_shifts),
            findings=tuple(found for part in parts for found in part.findings),
        )
        store.keep_observations(name, watermark, merged, days)
    kept = store.observations(name)
    return kept if kept is not None else _anew(store, calendar, name)


def _anew(store: TrackerStore, calendar: ShiftCalendar, name: str) -> Observations:
    watermark = store.fact_watermark()
    derived = derive(store.facts(), calendar)
    rows = {row.day for row in derived.line_shifts} | {found.day for found in derived.findings}
    store.keep_observations(name, watermark, derived, rows)
    return derived


def _runs(days: frozenset[date]) -> Iterator[frozenset[date]]:
    """Days that follow one another."""
    run: list[date] = []
    for day in sorted(days):
        if run and day - run[-1] > _DAY:
            yield frozenset(run)
            run = []
        run.append(day)
    if run:
        yield frozenset(run)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _of_days(store: TrackerStore, calendar: ShiftCalendar, days: frozenset[date]) -> Observations:
    """Derive days that follow one another, from the facts that bear on them. A local day lies within a day and a half
    of its UTC date, its last shift may end a day later, and a shift's summary may come a day after that.
    """
    start, end = _midnight(min(days)), _midnight(max(days))
    facts = store.facts_between(start - 2 * _DAY, end + 4 * _DAY)
    return derive(facts, calendar, days, store.signs(start - _REACH, end + _REACH + _DAY).by_line)


class _Touch:
    """Which local days facts touch by their own time."""

    def __init__(self, calendar: ShiftCalendar) -> None:
        self._calendar = calendar

    def days(self, fact: Fact) -> Iterator[date]:
        """The day before too: a night shift belongs to the day it starts, and its summary comes after it."""
        end: datetime = getattr(fact, "end", fact.at)
        day, last = self._calendar.local_day(fact.at) - _DAY, self._calendar.local_day(end)
        while day <= last:
            yield day
            day += _DAY


def _touched(store: TrackerStore, calendar: ShiftCalendar, changed: Sequence[Fact], known: int) -> set[date]:
    touch = _Touch(calendar)
    spoken_of: set[str] = set()
    revised: set[str] = set()
    days: set[date] = set()
    for fact in changed:
        days.update(touch.days(fact))
        match fact:
            case f.JudgedPart() | f.LateRejectFact():
                spoken_of.add(fact.inspection_key)
            case f.AlarmOutcomeFact() if fact.alarm_key:
                spoken_of.add(fact.alarm_key)
            case f.StopRevisionFact():
                revised |= {*fact.replaces, *(stop.key for stop in fact.stops)}
            case f.ModeFact():
                days.update(_onwards(fact, store, calendar))
            case _:
                pass
    if revised:
        revisions = store.revisions()
        revised = related(revised, revisions)
        spoken_of |= revised
        for stop in (stop for revision in revisions for stop in revision.stops if stop.key in revised):
            days.update(touch.days(stop))
    for fact in store.facts_by_key(sorted(spoken_of)):
        days.update(touch.days(fact))
    days |= _newly_watched(store, calendar, changed, known)
    return days


def _onwards(fact: f.ModeFact, store: TrackerStore, calendar: ShiftCalendar) -> Iterator[date]:
    """A mode holds until the next change, and the first live mode for good: every day from it on."""
    last = store.last_moment()
    day = calendar.local_day(fact.at)
    while last is not None and day <= calendar.local_day(last):
        yield day
        day += _DAY


def _newly_watched(store: TrackerStore, calendar: ShiftCalendar, changed: Iterable[Fact], known: int) -> set[date]:
    """Days with a shift that signs of life turn from watched to unwatched or back."""
    signs = [fact for fact in changed if isinstance(fact, f.StopFact | f.MachineWatched)]
    if not signs:
        return set()
    first = min(fact.at for fact in signs).astimezone(UTC).date()
    last = max(getattr(fact, "end", fact.at) for fact in signs).astimezone(UTC).date()
    low, high = first - 2 * STOP_SILENCE, last + 2 * STOP_SILENCE
    before = store.signs(_midnight(low) - _REACH, _midnight(high) + _REACH, known).by_line
    now = store.signs(_midnight(low) - _REACH, _midnight(high) + _REACH).by_line
    found: set[date] = set()
    for line in {fact.line for fact in signs}:
        old, new = before.get(line, ()), now.get(line, ())
        day = low
        while day <= high:
            if any(is_watched(shift, old) != is_watched(shift, new) for shift in calendar.of_day(day)):
                found.add(day)
            day += _DAY
    return found
