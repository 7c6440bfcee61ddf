"""Labour: hours worked per planned busy hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.measurement.panels.columns import SECONDS_PER_HOUR, line_columns
from roi_tracker.measurement.panels.readings import DirectSource, Readings

if TYPE_CHECKING:
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Inspector, Observations


def labour(observations: Observations, scope: Scope, _when_unknown: Inspector) -> DirectSource:
    """Read the hours of all roles."""
    columns = line_columns(observations, scope)
    readings = Readings(
        family="rate",
        day=columns.day,
        line=columns.line,
        shift=columns.shift,
        factors=(columns.line, columns.shift),
        exposure=columns.cut(columns.table.planned_busy_s) / SECONDS_PER_HOUR,
        outcome=columns.cut(columns.table.labour_hours),
        covariates=columns.covariates,
    )
    return DirectSource(readings.complete(), scope)
