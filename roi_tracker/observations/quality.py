"""A data-quality score of 0 to 100, explained: five parts, what each is made of, and the lowest one named."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from roi_tracker.observations.audit_reach import reached
from roi_tracker.observations.in_force import NEVER, codes_in_force
from roi_tracker.observations.tables import INSPECTOR_CODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.observations.rows import FindingName, Observations
    from roi_tracker.observations.shifts import ShiftCalendar

QualityPartName = Literal["completeness", "validity", "consistency", "timeliness", "audit_cover"]
WEIGHTS: dict[QualityPartName, float] = {
    "completeness": 0.30,  # a missing shift is missing from every figure
    "validity": 0.25,  # what cannot be is left out, and a slip of the unit moves everything
    "audit_cover": 0.20,  # without audits the true defect rate is unknown
    "consistency": 0.15,  # doubles and overlaps are settled by rule, and may be settled wrongly
    "timeliness": 0.10,  # late data delay a figure, they do not bend it
}
AUDITED_ENOUGH = 30
"""Parts audited in a stratum before its rate is used; all of them where it has fewer."""
DAY_LATE_POINTS = 10.0
SERIES_POINTS = 10.0
"""Points that a finding on a whole series costs; those on single shifts cost their share of all shifts."""
_INVALID: frozenset[FindingName] = frozenset({"impossible_count", "impossible_rate", "outside_shifts"})
_INVALID_SERIES: frozenset[FindingName] = frozenset({"unit_switch", "stuck_values"})
_INCONSISTENT: frozenset[FindingName] = frozenset(
    {"duplicate_production", "duplicate_period", "overlapping_stops", "mixed_time_zones", "clock_jump"}
)


class QualityFigure(msgspec.Struct, frozen=True):
    """A number behind a part."""

    name: str
    value: float


class QualityPart(msgspec.Struct, frozen=True):
    """One part of the score.

    Attributes:
        score: 0 to 100; None where it does not apply (nothing is inspected), its weight then goes to the others.
        weight: share of the whole, 0 to 1, after those that do not apply.
    """

    name: QualityPartName
    score: float | None
    weight: float
    figures: tuple[QualityFigure, ...]


class DataQuality(msgspec.Struct, frozen=True):
    """The score of a period.

    Attributes:
        score: 0 to 100; None without any observation expected.
        lowest: the part with the lowest score.
    """

    score: float | None
    lowest: QualityPartName | None
    parts: tuple[QualityPart, ...]


class QualityScope(msgspec.Struct, frozen=True):
    """What is scored.

    Attributes:
        first, last: days, both included.
        as_of: day on which it is asked, for timeliness.
        live_from: day from which an AI judged on audited lines that never reported a mode.
    """

    lines: tuple[str, ...]
    first: date
    last: date
    as_of: date
    live_from: date = NEVER


def data_quality(observations: Observations, scope: QualityScope, calendar: ShiftCalendar) -> DataQuality:
    """Score the observations of some lines in a period."""
    days = [scope.first + timedelta(days=number) for number in range((scope.last - scope.first).days + 1)]
    expected = [day for day in days if calendar.expected(day)]
    slots = len(expected) * len(calendar.labels) * len(scope.lines)
    if not slots:
        return DataQuality(None, None, ())
    found = Counter(
        finding.name
        for finding in observations.findings
        if finding.line in scope.lines and scope.first <= finding.day <= scope.last
    )
    scored = [
        _completeness(observations, scope, expected, slots),
        _shares("validity", found, (_INVALID, _INVALID_SERIES), slots),
        _audit_cover(observations, scope),
        _shares("consistency", found, (_INCONSISTENT, frozenset()), slots),
        _timeliness(observations, scope, calendar),
    ]
    applying = sum(WEIGHTS[part.name] for part in scored if part.score is not None)
    parts = tuple(
        msgspec.structs.replace(part, weight=0.0 if part.score is None else WEIGHTS[part.name] / applying)
        for part in scored
    )
    known = [(part.score, -part.weight, part.name) for part in parts if part.score is not None]
    return DataQuality(-sum(score * weight for score, weight, _ in known), min(known)[2], parts)


def _part(name: QualityPartName, score: float | None, **figures: float) -> QualityPart:
    kept = tuple(QualityFigure(figure, float(value)) for figure, value in figures.items())
    return QualityPart(name, None if score is None else max(0.0, min(100.0, score)), WEIGHTS[name], kept)


def _completeness(observations: Observations, scope: QualityScope, expected: Sequence[date], slots: int) -> QualityPart:
    """Shifts with production out of those expected, each counted by the share of it that is covered."""
    wanted = {day.toordinal() for day in expected}
    covered: dict[tuple[str, date, str], float] = {}
    for row in observations.products:
        if row.line in scope.lines and row.day.toordinal() in wanted:
            covered[row.shift_key] = 1.0 if row.coverage is None else row.coverage
    total = sum(covered.values())
    return _part("completeness", 100 * total / slots, expected=slots, present=len(covered), covered=total)


def _shares(
    name: QualityPartName, found: Counter[FindingName], kinds: tuple[frozenset[str], frozenset[str]], slots: int
) -> QualityPart:
    single = sum(count for kind, count in found.items() if kind in kinds[0])
    series = sum(count for kind, count in found.items() if kind in kinds[1])
    score = 100 * (1 - min(1.0, single / slots)) - SERIES_POINTS * series
    return _part(name, score, shifts=slots, findings=single, series=series)


def _audit_cover(observations: Observations, scope: QualityScope) -> QualityPart:
    """Share of the inspected parts whose stratum (line, product, inspector, verdict) was audited enough, and near in
    time.
    """
    table, audits = observations.product_table, observations.product_table.audits
    lines = [position for position, line in enumerate(table.lines) if line in scope.lines]
    first, last = scope.first.toordinal(), scope.last.toordinal()
    mine = np.isin(table.line, lines) & (table.day >= first) & (table.day <= last)
    mine &= np.isfinite(table.inspected) & np.isfinite(table.rejected)
    passed = np.maximum(0.0, table.inspected - table.rejected - table.reviewed)
    judge = codes_in_force(observations, scope.live_from)
    cell = (table.line.astype(np.int64) * len(table.products) + table.product) * len(INSPECTOR_CODES) + judge
    day = np.clip(table.day - first, 0, last - first)
    length = last - first + 1
    counted = mine[audits.row] & (judge[audits.row] == audits.inspector)
    total = backed = 0.0
    for verdict, parts in enumerate((passed, table.rejected)):
        drawn = counted & (audits.stratum == verdict)
        at, sizes = audits.row[drawn], audits.audited[drawn]
        for each in np.unique(cell[mine]).tolist():
            rows, samples = mine & (cell == each), cell[at] == each
            made = np.bincount(day[rows], parts[rows], minlength=length)
            seen = np.bincount(day[at[samples]], sizes[samples], minlength=length)
            total += made.sum()
            if seen.sum() >= min(AUDITED_ENOUGH, made.sum()):
                backed += made[reached(np.arange(length), made, seen)].sum()
    share = backed / total if total else None
    return _part("audit_cover", None if share is None else 100 * share, inspected=total, backed=backed)


def _timeliness(observations: Observations, scope: QualityScope, calendar: ShiftCalendar) -> QualityPart:
    """Working days by which the last record of a line lags behind, on average over the lines."""
    until = min(scope.last, scope.as_of - timedelta(days=1))
    newest = dict.fromkeys(scope.lines, scope.first - timedelta(days=1))
    for row in observations.line_shifts:
        if row.line in newest and newest[row.line] < row.day <= scope.last:
            newest[row.line] = row.day
    late = [
        sum(calendar.expected(last + timedelta(days=number)) for number in range(1, (until - last).days + 1))
        for last in newest.values()
    ]
    mean = sum(late) / len(late)
    return _part("timeliness", 100 - DAY_LATE_POINTS * mean, days_late=mean, most_days_late=max(late))
