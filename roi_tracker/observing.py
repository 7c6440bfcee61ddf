"""Observations of a store, kept up to date: only the days that new facts touch are derived again.

What is kept is a cache that whoever may write the file can forge, so it is never believed unasked: every use derives
some days at random anew, and whoever saves a report or verifies the store derives all of them (decision 0138).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from random import Random, SystemRandom
from typing import TYPE_CHECKING

import msgspec
from pydantic import ValidationError

from roi_tracker.case.plant import Plant
from roi_tracker.observations import facts as f
from roi_tracker.observations.derivation import derive
from roi_tracker.observations.hygiene import with_hygiene
from roi_tracker.observations.rows import Finding, LineShift, Observation, Observations
from roi_tracker.observations.seals import StoreAlteredError, StoreFault
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.observations.stop_revisions import related
from roi_tracker.observations.stoppages import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from roi_tracker.observations.facts import Fact
    from roi_tracker.ports import TrackerStore

DERIVATION_VERSION = 4
"""Raised whenever the same facts would give other observations."""
_DAY = timedelta(days=1)
_PASS_DAYS = 60
"""Days derived in one pass when all are."""
_MOST_DAYS = 120
"""When more days are touched, deriving everything in one pass is quicker."""
_SPOT_DAYS = 8
"""Kept days derived anew at every use, where the plant is small enough."""
_SPOT_FACTS = 15_000
"""Facts read for them at most, a few tenths of a second; one day is read always."""
_WINDOW_DAYS = 7
"""Days whose facts are read to derive one."""


def derivation_name(plant: Plant) -> str:
    """Names version and calendar of a derivation; the plant can be read from it again with `plant_of`."""
    return msgspec.json.encode((DERIVATION_VERSION, plant.model_dump(mode="json")), order="sorted").decode()


def plant_of(name: str) -> Plant | None:
    """The plant that a derivation of this version was made with; None for any other, which is not used.

    >>> plant = Plant(time_zone="Asia/Seoul")
    >>> plant_of(derivation_name(plant)) == plant, plant_of("of an older version")
    (True, None)
    """
    try:
        version, plant = msgspec.json.decode(name, type=tuple[int, msgspec.Raw])
        return Plant.model_validate_json(bytes(plant)) if version == DERIVATION_VERSION else None
    except (msgspec.MsgspecError, ValidationError):
        return None


def observe(store: TrackerStore, calendar: ShiftCalendar, name: str, chance: Random | None = None) -> Observations:
    """Observations of all facts so far.

    Args:
        store: facts, and the observations kept of them.
        calendar: the plant's shifts.
        name: names version and calendar of the derivation; under another name nothing kept is used.
        chance: which kept days are derived anew and compared; nobody's guess where None.

    Raises:
        StoreAlteredError: one of those days is not what the facts give.
    """
    return with_hygiene(_refreshed(store, calendar, name, chance or SystemRandom()), calendar)


def altered_days(store: TrackerStore, name: str) -> tuple[date, ...]:
    """Days kept under a derivation name that the facts do not give so: every one is derived anew."""
    plant = plant_of(name)
    if plant is None or store.derived(name) is None:
        return ()
    calendar = ShiftCalendar(plant)
    kept = _refreshed(store, calendar, name, None)
    return _differing(store, calendar, kept, frozenset(_kept_days(kept) | set(_days_between(*_span(store, calendar)))))


def observe_as_of(store: TrackerStore, calendar: ShiftCalendar, watermark: int) -> Observations:
    """Observations as they were when the store had this watermark; a later report can be held against an older one."""
    return with_hygiene(derive(store.facts(watermark), calendar), calendar)


def _refreshed(store: TrackerStore, calendar: ShiftCalendar, name: str, chance: Random | None) -> Observations:
    """What is kept, brought up to date; some days of it are derived anew unless `chance` is None."""
    watermark, known = store.fact_watermark(), store.derived(name)
    kept = store.observations(name)
    if known is None or kept is None:
        return _anew(store, calendar, name)
    if known == watermark:
        _spot_check(store, calendar, kept, frozenset(), chance)
        return kept
    changed = store.changed_since(known)
    signs = store.signs().by_line
    days = frozenset(_touched(store, calendar, changed) | _seen_otherwise(kept, calendar, changed, signs))
    if len(days) > _MOST_DAYS:
        return _anew(store, calendar, name)
    _spot_check(store, calendar, kept, days, chance)
    parts = [derive(_facts_of(store, run), calendar, run, signs) for run in _runs(days)]
    store.keep_observations(name, watermark, _joined(parts), days)
    rest = Observations(
        tuple(row for row in kept.products if row.day not in days),
        tuple(row for row in kept.line_shifts if row.day not in days),
        tuple(found for found in kept.findings if found.day not in days),
    )
    return _joined([rest, *parts])


def _spot_check(
    store: TrackerStore, calendar: ShiftCalendar, kept: Observations, touched: frozenset[date], chance: Random | None
) -> None:
    """Derive some kept days anew, and one that may be missing; those that new facts touch are derived anyway."""
    known, every = _kept_days(kept) - touched, set(_days_between(*_span(store, calendar))) - touched
    if chance is None or not every:
        return
    watermark = store.fact_watermark()
    count = max(1, min(_SPOT_DAYS, _SPOT_FACTS * len(every) // (_WINDOW_DAYS * max(1, watermark))))
    drawn = chance.sample(sorted(known), min(count, len(known)))
    if count > 1 or not drawn:
        drawn[-1:] = [chance.choice(sorted(every))]
    wrong = _differing(store, calendar, kept, frozenset(drawn))
    if wrong and store.fact_watermark() == watermark:  # else somebody imported meanwhile
        raise StoreAlteredError([StoreFault("day_altered", day=day) for day in wrong], "its derived days")


def _differing(
    store: TrackerStore, calendar: ShiftCalendar, kept: Observations, days: frozenset[date]
) -> tuple[date, ...]:
    """Which of some days are kept otherwise than the facts give them."""
    signs, before, wrong = store.signs().by_line, _by_day(kept, days), set[date]()
    for run in _runs(days):
        ordered = sorted(run)
        for start in range(0, len(ordered), _PASS_DAYS):
            part = frozenset(ordered[start : start + _PASS_DAYS])
            now = _by_day(derive(_facts_of(store, part), calendar, part, signs), part)
            wrong |= {day for day in part if before.get(day) != now.get(day)}
    return tuple(sorted(wrong))


def _by_day(
    observations: Observations, days: frozenset[date]
) -> dict[date, Counter[Observation | LineShift | Finding]]:
    """Rows and findings of some days; a row that stands there twice counts twice."""
    found: dict[date, Counter[Observation | LineShift | Finding]] = defaultdict(Counter)
    for rows in (observations.products, observations.line_shifts, observations.findings):
        for row in rows:
            if row.day in days:
                found[row.day][row] += 1
    return found


def _kept_days(kept: Observations) -> set[date]:
    return {row.day for rows in (kept.products, kept.line_shifts, kept.findings) for row in rows}


def _days_between(first: date, last: date) -> Iterator[date]:
    """Both included; none where the last is before the first."""
    return (date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1))


def _joined(parts: Sequence[Observations]) -> Observations:
    """Parts of different days as one, in the order of days."""
    products = [row for part in parts for row in part.products]
    lines = [row for part in parts for row in part.line_shifts]
    findings = [found for part in parts for found in part.findings]
    for rows in (products, lines, findings):
        rows.sort(key=attrgetter("day"))
    return Observations(tuple(products), tuple(lines), tuple(findings))


def _anew(store: TrackerStore, calendar: ShiftCalendar, name: str) -> Observations:
    """Everything, some weeks at a time: the facts of a year need not lie in memory together."""
    watermark, signs = store.fact_watermark(), store.signs().by_line
    parts: list[Observations] = []
    first, last = _span(store, calendar)
    while first <= last:
        run = frozenset(first + number * _DAY for number in range(min(_PASS_DAYS, (last - first).days + 1)))
        parts.append(derive(_facts_of(store, run), calendar, run, signs))
        first += _PASS_DAYS * _DAY
    derived = _joined(parts)
    days = {row.day for row in derived.line_shifts} | {found.day for found in derived.findings}
    store.keep_observations(name, watermark, derived, days)
    return derived


def _span(store: TrackerStore, calendar: ShiftCalendar) -> tuple[date, date]:
    """First and last local day that any fact can touch; the first is the later one where there are no facts."""
    moments = [*(store.moments() or ())]
    if not moments:
        return date.max, date.min
    moments += [moment for fact in store.revisions() for stop in fact.stops for moment in (stop.at, stop.end)]
    return calendar.local_day(min(moments)) - _DAY, calendar.local_day(max(moments))


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


def _facts_of(store: TrackerStore, days: frozenset[date]) -> Iterator[Fact]:
    """Facts that bear on days that follow one another. A local day lies within a day and a half of its UTC date, its
    last shift may end a day later, and a shift's summary may come a day after that.
    """
    return store.facts_between(_midnight(min(days)) - 2 * _DAY, _midnight(max(days)) + 4 * _DAY)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


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


def _touched(store: TrackerStore, calendar: ShiftCalendar, changed: Sequence[Fact]) -> set[date]:
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
    return days


def _onwards(fact: f.ModeFact, store: TrackerStore, calendar: ShiftCalendar) -> Iterator[date]:
    """A mode holds until the next change, and the first live mode for good: every day from it on."""
    day, last = calendar.local_day(fact.at), _span(store, calendar)[1]
    while day <= last:
        yield day
        day += _DAY


def _seen_otherwise(
    kept: Observations, calendar: ShiftCalendar, changed: Sequence[Fact], signs: Mapping[str, Sequence[datetime]]
) -> set[date]:
    """Days with a shift that new signs of life turn from watched to unwatched or back, and days of lines that had not
    reported a mode before.
    """
    lines = {fact.line for fact in changed if isinstance(fact, f.StopFact | f.MachineWatched)}
    with_mode = {fact.line for fact in changed if isinstance(fact, f.ModeFact)}
    watches = {line: Watch(signs.get(line, ()), calendar) for line in lines}
    found: set[date] = set()
    for row in kept.line_shifts:
        if row.line in with_mode and row.live_s is None:
            found.add(row.day)
        elif row.line in lines and row.day not in found:
            instance = next(shift for shift in calendar.of_day(row.day) if shift.label == row.shift)
            if watches[row.line].covers(instance) != (row.unplanned_stop_s is not None):
                found.add(row.day)
    return found
