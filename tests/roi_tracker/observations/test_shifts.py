from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from roi_tracker.business_case import Plant
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
