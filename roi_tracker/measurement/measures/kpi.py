"""Indicators of which more is better: the same measurement with its sign turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from roi_tracker.measurement.estimation import CumulativePoint, Estimate, IntervalKind, Measurement


class KpiDetail(msgspec.Struct, frozen=True, tag="kpi"):
    """What stands behind an indicator's benefit.

    Attributes:
        gained: True where more is better: the quantity is what was gained, observed less expected.
        level_expected, level: the indicator without the programme and observed.
        unit: what one unit of the quantity is.
    """

    gained: bool
    level_expected: float
    level: float
    unit: str


class Gained:
    """A measurement of what was gained, where others say what was avoided."""

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = measurement

    def whole(self, interval: IntervalKind) -> Estimate:
        """All days."""
        return turned(self._measurement.whole(interval))

    def points(self, closing_days: Collection[date]) -> tuple[CumulativePoint, ...]:
        """The running total."""
        return tuple(
            msgspec.structs.replace(point, avoided=-point.avoided, low=-point.high, high=-point.low)
            for point in self._measurement.points(closing_days)
        )


def turned(found: Estimate) -> Estimate:
    """Observed less expected, positive is better."""
    return msgspec.structs.replace(found, avoided=-found.avoided, low=-found.high, high=-found.low)
