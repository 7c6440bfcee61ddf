"""A small plant day by day, and a benefit line of any measure taken all the way from baseline to proof."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from roi_tracker.baseline.frozen import FittedBaseline, FrozenBaseline, fit_baseline
from roi_tracker.business_case import BenefitLine, BusinessCase, MeasurementPlan
from roi_tracker.observations.rows import LineShift, Observation, Observations
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.proof.proving import NotProven, Proof, prove, scope_of

LINE = "press-1"
SHIFTS = ("day", "evening", "night")
FIRST, GO_LIVE, LAST = date(2025, 1, 1), date(2025, 7, 15), date(2025, 12, 31)
BEFORE_GO_LIVE = datetime(2025, 7, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """A shift of the simulated year."""

    day: date
    shift: str
    live: bool

    @property
    def number(self) -> int:
        """Days since the year began."""
        return (self.day - FIRST).days


def places(first: date = FIRST) -> Iterator[Place]:
    """All shifts from a day on to the end of the year."""
    for offset in range((LAST - first).days + 1):
        day = first + timedelta(days=offset)
        for shift in SHIFTS:
            yield Place(day, shift, day >= GO_LIVE)


def product(place: Place, name: str = "a", **counts: Any) -> Observation:
    """One product in a shift."""
    return Observation(LINE, place.day, place.shift, name, "simulated", "ai" if place.live else "previous", **counts)


def line_shift(place: Place, **facts: Any) -> LineShift:
    """A line's shift of eight planned busy hours, the inspection live since go-live."""
    live = 8 * 3600.0 if place.live else 0.0
    given = {"planned_busy_s": 8 * 3600.0, "live_s": live, "shadow_s": 0.0} | facts
    return LineShift(LINE, place.day, place.shift, "simulated", **given)


def observed(products: list[Observation], lines: list[LineShift]) -> Observations:
    """Nothing was wrong with the data."""
    return Observations(tuple(products), tuple(lines), ())


@dataclass(frozen=True)
class Bench:
    """A case with one benefit line."""

    case: BusinessCase

    @property
    def line(self) -> BenefitLine:
        """The line."""
        return self.case.benefits[0]

    def frozen(self, observations: Observations) -> FrozenBaseline:
        """Freeze the baseline."""
        fitted = fit_baseline(self.case, self.line, observations, scope_of(self.line, ShiftCalendar(self.case.plant)))
        assert isinstance(fitted, FittedBaseline), fitted
        return FrozenBaseline(fitted, fitted.sha256, BEFORE_GO_LIVE)

    def prove(self, observations: Observations) -> Proof:
        """Freeze and measure."""
        calendar = ShiftCalendar(self.case.plant)
        return prove(self.case, self.line, observations, calendar, self.frozen(observations))


MakeBench = Callable[..., Bench]


@pytest.fixture
def bench(case: BusinessCase) -> MakeBench:
    """Make a bench; `unit` is what a unit value is stated per, `projected` units a year."""

    def make(measure: str, unit: str, projected: float, plan: MeasurementPlan | None = None, **changes: Any) -> Bench:
        base = case.benefits[2]
        quantity = base.quantity_per_year
        assert quantity is not None
        line = base.model_copy(
            update={
                "measure": measure,
                "ramp_up": (1,),
                "unit_value": base.unit_value.model_copy(update={"per": unit, "source": "repair and overtime, 2024"}),
                "quantity_per_year": quantity.model_copy(update={"value": Decimal(round(projected))}),
                "measurement": plan or MeasurementPlan(),
                "labour_evidence": None,
                **changes,
            }
        )
        return Bench(case.model_copy(update={"benefits": (line,)}))

    return make


def failed(proof: Proof) -> set[str]:
    """Rules that a refusal names."""
    assert isinstance(proof, NotProven), proof
    return {check.rule for check in proof.failed}
