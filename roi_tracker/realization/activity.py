"""What the lines did day by day, in one pass over the observations: volumes, times, modes, audits, indicators."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.observations.audit_reach import NEAR_DAYS
from roi_tracker.observations.in_force import NEVER, in_force

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from roi_tracker.observations.rows import Inspector, LineShift, Observation, Observations

Quantity = Literal[
    "produced",
    "inspected",
    "rejected",
    "escapes",
    "no_verdict",
    "late_rejects",
    "planned_busy_s",
    "unplanned_stop_s",
    "unplanned_stops",
    "energy_kwh",
    "labour_hours",
    "live_s",
    "shadow_s",
    "off_s",
]
_OF_PRODUCTS: tuple[Quantity, ...] = ("produced", "inspected", "rejected", "escapes", "no_verdict", "late_rejects")
_OF_LINES: tuple[Quantity, ...] = (
    "planned_busy_s",
    "unplanned_stop_s",
    "unplanned_stops",
    "energy_kwh",
    "labour_hours",
    "live_s",
    "shadow_s",
    "off_s",
)


class AuditedShares(msgspec.Struct, frozen=True):
    """Share of true defects among parts that failed and that passed, pooled; None where no audit was drawn."""

    of_failed: float | None
    of_passed: float | None


class Alarms(msgspec.Struct, frozen=True):
    """Outcomes of machine-health alarms."""

    confirmed: int = 0
    not_found: int = 0
    missed: int = 0


class Activity:
    """Sums by line and day. A quantity that was never measured in a span is None, never 0."""

    def __init__(self, observations: Observations, live_from: date = NEVER) -> None:
        """Add up.

        Args:
            observations: of all lines.
            live_from: day from which an AI judged on audited lines that never reported a mode.
        """
        self._in_force = in_force(observations, live_from)
        self._audit_days: dict[tuple[str, str], set[date]] = defaultdict(set)
        self._sums: dict[str, dict[str, dict[date, float]]] = defaultdict(lambda: defaultdict(dict))
        self._audits: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
        self._alarms: dict[str, dict[date, Alarms]] = defaultdict(dict)
        self.kpis: set[str] = set()
        for row in observations.products:
            self._product(row)
        for line in observations.line_shifts:
            self._line(line)
        self._days = {name: {line: sorted(days) for line, days in lines.items()} for name, lines in self._sums.items()}

    def _product(self, row: Observation) -> None:
        for name in _OF_PRODUCTS:
            self._add(name, row.line, row.day, getattr(row, name))
        if row.inspected is not None and row.rejected is not None:
            judge = self._in_force.of(row)
            self._add(f"inspected:{judge}", row.line, row.day, row.inspected)
            self._add(f"rejected:{judge}", row.line, row.day, row.rejected)
        for audit in row.audits:
            pooled = self._audits[row.line, audit.inspector, audit.stratum]
            pooled[0] += audit.audited
            pooled[1] += audit.defects_found
            if audit.audited:
                self._audit_days[row.line, audit.inspector].add(row.day)
        for kpi in row.kpis:
            self._kpi(kpi.name, row.line, row.day, (kpi.numerator, kpi.denominator))

    def _line(self, row: LineShift) -> None:
        for name in _OF_LINES:
            self._add(name, row.line, row.day, getattr(row, name))
        for kpi in row.kpis:
            self._kpi(kpi.name, row.line, row.day, (kpi.numerator, kpi.denominator))
        if row.alarms is not None:
            known = self._alarms[row.line].get(row.day, Alarms())
            self._alarms[row.line][row.day] = Alarms(
                known.confirmed + row.alarms.confirmed,
                known.not_found + row.alarms.not_found,
                known.missed + row.alarms.missed,
            )

    def _kpi(self, name: str, line: str, day: date, parts: tuple[float, float]) -> None:
        self.kpis.add(name)
        self._add(f"kpi:{name}:numerator", line, day, parts[0])
        self._add(f"kpi:{name}:denominator", line, day, parts[1])

    def _add(self, name: str, line: str, day: date, value: float | None) -> None:
        if value is not None:
            days = self._sums[name][line]
            days[day] = days.get(day, 0.0) + value

    def _span(self, name: str, line: str, first: date, last: date) -> Sequence[date]:
        days = self._days.get(name, {}).get(line, [])
        return days[bisect_left(days, first) : bisect_right(days, last)]

    def _sum(self, name: str, lines: Iterable[str], first: date, last: date) -> float | None:
        values = [self._sums[name][line][day] for line in lines for day in self._span(name, line, first, last)]
        return sum(values) if values else None

    def total(self, quantity: Quantity, lines: Iterable[str], first: date, last: date) -> float | None:
        """A quantity over lines and days, both ends included."""
        return self._sum(quantity, lines, first, last)

    def by_inspector(
        self, quantity: Literal["inspected", "rejected"], inspector: Inspector, line: str, span: tuple[date, date]
    ) -> float | None:
        """Parts that one inspection judged or rejected."""
        return self._sum(f"{quantity}:{inspector}", (line,), *span)

    def kpi(self, name: str, lines: Iterable[str], first: date, last: date) -> tuple[float, float] | None:
        """Numerator and denominator of an imported indicator."""
        names = tuple(lines)
        above = self._sum(f"kpi:{name}:numerator", names, first, last)
        below = self._sum(f"kpi:{name}:denominator", names, first, last)
        return None if above is None or below is None else (above, below)

    def alarms(self, lines: Iterable[str], first: date, last: date) -> Alarms | None:
        """Outcomes of alarms; None where none was recorded."""
        found = [one for line in lines for day, one in self._alarms.get(line, {}).items() if first <= day <= last]
        if not found:
            return None
        return Alarms(
            sum(one.confirmed for one in found), sum(one.not_found for one in found), sum(one.missed for one in found)
        )

    def days_with(self, quantity: Quantity, lines: Iterable[str], first: date, last: date) -> int:
        """Days on which a quantity above 0 was measured on any of the lines."""
        return len(
            {
                day
                for line in lines
                for day in self._span(quantity, line, first, last)
                if self._sums[quantity][line][day] > 0
            }
        )

    def first_live(self, line: str, since: date) -> date | None:
        """First day on which the AI inspection acted on a line."""
        days = self._days.get("live_s", {}).get(line, [])
        after = days[bisect_left(days, since) :]
        return next((day for day in after if self._sums["live_s"][line][day] > 0), None)

    def audited(self, line: str, inspector: Inspector) -> AuditedShares:
        """Shares of true defects by verdict, pooled over all audits of an inspection on a line."""
        shares: list[float | None] = []
        for stratum in ("FAIL", "PASS"):
            drawn, found = self._audits.get((line, inspector, stratum), (0, 0))
            shares.append(found / drawn if drawn else None)
        return AuditedShares(*shares)

    def audited_near(self, line: str, inspector: Inspector, span: tuple[date, date]) -> bool:
        """Whether any part that the inspection judged was audited in a span of days or near it: pooled shares say
        nothing of weeks in which nobody audited.
        """
        days = sorted(self._audit_days.get((line, inspector), ()))
        near = timedelta(days=NEAR_DAYS)
        return bisect_right(days, span[1] + near) > bisect_left(days, span[0] - near)

    def observed(self, name: str, line: str) -> tuple[date, date] | None:
        """First and last day with a quantity (or `kpi:NAME:numerator`) on a line; None where it was never measured."""
        days = self._days.get(name, {}).get(line)
        return (days[0], days[-1]) if days else None

    def seen(self, line: str) -> tuple[date, date] | None:
        """First and last day with anything observed on a line."""
        spans = [days[line] for days in self._days.values() if line in days]
        return (min(each[0] for each in spans), max(each[-1] for each in spans)) if spans else None

    @property
    def lines(self) -> tuple[str, ...]:
        """Lines that anything was observed on."""
        return tuple(sorted({line for lines in self._sums.values() for line in lines}))

    @property
    def span(self) -> tuple[date, date] | None:
        """First and last day with anything observed."""
        days = [day for lines in self._days.values() for each in lines.values() for day in (each[0], each[-1])]
        return (min(days), max(days)) if days else None
