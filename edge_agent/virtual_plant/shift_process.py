"""One shift after another of a simulated line: parts, true defects, what an inspector makes of them, stops, energy.

Rates fluctuate as plants' rates do: the log rates follow AR(1) processes (so bad shifts come in runs and counts are
overdispersed), with effects of shift and product. The go-live's effect is planted by thinning: every defect and every
unplanned stop is first drawn as without it, then each is avoided with the planted probability. So the counterfactual
is known exactly, draw by draw.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    import numpy as np

    from edge_agent.virtual_plant.history_truth import InspectorSkill, PlantedEffect

Phase = Literal["baseline", "commissioning", "live"]
PRODUCTS = ("bracket-a", "bracket-b")
SHIFTS = ("day", "evening", "night")
# Multipliers of the mean defect rate; each set averages to one over equal volumes.
SHIFT_FACTOR = {"day": 0.90, "evening": 1.00, "night": 1.10}
PRODUCT_FACTOR = {"bracket-a": 0.92, "bracket-b": 1.10}
PRODUCT_SHARE = {"bracket-a": 0.55, "bracket-b": 0.45}
SHIFT_S = 8 * 3600.0
PARTS_PER_S = 3.2 / 60.0
STOPS_PER_SHIFT = {"day": 1.0, "evening": 1.2, "night": 1.4}
STOP_MEAN_S, STOP_SHAPE = 1_100.0, 1.4
STOP_LOG_SD = 0.25
UNPLANNED_REASONS = ("die_overheated", "material_jam", "belt_slip", "bearing_replaced", "sensor_fault")
UNPLANNED_SHARES = (0.30, 0.30, 0.15, 0.10, 0.15)
PLANNED = (("break", 1_800.0), ("coil_change", 1_200.0))
AUDITED_PASS, AUDITED_FAIL = 40, 12
SCRAP_SHARE = 0.7
ESCAPE_ASSEMBLY, ESCAPE_CUSTOMER = 0.55, 0.05


class Stop(msgspec.Struct, frozen=True):
    """A stop within a shift: start in seconds from the shift's start, duration, whether planned, and why."""

    start_s: float
    duration_s: float
    planned: bool
    reason: str


class Audit(msgspec.Struct, frozen=True):
    """A random sample of one verdict stratum, re-inspected without error."""

    stratum: Literal["PASS", "FAIL"]
    audited: int
    defects_found: int


class ProductShift(msgspec.Struct, frozen=True):
    """What one shift made of one product; `true_defects` and `avoided_defects` are truth and leave in no event."""

    product: str
    produced: int
    true_defects: int
    avoided_defects: int
    rejected: int
    scrap: int
    rework: int
    planned_busy_s: float
    audits: tuple[Audit, ...]
    escapes_assembly: int
    escapes_customer: int


class ShiftOutcome(msgspec.Struct, frozen=True):
    """One shift; `avoided_stop_s` and `avoided_kwh` are truth and leave in no event."""

    phase: Phase
    products: tuple[ProductShift, ...]
    stops: tuple[Stop, ...]
    avoided_stop_s: float
    energy_kwh: float
    labour_hours: float
    avoided_kwh: float = 0.0


class _Batch(msgspec.Struct, frozen=True):
    """One product of one shift before its inspection."""

    product: str
    produced: int
    true_defects: int
    avoided_defects: int
    planned_busy_s: float


class LogRate:
    """A stationary AR(1) process of a log rate, shifted so that the rate's mean multiplier is one.

    Args:
        rng: randomness.
        autocorrelation: AR(1) coefficient.
        sd: stationary standard deviation.
    """

    def __init__(self, rng: np.random.Generator, autocorrelation: float, sd: float) -> None:
        self._rng, self._phi, self._sd = rng, autocorrelation, sd
        self._state = float(rng.normal(0.0, sd))

    def next_factor(self) -> float:
        """The next multiplier of the mean rate."""
        fresh = self._sd * math.sqrt(1.0 - self._phi**2)
        self._state = self._phi * self._state + float(self._rng.normal(0.0, fresh))
        return math.exp(self._state - 0.5 * self._sd**2)


