"""From facts to observations: counts, audits, stops, energy, hours and modes gathered by line, shift and product."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from roi_tracker.observations import facts as f
from roi_tracker.observations import stoppages
from roi_tracker.observations.gathering import Gathered
from roi_tracker.observations.line_rows import kpi_counts, latest_of_period, line_shifts
from roi_tracker.observations.rows import (
    AuditSample,
    Challenge,
    Finding,
    Inspector,
    LineShift,
    Observation,
    Observations,
    RepeatReviews,
    Stratum,
    weakest_origin,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from roi_tracker.observations.gathering import ByProduct, Share
    from roi_tracker.observations.shifts import ShiftCalendar, ShiftInstance


def derive(
    facts: Iterable[f.Fact],
    calendar: ShiftCalendar,
    only: frozenset[date] | None = None,
    signs: Mapping[str, Sequence[datetime]] | None = None,
) -> Observations:
    """Gather facts into observations. What lies outside every shift or contradicts itself is reported as a finding.

    Args:
        facts: in order of arrival; for some days only, all that bear on those days (`days.Window`).
        calendar: the plant's shifts.
        only: days wanted; every day that has facts where None.
        signs: signs of life by line beyond those in `facts`.
    """
    gathered = Gathered(calendar)
    gathered.take_all(facts)
    lines = line_shifts(gathered, signs or {}, only)
    first_live = {
        line: min(change.at for change in changes if change.mode == "live")
        for line, changes in gathered.modes.items()
        if any(change.mode == "live" for change in changes)
    }
    products: list[Observation] = []
    for row in lines:
        key = row.shift_key
        made = gathered.products.get(key, {})
        kpis: dict[str, list[Share]] = defaultdict(list)
        for share in gathered.kpis.get(key, ()):
            kpis[share.product].append(share)
        kpis.pop("", None)
        if made or kpis:
            shift = _Shift(row, gathered.instances[key], gathered, first_live.get(key[0]))
            products.extend(shift.observation(name, made.get(name, ()), kpis[name]) for name in sorted({*made, *kpis}))
    findings = [found for found in gathered.findings if only is None or found.day in only]
    return Observations(tuple(products), lines, tuple(sorted(findings, key=_finding_order)))


def _finding_order(finding: Finding) -> tuple[date, str, str, str]:
    return (finding.day, finding.line, finding.name, finding.evidence)


class _Shift:
    """One line in one shift, while its products are being counted."""

    def __init__(
        self, row: LineShift, instance: ShiftInstance, gathered: Gathered, first_live: datetime | None
    ) -> None:
        self._key = row.shift_key
        self._gathered = gathered
        self._first_live = first_live
        self._inspector = _inspector_in_force(row, instance)
        production = [fact for found in gathered.products.get(self._key, {}).values() for fact in found]
        self._coverage = stoppages.covered_ratio(instance, latest_of_period(production))

    def observation(self, product: str, found: Sequence[ByProduct], kpis: Sequence[Share]) -> Observation:
        """Count one product."""
        gathered, key = self._gathered, self._key
        production = self._production(found)
        parts = [fact for fact in found if isinstance(fact, f.InspectedPart)]
        escapes = [fact.count for fact in found if isinstance(fact, f.EscapeFact)]
        live = [part for part in parts if part.mode == "live"]
        judged = [(part, gathered.judged[part.key]) for part in live if part.key in gathered.judged]
        reviewed = [judgement for part, judgement in judged if part.verdict == "REVIEW"]
        inspected = _total(fact.inspected for fact in production)
        rejected = _total(fact.rejected for fact in production)
        if inspected is None and live:
            inspected = sum(part.verdict in {"PASS", "FAIL"} for part in live) + len(reviewed)
            rejected = sum(part.verdict == "FAIL" for part in live)
        produced = _total(fact.produced for fact in production)
        audits = _audits(found, parts, gathered)
        impossible = _impossible(produced, inspected, rejected, audits)
        impossible = impossible or self._audited_too_many(found, len(reviewed), (produced, inspected, rejected))
        if impossible:
            gathered.find("impossible_count", key, f"{product}: {impossible}")
            inspected, rejected, audits = None, None, ()
        return Observation(
            *key,
            product=product,
            origin=weakest_origin([*(fact.origin for fact in found), *(share.origin for share in kpis)]),
            inspector=self._inspector,
            produced=produced,
            inspected=inspected,
            rejected=rejected,
            reviewed=len(reviewed),
            review_defects=sum(judgement.defective for judgement in reviewed),
            scrap=_total(fact.scrap for fact in production),
            rework=_total(fact.rework for fact in production),
            planned_busy_s=_total_s(fact.planned_busy_s for fact in production),
            escapes=sum(escapes) if escapes else None,
            audits=audits,
            no_verdict=sum(map(self._passed_uninspected, parts)) if parts else None,
            late_rejects=sum(part.verdict == "FAIL" and part.key in gathered.late for part in live),
            overruled=sum(_overruled(part, judgement) for part, judgement in judged),
            coverage=self._coverage,
            kpis=kpi_counts(kpis),
            repeats=_repeats(parts, gathered),
            challenges=_challenges(found),
        )

    def _audited_too_many(
        self, found: Sequence[ByProduct], reviewed: int, counts: tuple[int | None, int | None, int | None]
    ) -> str:
        """Audits as stated by a file cannot hold more parts than there were; empty where they do not. An AI in shadow
        has verdicts of its own, which no count here tells: its audits are held against all parts.
        """
        produced, inspected, rejected = counts
        stated = [fact for fact in found if isinstance(fact, f.AuditFact)]
        for inspector in ("previous", "ai"):
            drawn = {
                verdict: sum(s.audited for s in stated if (s.inspector, s.stratum) == (inspector, verdict))
                for verdict in ("PASS", "FAIL")
            }
            parts = inspected if inspected is not None else produced
            if parts is not None and sum(drawn.values()) > parts:
                return f"audited {sum(drawn.values())} ({inspector}) > {parts} parts"
            if inspector != (self._inspector or "previous") or inspected is None or rejected is None:
                continue
            for verdict, there in (("PASS", inspected - rejected - reviewed), ("FAIL", rejected)):
                if drawn[verdict] > there:
                    return f"audited {drawn[verdict]} ({inspector} {verdict}) > {there} parts of that verdict"
        return ""

    def _production(self, found: Sequence[ByProduct]) -> list[f.ProductionFact]:
        latest = latest_of_period(found)
        stated = [fact for fact in found if isinstance(fact, f.ProductionFact)]
        if len(stated) > len(latest):
            by_period: dict[tuple[datetime, datetime], f.ProductionFact] = {}
            for fact in stated:
                known = by_period.get((fact.at, fact.end))
                if known is not None:
                    self._gathered.find("duplicate_production", self._key, f"{known.key} and {fact.key}")
                by_period[(fact.at, fact.end)] = fact
        return latest

    def _passed_uninspected(self, part: f.InspectedPart) -> bool:
        """In live operation without a verdict, or with the station off once it had been live. Before that, and in
        shadow, the previous inspection looks at the part.
        """
        if part.mode == "live":
            return part.verdict == "NO_VERDICT"
        return part.mode == "off" and self._first_live is not None and part.at >= self._first_live


def _inspector_in_force(row: LineShift, instance: ShiftInstance) -> Inspector | None:
    if row.live_s is None:
        return None
    return "ai" if row.live_s > (instance.end - instance.start).total_seconds() / 2 else "previous"


def _overruled(part: f.InspectedPart, judgement: f.JudgedPart) -> bool:
    """A blind judgement is a measurement; one that saw the verdict and reversed it is a bypass."""
    if judgement.blind or part.verdict not in {"PASS", "FAIL"}:
        return False
    return judgement.defective != (part.verdict == "FAIL")


def _total(values: Iterable[int | None]) -> int | None:
    """Sum of counts; None as soon as one of them was not measured, or there is none."""
    known = list(values)
    measured = [value for value in known if value is not None]
    return sum(measured) if known and len(measured) == len(known) else None


def _total_s(values: Iterable[float | None]) -> float | None:
    known = list(values)
    measured = [value for value in known if value is not None]
    return sum(measured) if known and len(measured) == len(known) else None


def _audits(
    found: Sequence[ByProduct], parts: Sequence[f.InspectedPart], gathered: Gathered
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


def _repeats(parts: Sequence[f.InspectedPart], gathered: Gathered) -> tuple[RepeatReviews, ...]:
    """Audited parts whose judgement was repeated, by how many of the two reviews called them defective."""
    if not gathered.repeats:
        return ()
    counts: dict[Stratum, list[int]] = defaultdict(lambda: [0, 0, 0])
    for part in parts:
        judged = gathered.judged.get(part.key)
        if judged is None or not judged.blind or judged.stratum != f"audit_{part.verdict.lower()}":
            continue
        again = gathered.repeats.get(judged.key)
        if again is not None and again.blind:
            counts["PASS" if part.verdict == "PASS" else "FAIL"][judged.defective + again.defective] += 1
    return tuple(
        RepeatReviews(stratum, both, split, neither) for stratum, (neither, split, both) in sorted(counts.items())
    )


def _challenges(found: Sequence[ByProduct]) -> tuple[Challenge, ...]:
    sums: dict[Inspector, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for fact in found:
        if isinstance(fact, f.ChallengeFact):
            counts = (fact.defective, fact.caught, fact.good, fact.rejected)
            sums[fact.inspector] = [sum(pair) for pair in zip(sums[fact.inspector], counts, strict=True)]
    return tuple(Challenge(inspector, *sums[inspector]) for inspector in sorted(sums))


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
