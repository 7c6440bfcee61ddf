"""From a figure to the observations behind it, and from an observation to its events."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from roi_tracker.observations import facts as f
from roi_tracker.observations.gathering import EVERY_LINE
from roi_tracker.observations.rows import Inspector, Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from roi_tracker.business_case import BenefitLine, BusinessCase
    from roi_tracker.observations.facts import Fact
    from roi_tracker.observations.rows import LineShift, Observation, Observations
    from roi_tracker.observations.shifts import ShiftCalendar

PeriodOfDay = Literal["baseline", "blackout", "reporting", "outside"]
_BY_PRODUCT = frozenset({"defects", "inspection"})
_HOUR_S = 3600.0
_DAY = timedelta(days=1)


class DrillRow(msgspec.Struct, frozen=True):
    """One observation behind a benefit line; None where a quantity was not measured or is not of this line's measure.

    Attributes:
        product: empty for what belongs to no single product.
        audited, audit_defects: parts of random audits, and defective ones among them.
        alarms: confirmed, not found and missed.
        indicator: numerator and denominator of the line's indicator.
        origin: weakest origin of its facts.
    """

    day: date
    shift: str
    line: str
    product: str
    period: PeriodOfDay
    origin: Origin
    inspector: Inspector | None = None
    produced: int | None = None
    inspected: int | None = None
    rejected: int | None = None
    escapes: int | None = None
    audited: int | None = None
    audit_defects: int | None = None
    busy_h: float | None = None
    stops: int | None = None
    stop_h: float | None = None
    planned_stop_h: float | None = None
    energy_kwh: float | None = None
    labour_h: float | None = None
    alarms: tuple[int, int, int] | None = None
    indicator: tuple[float, float] | None = None
    coverage: float | None = None

    @property
    def key(self) -> str:
        """Names the observation: line, day, shift, and product where it has one."""
        return "/".join(part for part in (self.line, self.day.isoformat(), self.shift, self.product) if part)


class Drill(Protocol):
    """Where observations and events of a moment come from."""

    def rows(self, benefit_id: str) -> Sequence[DrillRow]:
        """Observations behind a benefit line, in time order."""
        ...


def drill_rows(case: BusinessCase, line: BenefitLine, observations: Observations) -> tuple[DrillRow, ...]:
    """Observations of a benefit line's production lines and of those it is compared with, in time order."""
    wanted = {*line.lines, *line.measurement.control_lines}
    kpi = line.measurement.kpi
    measure = line.proven_by or ""
    found: list[DrillRow] = []
    if measure in _BY_PRODUCT or kpi is not None:
        found += [
            _of_product(case, row, kpi.id if kpi else "")
            for row in observations.products
            if row.line in wanted and (kpi is None or any(one.name == kpi.id for one in row.kpis))
        ]
    if measure not in _BY_PRODUCT:
        found += [
            _of_shift(case, row, kpi.id if kpi else "")
            for row in observations.line_shifts
            if row.line in wanted and (kpi is None or any(one.name == kpi.id for one in row.kpis))
        ]
    return tuple(sorted(found, key=lambda row: (row.day, row.line, row.shift, row.product)))


def _period(case: BusinessCase, day: date) -> PeriodOfDay:
    periods = case.periods
    if day in periods.baseline:
        return "baseline"
    if day in periods.blackout:
        return "blackout"
    return "reporting" if day in periods.reporting else "outside"


def _of_product(case: BusinessCase, row: Observation, kpi: str) -> DrillRow:
    audited = sum(one.audited for one in row.audits)
    return DrillRow(
        day=row.day,
        shift=row.shift,
        line=row.line,
        product=row.product,
        period=_period(case, row.day),
        origin=row.origin,
        inspector=row.inspector,
        produced=row.produced,
        inspected=row.inspected,
        rejected=row.rejected,
        escapes=row.escapes,
        audited=audited if row.audits else None,
        audit_defects=sum(one.defects_found for one in row.audits) if row.audits else None,
        busy_h=None if row.planned_busy_s is None else row.planned_busy_s / _HOUR_S,
        indicator=_indicator(row, kpi),
        coverage=row.coverage,
    )


