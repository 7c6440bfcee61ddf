from __future__ import annotations

import random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.inspection.capture_health import Arrival, Backoff, CaptureHealth, CaptureRules

if TYPE_CHECKING:
    from collections.abc import Iterable

MS = 1_000_000
S = 1_000 * MS
RULES = CaptureRules(
    rate_hz=10.0,
    least_rate_ratio=0.5,
    stall_after_ns=S,
    stale_after_ns=500 * MS,
    open_timeout_ns=5 * S,
    fault_limit_ns=3 * S,
)


def fed(health: CaptureHealth, frames: Iterable[tuple[int, int]]) -> list[str]:
    """Fates of frames given as arrival and presentation time, milliseconds."""
    return [health.arrived(Arrival(arrived * MS, pts * MS)).fate for arrived, pts in frames]


def steady(first: int, count: int, *, delay: int = 40) -> list[tuple[int, int]]:
    """Ten frames a second, each `delay` ms on its way."""
    return [(n * 100 + delay, n * 100) for n in range(first, first + count)]


def begun() -> CaptureHealth:
    """A connection that delivers since half a second, up to frame 9 (940 ms)."""
    health = CaptureHealth(RULES, 0)
    assert fed(health, steady(0, 10)) == ["starting"] * 9 + ["usable"]
    return health


def test_a_captured_moment_is_without_the_way_that_the_fastest_frame_takes() -> None:
    health = begun()
    on_time = health.arrived(Arrival(1_040 * MS, 1_000 * MS))
    held_up = health.arrived(Arrival(1_340 * MS, 1_100 * MS))
    assert (on_time.fate, held_up.fate) == ("usable", "usable")
    # the smallest difference may rise by 200 ppm of the 100 ms between two frames: 20 us a frame, taken back at once
    assert on_time.captured_ns == 1_040 * MS
    assert held_up.captured_ns == 1_140 * MS + 20_000


def test_a_frame_later_than_the_limit_is_late() -> None:
    health = begun()
    assert fed(health, [(1_540, 1_000), (1_641, 1_100)]) == ["usable", "late"]


def test_a_backlog_is_late_until_it_has_drained() -> None:
    health = begun()
    backlog = [(3_000 + n, 1_000 + 100 * n) for n in range(20)]  # 2 s held up, then all at once
    fates = fed(health, backlog)
    assert fates == ["late"] * 15 + ["usable"] * 5


def test_a_queue_at_the_start_must_drain_before_any_frame_counts() -> None:
    health = CaptureHealth(RULES, 0)
    assert set(fed(health, [(1_500 + n, 100 * n) for n in range(15)])) == {"starting"}
    assert fed(health, [(1_540 + 100 * n, 1_500 + 100 * n) for n in range(12)])[-1] == "usable"


def test_a_thin_line_at_the_start_never_counts_though_every_frame_is_waited_for() -> None:
    health = CaptureHealth(RULES, 0)
    growing = [(round(111.1 * n) + 2_000, 100 * n) for n in range(100)]  # nine tenths of the rate come through
    assert set(fed(health, growing)) == {"starting"}


def test_holes_at_the_start_mean_that_something_is_full() -> None:
    health = CaptureHealth(RULES, 0)
    assert set(fed(health, [(200 * n + 900, 200 * n) for n in range(100)])) == {"starting"}


def test_times_that_stand_still_or_go_back_are_repetitions() -> None:
    health = begun()
    assert fed(health, [(1_040, 900), (1_140, 900), (1_240, 800), (1_340, 1_200)]) == [
        "repeated", "repeated", "repeated", "usable",
    ]  # fmt: skip


def test_faults_have_names_and_say_when_to_give_up() -> None:
    silent = CaptureHealth(RULES, 0)
    assert (silent.fault(5 * S), silent.lost(5 * S)) == ("camera_starting", False)
    assert (silent.fault(5 * S + 1), silent.lost(5 * S + 1)) == ("camera_silent", True)

    stalled = begun()
    assert (stalled.fault(1_940 * MS), stalled.lost(1_940 * MS)) == ("", False)
    assert (stalled.fault(1_941 * MS), stalled.lost(1_941 * MS)) == ("camera_stalled", True)


def test_late_and_repeated_frames_are_a_fault_only_when_nothing_else_comes_and_are_given_time() -> None:
    late = begun()
    fed(late, [(2_000 + 100 * n, 1_000 + 100 * n) for n in range(40)])
    assert (late.fault(5_900 * MS), late.lost(5_900 * MS)) == ("camera_late", False)
    fed(late, [(6_000 + 100 * n, 5_000 + 100 * n) for n in range(30)])
    assert (late.fault(8_899 * MS), late.lost(8_899 * MS)) == ("camera_late", False)
    assert late.lost(8_900 * MS) is True

    repeated = begun()
    fed(repeated, [(1_000 + 100 * n, 900) for n in range(20)])
    assert repeated.fault(2_950 * MS) == "camera_repeating"


def test_a_trickle_is_told_from_the_rate() -> None:
    health = begun()
    frames = [(1_040 + 300 * n, 1_000 + 300 * n) for n in range(10)]  # 3.3 of 10 a second
    assert fed(health, frames) == ["usable"] * 10
    assert health.fault(3_750 * MS) == "camera_trickling"
    fed(health, steady(38, 10))
    assert health.fault(4_740 * MS) == ""


def test_a_clock_that_runs_away_by_100_ppm_stays_fresh_for_a_day() -> None:
    health = begun()
    fates = {health.arrived(Arrival(round(n * 10 * S * 1.0001) + 40 * MS, n * 10 * S)).fate for n in range(1, 8_640)}
    assert fates == {"usable"}


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(-2, 3)), min_size=1, max_size=80),
    st.integers(0, 10_000),
)
def test_a_usable_frame_is_never_claimed_newer_than_it_arrived_or_older_than_the_limit(
    steps: list[tuple[int, int]], began: int
) -> None:
    health = CaptureHealth(RULES, began * MS)
    arrived, pts = began, 0
    for wait, advance in [*((100, 1) for _ in range(12)), *steps]:
        arrived, pts = arrived + wait, pts + 100 * advance
        found = health.arrived(Arrival(arrived * MS, pts * MS))
        if found.fate == "usable":
            assert 0 <= arrived * MS - found.captured_ns <= RULES.stale_after_ns


def test_waits_double_to_the_limit_and_begin_again() -> None:
    backoff = Backoff(0.5, 30.0, random.Random(7))
    waits = [backoff.next_s() for _ in range(9)]
    wholes = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert all(whole / 2 <= wait <= whole for wait, whole in zip(waits, wholes, strict=True))
    assert len(set(waits)) == 9
    backoff.reset()
    assert 0.25 <= backoff.next_s() <= 0.5
