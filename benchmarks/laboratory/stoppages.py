"""Stops that are moved into the plan: unplanned hours fall, and the line stands still as long as before."""

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
from roi_tracker.measurement.panels.downtime import all_stops, downtime
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.observations.rows import LineShift, Observations

if TYPE_CHECKING:
    from benchmarks.laboratory.experiments import Chunk, Scores

DAYS = 90
STOPS_A_DAY, HOURS_A_STOP, PLANNED_H = 4.0, 0.4, 0.8
LINES = ("line-00", "line-01", "line-02", "line-03")
BEFORE_AFTER, UNPLANNED, TOGETHER = "before/after", "unplanned stops alone", "ours"


@dataclass(frozen=True)
class Stoppages:
    """Four lines that stop.

    Attributes:
        effect: share of unplanned stops that no longer happen.
        moved: share of the remaining ones that are planned from now on.
    """

    name: str
    effect: float = 0.0
    moved: float = 0.0
    violates: str = ""


SCENARIOS = (
    Stoppages("a third of the stops moved into the plan", moved=0.33, violates="a planned stop is no stop"),
    Stoppages("a third of the stops gone", effect=0.33),
)


def stopped(chunk: Chunk, world: Stoppages) -> Scores:
    """Stop hours avoided, planned ones included: a stop that is planned now is still a stop."""
    scores = {name: Score() for name in (BEFORE_AFTER, UNPLANNED, TOGETHER)}
    for rng in chunk.streams():
        rows, avoided, without = _draw(world, rng)
        alone, together = _measured(rows, planned=False), _measured(rows, planned=True)
        smaller = together if (together.avoided or 0.0) < (alone.avoided or 0.0) else alone
        both = Claim(
            smaller.realized and together.low is not None and together.low > 0,
            smaller.low,
            smaller.high,
            smaller.avoided,
            smaller.refused,
        )
        for name, claim in ((BEFORE_AFTER, _before_after(rows)), (UNPLANNED, alone), (TOGETHER, both)):
            scores[name].add(claim, avoided, without)
    return scores


def _draw(world: Stoppages, rng: np.random.Generator) -> tuple[tuple[LineShift, ...], float, float]:
    reliability = np.exp(0.25 * ar1(rng, 0.5, (2 * DAYS, len(LINES))) - 0.03)
    rows: list[LineShift] = []
    avoided = without = 0.0
    for day in range(2 * DAYS):
        live = day >= DAYS
        for number, line in enumerate(LINES):
            hours = rng.gamma(1.5, HOURS_A_STOP / 1.5, int(rng.poisson(STOPS_A_DAY * reliability[day, number])))
            chance = rng.random(len(hours))
            gone = live & (chance < world.effect)
            moved = live & ~gone & (rng.random(len(hours)) < world.moved)
            if live:
                avoided, without = avoided + float(hours[gone].sum()), without + float(hours.sum())
            rows.append(
                LineShift(
                    line,
                    ours.FIRST + timedelta(days=day),
                    "day",
                    "simulated",
                    planned_busy_s=24 * 3600.0,
                    unplanned_stop_s=3600.0 * float(hours[~gone & ~moved].sum()),
                    planned_stop_s=3600.0 * float(hours[moved].sum() + rng.gamma(8.0, PLANNED_H / 8.0)),
                    unplanned_stops=int((~gone & ~moved).sum()),
                    planned_stops=1 + int(moved.sum()),
                )
            )
    return tuple(rows), avoided, without


def _measured(rows: tuple[LineShift, ...], *, planned: bool) -> Claim:
    scope = Scope(measure="downtime", lines=LINES, expected=lambda _: True, shifts_per_day=1)
    observations = Observations((), rows, ())
    source = all_stops(observations, scope) if planned else downtime(observations, scope, "ai")
    live = ours.FIRST + timedelta(days=DAYS)
    periods = (
        Period(first=ours.FIRST, last=live - timedelta(days=1)),
        Period(first=live, last=live + timedelta(days=DAYS - 1)),
    )
    return ours.measured(source, periods).claim()


def _before_after(rows: tuple[LineShift, ...]) -> Claim:
    """Mean unplanned hours of a day, as if days were independent."""
    days = np.array([(row.day - ours.FIRST).days for row in rows])
    hours = np.bincount(days, [(row.unplanned_stop_s or 0.0) / 3600.0 for row in rows])
    before, after = hours[:DAYS], hours[DAYS:]
    margin = NORMAL_95 * DAYS * float((before.var(ddof=1) / DAYS + after.var(ddof=1) / DAYS) ** 0.5)
    avoided = float(before.sum() - after.sum())
    return Claim(avoided - margin > 0, avoided - margin, avoided + margin, avoided)
