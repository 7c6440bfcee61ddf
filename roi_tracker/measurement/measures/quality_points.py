"""The inspection benefit up to the end of each month, with what was known on that day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.measurement.estimation import CumulativePoint
from roi_tracker.measurement.measures.inspected import Tally
from roi_tracker.measurement.measures.inspection import InspectedParts
from roi_tracker.measurement.measures.quality import QualityEvidence, QualityMeasurement

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from roi_tracker.measurement.estimation import Estimate, IntervalKind
    from roi_tracker.measurement.measures.inspection import Prices
    from roi_tracker.measurement.measures.quality import QualityDetail
    from roi_tracker.measurement.measures.reviewers import ReviewEvidence
    from roi_tracker.observations.rows import Observation

_FEWEST_DAYS = 5


class _Snapshot(msgspec.Struct, frozen=True):
    """What had been counted by the end of a day; `audits` is how many audits of the tally."""

    day: date
    parts: tuple[InspectedParts, ...]
    audits: int
    days: int


class QualityHistory:
    """Reporting rows under the programme's inspection, against a baseline that does not change."""

    def __init__(self, former: Tally, rows: Sequence[Observation], review: ReviewEvidence, prices: Prices) -> None:
        """Count the rows day by day.

        Args:
            former: the baseline's parts under the previous inspection.
            rows: of the programme's lines, from the blackout on (challenges count from then), in time order.
            review: how reviewers err.
            prices: what outcomes cost.
        """
        self._former, self._audits_before = former.parts(), tuple(former.audits)
        self._review, self._prices = review, prices
        self._tally = Tally("ai", "ai")
        self._snapshots: list[_Snapshot] = []
        for position, row in enumerate(rows):
            self._tally.add(row)
            following = rows[position + 1].day if position + 1 < len(rows) else None
            if following != row.day and self._tally.days:
                audits, days = len(self._tally.audits), len(self._tally.days)
                self._snapshots.append(_Snapshot(row.day, self._tally.parts(), audits, days))

    @property
    def measured(self) -> bool:
        """Whether anything can be compared."""
        return bool(self._snapshots) and self._on(self._snapshots[-1]).measured > 0

    def whole(self, interval: IntervalKind) -> Estimate:
        """All days."""
        return self._on(self._snapshots[-1]).whole(interval)

    def detail(self) -> QualityDetail:
        """What stands behind it."""
        return self._on(self._snapshots[-1]).detail()

    def points(self, closing_days: Collection[date]) -> tuple[CumulativePoint, ...]:
        """Month ends, closing days and the last day, once every product that counts in the end has been audited."""
        points: list[CumulativePoint] = []
        products = self._on(self._snapshots[-1]).measured
        for position, snapshot in enumerate(self._snapshots):
            last = position + 1 == len(self._snapshots)
            closing = snapshot.day in closing_days
            wanted = last or closing or self._snapshots[position + 1].day.month != snapshot.day.month
            if not wanted or snapshot.days < _FEWEST_DAYS:
                continue
            measurement = self._on(snapshot)
            if measurement.measured == products:
                found = measurement.whole("closing" if closing else "anytime")
                points.append(
                    CumulativePoint(snapshot.day, found.days, found.avoided, found.low, found.high, found.interval)
                )
        return tuple(points)

    def _on(self, snapshot: _Snapshot) -> QualityMeasurement:
        audits = tuple(self._tally.audits[: snapshot.audits])
        return QualityMeasurement(
            QualityEvidence(
                self._former, snapshot.parts, self._audits_before, audits, self._review, self._prices, snapshot.days
            )
        )


def without_blackout(rows: Sequence[Observation], first: date) -> list[Observation]:
    """Rows from the first reporting day on, and of the days before it the challenges alone."""
    return [
        row if row.day >= first else msgspec.structs.replace(row, inspected=None, rejected=None)
        for row in rows
        if row.day >= first or row.challenges
    ]
