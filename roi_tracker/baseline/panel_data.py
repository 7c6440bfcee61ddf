"""The hash of what a baseline reads: rows of its lines and period, and of those only the quantities of its measure.

A late stop says nothing about hours or energy, and what a measure does not read cannot have moved its baseline: such a
row leaves the other lines' baselines as they were frozen.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from roi_tracker.business_case import Measure, Period
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import KpiCount, LineShift, Observation, Observations

_JUDGED = ("inspector", "inspected", "rejected", "reviewed", "review_defects", "coverage", "audits")
_STOPS = ("unplanned_stop_s", "planned_stop_s", "unplanned_stops", "planned_busy_s")
OF_PRODUCTS: Mapping[Measure, tuple[str, ...]] = {
    "defects": _JUDGED,
    "inspection": (*_JUDGED, "no_verdict", "late_rejects", "repeats", "challenges"),
    "energy": ("produced",),
    "labour": ("produced",),
}
"""Fields of `Observation` that a measure reads."""
OF_LINES: Mapping[Measure, tuple[str, ...]] = {
    "downtime": _STOPS,
    "maintenance": (*_STOPS, "alarms", "assets"),
}
"""Fields of `LineShift` that a measure reads, whole; named amounts are picked by name."""
_NOTHING = (None, ())
"""A field that says nothing: a row of such fields alone is not read."""
_BESIDE_COUNTS = frozenset({"inspector", "coverage"})
"""Fields that every row has, and that say nothing without counts."""
_NONE_WERE = frozenset({"reviewed", "review_defects", "late_rejects"})
"""Counts that are 0 where nobody counted."""


def data_digest(observations: Observations, scope: Scope, period: Period) -> str:
    """Hash of what the scope's measure reads in a period.

    Args:
        observations: everything derived.
        scope: measure, lines, and the names of carriers, roles, covariates and indicator that count.
        period: the baseline.
    """
    return _digest(
        (scope.measure, list(_products(observations, scope, period)), list(_lines(observations, scope, period)))
    )


def whole_rows_digest(observations: Observations, scope: Scope, period: Period) -> str:
    """Hash of every field of the same rows: what baselines carry that were frozen before `data_digest`."""
    rows: list[object] = [row for row in observations.products if row.line in scope.lines and row.day in period]
    rows.extend(row for row in observations.line_shifts if row.line in scope.lines and row.day in period)
    return _digest(rows)


def data_unchanged(sha256: str, observations: Observations, scope: Scope, period: Period) -> bool:
    """Whether a baseline's data are those it was frozen on, however its hash was made."""
    return sha256 == data_digest(observations, scope, period) or sha256 == whole_rows_digest(
        observations, scope, period
    )


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def _products(observations: Observations, scope: Scope, period: Period) -> Iterator[tuple[object, ...]]:
    fields = OF_PRODUCTS.get(scope.measure, ())
    beside = [name for name in fields if name in _BESIDE_COUNTS]
    counts = [name for name in fields if name not in _BESIDE_COUNTS]
    for row in observations.products:
        if row.line in scope.lines and row.day in period:
            read = [(getattr(row, name) or None) if name in _NONE_WERE else getattr(row, name) for name in counts]
            read += _kpi(row, scope)
            if any(value not in _NOTHING for value in read):
                yield (row.line, row.day, row.shift, row.product, *read, *(getattr(row, name) for name in beside))


def _lines(observations: Observations, scope: Scope, period: Period) -> Iterator[tuple[object, ...]]:
    fields = OF_LINES.get(scope.measure, ())
    for row in observations.line_shifts:
        if row.line in scope.lines and row.day in period:
            read = [getattr(row, name) for name in fields] + _kpi(row, scope) + _amounts(row, scope)
            if any(value not in _NOTHING for value in read):
                yield (row.line, row.day, row.shift, *read)


def _kpi(row: Observation | LineShift, scope: Scope) -> list[KpiCount]:
    if scope.measure != "kpi" or scope.kpi is None:
        return []
    return [count for count in row.kpis if count.name == scope.kpi.id]


def _amounts(row: LineShift, scope: Scope) -> list[object]:
    """Hours, energy and covariates, those of the names that count."""
    found: list[object] = [tuple(one for one in row.covariates if one.name in scope.covariates)]
    if scope.measure == "energy":
        found += [row.energy_kwh] if not scope.carriers else [tuple(a for a in row.energy if a.name in scope.carriers)]
    if scope.measure == "labour":
        roles = tuple(a for a in row.labour if a.name in scope.roles)
        rostered = None if row.labour_hours is None else True  # then a role that is not on it worked no hour
        found += [row.labour_hours] if not scope.roles else [roles, rostered]
    return found
