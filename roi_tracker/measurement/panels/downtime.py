"""Downtime: unplanned stop hours per planned busy hour; beside it stops of all kinds, and how many stops there were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.measurement.panels.columns import SECONDS_PER_HOUR, line_columns
from roi_tracker.measurement.panels.readings import DirectSource, Readings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from roi_tracker.measurement.panels.columns import LineColumns
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Inspector, Observations


def downtime(observations: Observations, scope: Scope, _when_unknown: Inspector) -> DirectSource:
    """Read unplanned stop hours; a shift that nothing watched is not measured."""
    columns = line_columns(observations, scope)
    return _per_busy_hour(columns, scope, columns.table.unplanned_stop_s / SECONDS_PER_HOUR)


def all_stops(observations: Observations, scope: Scope) -> DirectSource:
    """Read planned and unplanned stop hours together: a stop that was moved into the plan is still a stop."""
    columns = line_columns(observations, scope)
    return _per_busy_hour(
        columns, scope, (columns.table.unplanned_stop_s + columns.table.planned_stop_s) / SECONDS_PER_HOUR
    )


def stop_count(observations: Observations, scope: Scope) -> DirectSource:
    """Read how many unplanned stops began."""
    columns = line_columns(observations, scope)
    return _per_busy_hour(columns, scope, columns.table.unplanned_stops)


def _per_busy_hour(columns: LineColumns, scope: Scope, outcome: NDArray[np.float64]) -> DirectSource:
    readings = Readings(
        family="rate",
        day=columns.day,
        line=columns.line,
        shift=columns.shift,
        factors=(columns.line, columns.shift),
        exposure=columns.cut(columns.table.planned_busy_s) / SECONDS_PER_HOUR,
        outcome=columns.cut(outcome),
        covariates=columns.covariates,
    )
    return DirectSource(readings.complete(), scope)
