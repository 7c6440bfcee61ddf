"""Is a year of a whole plant measured and reported in time? 20 lines x 3 shifts x 10 products, in under 10 s and 1 GB.

    python -m benchmarks.report_scale [--lines 20] [--runs 3] [--format json]

The year holds production, audits, stops and hours of every line with a planted effect after go-live; import, derivation
and freezing are done before and not counted. What is timed is the command that a person or a timer runs, from start to
exit: `roi-tracker report`. Each run is a fresh process, printed as a ratio to the limits.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from benchmarks import results
from roi_tracker.observations import facts as f

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.observations.rows import Inspector

LIMIT_S = 10.0
LIMIT_MIB = 1024.0
PRODUCTS = 10
DAYS = 365
FIRST = date(2025, 1, 1)
GO_LIVE = date(2025, 7, 15)
SHIFTS = (("day", 6), ("evening", 14), ("night", 22))
UTC_OFFSET_H = 9
"""The example plant stands in Seoul."""
FAIL_SHARE, BEFORE, AFTER = 0.9, 0.02, 0.014


def facts(lines: int, seed: int) -> Iterator[f.Fact]:
    """A year of facts, day by day."""
    rng = np.random.default_rng(seed)
    for number in range(lines):
        at = datetime(2025, 7, 15, tzinfo=UTC) - timedelta(hours=UTC_OFFSET_H - 6)
        before = at - timedelta(days=195)
        own = {"line": f"line-{number:02d}", "origin": "simulated", "station": "camera"}
        yield msgspec.convert(
            {"fact": "mode", "key": f"shadow-{number}", "at": before, "mode": "shadow", **own}, f.Fact
        )
        yield msgspec.convert({"fact": "mode", "key": f"live-{number}", "at": at, "mode": "live", **own}, f.Fact)
    for day_number in range(DAYS):
        day = FIRST + timedelta(days=day_number)
        for shift, hour in SHIFTS:
            start = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour - UTC_OFFSET_H)
            for number in range(lines):
                yield from _shift(rng, f"line-{number:02d}", (day, shift, start))


def _shift(rng: np.random.Generator, line: str, when: tuple[date, str, datetime]) -> Iterator[f.Fact]:
    day, shift, start = when
    live = day >= GO_LIVE
    end, name = start + timedelta(hours=8), f"{line}-{day}-{shift}"
    made = rng.integers(180, 220, PRODUCTS)
    defects = rng.binomial(made, AFTER if live else BEFORE)
    found = rng.binomial(defects, FAIL_SHARE)
    false = rng.binomial(made - defects, 0.005)
    for product in range(PRODUCTS):
        rejected = int(found[product] + false[product])
        yield f.ProductionFact(
            key=f"p-{name}-{product}", line=line, at=start, origin="simulated", end=end, product=f"part-{product}",
            shift=shift, produced=int(made[product]), inspected=int(made[product]), rejected=rejected,
            planned_busy_s=28_800.0,
        )  # fmt: skip
    audited = int(rng.integers(PRODUCTS))
    who: Inspector = "ai" if live else "previous"
    passed = int(made[audited] - found[audited] - false[audited])
    escaped = int(defects[audited] - found[audited])
    drawn = min(20, passed)
    yield f.AuditFact(
        key=f"ap-{name}", line=line, at=end, origin="simulated", product=f"part-{audited}", shift=shift, inspector=who,
        stratum="PASS", audited=drawn, defects_found=int(rng.hypergeometric(escaped, passed - escaped, drawn)),
    )  # fmt: skip
    rejected = int(found[audited] + false[audited])
    yield f.AuditFact(
        key=f"af-{name}", line=line, at=end, origin="simulated", product=f"part-{audited}", shift=shift, inspector=who,
        stratum="FAIL", audited=rejected, defects_found=int(found[audited]),
    )  # fmt: skip
    stop = float(rng.gamma(2.0, 300.0 if live else 450.0))
    yield f.StopFact(
        key=f"s-{name}", line=line, at=start + timedelta(hours=1), origin="simulated", asset="press", planned=False,
        end=start + timedelta(hours=1, seconds=stop),
    )  # fmt: skip
    yield f.LabourFact(
        key=f"l-{name}", line=line, at=start, origin="simulated", end=end, role="inspector",
        hours=float(rng.normal(7.2 if live else 7.9, 0.2)),
    )  # fmt: skip


def prepare(folder: Path, lines: int) -> tuple[Path, Path]:
    """Case and store with a frozen baseline."""
    from roi_tracker.adapters.sqlite_store import SqliteStore  # noqa: PLC0415 - the timed processes load their own

    text = resources.files("roi_tracker").joinpath("examples", "small_press_line.yaml").read_text(encoding="utf-8")
    case, store = folder / "case.yaml", folder / "roi.sqlite"
    case.write_text(
        text.replace("[press-1]", f"[{', '.join(f'line-{n:02d}' for n in range(lines))}]"), encoding="utf-8"
    )
    opened = SqliteStore(store)
    added = opened.add_facts(list(facts(lines, 1)), source="benchmark")
    opened.close()
    print(f"{added.added:,} facts in the store")
    command = [sys.executable, "-m", "roi_tracker", "baseline", "freeze", "--case", str(case), "--store", str(store)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return case, store


def timed(case: Path, store: Path, out: Path, form: str) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and MiB at the peak of one `roi-tracker report`."""
    began = time.perf_counter()
    arguments = ["--case", case, "--store", store, "--format", form, "--lang", "ko", "--out", out]
    child = subprocess.Popen([sys.executable, "-m", "roi_tracker", "report", *map(str, arguments)])
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        message = f"roi-tracker report ended with {child.returncode}"
        raise SystemExit(message)
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Prepare, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--format", default="html", choices=("html", "pdf", "xlsx", "csv", "json"))
    results.add_option(parser)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineproof-report-") as name:
        folder = Path(name)
        case, store = prepare(folder, given.lines)
        out = folder / f"report.{given.format}"
        found = [timed(case, store, out, given.format) for _ in range(given.runs)]
        size = out.stat().st_size
    print(f"{datetime.now(UTC):%Y-%m-%d}: {given.lines} lines, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    walls = [wall for wall, _, _ in found]
    print(
        f"report as {given.format} ({size / 1e6:.1f} MB)  median {statistics.median(walls):.2f} s"
        f" ({min(walls):.2f} to {max(walls):.2f}) = {statistics.median(walls) / LIMIT_S:.2f} of {LIMIT_S:g} s;"
        f" CPU {statistics.median(cpu for _, cpu, _ in found):.2f} s;"
        f" {max(mib for _, _, mib in found):.0f} MiB = {max(mib for _, _, mib in found) / LIMIT_MIB:.2f} of 1 GiB"
    )
    what = f"of a report as {given.format} over a year of {given.lines} lines"
    results.write(
        given.outcomes,
        [
            results.Outcome(
                "report_scale.time", f"time {what}, of {LIMIT_S:g} s", [wall / LIMIT_S for wall in walls], 1
            ),
            results.Outcome(
                "report_scale.memory", f"memory {what}, of 1 GiB", [mib / LIMIT_MIB for _, _, mib in found], 1
            ),
        ],
    )


if __name__ == "__main__":
    main()
