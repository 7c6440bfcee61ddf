"""Readings that repeat to the last digit: a meter that stands, or a column that somebody filled down.

A coarse meter repeats itself honestly, so a run of equal days is told only where the series' own habit of repeating
makes it improbable. Bills spread over their months repeat all the time, one run after the other, and are no meter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from roi_tracker.observations.tables import Floats, KpiColumn, LineTable, ProductTable

FEWEST_DAYS = 5
"""Equal days in a row, a working week, before anything is asked."""
_IMPROBABLE = 1e-3
"""Chance that a series as long as this one has such a run anywhere."""
_SAME = 1e-9
"""Relative difference of equal readings: a day's sum of shares is rounded."""
_BILLS = 3
_BILLED_SHARE = 0.8


class StuckRun(msgspec.Struct, frozen=True):
    """Equal readings of one series of one line.

    Attributes:
        name: carrier or indicator.
        value: the reading of each day.
        days: proleptic ordinals, in order.
    """

    line: str
    name: str
    value: float
    days: tuple[int, ...]


def stuck_energy(lines: LineTable) -> Iterator[StuckRun]:
    """Carriers of which a line used the same on day after day."""
    for code, line in enumerate(lines.lines):
        rows: NDArray[np.bool_] = lines.line == code
        for column in lines.energy:
            days, (used,) = _daily(lines.day[rows], column.values[rows])
            yield from _runs(line, column.name, days, used, used > 0, used)


def stuck_kpis(table: LineTable | ProductTable) -> Iterator[StuckRun]:
    """Indicators with the same numerator and denominator day after day; all of all, or none of all, may well be."""
    for code, line in enumerate(table.lines):
        rows: NDArray[np.bool_] = table.line == code
        for kpi in table.kpis:
            yield from _stuck_kpi(line, kpi, table.day[rows], rows)


def _stuck_kpi(line: str, kpi: KpiColumn, day: NDArray[np.int32], rows: NDArray[np.bool_]) -> Iterator[StuckRun]:
    days, (top, bottom) = _daily(day, kpi.numerator[rows], kpi.denominator[rows])
    telling = (top != 0) & (np.abs(top - bottom) > _SAME * np.abs(bottom))
    yield from _runs(line, kpi.name, days, top, telling, bottom)


def _daily(day: NDArray[np.int32], *columns: Floats) -> tuple[NDArray[np.int64], list[Floats]]:
    """Sums of the days on which every column was read."""
    known = np.isfinite(np.stack(columns).sum(axis=0))
    days, index = np.unique(day[known].astype(np.int64), return_inverse=True)
    sums = [np.bincount(index, weights=column[known], minlength=len(days)).astype(np.float64) for column in columns]
    return days, sums


def _runs(
    line: str, name: str, days: NDArray[np.int64], values: Floats, telling: NDArray[np.bool_], beside: Floats
) -> Iterator[StuckRun]:
    """Improbable runs of days with equal `values` and `beside`; only `telling` days can be stuck."""
    if len(days) < FEWEST_DAYS:
        return
    same = telling[1:] & telling[:-1]
    for column in (values, beside):
        pairs = sliding_window_view(column, 2)
        same &= np.abs(pairs[:, 1] - pairs[:, 0]) <= _SAME * np.abs(pairs).max(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], same.astype(np.int8), [0]))))
    runs = [(first, end) for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]
    long = [(first, end) for first, end in runs if end - first + 1 >= FEWEST_DAYS]
    covered = sum(end - first + 1 for first, end in long)
    if len(long) >= _BILLS and covered >= _BILLED_SHARE * len(days):
        return
    for first, end in long:
        repeats = end - first
        elsewhere = (int(same.sum()) - repeats + 1) / (len(same) - repeats + 2)
        if elsewhere**repeats * len(days) < _IMPROBABLE:
            yield StuckRun(line, name, float(values[first]), tuple(days[first : end + 1].tolist()))
