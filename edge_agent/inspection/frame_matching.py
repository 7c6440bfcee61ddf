"""Which frame shows the part that a trigger announced: the nearest in time, within a tolerance."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def nearest(captured_ns: Sequence[int], at_ns: int, tolerance_ns: int) -> int | None:
    """Index of the moment nearest to `at_ns`, None when none is within the tolerance; of two equally near the earlier.

    >>> nearest([100, 200, 300], 240, 50), nearest([100, 200], 400, 50), nearest([100, 200], 150, 50)
    (1, None, 0)
    """
    best = min(range(len(captured_ns)), key=lambda index: abs(captured_ns[index] - at_ns), default=None)
    if best is None or abs(captured_ns[best] - at_ns) > tolerance_ns:
        return None
    return best


def can_get_nearer(captured_ns: Sequence[int], at_ns: int, now_ns: int, patience_ns: int) -> bool:
    """Whether a frame still to come may be nearer: none captured after the trigger is there yet, and there is time.

    Args:
        captured_ns: moments of the frames so far, ascending.
        at_ns: the moment looked for.
        now_ns: the present.
        patience_ns: how long after `at_ns` a matching frame can arrive at the latest (tolerance and longest way).

    >>> can_get_nearer([100], 150, 160, 50), can_get_nearer([100, 170], 150, 180, 50), can_get_nearer([], 150, 201, 50)
    (True, False, False)
    """
    if captured_ns and captured_ns[-1] >= at_ns:
        return False
    return now_ns - at_ns <= patience_ns
