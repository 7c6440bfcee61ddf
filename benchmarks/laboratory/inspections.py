"""Inspections that see better or worse than before: does a method still know how many parts are defective?

A better inspection finds more defects, so recorded counts rise and nothing got worse; a worse one looks like success.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.laboratory import ours
from benchmarks.laboratory.peers import NORMAL_95, Claim
from benchmarks.laboratory.plants import ar1
from benchmarks.laboratory.scoring import Score
from roi_tracker.case.plant import Period
from roi_tracker.measurement.estimation import CONFIDENCE
from roi_tracker.measurement.measures.inspected import Tally
from roi_tracker.measurement.measures.inspection import Prices
from roi_tracker.measurement.measures.quality import QualityEvidence, QualityMeasurement
from roi_tracker.measurement.measures.reviewers import ReviewEvidence, pairs_of, review_evidence
from roi_tracker.measurement.panels.defects import defects
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.observations.rows import AuditSample, Inspector, Observation, Observations, RepeatReviews, Stratum

if TYPE_CHECKING:
    from benchmarks.laboratory.experiments import Chunk, Scores

DAYS = 90
"""Of the baseline, and of reporting."""
PARTS, RATE = 1_500, 0.025
AUDITED: dict[Stratum, int] = {"FAIL": 25, "PASS": 60}
REPEATED = 0.3
PRICES = Prices(escape=50.0, overkill=2.0, internal=5.0, appraisal=0.0, appraisal_before=0.0)
RECORDED, STRATA, AUDITS = "recorded rejects", "Se/Sp from equal strata", "ours, audits"
COST, COST_TWICE = "ours, cost of quality", "ours, cost of quality, reviews repeated"


@dataclass(frozen=True)
class Inspections:
    """Two inspections, one after the other.

    Attributes:
        before, after: share of defects that is caught.
        false_before, false_after: share of good parts that is rejected.
        effect: share of defects that no longer happen.
        miss, false_alarm: errors of the people who review audited parts.
    """

    name: str
    before: float = 0.75
    after: float = 0.97
    false_before: float = 0.006
    false_after: float = 0.004
    effect: float = 0.0
    miss: float = 0.0
    false_alarm: float = 0.0
    violates: str = ""


SCENARIOS = (
    Inspections("better inspection, same process"),
    Inspections("better inspection, better process", effect=0.25),
    Inspections("worse inspection, same process", before=0.95, after=0.75),
    Inspections(
        "better inspection, reviewers err",
        effect=0.25,
        miss=0.08,
        false_alarm=0.01,
        violates="audits know the truth",
    ),
)


@dataclass(frozen=True)
class _Year:
    """What is observed, and the truth."""

    rows: tuple[Observation, ...]
    avoided: int
    without: int
    saved: float
    cost_before: float

    def of(self, inspector: Inspector) -> list[Observation]:
        return [row for row in self.rows if row.inspector == inspector]


def _reviewed(rng: np.random.Generator, defective: int, good: int, world: Inspections) -> int:
    return int(rng.binomial(defective, 1 - world.miss) + rng.binomial(good, world.false_alarm))


def _repeats(
    rng: np.random.Generator, stratum: Stratum, defective: int, good: int, world: Inspections
) -> RepeatReviews:
    """Parts that two people looked at."""
    counts = np.zeros(3, dtype=np.int64)
    for parts, called in ((defective, 1 - world.miss), (good, world.false_alarm)):
        times = rng.binomial(2, called, size=int(rng.binomial(parts, REPEATED)))
        counts += np.bincount(times, minlength=3)
    return RepeatReviews(stratum, int(counts[2]), int(counts[1]), int(counts[0]))


def _draw(world: Inspections, rng: np.random.Generator) -> _Year:
    quality = np.exp(0.2 * ar1(rng, 0.5, (2 * DAYS,)) - 0.02)
    rows: list[Observation] = []
    avoided = without = 0
    after, before = 0.0, 0.0
    for day in range(2 * DAYS):
        live = day >= DAYS
        made = int(rng.poisson(PARTS))
        would_be = int(rng.binomial(made, min(0.5, RATE * quality[day])))
        gone = int(rng.binomial(would_be, world.effect)) if live else 0
        bad, good = would_be - gone, made - would_be + gone
        caught = int(rng.binomial(bad, world.after if live else world.before))
        false = int(rng.binomial(good, world.false_after if live else world.false_before))
        if live:
            avoided, without = avoided + gone, without + would_be
            after += (bad - caught) * PRICES.escape + false * PRICES.overkill + caught * PRICES.internal
            before += bad * ((1 - world.before) * PRICES.escape + world.before * PRICES.internal)
            before += good * world.false_before * PRICES.overkill
        inspector: Inspector = "ai" if live else "previous"
        audits: list[AuditSample] = []
        repeats: list[RepeatReviews] = []
        strata: tuple[tuple[Stratum, int, int], ...] = (
            ("FAIL", caught, false),
            ("PASS", bad - caught, good - false),
        )
        for stratum, defective, fine in strata:
            size = min(AUDITED[stratum], defective + fine)
            drawn = int(rng.hypergeometric(defective, fine, size)) if size else 0
            audits.append(AuditSample(inspector, stratum, size, _reviewed(rng, drawn, size - drawn, world)))
            repeats.append(_repeats(rng, stratum, drawn, size - drawn, world))
        rows.append(
            Observation(
                "line-00",
                ours.FIRST + timedelta(days=day),
                "day",
                "p0",
                "simulated",
                inspector,
                produced=made,
                inspected=made,
                rejected=caught + false,
                audits=tuple(audits),
                repeats=tuple(repeats),
            )
        )
    return _Year(tuple(rows), avoided, without, before - after, before)


def _recorded(year: _Year) -> Claim:
    """Rejected parts before and after, taken for defects."""
    (n0, d0), (n1, d1) = (
        (sum(row.inspected or 0 for row in rows), sum(row.rejected or 0 for row in rows))
        for rows in (year.of("previous"), year.of("ai"))
    )
    before, after = d0 / n0, d1 / n1
    margin = NORMAL_95 * n1 * (before * (1 - before) / n0 + after * (1 - after) / n1) ** 0.5
    avoided = n1 * (before - after)
    return Claim(avoided - margin > 0, avoided - margin, avoided + margin, avoided)


def _from_equal_strata(year: _Year) -> Claim:
    """Sensitivity and specificity read off audits of each verdict as if they were a sample of all parts."""
    rates = []
    for rows in (year.of("previous"), year.of("ai")):
        share = {
            stratum: sum(a.defects_found for row in rows for a in row.audits if a.stratum == stratum)
            / sum(a.audited for row in rows for a in row.audits if a.stratum == stratum)
            for stratum in AUDITED
        }
        sensitivity = share["FAIL"] / (share["FAIL"] + share["PASS"])
        specificity = (1 - share["PASS"]) / (2 - share["PASS"] - share["FAIL"])
        called = sum(row.rejected or 0 for row in rows) / sum(row.inspected or 0 for row in rows)
        rates.append((called + specificity - 1) / (sensitivity + specificity - 1))
    parts = sum(row.inspected or 0 for row in year.of("ai"))
    return Claim(realized=False, avoided=parts * (rates[0] - rates[1]))


def _by_audits(year: _Year) -> Claim:
    scope = Scope(measure="defects", lines=("line-00",), expected=lambda _: True, shifts_per_day=1)
    source = defects(Observations(year.rows, (), ()), scope, "previous")
    live = ours.FIRST + timedelta(days=DAYS)
    periods = (
        Period(first=ours.FIRST, last=live - timedelta(days=1)),
        Period(first=live, last=live + timedelta(days=DAYS - 1)),
    )
    return ours.measured(source, periods).claim()


def _cost_of_quality(year: _Year, *, corrected: bool) -> Claim:
    former = Tally("previous", "previous").add_all(year.of("previous"))
    now = Tally("ai", "ai").add_all(year.of("ai"))
    passed, failed = pairs_of(year.rows)
    review = review_evidence(passed, failed, CONFIDENCE) if corrected else ReviewEvidence(passed, failed)
    found = QualityMeasurement(
        QualityEvidence(former.parts(), now.parts(), tuple(former.audits), tuple(now.audits), review, PRICES, DAYS)
    ).whole("closing")
    return Claim(found.low > 0, found.low, found.high, found.avoided)


def inspected(chunk: Chunk, world: Inspections) -> Scores:
    """Defects avoided, and the inspection's own saving, on the same plants."""
    scores = {name: Score() for name in (RECORDED, STRATA, AUDITS, COST, COST_TWICE)}
    for rng in chunk.streams():
        year = _draw(world, rng)
        scores[RECORDED].add(_recorded(year), year.avoided, year.without)
        scores[STRATA].add(_from_equal_strata(year), year.avoided, year.without)
        scores[AUDITS].add(_by_audits(year), year.avoided, year.without)
        scores[COST].add(_cost_of_quality(year, corrected=False), year.saved, year.cost_before)
        scores[COST_TWICE].add(_cost_of_quality(year, corrected=True), year.saved, year.cost_before)
    return scores
