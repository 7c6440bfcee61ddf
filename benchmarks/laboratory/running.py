"""All experiments, cut into chunks and shared out to processes."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.laboratory import experiments, inspections, stoppages
from benchmarks.laboratory.experiments import Chunk, Scores
from benchmarks.laboratory.plants import World
from benchmarks.laboratory.scenarios import EFFECT, RHOS, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CHUNK = 50
EFFECTS = (0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50)
SHORT = (28, 56)
CLOSINGS = ((28, 84), (56, 56), (56, 364), (181, 170))
"""Days of baseline and of reporting up to the registered closing date."""


@dataclass(frozen=True)
class Experiment:
    """One row of the table.

    Attributes:
        part: which table.
        run: measures the plants of a chunk.
        share: of the plants asked for, as some cost many times others.
    """

    part: str
    name: str
    arguments: tuple[object, ...]
    run: Callable[..., Scores]
    share: float = 1.0


@dataclass(frozen=True)
class Found:
    """Scores of one experiment by method."""

    experiment: Experiment
    scores: Scores


def experiments_of(*, quick: bool) -> list[Experiment]:
    """What is asked."""
    asked = [*_scenarios(), *_closings(), *_looks()]
    for days in SHORT:
        asked.extend(
            Experiment("power", f"{days} days, effect {effect:.0%}", (effect, days), experiments.power, 0.5)
            for effect in EFFECTS
        )
    asked.extend(Experiment("stops", found.name, (found,), stoppages.stopped, 0.5) for found in stoppages.SCENARIOS)
    asked.extend(
        Experiment("inspection", found.name, (found,), inspections.inspected, 0.3) for found in inspections.SCENARIOS
    )
    return [one for one in asked if not quick or _kept(one)]


def _kept(one: Experiment) -> bool:
    """Experiments of a quick run."""
    kept = {"independent days", "autocorrelation 0.5", "autocorrelation 0.8"}
    kept |= {"change on all lines", "worst 3 of 20 chosen"}
    kept |= {f"28 days, rho 0.5, effect {EFFECT:.0%}", f"56 + 56 days, rho 0.8, effect {EFFECT:.0%}"}
    return one.name in kept or one.part in {"inspection", "stops"}


def _scenarios() -> Iterator[Experiment]:
    for scenario in SCENARIOS:
        share = min(1.0, 500 / (scenario.world.days * scenario.world.lines))
        for effect in (0.0, EFFECT):
            part = "no effect" if not effect else "effect"
            yield Experiment(part, scenario.name, (scenario, effect), experiments.side_by_side, share)


def _closings() -> Iterator[Experiment]:
    for rho in RHOS:
        for before, after in CLOSINGS:
            for effect in (0.0, EFFECT):
                world = World(baseline_days=before, reporting_days=after, rho=rho, sd=0.25, effect=effect)
                name = f"{before} + {after} days, rho {rho}, effect {effect:.0%}"
                yield Experiment("closing date", name, (world,), experiments.closing)


def _looks() -> Iterator[Experiment]:
    for rho in RHOS:
        for days in SHORT:
            for effect in (0.0, EFFECT):
                world = World(baseline_days=days, reporting_days=364, rho=rho, sd=0.25, effect=effect)
                name = f"{days} days, rho {rho}, effect {effect:.0%}"
                yield Experiment("52 weekly looks", name, (world,), experiments.weekly_looks, 0.4)


def run(plants: int, processes: int, *, quick: bool, only: str = "") -> list[Found]:
    """Measure all plants of all experiments.

    Args:
        plants: of each experiment; a quick run takes a tenth.
        processes: 1 runs in this process.
        quick: the experiments of the test suite.
        only: experiments whose "part: name" contains this.
    """
    asked = [one for one in experiments_of(quick=quick) if only in f"{one.part}: {one.name}"]
    work: list[tuple[int, Experiment, Chunk]] = []
    for index, experiment in enumerate(asked):
        wanted = max(10, round(plants * experiment.share * (0.1 if quick else 1.0)))
        for number, start in enumerate(range(0, wanted, CHUNK)):
            size = min(CHUNK, wanted - start)
            work.append((index, experiment, Chunk(f"{experiment.part}: {experiment.name}", number, size)))
    if processes > 1:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            parts = pool.map(_measured, work, chunksize=1)
    else:
        parts = [_measured(one) for one in work]
    return [Found(one, _merged([scores for at, scores in parts if at == index])) for index, one in enumerate(asked)]


def _measured(work: tuple[int, Experiment, Chunk]) -> tuple[int, Scores]:
    index, experiment, chunk = work
    return index, experiment.run(chunk, *experiment.arguments)


def _merged(parts: Sequence[Scores]) -> Scores:
    merged = dict(parts[0])
    for part in parts[1:]:
        for name, score in part.items():
            merged[name] = merged[name].merged(score)
    return merged
