"""How long a silence is chance, and which shifts were watched."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from roi_tracker.business_case import Plant
from roi_tracker.observations import facts as f
from roi_tracker.observations.derivation import derive
from roi_tracker.observations.rhythm import bearable_silence
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.observations.stoppages import Watch

if TYPE_CHECKING:
    from roi_tracker.observations.rows import LineShift

CALENDAR = ShiftCalendar(Plant(time_zone="Asia/Seoul", working_weekdays=(0, 1, 2, 3, 4)))
MONDAY = date(2025, 1, 6)


def working_days(count: int) -> list[date]:
    days = (MONDAY + timedelta(days=n) for n in range(2 * count + 7))
    return [day for day in days if day.weekday() < 5][:count]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 3, 0, tzinfo=UTC)  # 12:00 in Seoul


@pytest.mark.parametrize("rate", [1.4, 0.7, 0.2])
def test_a_line_that_stops_by_chance_is_hardly_ever_called_silent(rate: float) -> None:
    """A year of days, bursts included, 300 times; one silence in ten thousand would be called none."""
    rng = np.random.default_rng(5)
    called = 0
    for _ in range(300):
        entries = np.flatnonzero(rng.poisson(rate * rng.gamma(2, 0.5, 250))).tolist()
        longest = max(np.diff([-1, *entries, 250]) - 1)
        called += longest > bearable_silence(entries, 250)
    assert called <= 3


def test_a_record_that_was_not_kept_for_months_does_not_excuse_itself() -> None:
    rng = np.random.default_rng(1)
    stops = rng.poisson(1.4, 250)
    whole = bearable_silence(np.flatnonzero(stops).tolist(), 250)
    stops[120:180] = 0
    assert bearable_silence(np.flatnonzero(stops).tolist(), 250) < 2 * whole < 30
    assert bearable_silence([3, 90, 200], 250) == math.inf


def test_a_line_that_seldom_stops_is_watched_through_its_silences() -> None:
    """A stop every fourth working day, and none for eleven in a row: no machine is known to stop so regularly."""
    days = working_days(120)
    spoken = [day for n, day in enumerate(days) if n % 4 == 0 and not 48 < n < 60]
    watch = Watch([noon(day) for day in spoken], CALENDAR)
    assert 20 < watch.silence_days < 60
    assert all(watch.covers(shift) for day in days for shift in CALENDAR.of_day(day))


def test_a_busy_log_that_ends_is_a_log_that_ended() -> None:
    days = working_days(120)
    watch = Watch([noon(day) for day in days[:60]], CALENDAR)
    assert watch.silence_days < 5
    covered = [watch.covers(CALENDAR.of_day(day)[0]) for day in days]
    assert covered == [True] * 65 + [False] * 55  # a week is always borne: Friday's log speaks for Friday morning


def test_a_stated_day_without_a_stop_is_a_sign_and_names_the_machine() -> None:
    """As a plant file states it: at the start of the day."""
    day = working_days(40)[30]
    shift = CALENDAR.of_day(day)[0]
    common: dict[str, Any] = {"line": "l", "origin": "imported"}
    stops = [
        f.StopFact(
            key="s", asset="die", at=noon(MONDAY), end=noon(MONDAY) + timedelta(minutes=5), planned=False, **common
        )
    ]
    made = f.ProductionFact(
        key="p", at=shift.start, end=shift.end, product="A", shift=shift.label, produced=1, **common
    )
    said = f.MachineWatched(key="w", at=shift.start, asset="", **common)

    def row(facts: list[f.Fact]) -> LineShift:
        return next(row for row in derive(facts, CALENDAR).line_shifts if row.day == day)

    silent, stated = row([*stops, made]), row([*stops, made, said])
    assert (silent.unplanned_stop_s, silent.assets) == (None, ())
    assert (stated.unplanned_stop_s, [(one.asset, one.stops) for one in stated.assets]) == (0.0, [("", 0)])
