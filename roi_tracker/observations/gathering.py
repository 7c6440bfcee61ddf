"""Facts brought to the line, shift and product they belong to. What finds no place is reported, never dropped."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from roi_tracker.observations import facts as f
from roi_tracker.observations.limits import beyond
from roi_tracker.observations.rows import Finding, FindingName, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from roi_tracker.observations.shifts import ShiftCalendar, ShiftInstance
    from roi_tracker.observations.stoppages import ShiftKey

    ByProduct = f.ProductionFact | f.AuditFact | f.ChallengeFact | f.InspectedPart | f.EscapeFact
    Periodic = f.EnergyFact | f.LabourFact | f.KpiFact | f.CovariateFact

EVERY_LINE = "*"
"""Line of a covariate that holds for the whole plant, such as degree days."""
CLOCK_STEP = timedelta(minutes=10)
"""A machine whose states, in order of arrival, go back further than this had its clock moved."""
_FITTING = 0.8
"""Share of a period that must lie in its shift, moved by the plant's offset, to call it another time zone."""


@dataclass(frozen=True)
class Share:
    """The part of a periodic quantity that falls into one shift.

    Attributes:
        name: carrier, role, indicator or condition.
        value: the quantity, shared by time; a covariate's value, unshared.
        denominator: of an indicator, shared by time.
        seconds: time of the period within the shift.
        product: of an indicator by product.
    """

    name: str
    value: float
    seconds: float
    origin: Origin
    denominator: float = 0.0
    product: str = ""


