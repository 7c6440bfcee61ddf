"""The experiments, each on some plants of its own seed, so that they can be shared out to processes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.laboratory import ours, peers
from benchmarks.laboratory.plants import Plant, World, draw
from benchmarks.laboratory.scenarios import EFFECT, PLAIN, Scenario
from benchmarks.laboratory.scoring import Score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Scores = dict[str, Score]
BEFORE_AFTER, REGRESSION, NEWEY_WEST = "before/after", "plain GLM", "ITS Newey-West"
SERIES, CONTROLS = "ours", "ours, controls"
SHRUNK, BOTH = "ours, shrunk", "ours, controls, shrunk"
ANYTIME = "ours, any day"
MISREAD = "ours, closing interval read weekly"
WEEK = 7


@dataclass(frozen=True)
class Chunk:
    """Some plants of one experiment.

    Attributes:
        name: of the experiment; with `number` it seeds the randomness.
        number: which part it is.
        plants: how many.
    """

    name: str
    number: int
    plants: int
    seed: int = 1

    def streams(self) -> Iterator[np.random.Generator]:
        """Randomness, once for each plant."""
        rng = np.random.default_rng([self.seed, zlib.crc32(self.name.encode()), self.number])
        for _ in range(self.plants):
            yield rng

    def draws(self, world: World) -> Iterator[Plant]:
        """The plants."""
        for rng in self.streams():
            yield draw(world, rng)


def methods_of(scenario: Scenario) -> dict[str, Callable[[Plant], peers.Claim]]:
    """Methods that a scenario allows."""
    found: dict[str, Callable[[Plant], peers.Claim]] = {
        BEFORE_AFTER: peers.before_after,
        REGRESSION: peers.plain_regression,
        NEWEY_WEST: peers.newey_west,
        SERIES: lambda plant: ours.series(plant).claim(),
    }
    if scenario.controls_help:
        found[CONTROLS] = lambda plant: ours.with_controls(plant).claim()
    if scenario.shrinks:
        found[SHRUNK] = lambda plant: ours.with_shrinkage(plant).claim()
        found[BOTH] = lambda plant: ours.with_controls_and_shrinkage(plant).claim()
    return found


def side_by_side(chunk: Chunk, scenario: Scenario, effect: float) -> Scores:
    """All methods on the same plants."""
    methods = methods_of(scenario)
    scores = {name: Score() for name in methods}
    for plant in chunk.draws(replace(scenario.world, effect=effect)):
        expected = _expected(plant)
        for name, method in methods.items():
            scores[name].add(method(plant), plant.avoided, expected)
    return scores


def power(chunk: Chunk, effect: float, days: int) -> Scores:
    """How often an effect is claimed after as many days as the baseline has."""
    scores = {name: Score() for name in (NEWEY_WEST, SERIES, ANYTIME)}
    for plant in chunk.draws(replace(PLAIN, effect=effect, baseline_days=days, reporting_days=days)):
        expected, measured = _expected(plant), ours.series(plant)
        scores[NEWEY_WEST].add(peers.newey_west(plant), plant.avoided, expected)
        scores[SERIES].add(measured.claim(), plant.avoided, expected)
        scores[ANYTIME].add(measured.claim("anytime"), plant.avoided, expected)
    return scores


def closing(chunk: Chunk, world: World) -> Scores:
    """One registered closing date: our ordinary interval."""
    scores = {SERIES: Score()}
    for plant in chunk.draws(world):
        scores[SERIES].add(ours.series(plant).claim(), plant.avoided, _expected(plant))
    return scores


def weekly_looks(chunk: Chunk, world: World) -> Scores:
    """A year looked at every week: one look that claims is a claim, one look that misses is a miss."""
    scores = {name: Score() for name in (BEFORE_AFTER, MISREAD, ANYTIME)}
    for plant in chunk.draws(world):
        measured, truth = ours.series(plant), plant.avoided_by_day.cumsum()
        looks = range(WEEK, plant.world.reporting_days + 1, WEEK)
        said: dict[str, list[peers.Claim]] = {
            BEFORE_AFTER: [peers.before_after(plant, days) for days in looks],
            MISREAD: [measured.claim("closing", days) for days in looks],
            ANYTIME: [measured.claim("anytime", days) for days in looks],
        }
        for name, claims in said.items():
            held = all(claim.covers(float(truth[days - 1])) for claim, days in zip(claims, looks, strict=True))
            last, expected = claims[-1], _expected(plant)
            whole = peers.Claim(
                any(claim.realized for claim in claims),
                float(truth[-1]) - 1.0 if held else float(truth[-1]) + 1.0,
                float(truth[-1]) + 2.0,
                last.avoided,
                last.refused,
            )
            scores[name].add(whole, float(truth[-1]), expected)
    return scores


def null_and_effect(scenario: Scenario) -> tuple[tuple[str, float], ...]:
    """Experiments of a scenario: without any effect and with one."""
    return ((f"{scenario.name}, no effect", 0.0), (f"{scenario.name}, effect", EFFECT))


def _expected(plant: Plant) -> float:
    live, treated = plant.world.baseline_days, plant.world.treated
    by_day = plant.without[live:, :treated].sum(axis=(1, 2)) * plant.present[live:]
    return float(by_day.sum())
