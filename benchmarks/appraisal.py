"""How long do appraisal, audit and all their files of the ABC case take, of the 3 s that a person waits?

    python -m benchmarks.appraisal [--runs N] [--json]

Answered as ratios to the limits. `commands` is what a person types: `appraise --format all`, then `audit --format all`,
two fresh processes. `stages` splits the same work done in one fresh process. `simulations` sets 100,000 Monte Carlo
draws beside a plain Python loop of the same model, written here from the formulas of the case file and not from the
engine, and holds the two answers against each other within their simulation error. Exit 1 when a limit is missed or
the answers differ.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import roi_tracker
from benchmarks import results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_tracker.business_case import BusinessCase

EXAMPLES = Path(roi_tracker.__file__).parent / "examples"
CASE = EXAMPLES / "abc_manufacturing.yaml"
LIMIT_S = 3.0
SIMULATION_LIMIT_S = 1.0
DRAWS = 100_000
LOW, HIGH = 0.8, 1.1
"""Range put on every input for the second simulation: lopsided, so that its mean is not the plan."""
STANDARD_ERRORS = 4.0
"""Two simulations agree when they are no further apart: 1 in 16,000 right ones would be refused."""


@dataclass(frozen=True)
class Spread:
    """Seconds of several runs."""

    median_s: float
    fastest_s: float
    slowest_s: float
    runs: int


@dataclass(frozen=True)
class SimulationFigures:
    """Engine and plain loop on one model; money in the case's display unit.

    Attributes:
        ratio: seconds of the loop over those of the engine.
        apart: difference of the means in standard errors of that difference.
        agree: means and standard deviations within their simulation error.
    """

    model: str
    uncertain: int
    engine: Spread
    loop: Spread | None
    ratio: float | None
    of_limit: float
    mean: float
    loop_mean: float | None
    apart: float | None
    agree: bool | None


@dataclass(frozen=True)
class Figures:
    """The answer.

    Attributes:
        processor: processor seconds of both commands: what is left of `commands` on a machine with nothing else to do.
    """

    draws: int
    limit_s: float
    commands: Spread
    processor: Spread
    of_limit: float
    one_process: Spread
    one_process_of_limit: float
    stages: dict[str, Spread]
    simulations: tuple[SimulationFigures, ...]


def spread(seconds: Sequence[float]) -> Spread:
    """Median and range."""
    return Spread(statistics.median(seconds), min(seconds), max(seconds), len(seconds))


def timed(work: Callable[[], object]) -> float:
    """Seconds that some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def both_commands(folder: Path) -> None:
    """What a person types."""
    for command in ("appraise", "audit"):
        _run("roi_tracker", command, CASE, "--format", "all", "--out", folder, "--as-of", "2025-03-01")


def _run(module: str, *arguments: object) -> str:
    call = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(call)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def _processor_s() -> float:
    """Processor seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def staged() -> dict[str, float]:
    """Seconds by stage of the same work in one fresh process, the start of the interpreter and its end included."""
    began = time.perf_counter()
    told: dict[str, float] = json.loads(_run("benchmarks.appraisal", "--stages", repr(began)))
    ended = told.pop("ended")
    return told | {"end": time.perf_counter() - ended}


def stages(began: float) -> dict[str, float]:
    """Do the work here and time each stage; `began` is the starter's reading of the same system-wide clock."""
    marks: dict[str, float] = {}
    last = began

    def mark(stage: str) -> None:
        nonlocal last
        now = time.perf_counter()
        marks[stage], last = now - last, now

    mark("start of Python")
    # The imports are what is timed.
    import jinja2  # noqa: PLC0415
    import typst  # noqa: PLC0415
    import xlsxwriter  # noqa: PLC0415

    from roi_tracker.audit import audit, corrected_case  # noqa: PLC0415
    from roi_tracker.audit.document import audit_document  # noqa: PLC0415
    from roi_tracker.commands.case_file import load_case  # noqa: PLC0415
    from roi_tracker.documents import appraisal_document  # noqa: PLC0415
    from roi_tracker.render import appraisal_outputs  # noqa: PLC0415

    del jinja2, typst, xlsxwriter  # loaded, so that no file pays for them
    mark("imports")
    case = load_case(CASE)
    mark("read the case")
    document = appraisal_document(case)
    mark("appraise")
    when = date(2025, 3, 1)
    formats: tuple[appraisal_outputs.OutputFormat, ...] = ("html", "pdf", "xlsx", "csv", "json")
    for output in formats:
        appraisal_outputs.render_appraisal(case, document, output, "ko", when)
        mark(f"appraisal as {output}")
    found, corrected = audit(case), corrected_case(case)
    mark("audit")
    audited = audit_document(case, found, corrected)
    mark("appraise the corrected plan")
    for output in formats:
        appraisal_outputs.render_audit(case, corrected, audited, output, ("ko", when))
        mark(f"audit as {output}")
    return marks | {"ended": last}


Range = tuple[float, float, float]
Inputs = dict[str, list[Range]]
"""Low, planned and high by year; one entry where one value holds throughout."""


