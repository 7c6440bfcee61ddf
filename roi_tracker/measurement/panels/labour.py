"""Labour: hours worked per unit produced, from rosters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.measurement.panels.columns import line_columns
from roi_tracker.measurement.panels.production import production_of
from roi_tracker.measurement.panels.readings import DirectSource, Readings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Inspector, Observations
    from roi_tracker.observations.tables import LineTable


def labour(observations: Observations, scope: Scope, _when_unknown: Inspector) -> DirectSource:
    """Read the hours of the roles that count; in a shift with a roster a role that is not on it worked no hour."""
    columns = line_columns(observations, scope)
    readings = Readings(
        family="rate",
        day=columns.day,
        line=columns.line,
        shift=columns.shift,
        factors=(columns.line, columns.shift),
        exposure=production_of(observations, columns).total,
        outcome=columns.cut(_hours(columns.table, scope.roles)),
        covariates=columns.covariates,
    )
    return DirectSource(readings.complete(), scope)


def _hours(table: LineTable, roles: tuple[str, ...]) -> NDArray[np.float64]:
    if not roles:
        return table.labour_hours
    rostered = np.where(np.isnan(table.labour_hours), np.nan, 0.0)
    for column in table.labour:
        if column.name in roles:
            rostered = rostered + np.nan_to_num(column.values)
    return rostered
