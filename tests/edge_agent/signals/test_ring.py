from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.signals.ring import MirroredRing


@given(st.integers(1, 7), st.integers(1, 4), st.integers(0, 40))
def test_the_window_is_the_newest_rows_oldest_first(rows: int, channels: int, ticks: int) -> None:
    ring = MirroredRing(rows=rows, channels=channels)
    past = np.arange(ticks * channels, dtype=np.float32).reshape(ticks, channels)
    for row in past:
        ring.push(row)
    assert ring.filled == min(rows, ticks)
    assert ring.window.flags.c_contiguous
    assert ring.window.base is not None
    if ticks:
        np.testing.assert_array_equal(ring.window[-min(rows, ticks) :], past[-rows:])


def test_clearing_forgets_the_past() -> None:
    ring = MirroredRing(rows=2, channels=1)
    ring.push([1.0])
    ring.clear()
    assert ring.filled == 0
    ring.push([2.0])
    ring.push([3.0])
    assert (ring.filled, ring.window.tolist()) == (2, [[2.0], [3.0]])
