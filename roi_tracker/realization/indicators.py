"""Headline indicators over a span of days, from what the lines did."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roi_tracker.business_case import KpiTarget
    from roi_tracker.observations.rows import Inspector
    from roi_tracker.realization.activity import Activity, Quantity

IndicatorBasis = Literal["audited", "recorded", "measured"]
_RATIO_UNITS = {"ratio": 1.0, "%": 100.0, "ppm": 1_000_000.0}
_SECONDS_PER_HOUR = 3600.0
_INSPECTORS: tuple[Inspector, ...] = ("previous", "ai")
_READS: dict[str, tuple[str, ...]] = {
    "defects": ("inspected", "rejected"),
    "overkill": ("inspected", "rejected"),
    "downtime": ("unplanned_stop_s",),
    "availability": ("unplanned_stop_s", "planned_busy_s"),
    "energy": ("energy_kwh",),
    "labour": ("labour_hours",),
}
"""Quantities that come every shift; the other sources are events, which a quiet day has none of."""


class Days(msgspec.Struct, frozen=True):
    """First and last day, both included."""

    first: date
    last: date


class _Parts(msgspec.Struct, frozen=True):
    """Parts judged by inspections whose errors are known, and what they really were."""

    judged: float
    defective: float
    false_rejects: float
    escaped: float


class Indicators:
    """Values of one board entry.

    Attributes:
        basis: `audited` where verdicts are corrected by audits of every inspection that judged, `recorded` where they
            are not (a better inspection then looks like worse quality), `measured` for what needs no inspection.
        known: whether anything observed could answer for the source.
    """

    def __init__(self, target: KpiTarget, activity: Activity) -> None:
        self._target, self._activity = target, activity
        self._lines = target.lines or activity.lines
        self._ratio = _RATIO_UNITS.get(target.unit)
        sources: dict[str, Callable[[Days], float | None]] = {
            "defects": self._defects,
            "overkill": self._overkill,
            "escape": self._escape,
            "downtime": self._downtime,
            "maintenance": self._maintenance,
            "energy": self._energy,
            "labour": self._labour,
            "availability": self._availability,
            "bypass": self._bypass,
        }
        if target.source not in sources and target.source in activity.kpis:
            sources[target.source] = self._imported
        self._value = sources.get(target.source)
        self.known = self._value is not None
        self.basis: IndicatorBasis = "measured"
        if target.source in {"defects", "overkill", "escape"}:
            self.basis = "audited" if self._all_audited() else "recorded"

    @property
    def adds_up(self) -> bool:
        """Whether two weeks give the sum of both, as hours and kWh do; shares and quantities a part do not."""
        source = self._target.source
        if source in {"availability", "bypass"} or source in self._activity.kpis:
            return False
        return self._ratio is None and not self._target.unit.endswith("/part")

    @property
    def span(self) -> tuple[date, date] | None:
        """First and last day with anything observed in the plant."""
        return self._activity.span

    @property
    def lines(self) -> tuple[str, ...]:
        """Lines that the indicator is of."""
        return tuple(self._lines)

    def observed(self, line: str) -> Days | None:
        """First and last day on which the line reported what the indicator reads; None where it never did."""
        source = self._target.source
        reads = (f"kpi:{source}:numerator",) if source in self._activity.kpis else _READS.get(source, ())
        spans = [self._activity.observed(name, line) for name in reads] or [self._activity.seen(line)]
        found = [span for span in spans if span is not None]
        if not found or len(found) < len(spans):
            return None
        return Days(max(span[0] for span in found), min(span[1] for span in found))

    def value(self, days: Days) -> float | None:
        """The indicator over a span, in its unit; None where it was not measured."""
        return None if self._value is None else self._value(days)

    def _judges(self, days: Days) -> list[tuple[str, Inspector]]:
        """Lines and the inspections that judged parts on them."""
        span = (days.first, days.last)
        return [
            (line, inspector)
            for line in self._lines
            for inspector in _INSPECTORS
            if self._activity.by_inspector("inspected", inspector, line, span)
        ]

    def _all_audited(self) -> bool:
        span = self._activity.span
        judges = [] if span is None else self._judges(Days(*span))
        shares = [self._activity.audited(line, inspector) for line, inspector in judges]
        return bool(shares) and all(one.of_failed is not None and one.of_passed is not None for one in shares)

    def _parts(self, days: Days) -> _Parts | None:
        """None where nothing was judged, or an inspection judged and nobody audited it near these days."""
        judges = self._judges(days)
        span = (days.first, days.last)
        if not all(self._activity.audited_near(line, inspector, span) for line, inspector in judges):
            return None
        found = [one for judge in judges for one in self._judged(*judge, span)]
        if not found:
            return None
        return _Parts(
            sum(one.judged for one in found),
            sum(one.defective for one in found),
            sum(one.false_rejects for one in found),
            sum(one.escaped for one in found),
        )

    def _judged(self, line: str, inspector: Inspector, span: tuple[date, date]) -> Iterator[_Parts]:
        judged = self._activity.by_inspector("inspected", inspector, line, span)
        failed = self._activity.by_inspector("rejected", inspector, line, span)
        shares = self._activity.audited(line, inspector)
        if not judged or failed is None or shares.of_failed is None or shares.of_passed is None:
            return
        caught, missed = failed * shares.of_failed, (judged - failed) * shares.of_passed
        yield _Parts(judged, caught + missed, failed - caught, missed)

    def _scaled(self, above: float | None, below: float | None) -> float | None:
        """A ratio in the target's unit, or the plain quantity where its unit is no ratio."""
        if above is None:
            return None
        if self._ratio is None:
            return above
        return above / below * self._ratio if below else None

    def _total(self, quantity: Quantity, days: Days) -> float | None:
        return self._activity.total(quantity, self._lines, days.first, days.last)

    def _defects(self, days: Days) -> float | None:
        if self.basis == "audited":
            parts = self._parts(days)
            return None if parts is None else self._scaled(parts.defective, parts.judged)
        return self._scaled(self._total("rejected", days), self._total("inspected", days))

    def _overkill(self, days: Days) -> float | None:
        parts = self._parts(days) if self.basis == "audited" else None
        return None if parts is None else self._scaled(parts.false_rejects, parts.judged)

    def _escape(self, days: Days) -> float | None:
        if self.basis == "audited":
            parts = self._parts(days)
            return None if parts is None else self._scaled(parts.escaped, parts.judged)
        return self._scaled(self._total("escapes", days), self._total("produced", days))

    def _downtime(self, days: Days) -> float | None:
        stopped, busy = self._total("unplanned_stop_s", days), self._total("planned_busy_s", days)
        if stopped is None:
            return None
        return stopped / _SECONDS_PER_HOUR if self._ratio is None else self._scaled(stopped, busy)

    def _availability(self, days: Days) -> float | None:
        stopped, busy = self._total("unplanned_stop_s", days), self._total("planned_busy_s", days)
        if stopped is None or not busy:
            return None
        return (1 - stopped / busy) * (self._ratio or 1.0)

    def _bypass(self, days: Days) -> float | None:
        live, shadow, off = (self._total(mode, days) for mode in ("live_s", "shadow_s", "off_s"))
        whole = (live or 0.0) + (shadow or 0.0) + (off or 0.0)
        return ((shadow or 0.0) + (off or 0.0)) / whole * (self._ratio or 1.0) if whole else None

    def _maintenance(self, days: Days) -> float | None:
        """Share of answered alarms that somebody confirmed; in a unit that is no ratio, failures nobody announced."""
        found = self._activity.alarms(self._lines, days.first, days.last)
        if found is None:
            return None
        if self._ratio is None:
            return float(found.missed)
        answered = found.confirmed + found.not_found
        return found.confirmed / answered * self._ratio if answered else None

    def _energy(self, days: Days) -> float | None:
        return self._per_part(self._total("energy_kwh", days), days)

    def _labour(self, days: Days) -> float | None:
        return self._per_part(self._total("labour_hours", days), days)

    def _per_part(self, total: float | None, days: Days) -> float | None:
        if total is None or not self._target.unit.endswith("/part"):
            return total
        parts = self._total("produced", days)
        return total / parts if parts else None

    def _imported(self, days: Days) -> float | None:
        found = self._activity.kpi(self._target.source, self._lines, days.first, days.last)
        if found is None or not found[1]:
            return None
        return found[0] / found[1] * (self._ratio or 1.0)
