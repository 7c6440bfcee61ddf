"""Hygiene of whole series: gaps, stuck values, impossible rates, changes of unit. Each finding carries its evidence.

What can be seen in a single shift (duplicates, overlaps, clocks, time zones) is found while facts are gathered.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from roi_tracker.observations.rows import Finding, FindingName
from roi_tracker.observations.stuck import stuck_energy, stuck_kpis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.observations.rows import Observations
    from roi_tracker.observations.shifts import ShiftCalendar
    from roi_tracker.observations.tables import Codes, Floats, LineTable, ProductTable

STUCK_ROWS = 6
"""Shifts in a row with the same counts to the piece, rejects among them, before they are called stuck."""
STUCK_ZERO_ROWS = 3
"""Shifts in a row with production and no energy at all."""
UNIT_FACTORS = (10.0, 60.0, 100.0, 1000.0, 3600.0)
"""Slips of the decimal point, minutes for hours, percent for share, W for kW, seconds for hours."""
_FACTOR_TOLERANCE = 0.15
_WINDOW = 5
"""Days before and after a jump, whose medians are compared; each must be steady to within a factor of two."""
_STEADY = 2.0
_MANY_PARTS = 50
"""Parts above which a shift that rejected every one is no chance."""
_FAST = 10.0
"""Times its usual speed that no line reaches."""
_BUSY_TOLERANCE = 1.01


def with_hygiene(observations: Observations, calendar: ShiftCalendar) -> Observations:
    """Add the findings of whole series; the others stay."""
    found = sorted(series_findings(observations, calendar), key=lambda f: (f.day, f.line, f.name, f.evidence))
    return msgspec.structs.replace(observations, findings=(*observations.findings, *found)) if found else observations


def series_findings(observations: Observations, calendar: ShiftCalendar) -> Iterator[Finding]:
    """Findings that need more than one shift to be seen."""
    products, lines = observations.product_table, observations.line_table
    if not len(lines):
        return
    yield from _gaps(lines, calendar)
    yield from _stuck(products, lines)
    for run in (*stuck_energy(lines), *stuck_kpis(lines), *stuck_kpis(products)):
        days = f"{date.fromordinal(run.days[0])} to {date.fromordinal(run.days[-1])}"
        evidence = f"{run.name}: exactly {run.value:.10g} on {len(run.days)} days, {days}"
        yield _finding("stuck_values", run.line, run.days[0], evidence)
    switches = list(_unit_switches(products, lines))
    yield from switches
    yield from _impossible_rates(products, {finding.line for finding in switches})
    yield from _too_long(lines, calendar)


def _finding(name: FindingName, line: str, day: int, evidence: str) -> Finding:
    return Finding(name, line, date.fromordinal(day), evidence)


def _groups(*codes: Codes) -> Iterator[Codes]:
    """Row numbers of each combination of codes, in the order of the rows (which is that of time)."""
    if not len(codes[0]):
        return
    order = np.lexsort(codes[::-1]).astype(np.int32)  # stable: rows stay in the order of time
    changed = np.zeros(len(order) - 1, dtype=bool)
    for code in codes:
        changed |= np.diff(code[order]) != 0
    yield from np.split(order, np.flatnonzero(changed) + 1)


def _runs(same: np.ndarray) -> Iterator[tuple[int, int]]:
    """[first, end) of stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], same.astype(np.int8), [0]))))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _gaps(lines: LineTable, calendar: ShiftCalendar) -> Iterator[Finding]:
    last = int(lines.day.max())
    for rows in _groups(lines.line):
        seen = set(lines.day[rows].tolist())
        days = [day for day in range(min(seen), last + 1) if calendar.expected(date.fromordinal(day))]
        missing = np.array([day not in seen for day in days], dtype=bool)
        for first, end in _runs(missing):
            evidence = f"{date.fromordinal(days[first])} to {date.fromordinal(days[end - 1])}: {end - first} days"
            yield _finding("gap", lines.lines[lines.line[rows[0]]], days[first], evidence)


def _stuck(products: ProductTable, lines: LineTable) -> Iterator[Finding]:
    for rows in _groups(products.line, products.product, products.shift):
        made, bad, seen = products.produced[rows], products.rejected[rows], products.inspected[rows]
        same = (np.diff(made) == 0) & (np.diff(bad) == 0) & (np.diff(seen) == 0) & (bad[1:] > 0)
        for first, end in _runs(same):
            if end - first + 1 >= STUCK_ROWS:
                row = rows[first]
                name = f"{products.products[products.product[row]]}, {products.shifts[products.shift[row]]}"
                days = f"{date.fromordinal(int(products.day[row]))} to {date.fromordinal(int(products.day[rows[end]]))}"
                evidence = f"{name}: {made[first]:g} made, {bad[first]:g} rejected, {end - first + 1} times, {days}"
                yield _finding("stuck_values", products.lines[products.line[row]], int(products.day[row]), evidence)
    busy = lines.planned_busy_s > 0
    for rows in _groups(lines.line):
        for first, end in _runs((lines.energy_kwh[rows] == 0) & busy[rows]):
            if end - first >= STUCK_ZERO_ROWS:
                day = int(lines.day[rows[first]])
                evidence = f"energy is 0 in {end - first} shifts worked, from {date.fromordinal(day)}"
                yield _finding("stuck_values", lines.lines[lines.line[rows[0]]], day, evidence)