def plain_inputs(*, ranged: bool) -> Inputs:
    """Inputs as the case file writes them, read without the engine; ranges on all of them, or on achievement alone."""
    import yaml  # noqa: PLC0415 - the extra `roi`

    written: dict[str, Any] = yaml.safe_load(CASE.read_text(encoding="utf-8"))
    low, high = (LOW, HIGH) if ranged else (1.0, 1.0)
    found: Inputs = {}
    for name, one in written["assumptions"].items():
        values = one["value"] if isinstance(one["value"], list) else [one["value"]]
        found[name] = [(float(value) * low, float(value), float(value) * high) for value in values]
    stated = written["achievement"]
    found["achievement"] = [(stated["low"], stated["value"], stated["high"])]
    return found


def plain_npv(draw: dict[str, list[float]]) -> float:
    """NPV of the ABC plan in 100 million KRW, as its formulas say, for one draw of its inputs."""

    def at(name: str, year: int) -> float:
        values = draw[name]
        return values[year] if len(values) > 1 else values[0]

    total = -(draw["hardware_price"][0] + draw["software_price"][0] + 6.7 + 4.0)
    for year in range(5):
        fewer = at("defects.baseline_rate", year) - at("defects.target_rate", year)
        defects = fewer * at("production_per_month", year) * 12 * at("defects.unit_cost", year) / 1e8
        hours = at("downtime.baseline_hours", year) * at("downtime.reduction", year) * 12
        downtime = hours * at("downtime.opportunity_cost", year) / 1e8 + at("downtime.maintenance_saving", year)
        carriers = at("energy.electricity", year) + at("energy.gas", year) + at("energy.other", year)
        energy = carriers * 12 * at("energy.reduction", year)
        labour = at("labour.redeployed", year) * at("labour.salary", year) / 1e8
        indirect = at("indirect.brand", year) + at("indirect.new_orders", year) + at("indirect.decisions", year)
        benefits = (defects + downtime + energy + labour + indirect) * draw["achievement"][0]
        total += (benefits - (2.5 + 0.8 + 0.4 + 0.2 + 0.3)) / 1.08 ** (year + 1)
    return total


def plain_loop(inputs: Inputs, draws: int, seed: int) -> list[float]:
    """NPVs by a loop as anyone would write it: a triangular draw an input, its years good or bad together."""
    dice = random.Random(seed)
    varying = {name: years for name, years in inputs.items() if any(low < high for low, _, high in years)}
    fixed = {name: [plan for _, plan, _ in years] for name, years in inputs.items() if name not in varying}
    return [
        plain_npv(fixed | {name: _triangular(years, dice.random()) for name, years in varying.items()})
        for _ in range(draws)
    ]


def _triangular(years: Sequence[Range], share: float) -> list[float]:
    found = []
    for low, plan, high in years:
        if low == high:
            found.append(plan)
        elif share < (plan - low) / (high - low):
            found.append(low + math.sqrt(share * (high - low) * (plan - low)))
        else:
            found.append(high - math.sqrt((1 - share) * (high - low) * (high - plan)))
    return found


def _ranged(case: BusinessCase) -> BusinessCase:
    """The case with the same ranges on every assumption."""
    low, high = Decimal(repr(LOW)), Decimal(repr(HIGH))

    def by(value: Any, factor: Decimal) -> Any:  # noqa: ANN401 - one decimal, or one a year
        return tuple(one * factor for one in value) if isinstance(value, tuple) else value * factor

    assumptions = {
        name: one.model_copy(update={"low": by(one.value, low), "high": by(one.value, high)})
        for name, one in case.assumptions.items()
    }
    return case.model_copy(update={"assumptions": assumptions})


def simulations(runs: int, draws: int) -> tuple[SimulationFigures, ...]:
    """Both simulations of the ABC case, and the example with correlations and taxes, which has no loop here."""
    from roi_tracker.commands.case_file import load_case  # noqa: PLC0415 - the extra `roi`

    abc, workshop = load_case(CASE), load_case(EXAMPLES / "small_workshop.yaml")
    return (
        _compared("ABC as stated", abc, plain_inputs(ranged=False), (runs, draws)),
        _compared("ABC, every input uncertain", _ranged(abc), plain_inputs(ranged=True), (runs, draws)),
        _compared("workshop: correlated, taxed", workshop, None, (runs, draws)),
    )


