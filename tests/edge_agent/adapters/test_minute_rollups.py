from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.adapters.minute_rollups import MINUTE_US, minute_starts, roll_up
from edge_agent.adapters.reading_blocks import Series, empty
from edge_agent.ports import MinuteRollup

SECOND = 1_000_000


def series(rows: list[tuple[int, float, int]]) -> Series:
    times, values, quality = zip(*rows, strict=True)
    return Series(np.array(times, np.int64), np.array(values, np.float64), np.array(quality, np.uint8))


def test_a_minute_has_count_minimum_mean_and_maximum_of_what_is_not_bad() -> None:
    rows = [(-1, 7.0, 0), (0, 1.0, 0), (30 * SECOND, 2.0, 1), (59 * SECOND, 6.0, 0), (59 * SECOND + 1, 1e9, 2)]
    rows += [(61 * SECOND, 5.0, 2), (120 * SECOND, -4.0, 0)]
    assert roll_up(series(rows)) == [
        MinuteRollup(-60 * SECOND, 1, 7.0, 7.0, 7.0),
        MinuteRollup(0, 3, 1.0, 3.0, 6.0),
        MinuteRollup(120 * SECOND, 1, -4.0, -4.0, -4.0),
    ]


def test_nothing_rolls_up_to_nothing() -> None:
    assert roll_up(empty()) == []
    assert minute_starts(empty().times) == set()


def test_the_mean_of_huge_values_stays_finite() -> None:
    (rollup,) = roll_up(series([(0, 1.5e308, 0), (1, 1.5e308, 0)]))
    assert rollup == MinuteRollup(0, 2, 1.5e308, 1.5e308, 1.5e308)


@given(
    st.lists(st.tuples(st.integers(0, 5 * MINUTE_US), st.floats(-1e6, 1e6)), min_size=1, unique_by=lambda row: row[0])
)
def test_counts_add_up_and_the_mean_lies_between(rows: list[tuple[int, float]]) -> None:
    found = roll_up(series([(time, value, 0) for time, value in sorted(rows)]))
    assert sum(rollup.count for rollup in found) == len(rows)
    assert all(rollup.minimum <= rollup.mean <= rollup.maximum for rollup in found)
    assert {rollup.start_us for rollup in found} == minute_starts(np.array([time for time, _ in rows]))
