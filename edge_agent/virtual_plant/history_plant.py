"""A simulated year of a whole plant: two lines with an AI that works, one with a programme that does nothing, one that
got a programme because it looked bad, and lines that got none.

All lines live through the same material and the same seasons, and each has its own slow luck. The line that looks bad
is the worst of several by its records of the first half-year, as a plant would choose: part of that is luck, and it
improves by itself. Its programme does nothing either.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edge_agent.events import Alarm, AlarmOutcome
from edge_agent.virtual_plant.history_events import (
    ASSET,
    BASELINE_FROM,
    Dated,
    ShiftSlot,
    calendar,
    event_of,
    mode_changes,
    shift_events,
    write_export,
)
from edge_agent.virtual_plant.history_truth import InspectorSkill, PlantedEffect, YearTruth
from edge_agent.virtual_plant.shift_process import LogRate, ShiftOutcome, ShiftProcess

if TYPE_CHECKING:
    from pathlib import Path

    from edge_agent.virtual_plant.history_truth import Inspector

AI_LINES = ("press-1", "press-2")
USELESS_LINE = "press-3"
CHOSEN_LINE = "press-4"
CONTROL_LINES = ("press-5", "press-6", "press-7", "press-8")
_SAME_EYES = InspectorSkill(0.80, 0.97)
NOTHING = PlantedEffect(defect_reduction=0.0, stop_reduction=0.0, previous=_SAME_EYES, ai=_SAME_EYES)
"""A programme without any effect; nobody changes the inspection either."""
_COMMON_SD, _COMMON_RHO = 0.12, 0.6
_LUCK_SD, _LUCK_RHO = 0.22, 0.8
_LEVEL_SD = 0.06
_ENERGY_REDUCTION = 0.06
"""Material of the plant and a line's own luck from day to day, and how far lines really lie apart, as log rates."""
_SEASON = 0.10
_FALSE_ALARM, _MISSED = 0.02, 0.10
"""Chance of an alarm for nothing in a shift, and that a stop came without one."""
_ESTIMATE_SD = 0.3
"""How far the repair history's estimate of an avoided stop lies from the truth, as a log; right on the whole."""


class PlantYear(msgspec.Struct, frozen=True):
    """What was made: the export's events, and by line the truth that is not in it."""

    events: int
    truths: dict[str, YearTruth]


class _LineYear(msgspec.Struct, frozen=True):
    """A line's year before anybody has given it a name."""

    effect: PlantedEffect
    outcomes: list[ShiftOutcome]

    @property
    def recorded_rate(self) -> float:
        """Share of rejected parts in the first half-year: what the choice is made by."""
        made = [product for one in self.outcomes if one.phase == "baseline" for product in one.products]
        return sum(product.rejected for product in made) / sum(product.produced for product in made)


def simulated_plant(seed: int, out: Path) -> PlantYear:
    """Write one simulated year of eight lines as JSON lines of `RecordedEvent`, origin `simulated`.

    Args:
        seed: of all randomness; the same seed writes the same bytes.
        out: file to write; replaced.
    """
    rng = np.random.default_rng(seed)
    slots = calendar()
    common = _common(rng, slots)
    working = PlantedEffect(energy_reduction=_ENERGY_REDUCTION)
    effects = [*(working for _ in AI_LINES), NOTHING, *(NOTHING for _ in (CHOSEN_LINE, *CONTROL_LINES))]
    years = [_line_year(rng, effect, slots, common) for effect in effects]
    treated, candidates = years[: len(AI_LINES) + 1], years[len(AI_LINES) + 1 :]
    candidates.sort(key=lambda year: -year.recorded_rate)
    named = dict(zip((*AI_LINES, USELESS_LINE, CHOSEN_LINE, *CONTROL_LINES), [*treated, *candidates], strict=True))
    dated: list[Dated] = []
    for line, year in named.items():
        watched = line in AI_LINES
        dated += mode_changes(line) if watched else []
        for slot, outcome in zip(slots, year.outcomes, strict=True):
            inspector: Inspector = "ai" if watched and slot.phase == "live" else "previous"
            dated += shift_events(line, slot, outcome, inspector)
            if watched and slot.phase == "live":
                dated += _alarms(rng, line, slot, outcome)
    truths = {line: YearTruth.of(year.effect, year.outcomes) for line, year in named.items()}
    return PlantYear(write_export(dated, out), truths)


def _common(rng: np.random.Generator, slots: list[ShiftSlot]) -> list[float]:
    """What all lines live through, shift by shift: material, and a humid late summer."""
    material, factor, day = LogRate(rng, _COMMON_RHO, _COMMON_SD), 1.0, None
    found: list[float] = []
    for slot in slots:
        if slot.day != day:
            day, factor = slot.day, material.next_factor()
        turn = 2 * math.pi * ((slot.day - BASELINE_FROM).days - 240) / 365
        found.append(factor * math.exp(_SEASON * math.cos(turn)))
    return found


def _line_year(
    rng: np.random.Generator, effect: PlantedEffect, slots: list[ShiftSlot], common: list[float]
) -> _LineYear:
    level = math.exp(float(rng.normal(0.0, _LEVEL_SD)))
    process, luck = ShiftProcess(rng, effect), LogRate(rng, _LUCK_RHO, _LUCK_SD)
    outcomes: list[ShiftOutcome] = []
    day, own = None, 1.0
    for slot, shared in zip(slots, common, strict=True):
        if slot.day != day:
            day, own = slot.day, luck.next_factor()
        outcomes.append(process.run(slot.shift, slot.phase, shared * level * own))
    return _LineYear(effect, outcomes)


def _alarms(rng: np.random.Generator, line: str, slot: ShiftSlot, outcome: ShiftOutcome) -> list[Dated]:
    """Alarms of machine health with what was found, and stops that came without one."""
    found: list[Dated] = []
    if outcome.avoided_stop_s > 0:
        guess = math.exp(float(rng.normal(-(_ESTIMATE_SD**2) / 2, _ESTIMATE_SD)))
        found += _alarm(line, slot, "bearing_replaced", outcome.avoided_stop_s * guess / 3600)
    elif rng.random() < _FALSE_ALARM:
        found += _alarm(line, slot, "nothing found", None)
    for number, stop in enumerate(stop for stop in outcome.stops if not stop.planned):
        if rng.random() < _MISSED:
            at = slot.start + timedelta(seconds=stop.start_s)
            body = AlarmOutcome("", ASSET, "missed", "maintenance", failed_at=at)
            found.append(Dated(slot.end, event_of(line, f"outcome/{slot.name}/missed/{number}", at, body)))
    return found


def _alarm(line: str, slot: ShiftSlot, action: str, avoided_stop_h: float | None) -> list[Dated]:
    """An alarm and its answer: acted on where something was found.

    Args:
        line: production line.
        slot: shift.
        action: what was done.
        avoided_stop_h: what the failure would have taken, by the repair history; None where nothing was found.
    """
    acted = avoided_stop_h is not None
    raised = slot.start + timedelta(minutes=20)
    key = f"alarm/{slot.name}"
    alarm = Alarm("press-health", ASSET, "raised", 1.4, 1.0, "look at the bearing", raised)
    outcome = AlarmOutcome(
        f"{line}/{key}",
        ASSET,
        "confirmed" if acted else "not_found",
        "maintenance",
        acted=acted,
        action=action,
        avoided_stop_h=avoided_stop_h,
    )
    answered = slot.start + timedelta(hours=2)
    return [
        Dated(raised, event_of(line, key, raised, alarm)),
        Dated(answered, event_of(line, f"outcome/{slot.name}", answered, outcome)),
    ]
