"""Which method tells the truth about simulated plants? False claims, coverage, power and bias, side by side.

    python -m benchmarks.laboratory [--quick] [--json] [--plants 1000] [--out benchmarks/laboratory/results.json]

Half of the scenarios violate what an interrupted time series takes for granted; the table says where ours fails.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads only wait for one another

import argparse
import sys
import time
from pathlib import Path

from benchmarks.laboratory.results import results_of
from benchmarks.laboratory.running import run
from benchmarks.laboratory.table import as_json, as_text


def main() -> None:
    """Simulate, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the plants and fewer scenarios")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--plants", type=int, default=1_000, help="plants of each experiment")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="experiments whose name contains this")
    parser.add_argument("--out", type=Path, help="write the results here; the docs page is made of them")
    given = parser.parse_args()
    began = time.perf_counter()
    found = run(given.plants, given.processes, quick=given.quick, only=given.only)
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)
    if given.out is not None:
        given.out.write_bytes(results_of(found, given.plants).encoded())
    sys.stdout.write(as_json(found) if given.json else as_text(found))


if __name__ == "__main__":
    main()
