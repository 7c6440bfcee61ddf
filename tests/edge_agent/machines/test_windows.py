from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.machines.windows import SlidingWindow
from edge_agent.readings import Channel, Quality, Reading

SECOND = 1_000_000
TEMP = Channel("l", "a", "temp", "Cel")
CURRENT = Channel("l", "a", "current", "A")


def window(rows: int = 3, stale_s: int = 5, channels: tuple[str, ...] = ("temp",)) -> SlidingWindow:
    return SlidingWindow(channels, rows=rows, period_us=SECOND, stale_us=stale_s * SECOND)


def feed(into: SlidingWindow, *samples: tuple[Channel, float, float]) -> list[tuple[int, list[list[float]] | None]]:
    closed = []
    for channel, t_s, value in samples:
        for t_us, view in into.offer(Reading(channel, round(t_s * SECOND), value)):
            closed.append((t_us, None if view is None else view.tolist()))
    return closed


def test_a_grid_point_closes_when_a_later_one_begins_and_holds_no_future_value() -> None:
    closed = feed(window(), (TEMP, 0, 1.0), (TEMP, 0.5, 1.5), (TEMP, 1, 2.0), (TEMP, 2, 3.0), (TEMP, 3, 4.0))
    assert closed == [(SECOND, None), (2 * SECOND, None), (3 * SECOND, [[1.5], [2.0], [3.0]])]


def test_the_last_value_bridges_a_short_silence() -> None:
    closed = feed(window(rows=2), (TEMP, 0, 1.0), (TEMP, 1, 2.0), (TEMP, 4, 5.0))
    assert closed[-1] == (4 * SECOND, [[2.0], [2.0]])


def test_a_silence_beyond_the_limit_starts_the_window_again() -> None:
    into = window(rows=2, stale_s=3)
    feed(into, (TEMP, 0, 1.0), (TEMP, 1, 2.0), (TEMP, 2, 2.0))
    assert feed(into, (TEMP, 10, 9.0)) == [(3 * SECOND, None)]
    assert feed(into, (TEMP, 11, 9.0), (TEMP, 12, 8.0)) == [(11 * SECOND, None), (12 * SECOND, [[9.0], [9.0]])]


def test_one_silent_channel_makes_the_whole_window_unknown() -> None:
    into = window(rows=1, stale_s=2, channels=("temp", "current"))
    samples = [(CURRENT, 0.0, 7.0), *((TEMP, float(t), float(t)) for t in range(6))]
    views = [view for _, view in feed(into, *samples)]
    assert views[:2] == [[[0.0, 7.0]], [[1.0, 7.0]]]
    assert views[-1] is None


def test_bad_quality_and_late_and_foreign_readings_change_nothing() -> None:
    into = window(rows=1)
    feed(into, (TEMP, 0, 1.0), (TEMP, 5, 2.0))
    assert list(into.offer(Reading(TEMP, 9 * SECOND, 99.0, Quality.BAD))) == []
    assert feed(into, (TEMP, 3, 77.0), (CURRENT, 9, 5.0)) == []
    assert feed(into, (TEMP, 6, 3.0)) == [(6 * SECOND, [[2.0]])]


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=6, max_size=60), st.integers(1, 5))
def test_every_full_window_is_the_last_rows_of_the_signal(values: list[float], rows: int) -> None:
    into = window(rows=rows)
    for index, value in enumerate(values):
        for t_us, view in into.offer(Reading(TEMP, index * SECOND, value)):
            end = t_us // SECOND
            if end >= rows:
                assert view is not None
                np.testing.assert_array_equal(view[:, 0], np.asarray(values[end - rows : end], dtype=np.float32))
            else:
                assert view is None
