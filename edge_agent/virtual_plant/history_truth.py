"""The truth planted in a simulated year: what the effect was set to, and what it came to in the drawn numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.virtual_plant.shift_process import ShiftOutcome

Inspector = Literal["ai", "previous"]


class InspectorSkill(msgspec.Struct, frozen=True):
    """Share of defective parts an inspector fails, and share of good parts he passes."""

    sensitivity: float
    specificity: float


class PlantedEffect(msgspec.Struct, frozen=True):
    """What the go-live of the AI changes in truth, and the line it changes.

    Attributes:
        defect_rate: mean true defect rate before, 0 to 1.
        defect_reduction: share of true defects that no longer happen once live.
        stop_reduction: share of unplanned stops that no longer happen once live.
        energy_reduction: share of the energy of the same parts that is no longer used once live.
        previous, ai: how well the two inspections see.
        autocorrelation: AR(1) coefficient of the log rates from shift to shift.
        log_sd: standard deviation of the log defect rate from shift to shift (overdispersion).
    """

    defect_rate: float = 0.030
    defect_reduction: float = 0.30
    stop_reduction: float = 0.25
    energy_reduction: float = 0.0
    previous: InspectorSkill = InspectorSkill(0.80, 0.97)
    ai: InspectorSkill = InspectorSkill(0.97, 0.985)
    autocorrelation: float = 0.4
    log_sd: float = 0.15

    def skill(self, inspector: Inspector) -> InspectorSkill:
        """How well an inspector sees."""
        return self.ai if inspector == "ai" else self.previous


class PhaseTruth(msgspec.Struct, frozen=True):
    """True totals of one phase.

    Attributes:
        produced: parts made.
        defects: truly defective parts.
        avoided_defects: parts that would have been defective without the effect.
        unplanned_stop_s: seconds of unplanned stops.
        avoided_stop_s: seconds of unplanned stops that the effect prevented.
        avoided_kwh: energy that the same parts would have used without the effect.
    """

    produced: int
    defects: int
    avoided_defects: int
    unplanned_stop_s: float
    avoided_stop_s: float
    avoided_kwh: float = 0.0

    @property
    def defect_rate(self) -> float:
        """True defects a part."""
        return self.defects / self.produced


class YearTruth(msgspec.Struct, frozen=True):
    """Everything the export does not say; measure it against `live.avoided_defects` and `live.avoided_stop_s`."""

    effect: PlantedEffect
    baseline: PhaseTruth
    live: PhaseTruth

    @classmethod
    def of(cls, effect: PlantedEffect, outcomes: Sequence[ShiftOutcome]) -> YearTruth:
        """Sum the outcomes of the year's shifts."""
        return cls(effect, _total(outcomes, "baseline"), _total(outcomes, "live"))


def _total(outcomes: Sequence[ShiftOutcome], phase: str) -> PhaseTruth:
    chosen = [outcome for outcome in outcomes if outcome.phase == phase]
    made = [product for outcome in chosen for product in outcome.products]
    return PhaseTruth(
        produced=sum(product.produced for product in made),
        defects=sum(product.true_defects for product in made),
        avoided_defects=sum(product.avoided_defects for product in made),
        unplanned_stop_s=sum(stop.duration_s for outcome in chosen for stop in outcome.stops if not stop.planned),
        avoided_stop_s=sum(outcome.avoided_stop_s for outcome in chosen),
        avoided_kwh=sum(outcome.avoided_kwh for outcome in chosen),
    )
