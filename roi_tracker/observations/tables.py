"""Observations as columns, for statistics: one array a quantity, NaN where nothing was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from roi_tracker.observations.rows import KpiCount, LineShift, Observation

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]

INSPECTOR_CODES = {None: -1, "previous": 0, "ai": 1}
"""Codes of `ProductTable.inspector` and `AuditTable.inspector`."""
STRATUM_CODES = {"PASS": 0, "FAIL": 1}
"""Codes of `AuditTable.stratum`."""
ORIGIN_CODES = {"measured": 0, "imported": 1, "simulated": 2}
"""Codes of `origin`: the greater one is trusted less."""
_NAN = float("nan")


@dataclass(frozen=True)
class Column:
    """A named quantity.

    Attributes:
        values: (rows,) NaN where not measured.
    """

    name: str
    values: Floats


@dataclass(frozen=True)
class KpiColumn:
    """An indicator of the plant's own.

    Attributes:
        numerator, denominator: (rows,) NaN where not measured.
    """

    name: str
    numerator: Floats
    denominator: Floats


@dataclass(frozen=True)
class AuditTable:
    """Random audit samples, one row a sample.

    Attributes:
        row: (samples,) row of the product table.
        inspector: (samples,) who had judged the parts, `INSPECTOR_CODES`.
        stratum: (samples,) the verdict they had, `STRATUM_CODES`.
        audited, found: (samples,) parts drawn, and defects among them.
    """

    row: NDArray[np.int64]
    inspector: NDArray[np.int8]
    stratum: NDArray[np.int8]
    audited: Floats
    found: Floats


@dataclass(frozen=True)
class ProductTable:
    """`Observation`s, one row each, in the same order.

    Attributes:
        lines, shifts, products: level names, sorted; `line`, `shift` and `product` are positions in them.
        day: (rows,) proleptic ordinal of the local day (`date.fromordinal`).
        inspector: (rows,) `INSPECTOR_CODES`.
        origin: (rows,) `ORIGIN_CODES`.
        produced and the other quantities: (rows,) as in `Observation`, NaN where not measured.
        kpis: indicators by product.
    """

    lines: tuple[str, ...]
    shifts: tuple[str, ...]
    products: tuple[str, ...]
    line: Codes
    shift: Codes
    product: Codes
    day: Codes
    inspector: NDArray[np.int8]
    origin: NDArray[np.int8]
    produced: Floats
    inspected: Floats
    rejected: Floats
    reviewed: Floats
    review_defects: Floats
    scrap: Floats
    rework: Floats
    planned_busy_s: Floats
    escapes: Floats
    no_verdict: Floats
    late_rejects: Floats
    overruled: Floats
    coverage: Floats
    audits: AuditTable
    kpis: tuple[KpiColumn, ...]

    def __len__(self) -> int:
        return len(self.day)


@dataclass(frozen=True)
class LineTable:
    """`LineShift`s, one row each, in the same order.

    Attributes:
        lines, shifts: level names, sorted; `line` and `shift` are positions in them.
        day: (rows,) proleptic ordinal of the local day.
        origin: (rows,) `ORIGIN_CODES`.
        planned_busy_s and the other quantities: (rows,) as in `LineShift`, NaN where not measured.
        energy, labour, covariates, kpis: one column a carrier, role, condition, indicator, sorted by name.
        alarms_confirmed and the other fields of `AlarmCount`: (rows,) NaN in shifts without alarm or missed failure.
    """

    lines: tuple[str, ...]
    shifts: tuple[str, ...]
    line: Codes
    shift: Codes
    day: Codes
    origin: NDArray[np.int8]
    planned_busy_s: Floats
    unplanned_stop_s: Floats
    unplanned_stops: Floats
    planned_stop_s: Floats
    planned_stops: Floats
    energy_kwh: Floats
    labour_hours: Floats
    shadow_s: Floats
    live_s: Floats
    off_s: Floats
    system_stop_s: Floats
    energy: tuple[Column, ...]
    labour: tuple[Column, ...]
    covariates: tuple[Column, ...]
    kpis: tuple[KpiColumn, ...]
    alarms_confirmed: Floats
    alarms_not_found: Floats
    alarms_missed: Floats
    alarms_open: Floats
    alarms_acted: Floats
    alarms_estimated: Floats
    alarms_avoided_stop_h: Floats

    def __len__(self) -> int:
        return len(self.day)

    def covariate(self, name: str) -> Floats | None:
        """(rows,) values of a covariate, None where it was never imported."""
        return next((column.values for column in self.covariates if column.name == name), None)


def _floats(values: Iterable[float | None]) -> Floats:
    return np.array(list(values), dtype=np.float64)  # None becomes NaN


def _levels(names: Sequence[str]) -> tuple[tuple[str, ...], Codes]:
    levels = tuple(sorted(set(names)))
    code = {name: position for position, name in enumerate(levels)}
    return levels, np.array([code[name] for name in names], dtype=np.int32)


def _days(rows: Sequence[Observation] | Sequence[LineShift]) -> Codes:
    return np.array([row.day.toordinal() for row in rows], dtype=np.int32)


def _named(count: int, cells: Iterable[tuple[int, str, float]]) -> tuple[Column, ...]:
    """Columns of (row, name, value) cells, sorted by name."""
    found: dict[str, Floats] = {}
    for row, name, value in cells:
        if name not in found:
            found[name] = np.full(count, _NAN)
        found[name][row] = value
    return tuple(Column(name, found[name]) for name in sorted(found))


def _kpis(count: int, cells: Iterable[tuple[int, KpiCount]]) -> tuple[KpiColumn, ...]:
    known = list(cells)
    top = _named(count, ((row, kpi.name, kpi.numerator) for row, kpi in known))
    bottom = _named(count, ((row, kpi.name, kpi.denominator) for row, kpi in known))
    return tuple(KpiColumn(t.name, t.values, b.values) for t, b in zip(top, bottom, strict=True))


def product_table(rows: Sequence[Observation]) -> ProductTable:
    """Columns of observations.

    >>> from datetime import date
    >>> from roi_tracker.observations.rows import Observation
    >>> table = product_table([Observation("l", date(2025, 3, 1), "day", "a", "measured", None, produced=5)])
    >>> table.produced.tolist(), table.rejected.tolist(), table.inspector.tolist(), table.products
    ([5.0], [nan], [-1], ('a',))
    """
    lines, line = _levels([row.line for row in rows])
    shifts, shift = _levels([row.shift for row in rows])
    products, product = _levels([row.product for row in rows])
    samples = [(number, audit) for number, row in enumerate(rows) for audit in row.audits]
    return ProductTable(
        lines=lines,
        shifts=shifts,
        products=products,
        line=line,
        shift=shift,
        product=product,
        day=_days(rows),
        inspector=np.array([INSPECTOR_CODES[row.inspector] for row in rows], dtype=np.int8),
        origin=np.array([ORIGIN_CODES[row.origin] for row in rows], dtype=np.int8),
        produced=_floats(row.produced for row in rows),
        inspected=_floats(row.inspected for row in rows),
        rejected=_floats(row.rejected for row in rows),
        reviewed=_floats(row.reviewed for row in rows),
        review_defects=_floats(row.review_defects for row in rows),
        scrap=_floats(row.scrap for row in rows),
        rework=_floats(row.rework for row in rows),
        planned_busy_s=_floats(row.planned_busy_s for row in rows),
        escapes=_floats(row.escapes for row in rows),
        no_verdict=_floats(row.no_verdict for row in rows),
        late_rejects=_floats(row.late_rejects for row in rows),
        overruled=_floats(row.overruled for row in rows),
        coverage=_floats(row.coverage for row in rows),
        audits=AuditTable(
            row=np.array([number for number, _ in samples], dtype=np.int64),
            inspector=np.array([INSPECTOR_CODES[audit.inspector] for _, audit in samples], dtype=np.int8),
            stratum=np.array([STRATUM_CODES[audit.stratum] for _, audit in samples], dtype=np.int8),
            audited=_floats(audit.audited for _, audit in samples),
            found=_floats(audit.defects_found for _, audit in samples),
        ),
        kpis=_kpis(len(rows), ((number, kpi) for number, row in enumerate(rows) for kpi in row.kpis)),
    )


def line_table(rows: Sequence[LineShift]) -> LineTable:
    """Columns of line shifts."""
    lines, line = _levels([row.line for row in rows])
    shifts, shift = _levels([row.shift for row in rows])

    def column(value: Callable[[LineShift], float | None]) -> Floats:
        return _floats(value(row) for row in rows)

    def named(group: str) -> tuple[Column, ...]:
        cells: list[tuple[int, Any]] = [(n, amount) for n, row in enumerate(rows) for amount in getattr(row, group)]
        return _named(len(rows), ((number, amount.name, amount.value) for number, amount in cells))

    return LineTable(
        lines=lines,
        shifts=shifts,
        line=line,
        shift=shift,
        day=_days(rows),
        origin=np.array([ORIGIN_CODES[row.origin] for row in rows], dtype=np.int8),
        planned_busy_s=column(lambda row: row.planned_busy_s),
        unplanned_stop_s=column(lambda row: row.unplanned_stop_s),
        unplanned_stops=column(lambda row: row.unplanned_stops),
        planned_stop_s=column(lambda row: row.planned_stop_s),
        planned_stops=column(lambda row: row.planned_stops),
        energy_kwh=column(lambda row: row.energy_kwh),
        labour_hours=column(lambda row: row.labour_hours),
        shadow_s=column(lambda row: row.shadow_s),
        live_s=column(lambda row: row.live_s),
        off_s=column(lambda row: row.off_s),
        system_stop_s=column(lambda row: row.system_stop_s),
        energy=named("energy"),
        labour=named("labour"),
        covariates=named("covariates"),
        kpis=_kpis(len(rows), ((number, kpi) for number, row in enumerate(rows) for kpi in row.kpis)),
        alarms_confirmed=column(lambda row: row.alarms.confirmed if row.alarms else None),
        alarms_not_found=column(lambda row: row.alarms.not_found if row.alarms else None),
        alarms_missed=column(lambda row: row.alarms.missed if row.alarms else None),
        alarms_open=column(lambda row: row.alarms.open if row.alarms else None),
        alarms_acted=column(lambda row: row.alarms.acted if row.alarms else None),
        alarms_estimated=column(lambda row: row.alarms.estimated if row.alarms else None),
        alarms_avoided_stop_h=column(lambda row: row.alarms.avoided_stop_h if row.alarms else None),
    )
