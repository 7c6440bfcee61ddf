"""What may be removed: by age in the order of commits, never on a clock that may be wrong, never what is held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.instant import Instant
from edge_agent.ports.keeping import DayOfReadings, ImageUse
from edge_agent.retention import (
    EARLIEST_CLOCK_US,
    ClockWatch,
    RetentionRules,
    aged,
    days_for_room,
    days_past_age,
    free_to_go,
    too_many,
)

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
NOW_US = EARLIEST_CLOCK_US + 1_000 * DAY_US
S = 10**9
YEAR_1970, YEAR_2036 = 0, 2_082_758_400 * SECOND_US


def rules(**changed: int) -> RetentionRules:
    limits = {"readings_us": 400 * DAY_US, "readings_least_days": 7} | changed
    return RetentionRules(
        images_us={"PASS": DAY_US, "NO_VERDICT": 2 * DAY_US, "REVIEW": 3 * DAY_US, "FAIL": 4 * DAY_US},
        images_bytes=None,
        readings_us=limits["readings_us"],
        readings_bytes=None,
        readings_least_days=limits["readings_least_days"],
        min_free_bytes=0,
        stop_images_bytes=0,
        max_share=0.5,
        settle_ns=3_600 * S,
        gap_us=3 * DAY_US,
    )


def use(seq: int, at_us: int, digest: str = "") -> ImageUse:
    return ImageUse(digest or f"{seq:064x}", "PASS", seq, at_us)


def day(number: int, *, size: int = 10, written_us: int | None = None) -> DayOfReadings:
    start = NOW_US // DAY_US * DAY_US + number * DAY_US
    written = start + DAY_US - 1 if written_us is None else written_us
    return DayOfReadings(start // DAY_US, f"day {number}", start, start + DAY_US, size, written)


# ---- the clock ------------------------------------------------------------------------------------------------


def at(utc_s: float, mono_s: float, boot: str = "boot-1") -> Instant:
    return Instant(NOW_US + round(utc_s * SECOND_US), round(mono_s * S), boot)


@pytest.mark.parametrize("jump_us", [HOUR_US, -HOUR_US, YEAR_1970 - NOW_US, YEAR_2036 - NOW_US])
def test_a_clock_that_jumps_is_not_trusted_until_it_ran_evenly_for_the_settling_time(jump_us: int) -> None:
    watch = ClockWatch(3_600 * S, 3 * DAY_US)
    assert watch.is_steady(at(0, 0))
    assert watch.is_steady(at(600, 600))
    jumped = [Instant(NOW_US + jump_us + s * SECOND_US, s * S, "boot-1") for s in (610, 2_000, 4_209)]
    assert [watch.is_steady(moment) for moment in jumped] == [False, False, False]
    after = Instant(NOW_US + jump_us + 4_210 * SECOND_US, 4_210 * S, "boot-1")
    assert watch.is_steady(after) == (after.utc_us >= EARLIEST_CLOCK_US)


def test_a_clock_set_right_again_jumps_again_and_settles_again() -> None:
    watch = ClockWatch(100 * S, 3 * DAY_US)
    moments = [at(0, 0), at(3_610, 10), at(20, 20), at(119, 119), at(120, 120)]
    assert [watch.is_steady(moment) for moment in moments] == [True, False, False, False, True]


def test_slow_correction_is_no_jump() -> None:
    watch = ClockWatch(100 * S, 3 * DAY_US)
    assert watch.is_steady(at(0, 0))
    assert watch.is_steady(at(86_400 * 1.0005, 86_400))


def test_a_restart_in_the_same_boot_sees_a_jump_while_the_agent_was_away() -> None:
    assert not ClockWatch(100 * S, 3 * DAY_US, at(0, 0)).is_steady(at(7_200, 3_600))
    assert ClockWatch(100 * S, 3 * DAY_US, at(0, 0)).is_steady(at(3_600, 3_600))


def test_after_a_boot_only_a_clock_that_went_back_is_doubted() -> None:
    assert ClockWatch(100 * S, 3 * DAY_US, at(0, 900, "boot-1")).is_steady(at(86_400, 5, "boot-2"))
    assert not ClockWatch(100 * S, 3 * DAY_US, at(0, 900, "boot-1")).is_steady(at(-1, 5, "boot-2"))
    assert ClockWatch(100 * S, 3 * DAY_US, at(0, 900, "boot-1")).is_steady(at(259_200, 5, "boot-2"))
    assert not ClockWatch(100 * S, 3 * DAY_US, at(0, 900, "boot-1")).is_steady(at(259_201, 5, "boot-2"))


def test_a_hold_goes_on_over_a_reboot_for_what_was_left_of_it() -> None:
    watch = ClockWatch(100 * S, 3 * DAY_US, at(0, 900, "boot-1"), held_ns=40 * S)
    moments = [at(600, 5, "boot-2"), at(639, 44, "boot-2"), at(640, 45, "boot-2")]
    assert [watch.is_steady(moment) for moment in moments] == [False, False, True]


def test_what_was_noted_earlier_is_looked_at_and_takes_nothing_off_the_hold() -> None:
    watch = ClockWatch(100 * S, 3 * DAY_US, at(0, 900), held_ns=100 * S)
    assert [watch.is_steady(at(t, 900 + t)) for t in (-50, 99, 49, 100)] == [False, False, False, True]
    assert not ClockWatch(100 * S, 3 * DAY_US, at(0, 900)).is_steady(at(-3_600, 890))


def test_a_clock_that_was_never_set_is_not_trusted() -> None:
    assert not ClockWatch(0, 3 * DAY_US).is_steady(Instant(0, 5, "boot-1"))


# ---- images by age --------------------------------------------------------------------------------------------


def test_only_the_old_end_of_the_feed_goes() -> None:
    uses = [use(1, NOW_US - 3 * DAY_US), use(2, NOW_US - 2 * DAY_US), use(3, NOW_US - DAY_US + 1), use(4, NOW_US)]
    assert [gone.seq for gone in aged(uses, DAY_US, NOW_US)] == [1, 2]


def test_an_image_captured_while_the_clock_showed_1970_does_not_go_before_its_neighbours() -> None:
    uses = [use(1, NOW_US - HOUR_US), use(2, YEAR_1970), use(3, NOW_US)]
    assert list(aged(uses, DAY_US, NOW_US)) == []
    assert [gone.seq for gone in aged(uses, DAY_US, NOW_US + 2 * DAY_US)] == [1, 2, 3]


def test_an_image_captured_while_the_clock_showed_2036_keeps_none_from_going() -> None:
    uses = [use(1, YEAR_2036), use(2, NOW_US - 2 * DAY_US), use(3, NOW_US)]
    assert [gone.seq for gone in aged(uses, DAY_US, NOW_US)] == [2]


@given(
    ages=st.lists(st.integers(-DAY_US, 20 * DAY_US), max_size=40),
    limit=st.integers(1, 10 * DAY_US),
)
def test_nothing_younger_than_its_age_goes_and_with_a_right_clock_everything_older_does(
    ages: list[int], limit: int
) -> None:
    wild = [use(seq, NOW_US - age) for seq, age in enumerate(ages)]
    assert all(NOW_US - gone.at_us >= limit for gone in aged(wild, limit, NOW_US))
    right = [use(seq, NOW_US - age) for seq, age in enumerate(sorted((a for a in ages if a >= 0), reverse=True))]
    assert list(aged(right, limit, NOW_US)) == [kept for kept in right if NOW_US - kept.at_us >= limit]


@given(data=st.data())
def test_an_image_goes_only_with_its_last_reference_and_never_while_it_is_held(data: st.DataObject) -> None:
    digests = ["a", "b", "c", "d"]
    uses = [
        ImageUse(data.draw(st.sampled_from(digests)), "FAIL", seq, 0) for seq in range(data.draw(st.integers(0, 12)))
    ]
    gone = frozenset((u.digest, u.seq) for u in uses if data.draw(st.booleans()))
    held = data.draw(st.frozensets(st.sampled_from(digests)))
    free = free_to_go(digests, uses, gone, held)
    for digest in digests:
        referred = [(u.digest, u.seq) for u in uses if u.digest == digest]
        assert (digest in free) == (digest not in held and all(reference in gone for reference in referred))


def test_a_share_is_of_everything() -> None:
    assert not too_many(0, 0, 0.5)
    assert too_many(1, 1, 0.5)
    assert not too_many(1, 1, 1.0)


# ---- days of readings -----------------------------------------------------------------------------------------


def test_a_day_goes_when_it_ended_and_was_last_written_longer_ago_than_readings_are_kept() -> None:
    days = [day(-402), day(-401), day(-400), day(-401, written_us=NOW_US - DAY_US), day(-1)]
    assert [kept.name for kept in days_past_age(days, rules(), NOW_US)] == ["day -402", "day -401"]


def test_a_day_written_under_a_clock_that_was_never_set_has_no_age() -> None:
    assert days_past_age([day(-500, written_us=YEAR_1970 + DAY_US)], rules(), NOW_US) == []


@given(sizes=st.lists(st.integers(0, 100), max_size=30), wanted=st.integers(1, 500), least=st.integers(2, 10))
def test_room_is_made_by_the_oldest_days_and_never_by_the_newest(sizes: list[int], wanted: int, least: int) -> None:
    days = [day(n - len(sizes), size=size) for n, size in enumerate(sizes)]
    found = days_for_room(days, rules(readings_least_days=least), wanted)
    assert found == days[: len(found)]
    assert len(days) - len(found) >= min(least, len(days))
    given = sum(kept.size_bytes for kept in found)
    assert given >= wanted or len(found) == max(0, len(days) - least)
    if found:
        assert given - found[-1].size_bytes < wanted
