"""Defects: true defects out of inspected parts, by the audits of each product and inspector."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from roi_tracker.measurement.panels.columns import product_columns
from roi_tracker.measurement.panels.panel import AuditNoise
from roi_tracker.measurement.panels.readings import MINIMUM_DAY_COVERAGE, Readings, panel_from
from roi_tracker.measurement.ruler import Ruler, StratumKey, StratumRate
from roi_tracker.observations.audit_reach import reached
from roi_tracker.observations.tables import INSPECTOR_CODES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_tracker.case.plant import Period
    from roi_tracker.measurement.panels.columns import ProductColumns
    from roi_tracker.measurement.panels.panel import Factor, Panel
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Inspector, Observations, Stratum

_INSPECTORS: tuple[Inspector, ...] = ("previous", "ai")
_STRATA: tuple[Stratum, ...] = ("PASS", "FAIL")


@dataclass(frozen=True)
class _Audits:
    """Random audits, one entry a sample: of the inspection in force on their row.

    Attributes:
        row: row the parts belong to.
        stratum: position in `_STRATA`.
    """

    row: NDArray[np.int64]
    stratum: NDArray[np.int64]
    audited: NDArray[np.float64]
    found: NDArray[np.float64]


@dataclass(frozen=True)
class _Parts:
    """Counts of each row.

    Attributes:
        verdicts: (rows, 2) passed and rejected parts, in the order of `_STRATA`.
        decided: (rows,) defects a person found among REVIEW parts: a census.
        inspector: (rows,) position in `_INSPECTORS`.
    """

    verdicts: NDArray[np.float64]
    decided: NDArray[np.float64]
    inspector: NDArray[np.int64]


@dataclass(frozen=True)
class DefectSource:
    """Counts and audits of all days; rates are pooled over whatever period is asked for."""

    readings: Readings
    product: Factor
    parts: _Parts
    audits: _Audits
    scope: Scope

    def panel(self, period: Period) -> Panel:
        """The rows of a period with their estimated true defects."""
        kept = self.readings.valid(period, self.scope)
        line, product = self.readings.line, self.product
        who = len(_INSPECTORS)
        group = (line.codes[kept] * len(product.levels) + product.codes[kept]) * who + self.parts.inspector[kept]
        groups = len(line.levels) * len(product.levels) * who
        verdicts = self.parts.verdicts[kept]
        population = np.stack(
            [np.bincount(group, weights=verdicts[:, s], minlength=groups) for s in range(len(_STRATA))], axis=1
        )
        position = np.cumsum(kept) - 1
        drawn = kept[self.audits.row]
        row, stratum = position[self.audits.row[drawn]], self.audits.stratum[drawn]
        cell = group[row] * len(_STRATA) + stratum
        shape = (groups, len(_STRATA))
        audited = np.bincount(cell, weights=self.audits.audited[drawn], minlength=groups * 2).reshape(shape)
        found = np.bincount(cell, weights=self.audits.found[drawn], minlength=groups * 2).reshape(shape)
        rate = np.divide(found, audited, out=np.zeros(shape), where=audited > 0)
        outcome = (verdicts * rate[group]).sum(axis=1) + self.parts.decided[kept]
        panel = panel_from(replace(self.readings.where(kept), outcome=outcome), self.scope, period)
        residual = self.audits.found[drawn] - rate[group[row], stratum] * self.audits.audited[drawn]
        day = panel.day_index[row]
        dates = np.array([known.toordinal() for known in panel.days], dtype=np.int64)
        present = np.bincount(group, minlength=groups) > 0
        strata: list[StratumRate] = []
        noise: list[AuditNoise] = []
        for index in np.flatnonzero(present):
            rest, inspector = divmod(int(index), who)
            place, made = divmod(rest, len(product.levels))
            inside = group == index
            for s, name in enumerate(_STRATA):
                parts, looked_at = population[index, s], audited[index, s]
                key = StratumKey(product.levels[made], _INSPECTORS[inspector], name, line.levels[place])
                mine = cell == index * len(_STRATA) + s
                made_by_day = np.bincount(panel.day_index[inside], weights=verdicts[inside, s], minlength=len(dates))
                seen_by_day = np.bincount(day[mine], weights=self.audits.audited[drawn][mine], minlength=len(dates))
                near = int(made_by_day[reached(dates, made_by_day, seen_by_day)].sum())
                strata.append(StratumRate(key, int(parts), int(looked_at), int(found[index, s]), near))
                if parts and looked_at:
                    by_day = np.bincount(day[mine], weights=residual[mine], minlength=len(panel.days))
                    noise.append(AuditNoise(verdicts[:, s], group, int(index), parts / looked_at * by_day))
        return replace(panel, noise=tuple(noise), ruler=Ruler(tuple(sorted(strata, key=lambda known: known.key))))


def defects(observations: Observations, scope: Scope, when_unknown: Inspector) -> DefectSource:
    """Read inspected parts, verdicts and audits.

    Args:
        observations: everything derived.
        scope: lines that are measured.
        when_unknown: the inspection in force on lines of the programme that never reported a mode; on control lines,
            and where parts were audited as the previous inspection's and never as the AI's, it is the previous one.
    """
    columns = product_columns(observations, scope)
    table = columns.table
    inspected, rejected = columns.cut(table.inspected), columns.cut(table.rejected)
    readings = Readings(
        family="ratio",
        day=columns.day,
        line=columns.line,
        shift=columns.shift,
        factors=(columns.line, columns.product, columns.shift),
        exposure=inspected,
        outcome=rejected,
        covariates=columns.covariates,
    )
    known = readings.known & ~(columns.cut(table.coverage) < MINIMUM_DAY_COVERAGE)  # where nothing says, it counts
    inspector = table.inspector[columns.kept].astype(np.int64)
    programme = columns.line.among(scope.programme_lines) & ~_without_ai(columns)
    inspector[(inspector < 0) & programme] = INSPECTOR_CODES[when_unknown]
    inspector[inspector < 0] = INSPECTOR_CODES["previous"]
    passed = np.maximum(0.0, inspected - rejected - columns.cut(table.reviewed))
    parts = _Parts(
        np.stack([passed, rejected], axis=1)[known], columns.cut(table.review_defects)[known], inspector[known]
    )
    return DefectSource(
        readings.where(known), columns.product.where(known), parts, _audits(columns, inspector, known), scope
    )


def _without_ai(columns: ProductColumns) -> NDArray[np.bool_]:
    """(rows,) whether the row's line has audits and none of them is of the AI: its programme is no inspection."""
    samples, line = columns.table.audits, columns.table.line
    audited = np.unique(line[samples.row])
    with_ai = np.unique(line[samples.row[samples.inspector == INSPECTOR_CODES["ai"]]])
    return np.isin(line[columns.kept], np.setdiff1d(audited, with_ai))


def _audits(columns: ProductColumns, inspector: NDArray[np.int64], known: NDArray[np.bool_]) -> _Audits:
    """The samples of measured rows that the inspection in force had judged."""
    samples = columns.table.audits
    usable = np.zeros(len(columns.table), dtype=np.bool_)
    usable[np.flatnonzero(columns.kept)[known]] = True
    position = np.cumsum(usable) - 1
    in_force = np.full(len(columns.table), -1, dtype=np.int64)
    in_force[columns.kept] = inspector
    drawn = usable[samples.row] & (in_force[samples.row] == samples.inspector)
    return _Audits(
        position[samples.row[drawn]],
        samples.stratum[drawn].astype(np.int64),
        samples.audited[drawn],
        samples.found[drawn],
    )