def _of_shift(case: BusinessCase, row: LineShift, kpi: str) -> DrillRow:
    alarms = row.alarms
    return DrillRow(
        day=row.day,
        shift=row.shift,
        line=row.line,
        product="",
        period=_period(case, row.day),
        origin=row.origin,
        busy_h=_hours(row.planned_busy_s),
        stops=row.unplanned_stops,
        stop_h=_hours(row.unplanned_stop_s),
        planned_stop_h=_hours(row.planned_stop_s),
        energy_kwh=row.energy_kwh,
        labour_h=row.labour_hours,
        alarms=None if alarms is None else (alarms.confirmed, alarms.not_found, alarms.missed),
        indicator=_indicator(row, kpi),
    )


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / _HOUR_S


def _indicator(row: Observation | LineShift, kpi: str) -> tuple[float, float] | None:
    own = [one for one in row.kpis if one.name == kpi]
    return (sum(one.numerator for one in own), sum(one.denominator for one in own)) if own else None


def in_month(rows: Iterable[DrillRow], month: str | None) -> tuple[DrillRow, ...]:
    """Rows of a month `YYYY-MM`; all without one."""
    return tuple(row for row in rows if month is None or f"{row.day:%Y-%m}" == month)


class ShiftFacts:
    """Events by the observation they entered, as `observations.gathering` places them."""

    def __init__(self, calendar: ShiftCalendar, facts: Iterable[Fact]) -> None:
        """Place facts.

        Args:
            calendar: the plant's.
            facts: with what speaks of them (judgements, outcomes), in order of arrival.
        """
        self._calendar = calendar
        self._found: dict[tuple[str, date, str], list[tuple[str, Fact]]] = {}
        places: dict[str, list[tuple[tuple[str, date, str], str]]] = {}
        spoken: list[tuple[str, Fact]] = []
        for fact in facts:
            about = getattr(fact, "inspection_key", "") or getattr(fact, "alarm_key", "")
            if about:
                spoken.append((about, fact))
                continue
            for place in self._places(fact):
                product = getattr(fact, "product", "")
                self._found.setdefault(place, []).append((product, fact))
                places.setdefault(fact.key, []).append((place, product))
        for about, fact in spoken:
            for place, product in places.get(about, ()):
                self._found[place].append((product, fact))

    def behind(self, row: DrillRow) -> tuple[Fact, ...]:
        """Events behind an observation: those of its product, and those that belong to no product of its shift."""
        own = self._found.get((row.line, row.day, row.shift), [])
        whole_line = [] if row.product else self._found.get((EVERY_LINE, row.day, row.shift), [])
        return tuple(
            fact
            for product, fact in (*own, *whole_line)
            if (product == row.product if row.product else not isinstance(fact, f.InspectedPart | f.JudgedPart))
        )

    def _places(self, fact: Fact) -> Iterator[tuple[str, date, str]]:
        if isinstance(fact, f.StopRevisionFact):
            for stop in fact.stops:
                yield from self._places(stop)
            return
        label = fact.shift if isinstance(fact, f.ProductionFact | f.AuditFact) else ""
        end: datetime | None = None if label else getattr(fact, "end", None)
        if end is not None and end > fact.at:
            for instance, _, _ in self._calendar.clip(fact.at, end):
                yield fact.line, instance.day, instance.label
            return
        instance_at = self._calendar.labelled(label, fact.at)
        if instance_at is not None:
            yield fact.line, instance_at.day, instance_at.label


def window_of(calendar: ShiftCalendar, first: date, last: date) -> tuple[datetime, datetime]:
    """UTC moments around the shifts of some days, with the time in which their summaries arrive."""
    start = min(instance.start for instance in calendar.of_day(first))
    end = max(instance.end for instance in calendar.of_day(last))
    return start - _DAY, end + 2 * _DAY
