"""Any indicator of the plant's own: a ratio, a rate or a mean of what its files state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.measurement.panels.columns import line_columns, product_columns
from roi_tracker.measurement.panels.readings import DirectSource, Readings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from roi_tracker.case.measuring import KpiDefinition, KpiKind
    from roi_tracker.measurement.panels.columns import LineColumns, ProductColumns
    from roi_tracker.measurement.panels.panel import Family
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Inspector, Observations
    from roi_tracker.observations.tables import KpiColumn

_FAMILIES: Mapping[KpiKind, Family] = {"ratio": "ratio", "rate": "rate", "mean": "linear"}


def kpi(observations: Observations, scope: Scope, _when_unknown: Inspector) -> DirectSource:
    """Read an indicator by product where the files state it so, else by line and shift.

    Args:
        observations: everything derived.
        scope: its `kpi` is the indicator; without one nothing is measured.
        _when_unknown: an indicator knows no inspection.
    """
    by_product, by_line = product_columns(observations, scope), line_columns(observations, scope)
    name = "" if scope.kpi is None else scope.kpi.id
    found = _named(by_product.table.kpis, name)
    if found is not None:
        readings = _readings(by_product, found, scope.kpi)
        readings = replace(readings, factors=(by_product.line, by_product.product, by_product.shift))
    else:
        readings = _readings(by_line, _named(by_line.table.kpis, name), scope.kpi)
    return DirectSource(readings.complete(), scope)


def _named(columns: tuple[KpiColumn, ...], name: str) -> KpiColumn | None:
    return next((column for column in columns if column.name == name), None)


def _readings(
    columns: LineColumns | ProductColumns, found: KpiColumn | None, definition: KpiDefinition | None
) -> Readings:
    family = "rate" if definition is None else _FAMILIES[definition.kind]
    unknown = np.full(len(columns.day), np.nan)
    numerator = unknown if found is None else columns.cut(found.numerator)
    denominator = unknown if found is None else columns.cut(found.denominator)
    return Readings(
        family=family,
        day=columns.day,
        line=columns.line,
        shift=columns.shift,
        factors=(columns.line, columns.shift),
        exposure=denominator,
        outcome=_possible(numerator, denominator, family),
        covariates=columns.covariates,
    )


def _possible(numerator: NDArray[np.float64], denominator: NDArray[np.float64], family: Family) -> NDArray[np.float64]:
    """The numerator, not measured where it cannot be: more out of fewer, or a negative count."""
    if family == "linear":
        return numerator
    impossible = numerator < 0
    if family == "ratio":
        impossible |= numerator > denominator
    return np.where(impossible, np.nan, numerator)
