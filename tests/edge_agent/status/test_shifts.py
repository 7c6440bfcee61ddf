from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.status.shifts import ShiftCalendar

THREE = ("06:00", "14:00", "22:00")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_end_belongs_to_the_next_shift() -> None:
    calendar = ShiftCalendar("Asia/Seoul", THREE)

    assert calendar.at(utc("2026-01-05T04:59:59")).end == utc("2026-01-05T05:00:00")
    assert calendar.at(utc("2026-01-05T05:00:00")).start == utc("2026-01-05T05:00:00")


def test_a_night_with_the_spring_change_is_an_hour_short() -> None:
    # Berlin, 2026-03-29: 02:00 becomes 03:00
    shift = ShiftCalendar("Europe/Berlin", THREE).at(utc("2026-03-29T00:30:00"))

    assert (shift.start, shift.end) == (utc("2026-03-28T21:00:00"), utc("2026-03-29T04:00:00"))


def test_a_night_with_the_autumn_change_is_an_hour_long() -> None:
    shift = ShiftCalendar("Europe/Berlin", THREE).at(utc("2026-10-25T01:30:00"))

    assert shift.end - shift.start == timedelta(hours=9)


def test_a_start_that_the_clock_skips_falls_on_the_jump() -> None:
    shift = ShiftCalendar("Europe/Berlin", ("02:30", "14:00")).at(utc("2026-03-29T02:00:00"))

    assert shift.start == utc("2026-03-29T01:30:00")


def test_one_start_makes_a_day() -> None:
    shift = ShiftCalendar("Asia/Seoul", ("00:00",)).at(utc("2026-01-05T15:00:00"))

    assert (shift.start, shift.end) == (utc("2026-01-05T15:00:00"), utc("2026-01-06T15:00:00"))


@given(
    st.integers(0, 4 * 366 * 86_400).map(lambda s: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=s)),
    st.sampled_from(["Asia/Seoul", "Europe/Berlin", "America/New_York"]),
)
def test_shifts_follow_one_another_without_gap(moment: datetime, zone: str) -> None:
    calendar = ShiftCalendar(zone, THREE)
    shift = calendar.at(moment)

    assert shift.holds(moment)
    assert calendar.at(shift.end).start == shift.end
    assert calendar.at(shift.start - timedelta(microseconds=1)).end == shift.start
