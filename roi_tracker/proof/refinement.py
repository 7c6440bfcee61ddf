"""What a measure adds to the general measurement: rules of its own, another figure, and what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec
import numpy as np

from roi_tracker.measurement.estimation import Contrast
from roi_tracker.proof.comparing import Comparison

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from roi_tracker.baseline.frozen import FittedBaseline
    from roi_tracker.baseline.sufficiency import Check, RuleName
    from roi_tracker.business_case import BenefitLine, BusinessCase, Period
    from roi_tracker.measurement.estimation import CumulativePoint, Estimate, IntervalKind
    from roi_tracker.measurement.measures.details import MeasureDetail
    from roi_tracker.measurement.panels.panel import Panel
    from roi_tracker.measurement.panels.scope import Scope
    from roi_tracker.observations.rows import Observations
    from roi_tracker.proof.comparing import Design

OwnMethod = Literal["cost_of_quality", "confirmed_alarms", "energy_regression"]


class Measuring(Protocol):
    """A figure and its running total; what `Measurement` offers, and what measures put in its place."""

    def whole(self, interval: IntervalKind) -> Estimate:
        """All days."""
        ...

    def points(self, closing_days: Collection[date]) -> tuple[CumulativePoint, ...]:
        """The running total at the end of each month, on closing days and on the last day."""
        ...


@dataclass(frozen=True)
class Ground:
    """What a measure may look at.

    Attributes:
        fitted: the frozen baseline.
        baseline, reporting: panels of the scope, control lines included.
        period: reporting days so far.
    """

    case: BusinessCase
    line: BenefitLine
    observations: Observations
    scope: Scope
    fitted: FittedBaseline
    baseline: Panel
    reporting: Panel
    period: Period


@dataclass(frozen=True)
class Refined:
    """A measurement as the measure wants it.

    Attributes:
        checks: all rules asked so far, the measure's own included.
        measurement: None where nothing could be measured.
        comparison: design for the grade, where the measure has one of its own.
    """

    checks: list[Check]
    measurement: Measuring | None
    detail: MeasureDetail | None = None
    method: OwnMethod | None = None
    comparison: Comparison | None = None


def as_caveats(checks: Iterable[Check], rules: Collection[RuleName]) -> list[Check]:
    """The checks, some of which are told but no longer forbid a claim."""
    return [msgspec.structs.replace(check, disqualifies=False) if check.rule in rules else check for check in checks]


def compared_by(design: Design) -> Comparison:
    """A comparison that is no series of days: only its design says something."""
    nothing = np.zeros(0)
    return Comparison(
        design,
        Contrast(
            days=(),
            expected=nothing,
            observed=nothing,
            gradient=np.zeros((0, 1)),
            noise=nothing,
            baseline_noise=nothing,
            baseline_level=0.0,
        ),
    )
