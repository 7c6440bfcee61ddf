"""Run every benchmark, print one table, and write a dated summary.

    python -m benchmarks [--quick] [--only NAME ...] [--out benchmarks/summaries] [--json]

Each benchmark runs in a process of its own, one after the other. Exit 1 when a limit was missed or a benchmark failed,
once all have run. One that lacks something it needs (a program, a data set) is told and fails nothing. A run of all of
them also writes the figures of `docs/operate/what-a-machine-carries.md` anew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.carries import write_pages
from benchmarks.results import CANNOT_RUN, read
from benchmarks.summary import Ran, Summary, as_text, this_machine, write_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
LONGEST_S = 3_600.0
SHOWN_LINES = 5


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One question.

    Attributes:
        module: what is run with `python -m`.
        question: what it asks, in a sentence.
        quick: its arguments for a look of minutes.
        full: its arguments for figures that are published.
        tells: False where it writes no outcomes: it is run to see that it runs.
    """

    module: str
    question: str
    quick: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    tells: bool = True

    @property
    def name(self) -> str:
        """Its module without the package."""
        return self.module.rpartition("benchmarks.")[2]


BENCHMARKS = (
    Benchmark(
        "benchmarks.ingest",
        "How fast are QoS 1 messages made durable, beside a C client that stores nothing?",
        quick=("--messages", "20000", "--runs", "3"),
        full=("--messages", "100000", "--runs", "7"),
    ),
    Benchmark(
        "benchmarks.readings_store",
        "What does a reading cost on disk, and how fast is a sensor read back?",
        quick=("--hours", "8"),
    ),
    Benchmark(
        "benchmarks.int8",
        "How fast is an INT8 model here, what does it cost in accuracy, and does the uint8 graph pay?",
        quick=("--images", "40", "--runs", "3"),
    ),
    Benchmark(
        "benchmarks.decision_latency",
        "How long after its picture arrives is a part decided, beside bare inference and under message load?",
        quick=("--runs", "2", "--seconds", "6"),
    ),
    Benchmark("benchmarks.feature_tick", "How much of a loop over channels does a tick of 200 cost?", ("--runs", "3")),
    Benchmark("benchmarks.cwru", "Which bearing faults are found, by load?"),
    Benchmark("benchmarks.real_data_replay", "What does the running agent make of real data?"),
    Benchmark("benchmarks.appraisal", "How long does an appraisal take?", ("--runs", "3")),
    Benchmark(
        "benchmarks.laboratory",
        "Which method tells the truth about simulated plants?",
        quick=("--quick", "--plants", "20"),
        full=("--quick",),
        tells=False,
    ),
    Benchmark("benchmarks.tracker_scale", "What does a year of a plant cost the tracker?", ("--rows", "200000")),
    Benchmark("benchmarks.report_scale", "What does a report over many lines cost?", ("--runs", "1")),
)


def run(benchmark: Benchmark, *, quick: bool) -> Ran:
    """Run one benchmark in a process of its own."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lineproof-bench-") as name:
        out = Path(name) / "outcomes.json"
        given = benchmark.quick if quick else benchmark.full
        told = ("--outcomes", str(out)) if benchmark.tells else ()
        command = [sys.executable, "-m", benchmark.module, *given, *told]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S, check=False)
        except subprocess.TimeoutExpired:
            return Ran(benchmark.name, benchmark.question, LONGEST_S, problem=f"not done after {LONGEST_S:g} s")
        seconds = round(time.monotonic() - began_s, 1)
        try:
            outcomes = tuple(read(out)) if out.exists() else ()
        except (ValueError, TypeError, KeyError) as error:
            return Ran(benchmark.name, benchmark.question, seconds, problem=f"its outcomes cannot be read: {error}")
    said = " / ".join(done.stderr.strip().splitlines()[-SHOWN_LINES:])
    if done.returncode == CANNOT_RUN:
        return Ran(benchmark.name, benchmark.question, seconds, problem=said, needed=True)
    # 1 is its own answer to a missed limit, which the outcomes show; without a missed one it is a failure
    missed = any(outcome.held is False for outcome in outcomes)
    problem = f"exit {done.returncode}: {said}" if done.returncode and not (done.returncode == 1 and missed) else ""
    return Ran(benchmark.name, benchmark.question, seconds, outcomes, problem)


def run_all(benchmarks: Sequence[Benchmark], *, quick: bool) -> Summary:
    """Run benchmarks one after the other, whatever becomes of each."""
    machine = this_machine()
    ran = []
    for benchmark in benchmarks:
        sys.stderr.write(f"{benchmark.name}: {benchmark.question}\n")
        ran.append(run(benchmark, quick=quick))
        sys.stderr.write(f"{benchmark.name}: {ran[-1].state} in {ran[-1].seconds:g} s\n")
    return Summary(f"{datetime.now(UTC):%Y-%m-%d}", quick, machine, ran)


def main(arguments: Sequence[str] | None = None, benchmarks: Sequence[Benchmark] = BENCHMARKS) -> int:
    """Entry point; 1 when a limit was missed or a benchmark failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few samples and small sizes")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[each.name for each in benchmarks], default=[])
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "summaries", help="folder of the summaries")
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON document")
    given = parser.parse_args(arguments)
    chosen = [each for each in benchmarks if not given.only or each.name in given.only]
    summary = run_all(chosen, quick=given.quick)
    if not given.only:  # a part of the figures must not take the place of all of them
        write_summary(summary, given.out)
        if given.out == ROOT / "benchmarks" / "summaries":
            write_pages(summary)
    sys.stdout.write(json.dumps(asdict(summary)) + "\n" if given.json else as_text(summary))
    return 0 if summary.good else 1


if __name__ == "__main__":
    sys.exit(main())
