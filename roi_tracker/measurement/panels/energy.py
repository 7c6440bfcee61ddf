"""Energy by line and day, explained by what was made, the weekday, and conditions such as degree days.

A day and not a shift: a meter read once a day says nothing about its shifts. The units of every product enter by
themselves, which is volume and product mix at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.measurement.panels.columns import line_columns
from roi_tracker.measurement.panels.panel import Covariates, Factor
from roi_tracker.measurement.panels.production import production_of
from roi_tracker.measurement.panels.readings import Readings, panel_from

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.case.plant import Period
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Inspector, Observations
    from roi_tracker.observations.tables import LineTable

UNITS = "units "
"""What the names of the covariates of made units begin with; the product's name follows."""
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class EnergySource:
    """Energy and units of every measured shift."""

    readings: Readings
    scope: Scope

    def panel(self, period: Period) -> Panel:
        """One row a line and day (and shift, where shifts are compared): kWh, and the mean of a measured shift."""
        readings = self.readings.where(self.readings.valid(period, self.scope))
        return panel_from(by_day(readings, keep_shifts=bool(self.scope.treated_shifts)), self.scope, period)


def by_day(readings: Readings, *, keep_shifts: bool) -> Readings:
    """Add up the shifts of a day; the exposure says how many were measured, covariates are means over them."""
    shifts = len(readings.shift.levels)
    key = readings.day * len(readings.line.levels) + readings.line.codes
    if keep_shifts:
        key = key * shifts + readings.shift.codes
    unique, row = np.unique(key, return_inverse=True)
    count = np.bincount(row, minlength=len(unique)).astype(np.float64)
    shift = unique % shifts if keep_shifts else np.zeros(len(unique), dtype=np.int64)
    group = unique // shifts if keep_shifts else unique
    day, line = np.divmod(group, len(readings.line.levels)) if len(group) else (group, group)
    values = readings.covariates.values
    means = [np.bincount(row, values[:, column], len(unique)) / count for column in range(values.shape[1])]
    line_factor = Factor("line", readings.line.levels, line)
    weekday = Factor("weekday", _WEEKDAYS, (day + 6) % 7)  # ordinal 1 was a Monday
    return Readings(
        family="linear",
        day=day,
        line=line_factor,
        shift=Factor("shift", readings.shift.levels if keep_shifts else ("all",), shift),
        factors=(line_factor, weekday),
        exposure=count,
        outcome=np.bincount(row, readings.outcome, len(unique)).astype(np.float64),
        covariates=Covariates(
            readings.covariates.names, np.stack(means, axis=1) if means else np.zeros((len(unique), 0))
        ),
    )


def energy(observations: Observations, scope: Scope, _when_unknown: Inspector) -> EnergySource:
    """Read the energy of the carriers that count, and what was made with it."""
    columns = line_columns(observations, scope)
    production = production_of(observations, columns)
    readings = Readings(
        family="linear",
        day=columns.day,
        line=columns.line,
        shift=columns.shift,
        factors=(columns.line,),
        exposure=np.ones(len(columns.day)),
        outcome=columns.cut(_kwh(columns.table, scope.carriers)),
        covariates=Covariates(
            (*(f"{UNITS}{name}" for name in production.products), *columns.covariates.names),
            np.concatenate([production.units, columns.covariates.values], axis=1),
        ),
    )
    return EnergySource(readings.complete(), scope)


def _kwh(table: LineTable, carriers: tuple[str, ...]) -> NDArray[np.float64]:
    """A carrier without a reading is not measured, so neither is the sum."""
    if not carriers:
        return table.energy_kwh
    by_name = {column.name: column.values for column in table.energy}
    unknown = np.full(len(table), np.nan)
    total = np.zeros(len(table))
    for carrier in carriers:
        total = total + by_name.get(carrier, unknown)
    return total