class ShiftProcess:
    """Draws the year's shifts in order.

    Args:
        rng: all randomness.
        effect: what is planted.
    """

    def __init__(self, rng: np.random.Generator, effect: PlantedEffect) -> None:
        self._rng, self._effect = rng, effect
        self._line_rate = LogRate(rng, effect.autocorrelation, effect.log_sd)
        self._product_rate = {product: LogRate(rng, effect.autocorrelation, effect.log_sd / 2) for product in PRODUCTS}
        self._stop_rate = LogRate(rng, effect.autocorrelation, STOP_LOG_SD)

    def run(self, shift: str, phase: Phase, conditions: float = 1.0) -> ShiftOutcome:
        """Draw the next shift. In commissioning half of the effect is there already.

        Args:
            shift: label.
            phase: before, during or after commissioning.
            conditions: factor on the defect rate that the shift's circumstances bring.
        """
        strength = {"baseline": 0.0, "commissioning": 0.5, "live": 1.0}[phase]
        stops, avoided_stop_s = self._stops(shift, strength * self._effect.stop_reduction)
        planned_s = sum(stop.duration_s for stop in stops if stop.planned)
        unplanned_s = sum(stop.duration_s for stop in stops if not stop.planned)
        busy_s = SHIFT_S - planned_s
        running_s = busy_s - unplanned_s
        line_factor = self._line_rate.next_factor()
        share_a = PRODUCT_SHARE["bracket-a"] + float(self._rng.uniform(-0.05, 0.05))
        products = []
        for product, share in zip(PRODUCTS, (share_a, 1.0 - share_a), strict=True):
            rate = (
                self._effect.defect_rate
                * SHIFT_FACTOR[shift]
                * PRODUCT_FACTOR[product]
                * line_factor
                * conditions
                * self._product_rate[product].next_factor()
            )
            produced = int(self._rng.binomial(round(share * running_s * PARTS_PER_S), 0.97))
            would_be = int(self._rng.binomial(produced, min(0.5, rate)))
            avoided = int(self._rng.binomial(would_be, strength * self._effect.defect_reduction))
            batch = _Batch(product, produced, would_be - avoided, avoided, round(share * busy_s, 1))
            products.append(self._inspect(batch, self._effect.skill("ai" if phase == "live" else "previous")))
        produced_total = sum(product.produced for product in products)
        would_use_kwh = 62.0 + 0.065 * produced_total + float(self._rng.normal(0, 4.0))
        used_kwh = round(would_use_kwh * (1.0 - strength * self._effect.energy_reduction), 2)
        return ShiftOutcome(
            phase=phase,
            products=tuple(products),
            stops=tuple(stops),
            avoided_stop_s=avoided_stop_s,
            energy_kwh=used_kwh,
            labour_hours=round(16.0 + float(self._rng.normal(0, 0.5)), 2),
            avoided_kwh=would_use_kwh - used_kwh,
        )

    def _inspect(self, batch: _Batch, skill: InspectorSkill) -> ProductShift:
        rng = self._rng
        good = batch.produced - batch.true_defects
        caught = int(rng.binomial(batch.true_defects, skill.sensitivity))
        overkill = int(rng.binomial(good, 1.0 - skill.specificity))
        missed = batch.true_defects - caught
        passed, failed = good - overkill + missed, caught + overkill
        scrap = int(rng.binomial(caught, SCRAP_SHARE))
        found = rng.multinomial(missed, (ESCAPE_ASSEMBLY, ESCAPE_CUSTOMER, 1.0 - ESCAPE_ASSEMBLY - ESCAPE_CUSTOMER))
        return ProductShift(
            product=batch.product,
            produced=batch.produced,
            true_defects=batch.true_defects,
            avoided_defects=batch.avoided_defects,
            rejected=failed,
            scrap=scrap,
            rework=caught - scrap,
            planned_busy_s=batch.planned_busy_s,
            audits=(
                self._audit("PASS", passed, missed, AUDITED_PASS),
                self._audit("FAIL", failed, caught, AUDITED_FAIL),
            ),
            escapes_assembly=int(found[0]),
            escapes_customer=int(found[1]),
        )

    def _audit(self, stratum: Literal["PASS", "FAIL"], parts: int, defective: int, wanted: int) -> Audit:
        size = min(wanted, parts)
        drawn = int(self._rng.hypergeometric(defective, parts - defective, size)) if size else 0
        return Audit(stratum, size, drawn)

    def _stops(self, shift: str, reduction: float) -> tuple[list[Stop], float]:
        """The shift's stops in time order, and the seconds of unplanned stops that were avoided."""
        rng = self._rng
        planned = [(duration, True, reason) for reason, duration in PLANNED]
        count = int(rng.poisson(STOPS_PER_SHIFT[shift] * self._stop_rate.next_factor()))
        drawn = rng.gamma(STOP_SHAPE, STOP_MEAN_S / STOP_SHAPE, count)
        # More than five hours of unplanned stops in a shift would leave no room between them.
        scale = min(1.0, 18_000.0 / float(drawn.sum())) if count else 1.0
        durations = [round(max(60.0, float(duration) * scale), 1) for duration in drawn]
        avoided = [bool(chance < reduction) for chance in rng.random(count)]
        reasons = [
            UNPLANNED_REASONS[int(pick)] for pick in rng.choice(len(UNPLANNED_REASONS), count, p=UNPLANNED_SHARES)
        ]
        kept = [
            (duration, False, reason)
            for duration, reason, gone in zip(durations, reasons, avoided, strict=True)
            if not gone
        ]
        return self._placed(planned + kept), sum(
            duration for duration, gone in zip(durations, avoided, strict=True) if gone
        )

    def _placed(self, waiting: list[tuple[float, bool, str]]) -> list[Stop]:
        """Put stops into a shift in random order with random gaps, so that none overlap and none leaves the shift."""
        rng = self._rng
        order = [waiting[int(index)] for index in rng.permutation(len(waiting))]
        free_s = SHIFT_S - sum(duration for duration, _, _ in order)
        gaps = rng.dirichlet([1.0] * (len(order) + 1)) * free_s
        stops, clock_s = [], 0.0
        for (duration, is_planned, reason), gap in zip(order, gaps, strict=False):
            clock_s += math.floor(float(gap) * 10.0) / 10.0
            stops.append(Stop(round(clock_s, 1), duration, is_planned, reason))
            clock_s += duration
        return stops
