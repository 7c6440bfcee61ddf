from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from roi_tracker.business_case import Plant
from roi_tracker.errors import CaseError
from roi_tracker.observations.shifts import ShiftCalendar


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_the_night_belongs_to_the_day_it_starts() -> None:
    calendar = ShiftCalendar(Plant(time_zone="Asia/Seoul"))
    found = calendar.at(at("2025-03-02T03:00:00+09:00"))
    assert found is not None
    assert (found.day, found.label) == (date(2025, 3, 1), "night")
    assert calendar.at(found.start) == found
    after = calendar.at(found.end)
    assert after is not None
    assert (after.day, after.label) == (date(2025, 3, 2), "day")


def test_a_summary_written_at_the_end_of_a_shift_belongs_to_it() -> None:
    calendar = ShiftCalendar(Plant(time_zone="Asia/Seoul"))
    found = calendar.labelled("night", at("2025-03-02T06:00:00+09:00"))
    assert found is not None
    assert (found.day, found.label) == (date(2025, 3, 1), "night")


def test_summer_time_shortens_a_night() -> None:
    calendar = ShiftCalendar(Plant(time_zone="Europe/Berlin"))
    night = calendar.labelled("night", at("2025-03-30T05:00:00+02:00"))
    assert night is not None
    assert night.end - night.start == timedelta(hours=7)


def test_clipping_keeps_all_time() -> None:
    calendar = ShiftCalendar(Plant(time_zone="Asia/Seoul"))
    start, end = at("2025-03-01T13:30:00+09:00"), at("2025-03-02T06:15:00+09:00")
    pieces = [(i.day.day, i.label, (high - low).total_seconds()) for i, low, high in calendar.clip(start, end)]
    assert pieces == [(1, "day", 1800.0), (1, "evening", 28800.0), (1, "night", 28800.0), (2, "day", 900.0)]


def test_working_days() -> None:
    calendar = ShiftCalendar(
        Plant(time_zone="Asia/Seoul", working_weekdays=(0, 1, 2, 3, 4), closed_days=(date(2025, 3, 3),))
    )
    assert [calendar.expected(date(2025, 3, day)) for day in (1, 3, 4)] == [False, False, True]


def test_korean_holidays_with_substitutes_and_worked_ones() -> None:
    plant = Plant(time_zone="Asia/Seoul", working_weekdays=(0, 1, 2, 3, 4), holidays="KR")
    calendar = ShiftCalendar(plant)
    assert [calendar.expected(date(2025, 3, day)) for day in (1, 3, 4)] == [False, False, True]
    assert calendar.holiday(date(2025, 3, 3)) is not None  # substitute of 1 March, a Saturday
    worked = ShiftCalendar(plant.model_copy(update={"worked_holidays": (date(2025, 3, 3),)}))
    assert worked.expected(date(2025, 3, 3))
    assert not worked.closed(date(2025, 3, 3))


def test_holidays_of_a_subdivision() -> None:
    bavaria = ShiftCalendar(Plant(time_zone="Europe/Berlin", holidays="DE-BY"))
    hamburg = ShiftCalendar(Plant(time_zone="Europe/Berlin", holidays="DE-HH"))
    epiphany = date(2025, 1, 6)
    assert (bavaria.expected(epiphany), hamburg.expected(epiphany)) == (False, True)
    with pytest.raises(CaseError, match="no holidays are known for ZZ"):
        ShiftCalendar(Plant(time_zone="Asia/Seoul", holidays="ZZ"))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2025, 3, 29), 7),
        ("Europe/Berlin", date(2025, 10, 25), 9),
        ("America/New_York", date(2025, 3, 8), 7),
        ("America/New_York", date(2025, 11, 1), 9),
        ("Asia/Seoul", date(2025, 3, 29), 8),
    ],
)
def test_nights_in_which_the_clock_is_moved(zone: str, day: date, hours: int) -> None:
    calendar = ShiftCalendar(Plant(time_zone=zone))
    night = calendar.of_day(day)[2]
    assert night.end - night.start == timedelta(hours=hours)
    following = calendar.of_day(day + timedelta(days=1))[0]
    assert night.end == following.start
    assert calendar.at(night.end - timedelta(seconds=1)) == night


@pytest.mark.parametrize("zone", ["Asia/Seoul", "Europe/Berlin", "America/New_York"])
def test_every_moment_of_a_year_of_three_shifts_is_in_exactly_one(zone: str) -> None:
    calendar = ShiftCalendar(Plant(time_zone=zone))
    moment = datetime(2025, 1, 1, 12, tzinfo=UTC)
    while moment < datetime(2026, 1, 1, tzinfo=UTC):
        running = calendar.at(moment)
        assert running is not None
        holding = [i for n in (-1, 0, 1) for i in calendar.of_day(calendar.local_day(moment) + timedelta(days=n))]
        assert [i for i in holding if i.start <= moment < i.end] == [running]
        assert calendar.labelled(running.label, moment) == running
        moment += timedelta(minutes=97)
