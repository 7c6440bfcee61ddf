"""Which builder reads which measure. A measure with a builder here is measured against a counterfactual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.measurement.panels.defects import defects
from roi_tracker.measurement.panels.downtime import downtime
from roi_tracker.measurement.panels.energy import energy
from roi_tracker.measurement.panels.kpi import kpi
from roi_tracker.measurement.panels.labour import labour

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from roi_tracker.case.benefits import Measure
    from roi_tracker.case.plant import Period
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.panels.readings import Source
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Inspector, Observations

    Builder = Callable[[Observations, Scope, Inspector], Source]

BUILDERS: Mapping[Measure, Builder] = {
    "defects": defects,
    "inspection": defects,
    "downtime": downtime,
    "maintenance": downtime,
    "energy": energy,
    "labour": labour,
    "kpi": kpi,
}


def source_of(observations: Observations, scope: Scope, when_unknown: Inspector) -> Source:
    """Read a measure once, so that panels of many periods can be cut from it.

    Args:
        observations: everything derived.
        scope: measure and lines.
        when_unknown: inspection in force where a line never reported its mode.
    """
    return BUILDERS[scope.measure](observations, scope, when_unknown)


def panel_of(observations: Observations, scope: Scope, period: Period, when_unknown: Inspector) -> Panel:
    """A measure's rows in one period."""
    return source_of(observations, scope, when_unknown).panel(period)
