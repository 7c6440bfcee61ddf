"""Does the tracker keep its limits at scale? A million facts imported, a year derived, a day of new data refreshed.

    python -m benchmarks.tracker_scale [--rows 1000000] [--lines 20]

Every step runs in a fresh process and is printed as a ratio to its limit: wall time of the step alone, and the greatest
memory of its process. A year is 20 lines x 3 shifts x 10 products unless told otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import results

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIFTS = ("day", "evening", "night")
STARTS_H = (6, 14, 22)
PRODUCTS = 10
FIRST = date(2025, 1, 1)
DAYS = 365
LIMITS_S = {"import": 30.0, "derive": 60.0, "load": 2.0, "refresh": 2.0}
"""Import and refresh are promised; the first derivation happens once; every other command waits for loading."""
LIMIT_MIB = 1024.0


def count_rows(days: range, lines: int) -> Iterator[str]:
    """Production of every line, shift and product, in plain local time, as an MES exports it."""
    for day in days:
        for shift, start_h in enumerate(STARTS_H):
            start = datetime(2025, 1, 1) + timedelta(days=day, hours=start_h)  # noqa: DTZ001 - a plant's local time
            period = f"{start:%Y-%m-%d %H:%M},{start + timedelta(hours=8):%Y-%m-%d %H:%M}"
            for line in range(lines):
                for product in range(PRODUCTS):
                    made = 500 + (37 * day + 11 * shift + 7 * line + 3 * product) % 60
                    bad = (13 * day + 5 * shift + line + product) % 17
                    yield f"line-{line:02d},{period},product-{product},{made},{bad},48\n"


def stop_rows(days: range, lines: int, each_day: int) -> Iterator[str]:
    """Short stops spread over the day."""
    for day in days:
        for line in range(lines):
            for number in range(each_day):
                minute = (number * 1440) // each_day + (day + line) % 3
                start = datetime(2025, 1, 1) + timedelta(days=day, hours=6, minutes=minute)  # noqa: DTZ001 - local time
                yield f"line-{line:02d},machine-{number % 4},{start:%Y-%m-%d %H:%M},1.5,n,reason-{number % 9}\n"


def write_files(folder: Path, name: str, days: range, lines: int, stops: int) -> list[Path]:
    """Two files that together hold the rows of some days."""
    counts, stopped = folder / f"{name}-counts.csv", folder / f"{name}-stops.csv"
    with counts.open("w", encoding="utf-8") as out:
        out.write("line,start,end,product,produced,rejected,planned busy time (min)\n")
        out.writelines(count_rows(days, lines))
    with stopped.open("w", encoding="utf-8") as out:
        out.write("line,asset,start,duration (min),planned,reason\n")
        out.writelines(stop_rows(days, lines, stops))
    return [counts, stopped]


def step(name: str, store: Path, files: list[str]) -> dict[str, float]:
    """Run one step in this process."""
    from roi_tracker.adapters.plant_file import open_plant_file  # noqa: PLC0415 - a fresh process loads its own
    from roi_tracker.adapters.sqlite_store import SqliteStore  # noqa: PLC0415
    from roi_tracker.business_case import Plant as PlantSection  # noqa: PLC0415
    from roi_tracker.observations.shifts import ShiftCalendar  # noqa: PLC0415
    from roi_tracker.observing import observe  # noqa: PLC0415
    from roi_tracker.plant_files.importing import Plant, import_sheet  # noqa: PLC0415
    from roi_tracker.plant_files.mapping import Mapping  # noqa: PLC0415

    calendar = ShiftCalendar(PlantSection(time_zone="Asia/Seoul"))
    mapping, plant = Mapping(), Plant(calendar, "Asia/Seoul")
    began, began_cpu = time.perf_counter(), time.process_time()
    opened = SqliteStore(store)
    count = 0
    if name == "import":
        for file in files:
            with open_plant_file(Path(file), mapping) as sheet:
                count += import_sheet(sheet, mapping, plant, opened).added
    else:
        observed = observe(opened, calendar, "benchmark")
        count = len(observed.product_table) + len(observed.line_table)
    opened.close()
    return {
        "count": count,
        "wall_s": time.perf_counter() - began,
        "cpu_s": time.process_time() - began_cpu,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def fresh(name: str, store: Path, files: list[Path]) -> dict[str, float]:
    """Run one step in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--step", name, "--store", str(store), *map(str, files)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def told(name: str, found: dict[str, float], limit_s: float) -> list[results.Outcome]:
    """Print one step as ratios to its limits, and give them to the summary."""
    print(
        f"{name:<28} {found['count']:>9,.0f} rows  {found['wall_s']:6.2f} s = {found['wall_s'] / limit_s:5.2f} of"
        f" {limit_s:g} s (CPU {found['cpu_s']:.2f} s)  {found['rss_mib']:5.0f} MiB ="
        f" {found['rss_mib'] / LIMIT_MIB:.2f} of {LIMIT_MIB:g}"
    )
    key = f"tracker_scale.{name.replace(' ', '_')}"
    return [
        results.Outcome(f"{key}.time", f"time of: {name}, of {limit_s:g} s", [found["wall_s"] / limit_s], 1),
        results.Outcome(f"{key}.memory", f"memory of: {name}, of {LIMIT_MIB:g} MiB", [found["rss_mib"] / LIMIT_MIB], 1),
    ]


def main() -> None:
    """Generate, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=20)
    parser.add_argument("--step")
    parser.add_argument("--store", type=Path)
    parser.add_argument("files", nargs="*")
    results.add_option(parser)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(step(given.step, given.store, given.files)))
        return
    counted = DAYS * len(SHIFTS) * given.lines * PRODUCTS
    stops = max(1, round((given.rows - counted) / (DAYS * given.lines)))
    with tempfile.TemporaryDirectory(prefix="lineproof-scale-") as name:
        folder, store = Path(name), Path(name) / "roi.sqlite"
        year = write_files(folder, "year", range(DAYS), given.lines, stops)
        day = write_files(folder, "day", range(DAYS, DAYS + 1), given.lines, stops)
        print(
            f"{datetime.now(UTC):%Y-%m-%d}: {given.lines} lines, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
        )
        outcomes = [
            *told("import of plant files", fresh("import", store, year), LIMITS_S["import"]),
            *told("first derivation of a year", fresh("derive", store, []), LIMITS_S["derive"]),
            *told("loading a year", fresh("load", store, []), LIMITS_S["load"]),
            *told("import of one day more", fresh("import", store, day), LIMITS_S["refresh"]),
            *told("refresh after that day", fresh("refresh", store, []), LIMITS_S["refresh"]),
        ]
    results.write(given.outcomes, outcomes)


if __name__ == "__main__":
    main()
