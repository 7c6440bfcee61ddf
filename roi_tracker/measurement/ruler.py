"""The ruler: what a recorded reject rate says about true defects, from random audits of rejected and passed parts.

A better inspection finds more defects, so the recorded rate rises while quality improves. The share of true defects
among rejected parts (PPV) and among passed parts (false-omission rate) turn recorded counts into true ones:
pi = p * PPV + (1 - p) * FOR. Both are pooled over a period by line, product and inspector: lines differ in how many of
their parts are bad, so one line's rejected parts say little about those of another.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.measurement.quantiles import beta_quantile
from roi_tracker.observations.audit_reach import reached
from roi_tracker.observations.rows import Inspector, Stratum

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roi_tracker.observations.rows import Observation

MINIMUM_AUDITED = 30
"""Fewest parts audited in a stratum (or all of its parts where it has fewer) before its rate is used."""


class StratumKey(msgspec.Struct, frozen=True, order=True):
    """Parts that are audited together."""

    product: str
    inspector: Inspector
    stratum: Stratum
    line: str = ""


class StratumRate(msgspec.Struct, frozen=True):
    """What the audit of one stratum found.

    Attributes:
        population: parts of the stratum in the period.
        audited, defects_found: the random sample.
        reached: of the population, parts that were audited near in time; None where nobody asked.
    """

    key: StratumKey
    population: int
    audited: int
    defects_found: int
    reached: int | None = None

    @property
    def rate(self) -> float:
        """Share of true defects: PPV in the FAIL stratum, FOR in the PASS stratum."""
        return self.defects_found / self.audited if self.audited else 0.0

    @property
    def sufficient(self) -> bool:
        """True when enough parts were audited."""
        return self.audited >= min(MINIMUM_AUDITED, self.population)

    def margins(self, confidence: float) -> tuple[float, float]:
        """Sampling error in defects of the whole stratum, downwards and upwards (Clopper-Pearson, one-sided each,
        with the finite-population correction). An audit that found nothing has no margin downwards but one upwards.
        """
        if not self.population or not self.audited:
            return 0.0, 0.0
        found, rest, tail = self.defects_found, self.audited - self.defects_found, 1 - confidence
        low = beta_quantile(tail, found, rest + 1) if found else 0.0
        high = beta_quantile(1 - tail, found + 1, rest) if rest else 1.0
        unseen = max(0.0, 1.0 - self.audited / self.population) ** 0.5
        return self.population * (self.rate - low) * unseen, self.population * (high - self.rate) * unseen


class AuditReach(msgspec.Struct, frozen=True):
    """One verdict's parts on one line, all products together.

    Attributes:
        reached: of the population, parts that were audited near in time.
    """

    line: str
    stratum: Stratum
    population: int
    reached: int

    @property
    def share(self) -> float:
        """Share of the parts that audits reach."""
        return self.reached / self.population if self.population else 1.0


class Ruler(msgspec.Struct, frozen=True):
    """Rates of all strata of a period."""

    strata: tuple[StratumRate, ...]

    @property
    def reaches(self) -> tuple[AuditReach, ...]:
        """How much of each line's passed and rejected parts was audited near in time, the least first; of strata
        with audits enough, for the others lack them altogether.
        """
        sums: dict[tuple[str, Stratum], list[int]] = defaultdict(lambda: [0, 0])
        for one in self.strata:
            if one.reached is not None and one.population and one.sufficient:
                pair = sums[one.key.line, one.key.stratum]
                pair[0] += one.population
                pair[1] += one.reached
        found = (AuditReach(*key, population, reached) for key, (population, reached) in sorted(sums.items()))
        return tuple(sorted(found, key=lambda one: one.share))

    @property
    def missing(self) -> tuple[StratumRate, ...]:
        """Strata that have parts but no sufficient audit."""
        return tuple(stratum for stratum in self.strata if not stratum.sufficient)

    def rate(self, product: str, inspector: Inspector, stratum: Stratum, line: str) -> float:
        """Share of true defects in a stratum, 0 for one without parts."""
        key = StratumKey(product, inspector, stratum, line)
        return next((known.rate for known in self.strata if known.key == key), 0.0)

    def margins(self, confidence: float) -> tuple[float, float]:
        """Sampling error of the true defects of all strata together, down and up; strata are independent."""
        pairs = [stratum.margins(confidence) for stratum in self.strata]
        return float(np.hypot.reduce([low for low, _ in pairs] or [0.0])), float(
            np.hypot.reduce([high for _, high in pairs] or [0.0])
        )


def populations(row: Observation) -> tuple[int, int]:
    """Passed and rejected parts of a measured row; parts decided by a person after REVIEW belong to neither."""
    inspected, rejected = row.inspected or 0, row.rejected or 0
    return max(0, inspected - rejected - row.reviewed), rejected


def ruler_of(rows: Sequence[Observation], when_unknown: Inspector) -> Ruler:
    """Pool the audits of a period.

    Args:
        rows: measured rows (`inspected` and `rejected` known).
        when_unknown: the inspection in force on lines that never reported a mode.
    """
    counts: dict[StratumKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    daily: dict[StratumKey, dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for row in rows:
        inspector = row.inspector or when_unknown
        passed, failed = populations(row)
        strata: tuple[tuple[Stratum, int], ...] = (("PASS", passed), ("FAIL", failed))
        for stratum, parts in strata:
            key = StratumKey(row.product, inspector, stratum, row.line)
            counts[key][0] += parts
            daily[key][row.day.toordinal()][0] += parts
        for audit in row.audits:
            if audit.inspector == inspector:
                key = StratumKey(row.product, inspector, audit.stratum, row.line)
                counts[key][1] += audit.audited
                counts[key][2] += audit.defects_found
                daily[key][row.day.toordinal()][1] += audit.audited
    return Ruler(
        tuple(
            StratumRate(key, population, audited, found, _near(daily[key]))
            for key, (population, audited, found) in sorted(counts.items())
        )
    )


def _near(daily: Mapping[int, Sequence[int]]) -> int:
    """Parts that were audited near in time, from parts and audited ones by day."""
    days = np.array(sorted(daily), dtype=np.int64)
    made, seen = (np.array([daily[int(day)][which] for day in days], dtype=np.float64) for which in (0, 1))
    return int(made[reached(days, made, seen)].sum())