def _unit_switches(products: ProductTable, lines: LineTable) -> Iterator[Finding]:
    for rows in _groups(products.line, products.product):
        name = f"produced {products.products[products.product[rows[0]]]}"
        yield from _switches(name, products.lines[products.line[rows[0]]], products.day[rows], products.produced[rows])
    columns = [("planned busy time", lines.planned_busy_s)]
    columns += [(f"energy {column.name}", column.values) for column in lines.energy]
    columns += [(f"hours {column.name}", column.values) for column in lines.labour]
    columns += [(column.name, column.values) for column in lines.covariates]
    for kpi in lines.kpis:
        columns += [(f"{kpi.name} numerator", kpi.numerator), (f"{kpi.name} denominator", kpi.denominator)]
    for rows in _groups(lines.line):
        for name, values in columns:
            yield from _switches(name, lines.lines[lines.line[rows[0]]], lines.day[rows], values[rows])


def _switches(name: str, line: str, days: Codes, values: Floats) -> Iterator[Finding]:
    """Jumps of the daily mean per shift by a factor that units differ by, steady before and after."""
    known = values > 0
    each, index = np.unique(days[known], return_inverse=True)
    if len(each) < 2 * _WINDOW:
        return
    daily = np.bincount(index, values[known]) / np.bincount(index)
    windows = sliding_window_view(daily, _WINDOW)
    median = np.median(windows, axis=1)
    steady = windows.max(axis=1) <= _STEADY * windows.min(axis=1)
    ratio = median[_WINDOW:] / median[:-_WINDOW]
    far = np.abs(np.log(ratio))
    off = np.min([np.abs(far - np.log(factor)) for factor in UNIT_FACTORS], axis=0)
    jumped = (off <= np.log1p(_FACTOR_TOLERANCE)) & steady[_WINDOW:] & steady[:-_WINDOW]
    for first, end in _runs(jumped):
        at = first + int(np.argmax(far[first:end]))
        day = int(each[at + _WINDOW])
        evidence = (
            f"{name}: median {median[at]:.4g} before {date.fromordinal(day)}, {median[at + _WINDOW]:.4g} from then on"
            f" ({ratio[at]:.4g} times)"
        )
        yield _finding("unit_switch", line, day, evidence)


def _impossible_rates(products: ProductTable, switched: set[str]) -> Iterator[Finding]:
    def told(row: int, evidence: str) -> Finding:
        line = products.lines[products.line[row]]
        name = f"{products.products[products.product[row]]}, {products.shifts[products.shift[row]]}"
        return _finding("impossible_rate", line, int(products.day[row]), f"{name}: {evidence}")

    all_bad = (products.rejected == products.inspected) & (products.inspected >= _MANY_PARTS)
    for row in np.flatnonzero(all_bad).tolist():
        yield told(row, f"all {products.inspected[row]:g} inspected parts rejected")
    for row in np.flatnonzero(products.scrap > products.produced).tolist():
        yield told(row, f"scrap {products.scrap[row]:g} > produced {products.produced[row]:g}")
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = products.produced / products.planned_busy_s
    for rows in _groups(products.line, products.product):
        known = rows[np.isfinite(speed[rows]) & (speed[rows] > 0)]
        if len(known) < 2 * _WINDOW or products.lines[products.line[rows[0]]] in switched:
            continue
        usual = float(np.median(speed[known]))
        for row in known[speed[known] > _FAST * usual].tolist():
            yield told(row, f"{speed[row] * 3600:.4g} parts an hour, usually {usual * 3600:.4g}")


def _too_long(lines: LineTable, calendar: ShiftCalendar) -> Iterator[Finding]:
    """Planned busy time that no shift of the calendar is long enough for, summer time included."""
    length: dict[tuple[int, int], float] = {}
    for row in np.flatnonzero(lines.planned_busy_s > 0).tolist():
        day, shift = int(lines.day[row]), int(lines.shift[row])
        if (day, shift) not in length:
            instances = calendar.of_day(date.fromordinal(day))
            found = next((i.end - i.start for i in instances if i.label == lines.shifts[shift]), timedelta.max)
            length[(day, shift)] = found.total_seconds()
        if lines.planned_busy_s[row] > _BUSY_TOLERANCE * length[(day, shift)]:
            evidence = (
                f"{lines.shifts[shift]}: planned busy {lines.planned_busy_s[row] / 3600:.4g} h"
                f" in a shift of {length[(day, shift)] / 3600:.4g} h"
            )
            yield _finding("impossible_rate", lines.lines[lines.line[row]], day, evidence)