def _compared(model: str, case: BusinessCase, inputs: Inputs | None, size: tuple[int, int]) -> SimulationFigures:
    from roi_tracker.appraisal.model import Model  # noqa: PLC0415 - the extra `roi`
    from roi_tracker.appraisal.monte_carlo import simulate  # noqa: PLC0415 - as above
    from roi_tracker.money import UNIT_FACTORS  # noqa: PLC0415 - as above

    runs, draws = size
    compiled, unit = Model(case), UNIT_FACTORS[case.display_unit]
    engine = spread([timed(lambda: simulate(compiled, draws)) for _ in range(runs)])
    found = simulate(compiled, draws)
    if found.mean is None or found.standard_deviation is None:
        sys.exit(f"{model}: nothing is uncertain")
    of_limit, mean = engine.median_s / SIMULATION_LIMIT_S, found.mean / unit
    if inputs is None:
        return SimulationFigures(
            model, len(found.uncertain), engine, None, None, of_limit, mean, loop_mean=None, apart=None, agree=None
        )
    npvs: list[float] = []
    seconds = []
    for run in range(min(runs, 3)):
        npvs.clear()
        seconds.append(timed(partial(_loop_into, npvs, inputs, draws, run)))
    loop = spread(seconds)
    loop_mean, deviation, own = statistics.fmean(npvs), statistics.stdev(npvs), found.standard_deviation / unit
    apart = abs(mean - loop_mean) / math.hypot(deviation / math.sqrt(draws), own / math.sqrt(draws))
    wider = abs(own / deviation - 1) * math.sqrt(draws)  # each deviation is known to 1 / sqrt(2 draws) of itself
    agree = max(apart, wider) <= STANDARD_ERRORS
    ratio = loop.median_s / engine.median_s
    return SimulationFigures(
        model, len(found.uncertain), engine, loop, ratio, of_limit, mean, loop_mean=loop_mean, apart=apart, agree=agree
    )


def _loop_into(npvs: list[float], inputs: Inputs, draws: int, seed: int) -> None:
    npvs.extend(plain_loop(inputs, draws, seed))


def measured(runs: int, draws: int) -> Figures:
    """Run everything."""
    with tempfile.TemporaryDirectory() as folder:
        both_commands(Path(folder))  # once unmeasured: byte code and disk cache as on any later day
        used = [_processor_s()]
        seconds = []
        for _ in range(runs):
            seconds.append(timed(lambda: both_commands(Path(folder))))
            used.append(_processor_s())
    commands, processor = spread(seconds), spread([after - before for before, after in itertools.pairwise(used)])
    split = [staged() for _ in range(runs)]
    by_stage = {stage: spread([one[stage] for one in split]) for stage in split[0]}
    whole = spread([sum(one.values()) for one in split])
    return Figures(
        draws,
        LIMIT_S,
        commands,
        processor,
        commands.median_s / LIMIT_S,
        whole,
        whole.median_s / LIMIT_S,
        by_stage,
        simulations(runs, draws),
    )


def table(figures: Figures) -> str:
    """The answer as text."""

    def line(name: str, one: Spread, more: str = "") -> str:
        return f"{name:<36}{one.median_s:8.3f}{one.fastest_s:9.3f}{one.slowest_s:9.3f}  {more}".rstrip()

    rows = [
        f"{'seconds, ABC case':<36}{'median':>8}{'fastest':>9}{'slowest':>9}  ({figures.commands.runs} runs)",
        line("both commands, all files", figures.commands, f"{figures.of_limit:.2f} of the limit {LIMIT_S:g} s"),
        line("  of which processor time", figures.processor),
        line("the same in one process", figures.one_process, f"{figures.one_process_of_limit:.2f} of the limit"),
        *(line(f"  {stage}", one) for stage, one in figures.stages.items()),
        "",
        f"{f'{figures.draws:,} draws':<36}{'median':>8}{'fastest':>9}{'slowest':>9}",
    ]
    for one in figures.simulations:
        rows.append(
            line(f"{one.model} ({one.uncertain})", one.engine, f"{one.of_limit:.2f} of {SIMULATION_LIMIT_S:g} s")
        )
        if one.loop is not None and one.apart is not None and one.loop_mean is not None:
            said = "agree" if one.agree else "DIFFER"
            rows.append(line("  plain Python loop", one.loop, f"{one.ratio:.1f} times the engine"))
            rows.append(
                f"  means {one.mean:.2f} and {one.loop_mean:.2f}: {said}, {one.apart:.1f} standard errors apart"
            )
    return "\n".join(rows)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="fresh processes of each kind")
    parser.add_argument("--draws", type=int, default=DRAWS, help="of each simulation")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--stages", type=float, help=argparse.SUPPRESS)
    results.add_option(parser)
    given = parser.parse_args()
    if given.stages is not None:
        print(json.dumps(stages(given.stages)))
        return
    figures = measured(given.runs, given.draws)
    print(json.dumps(asdict(figures), indent=2) if given.json else table(figures))
    share = [getattr(figures.commands, field) / figures.limit_s for field in ("fastest_s", "median_s", "slowest_s")]
    results.write(
        given.outcomes,
        [
            results.Outcome("appraisal.time", f"appraise and audit, of {figures.limit_s:g} s", share, 1),
            *(
                results.Outcome(f"appraisal.simulation[{place}]", "a simulation, of its limit", [one.of_limit], 1)
                for place, one in enumerate(figures.simulations)
            ),
        ],
    )
    kept = figures.of_limit <= 1 and all(one.of_limit <= 1 for one in figures.simulations)
    if not kept or any(one.agree is False for one in figures.simulations):
        sys.exit(1)


if __name__ == "__main__":
    main()
