"""How long a record that is not made every day may be silent before the silence is no chance any more.

Days with and without an entry are a coin of unknown bias: its lower bound (Wilson) bounds how likely a run of silent
days is. Records that come in bursts are silent for longer, by as much as their gaps vary more than a coin's do.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

IMPROBABLE = 1e-4
"""A silence less likely than this is a record that has ended."""
_BURSTS = 4.0
"""Most that bursts lengthen a silence: beyond, the gaps tell of two records, not of one that comes in bursts."""
_Z = 1.645
_FEWEST_GAPS = 3


def bearable_silence(entries: Sequence[int], days: int) -> float:
    """Working days in a row without an entry that are still chance; infinite for less than four entries. Gaps that are
    none by the others, such as months in which nobody kept the record, do not count.

    Args:
        entries: positions of the days with an entry among the working days, ascending.
        days: working days looked at.

    >>> every_day = bearable_silence(range(130), 130)
    >>> every_second = bearable_silence(range(0, 130, 2), 130)
    >>> round(every_day, 1), round(every_second, 1), bearable_silence([5], 130)
    (2.4, 16.5, inf)
    """
    gaps = sorted(later - earlier for earlier, later in pairwise(entries))
    edges = days - 1 - sum(gaps) if gaps else 0
    rest = max(0, edges) / 2  # the silence before the first entry and after the last, one gap each
    while len(gaps) >= _FEWEST_GAPS and gaps[-1] - 1 > _limit(gaps[:-1], 0.0):
        gaps.pop()
    if len(gaps) < _FEWEST_GAPS:
        return math.inf
    return _limit(gaps, 0.0 if rest > _limit(gaps, 0.0) else 2 * rest)


def _limit(gaps: Sequence[int], silent: float) -> float:
    """Silent days in a row that are improbable by these gaps, and by silent days at either end."""
    count = len(gaps) + 1
    days = sum(gaps) + 1 + silent
    share = count / days
    spread = _Z * math.sqrt(share * (1 - share) / days + (_Z / (2 * days)) ** 2)
    low = (share + _Z**2 / (2 * days) - spread) / (1 + _Z**2 / days)
    mean = sum(gaps) / len(gaps)
    chance = mean * (mean - 1)
    varied = sum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1) / chance if chance and len(gaps) > 1 else 1.0
    return min(max(varied, 1.0), _BURSTS) * math.log(IMPROBABLE) / math.log1p(-low)
