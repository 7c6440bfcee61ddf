"""Counting what an inspection did, product by product, day after day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.measurement.measures.inspection import InspectedParts
from roi_tracker.measurement.measures.proportions import Share
from roi_tracker.measurement.ruler import populations
from roi_tracker.observations.rows import Stratum

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.observations.rows import Inspector, Observation


class AuditOfDay(msgspec.Struct, frozen=True):
    """What a day's audit of one verdict of one product found."""

    day: date
    product: str
    stratum: Stratum
    audited: int
    found: int


class _Counts:
    """Sums of one product."""

    def __init__(self) -> None:
        self.passed = self.failed = self.reviewed = self.review_defects = self.uninspected = self.late = 0
        self.audits: dict[Stratum, list[int]] = {"FAIL": [0, 0], "PASS": [0, 0]}
        self.challenge = [0, 0, 0, 0]


class Tally:
    """Parts judged by one inspection; rows are added in time order, so that it can be read at any day."""

    def __init__(self, inspector: Inspector, when_unknown: Inspector) -> None:
        """Start empty.

        Args:
            inspector: whose parts are counted.
            when_unknown: the inspection in force on lines that never reported a mode.
        """
        self._inspector, self._when_unknown = inspector, when_unknown
        self._products: dict[str, _Counts] = {}
        self.audits: list[AuditOfDay] = []
        self.days: set[date] = set()

    def add_all(self, rows: Iterable[Observation]) -> Tally:
        """Add many rows."""
        for row in rows:
            self.add(row)
        return self

    def add(self, row: Observation) -> None:
        """Count a row; one that another inspection judged brings its challenges only."""
        self.challenged(row)
        if (row.inspector or self._when_unknown) != self._inspector or row.inspected is None or row.rejected is None:
            return
        counts = self._products.setdefault(row.product, _Counts())
        self.days.add(row.day)
        passed, failed = populations(row)
        counts.passed += passed
        counts.failed += failed
        counts.reviewed += row.reviewed
        counts.review_defects += row.review_defects
        counts.uninspected += row.no_verdict or 0
        counts.late += min(row.late_rejects, failed)
        for audit in row.audits:
            if audit.inspector == self._inspector:
                counts.audits[audit.stratum][0] += audit.defects_found
                counts.audits[audit.stratum][1] += audit.audited
                self.audits.append(AuditOfDay(row.day, row.product, audit.stratum, audit.audited, audit.defects_found))

    def challenged(self, row: Observation) -> None:
        """Count parts of known truth put before this inspection, whatever day it was."""
        for shown in row.challenges:
            if shown.inspector == self._inspector:
                counts = self._products.setdefault(row.product, _Counts()).challenge
                for place, value in enumerate((shown.caught, shown.defective, shown.rejected, shown.good)):
                    counts[place] += value

    def parts(self) -> tuple[InspectedParts, ...]:
        """What was counted so far, by product; products that were only challenged are left out."""
        return tuple(
            InspectedParts(
                product=product,
                inspector=self._inspector,
                passed=counts.passed,
                failed=counts.failed,
                reviewed=counts.reviewed,
                review_defects=counts.review_defects,
                uninspected=counts.uninspected,
                late=counts.late,
                audit_fail=Share(counts.audits["FAIL"][0], counts.audits["FAIL"][1], counts.failed),
                audit_pass=Share(counts.audits["PASS"][0], counts.audits["PASS"][1], counts.passed),
                challenge_defective=Share(counts.challenge[0], counts.challenge[1]),
                challenge_good=Share(counts.challenge[2], counts.challenge[3]),
            )
            for product, counts in sorted(self._products.items())
            if counts.passed + counts.failed + counts.reviewed
        )