class Gathered:
    """Facts by observation, while they are being collected."""

    def __init__(self, calendar: ShiftCalendar) -> None:
        self.calendar = calendar
        self.products: dict[ShiftKey, dict[str, list[ByProduct]]] = defaultdict(lambda: defaultdict(list))
        self.judged: dict[str, f.JudgedPart] = {}
        self.repeats: dict[str, f.JudgedPart] = {}
        self.late: set[str] = set()
        self.energy: dict[ShiftKey, list[Share]] = defaultdict(list)
        self.labour: dict[ShiftKey, list[Share]] = defaultdict(list)
        self.kpis: dict[ShiftKey, list[Share]] = defaultdict(list)
        self.covariates: dict[ShiftKey, list[Share]] = defaultdict(list)
        self.stops: list[f.StopFact] = []
        self.revisions: list[f.StopRevisionFact] = []
        self.watched: dict[str, list[datetime]] = defaultdict(list)
        self.watched_assets: dict[ShiftKey, set[str]] = defaultdict(set)
        self.modes: dict[str, list[f.ModeFact]] = defaultdict(list)
        self.alarms: dict[ShiftKey, list[f.AlarmFact]] = defaultdict(list)
        self.missed: dict[ShiftKey, list[f.AlarmOutcomeFact]] = defaultdict(list)
        self.outcomes: dict[str, f.AlarmOutcomeFact] = {}
        self.instances: dict[ShiftKey, ShiftInstance] = {}
        self.findings: list[Finding] = []
        self._periods: dict[tuple[object, ...], Periodic] = {}
        self._clocks: dict[tuple[str, str, object], datetime] = {}

    def find(self, name: FindingName, key: ShiftKey, evidence: str) -> None:
        """Report something wrong in a shift."""
        self.findings.append(Finding(name, key[0], key[1], evidence))

    def take_all(self, facts: Iterable[f.Fact]) -> None:
        """Take facts in order of arrival."""
        take: dict[type, Callable[[Any], None]] = {
            f.ProductionFact: self._take_production,
            f.AuditFact: self._take_product,
            f.ChallengeFact: self._take_product,
            f.InspectedPart: self._take_product,
            f.EscapeFact: self._take_product,
            f.JudgedPart: self._take_judged,
            f.LateRejectFact: lambda fact: self.late.add(fact.inspection_key),
            f.StopFact: self._take_stop,
            f.StopRevisionFact: self.revisions.append,
            f.MachineWatched: self._take_watched,
            f.ModeFact: lambda fact: self.modes[fact.line].append(fact),
            f.EnergyFact: self._take_periodic,
            f.LabourFact: self._take_periodic,
            f.KpiFact: self._take_periodic,
            f.CovariateFact: self._take_periodic,
            f.AlarmFact: lambda fact: self._take_event(fact, self.alarms),
            f.AlarmOutcomeFact: self._take_outcome,
        }
        for fact in facts:
            impossible = beyond(fact)
            if impossible:  # left out, so that one slip of the pen does not take a whole store along
                evidence = f"{fact.key}: {impossible}"
                self.find("impossible_count", (fact.line, self.calendar.local_day(fact.at), ""), evidence)
                continue
            take[type(fact)](fact)
        for periodic in self._periods.values():
            self._spread(periodic)
        self.outcomes = {subject: fact for subject, fact in self.outcomes.items() if not fact.withdrawn}
        for outcome in self.outcomes.values():
            if not outcome.alarm_key:
                self._take_event(outcome, self.missed)

    # ---- counts by product ----

    def _place(self, line: str, label: str, at: datetime, evidence: str) -> ShiftKey | None:
        instance = self.calendar.labelled(label, at)
        if instance is None:
            self.find("outside_shifts", (line, self.calendar.local_day(at), label), evidence)
            return None
        key = (line, instance.day, instance.label)
        self.instances[key] = instance
        return key

    def _take_product(self, fact: ByProduct) -> None:
        label = fact.shift if isinstance(fact, f.ProductionFact | f.AuditFact) else ""
        key = self._place(fact.line, label, fact.at, fact.key)
        if key is not None:
            self.products[key][fact.product].append(fact)

    def _take_production(self, fact: f.ProductionFact) -> None:
        self._take_product(fact)
        named = self.calendar.labelled(fact.shift, fact.at) if fact.shift in self.calendar.labels else None
        if named is None or named.label != fact.shift or min(named.end, fact.end) > max(named.start, fact.at):
            return
        offset = self.calendar.offset(fact.at)
        for move in (offset, -offset):
            moved = self.calendar.at(fact.at + move)
            if moved is None or moved.label != fact.shift or not move:
                continue
            fits = min(moved.end, fact.end + move) - max(moved.start, fact.at + move)
            if fits >= _FITTING * (fact.end - fact.at):
                evidence = f"{fact.key}: {fact.at.isoformat()} is not in {fact.shift!r}, moved by {move} it is"
                self.find("mixed_time_zones", (fact.line, named.day, named.label), evidence)
                return

    def _take_judged(self, fact: f.JudgedPart) -> None:
        if fact.repeat_of:
            again = self.repeats.get(fact.repeat_of)
            if again is None or fact.at >= again.at:
                self.repeats[fact.repeat_of] = fact
            return
        known = self.judged.get(fact.inspection_key)
        if known is None or fact.at >= known.at:
            self.judged[fact.inspection_key] = fact

    # ---- time on the line ----

    def _take_stop(self, fact: f.StopFact) -> None:
        self.stops.append(fact)
        self.watched[fact.line].extend((fact.at, fact.end))

    def _take_watched(self, fact: f.MachineWatched) -> None:
        self.watched[fact.line].append(fact.at)
        instance = self.calendar.at(fact.at)
        if instance is not None:
            self.watched_assets[fact.line, instance.day, instance.label].add(fact.asset)
        day = self.calendar.local_day(fact.at)
        machine = (fact.line, fact.asset, day)
        latest = self._clocks.get(machine)
        if latest is not None and fact.at < latest - CLOCK_STEP and fact.origin != "imported":
            evidence = f"{fact.asset}: {fact.at.isoformat()} arrived after {latest.isoformat()} ({fact.key})"
            self.find("clock_jump", (fact.line, day, ""), evidence)
            self._clocks[machine] = fact.at  # one step is told once; the moved clock is the clock from here on
        elif latest is None or fact.at > latest:
            self._clocks[machine] = fact.at

    def _take_event(self, fact: Any, into: dict[ShiftKey, list[Any]]) -> None:  # noqa: ANN401 - alarms or outcomes
        key = self._place(fact.line, "", fact.at, fact.key)
        if key is not None:
            into[key].append(fact)

    def _take_outcome(self, fact: f.AlarmOutcomeFact) -> None:
        """The newest statement about an alarm, or about a failure that none announced, holds."""
        subject = fact.alarm_key or f"{fact.line} {fact.asset} {fact.at.isoformat()}"
        known = self.outcomes.get(subject)
        if known is None or (fact.stated_at or fact.at) >= (known.stated_at or known.at):
            self.outcomes[subject] = fact

    # ---- quantities of a period ----

    def _take_periodic(self, fact: Periodic) -> None:
        """Of two that state the same quantity of the same period the later arrival holds; hours of a role add up,
        since a roster has a row a person.
        """
        if isinstance(fact, f.LabourFact):
            self._spread(fact)
            return
        name = fact.carrier if isinstance(fact, f.EnergyFact) else fact.name
        product = fact.product if isinstance(fact, f.KpiFact) else ""
        period = (type(fact), fact.line, name, product, fact.at, fact.end)
        known = self._periods.get(period)
        if known is not None:
            day = self.calendar.local_day(fact.at)
            self.find("duplicate_period", (fact.line, day, ""), f"{name}: {known.key} and {fact.key}")
        self._periods[period] = fact

    def _spread(self, fact: Periodic) -> None:
        """Share a quantity among the shifts its period touches, by time."""
        pieces = [(instance, (high - low).total_seconds()) for instance, low, high in self._clip(fact)]
        total = sum(seconds for _, seconds in pieces)
        if total <= 0:
            if not isinstance(fact, f.CovariateFact):
                self.find("outside_shifts", (fact.line, self.calendar.local_day(fact.at), ""), fact.key)
            return
        for instance, seconds in pieces:
            key = (fact.line, instance.day, instance.label)
            part = seconds / total
            match fact:
                case f.EnergyFact():
                    self.energy[key].append(Share(fact.carrier, fact.kwh * part, seconds, fact.origin))
                case f.LabourFact():
                    self.labour[key].append(Share(fact.role, fact.hours * part, seconds, fact.origin))
                case f.CovariateFact():
                    self.covariates[key].append(Share(fact.name, fact.value, seconds, fact.origin))
                    continue  # a condition alone is no shift worked
                case f.KpiFact():
                    share = Share(fact.name, fact.numerator * part, seconds, fact.origin, fact.denominator * part)
                    self.kpis[key].append(replace(share, product=fact.product))
            self.instances[key] = instance

    def _clip(self, fact: Periodic) -> Iterable[tuple[ShiftInstance, datetime, datetime]]:
        running = self.calendar.at(fact.at)
        if running is not None and fact.end <= running.end:
            return ((running, fact.at, fact.end),)
        return self.calendar.clip(fact.at, fact.end)
