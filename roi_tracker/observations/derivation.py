"""From facts to observations: counts, audits, stops, energy, hours and modes gathered by line, shift and product."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from roi_tracker.observations import facts as f
from roi_tracker.observations import stoppages
from roi_tracker.observations.rows import (
    AuditSample,
    Finding,
    FindingName,
    Inspector,
    LineShift,
    Observation,
    Observations,
    Origin,
    weakest_origin,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from roi_tracker.observations.shifts import ShiftCalendar, ShiftInstance
    from roi_tracker.observations.stoppages import ShiftKey, StopTime

_ByProduct = f.ProductionFact | f.AuditFact | f.InspectedPart | f.EscapeFact
_Quantity = tuple[float, Origin]


class _Gathered:
    """Facts by observation, while they are being collected."""

    def __init__(self) -> None:
        self.products: dict[ShiftKey, dict[str, list[_ByProduct]]] = defaultdict(lambda: defaultdict(list))
        self.judged: dict[str, f.JudgedPart] = {}
        self.energy: dict[ShiftKey, list[_Quantity]] = defaultdict(list)
        self.labour: dict[ShiftKey, list[_Quantity]] = defaultdict(list)
        self.stops: dict[tuple[str, bool], list[f.StopFact]] = defaultdict(list)
        self.watched: dict[str, list[datetime]] = defaultdict(list)
        self.modes: dict[str, list[f.ModeFact]] = defaultdict(list)
        self.instances: dict[ShiftKey, ShiftInstance] = {}
        self.findings: list[Finding] = []

    def find(self, name: FindingName, key: ShiftKey, evidence: str) -> None:
        self.findings.append(Finding(name, key[0], key[1], evidence))


def derive(facts: Iterable[f.Fact], calendar: ShiftCalendar) -> Observations:
    """Gather facts into observations. What lies outside every shift or contradicts itself is reported as a finding."""
    gathered = _Gathered()
    for fact in facts:
        _gather(fact, calendar, gathered)
    lines = _line_shifts(gathered, calendar)
    products: list[Observation] = []
    for row in lines:
        key = row.shift_key
        for product in sorted(gathered.products.get(key, {})):
            inspector = _inspector_in_force(row, gathered.instances[key])
            products.append(_observation(key, product, inspector, gathered))
    return Observations(tuple(products), lines, tuple(gathered.findings))


def _gather(fact: f.Fact, calendar: ShiftCalendar, gathered: _Gathered) -> None:
    match fact:
        case f.StopFact():
            gathered.stops[(fact.line, fact.planned)].append(fact)
            gathered.watched[fact.line].extend((fact.at, fact.end))
        case f.MachineWatched():
            gathered.watched[fact.line].append(fact.at)
        case f.ModeFact():
            gathered.modes[fact.line].append(fact)
        case f.EnergyFact():
            _spread(fact, fact.kwh, calendar, gathered, gathered.energy)
        case f.LabourFact():
            _spread(fact, fact.hours, calendar, gathered, gathered.labour)
        case f.JudgedPart():
            known = gathered.judged.get(fact.inspection_key)
            if known is None or fact.at >= known.at:
                gathered.judged[fact.inspection_key] = fact
        case _:
            _gather_product(fact, calendar, gathered)


def _gather_product(fact: _ByProduct, calendar: ShiftCalendar, gathered: _Gathered) -> None:
    label = fact.shift if isinstance(fact, f.ProductionFact | f.AuditFact) else ""
    instance = calendar.labelled(label, fact.at)
    if instance is None:
        gathered.find("outside_shifts", (fact.line, calendar.local_day(fact.at), label), fact.key)
        return
    key = (fact.line, instance.day, instance.label)
    gathered.instances[key] = instance
    gathered.products[key][fact.product].append(fact)


def _spread(
    fact: f.EnergyFact | f.LabourFact,
    quantity: float,
    calendar: ShiftCalendar,
    gathered: _Gathered,
    into: dict[ShiftKey, list[_Quantity]],
) -> None:
    """Share a quantity among the shifts its period touches, by time; outside all shifts it is reported, not dropped."""
    pieces = list(calendar.clip(fact.at, fact.end))
    seconds = sum((high - low).total_seconds() for _, low, high in pieces)
    if seconds <= 0:
        gathered.find("outside_shifts", (fact.line, calendar.local_day(fact.at), ""), fact.key)
        return
    for instance, low, high in pieces:
        key = (fact.line, instance.day, instance.label)
        gathered.instances[key] = instance
        into[key].append((quantity * (high - low).total_seconds() / seconds, fact.origin))


# ---- line x shift ---------------------------------------------------------------------------------------------


def _line_shifts(gathered: _Gathered, calendar: ShiftCalendar) -> tuple[LineShift, ...]:
    stops: dict[bool, dict[ShiftKey, StopTime]] = {True: {}, False: {}}
    for (_, is_planned), found in gathered.stops.items():
        stops[is_planned].update(stoppages.stops_by_shift(found, calendar, gathered.findings))
    for by_shift in stops.values():
        for key in by_shift:
            gathered.instances.setdefault(key, next(i for i in calendar.of_day(key[1]) if i.label == key[2]))
    watched = {line: sorted(signs) for line, signs in gathered.watched.items()}
    spans = {line: stoppages.mode_spans(changes) for line, changes in gathered.modes.items()}
    rows: list[LineShift] = []
    for key, instance in sorted(gathered.instances.items(), key=lambda item: (item[1].start, item[0])):
        production = [
            fact for found in gathered.products.get(key, {}).values() for fact in _latest_of_period(found, key, None)
        ]
        seen = stoppages.is_watched(instance, watched.get(key[0], []))
        unplanned = stops[False].get(key, stoppages.NO_STOPS) if seen else None
        planned = stops[True].get(key, stoppages.NO_STOPS) if seen else None
        energy, labour = gathered.energy.get(key, []), gathered.labour.get(key, [])
        origins: list[Origin] = [fact.origin for fact in production]
        origins += [origin for _, origin in (*energy, *labour)]
        origins += [origin for time in (unplanned, planned) if time is not None for origin in time.origins]
        rows.append(
            LineShift(
                *key,
                origin=weakest_origin(origins),
                planned_busy_s=stoppages.planned_busy_s(production),
                unplanned_stop_s=unplanned.seconds if unplanned else None,
                unplanned_stops=unplanned.count if unplanned else None,
                planned_stop_s=planned.seconds if planned else None,
                planned_stops=planned.count if planned else None,
                energy_kwh=sum(amount for amount, _ in energy) if energy else None,
                labour_hours=sum(amount for amount, _ in labour) if labour else None,
                shadow_s=stoppages.mode_seconds(instance, spans.get(key[0], ()), "shadow"),
                live_s=stoppages.mode_seconds(instance, spans.get(key[0], ()), "live"),
            )
        )
    return tuple(rows)


def _inspector_in_force(row: LineShift, instance: ShiftInstance) -> Inspector | None:
    if row.live_s is None:
        return None
    return "ai" if row.live_s > (instance.end - instance.start).total_seconds() / 2 else "previous"


# ---- line x shift x product -----------------------------------------------------------------------------------


def _latest_of_period(found: Sequence[_ByProduct], key: ShiftKey, gathered: _Gathered | None) -> list[f.ProductionFact]:
    """Production facts, one a period: of two that state the same period the later arrival holds and it is reported."""
    by_period: dict[tuple[datetime, datetime], f.ProductionFact] = {}
    for fact in found:
        if isinstance(fact, f.ProductionFact):
            period = (fact.at, fact.end)
            if period in by_period and gathered is not None:
                gathered.find("duplicate_production", key, f"{by_period[period].key} and {fact.key}")
            by_period[period] = fact
    return list(by_period.values())


def _total(values: Iterable[int | None]) -> int | None:
    """Sum of counts; None as soon as one of them was not measured, or there is none."""
    known = list(values)
    measured = [value for value in known if value is not None]
    return sum(measured) if known and len(measured) == len(known) else None


def _total_s(values: Iterable[float | None]) -> float | None:
    known = list(values)
    measured = [value for value in known if value is not None]
    return sum(measured) if known and len(measured) == len(known) else None


def _observation(key: ShiftKey, product: str, inspector: Inspector | None, gathered: _Gathered) -> Observation:
    found = gathered.products[key][product]
    production = _latest_of_period(found, key, gathered)
    parts = [fact for fact in found if isinstance(fact, f.InspectedPart)]
    escapes = [fact.count for fact in found if isinstance(fact, f.EscapeFact)]
    live = [part for part in parts if part.mode == "live"]
    reviewed = [gathered.judged[part.key] for part in live if part.verdict == "REVIEW" and part.key in gathered.judged]
    inspected = _total(fact.inspected for fact in production)
    rejected = _total(fact.rejected for fact in production)
    if inspected is None and live:
        inspected = sum(part.verdict in {"PASS", "FAIL"} for part in live) + len(reviewed)
        rejected = sum(part.verdict == "FAIL" for part in live)
    produced = _total(fact.produced for fact in production)
    audits = _audits(found, parts, gathered)
    impossible = _impossible(produced, inspected, rejected, audits)
    if impossible:
        gathered.find("impossible_count", key, f"{product}: {impossible}")
        inspected, rejected, audits = None, None, ()
    return Observation(
        *key,
        product=product,
        origin=weakest_origin(fact.origin for fact in found),
        inspector=inspector,
        produced=produced,
        inspected=inspected,
        rejected=rejected,
        reviewed=len(reviewed),
        review_defects=sum(judged.defective for judged in reviewed),
        scrap=_total(fact.scrap for fact in production),
        rework=_total(fact.rework for fact in production),
        planned_busy_s=_total_s(fact.planned_busy_s for fact in production),
        escapes=sum(escapes) if escapes else None,
        audits=audits,
    )


def _audits(
    found: Sequence[_ByProduct], parts: Sequence[f.InspectedPart], gathered: _Gathered
) -> tuple[AuditSample, ...]:
    """Random, blind samples only: parts looked at because the model was unsure (`review`), or because somebody chose
    them, say nothing about PASS or FAIL.
    """
    counts: dict[tuple[Inspector, str], list[int]] = defaultdict(lambda: [0, 0])
    for fact in found:
        if isinstance(fact, f.AuditFact):
            counts[(fact.inspector, fact.stratum)][0] += fact.audited
            counts[(fact.inspector, fact.stratum)][1] += fact.defects_found
    for part in parts:
        judged = gathered.judged.get(part.key)
        if judged is not None and judged.blind and judged.stratum == f"audit_{part.verdict.lower()}":
            counts[("ai", part.verdict)][0] += 1
            counts[("ai", part.verdict)][1] += judged.defective
    return tuple(
        AuditSample(inspector, "PASS" if stratum == "PASS" else "FAIL", audited, defects)
        for (inspector, stratum), (audited, defects) in sorted(counts.items())
        if audited or defects
    )


def _impossible(
    produced: int | None, inspected: int | None, rejected: int | None, audits: Sequence[AuditSample]
) -> str:
    """What cannot be, in words; empty when all is well."""
    if min((value for value in (produced, inspected, rejected) if value is not None), default=0) < 0:
        return "a negative count"
    if inspected is not None and rejected is not None and rejected > inspected:
        return f"rejected {rejected} > inspected {inspected}"
    if produced is not None and inspected is not None and inspected > produced:
        return f"inspected {inspected} > produced {produced}"
    for audit in audits:
        if not 0 <= audit.defects_found <= audit.audited:
            return f"audit found {audit.defects_found} of {audit.audited}"
    return ""
