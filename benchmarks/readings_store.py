"""What does a reading cost on disk, and how fast is a sensor read back, beside a row a reading in SQLite?

    python -m benchmarks.readings_store [--hours N] [--jitter-ms N] [--runs N] [--json]

Eight signals of a real pump at 1 Hz (SKAB, `<repository>/../shared/data/skab`; where that is absent, random walks with
the decimals that sensors print) are repeated to fill the hours, stamped with the jitter of a publisher's clock,
committed to the agent's store and compacted, and written a row a reading, with the index that reading a sensor back
needs, to a plain SQLite file. Repetition helps neither: a block of 600 seconds is compressed by itself.

Bytes are those of the closed files, pages and indexes included; the room of a file is shared among readings and
roll-ups by their bytes. Reading back gives numpy arrays of six hours of one sensor. Both must return the same values.
Exit 1 when they differ, or a reading takes more than 5 bytes, its roll-up more than 1, or six hours more than 5 ms.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import apsw
import numpy as np

from benchmarks import results
from edge_agent.adapters.sqlite_days import DAY_US, days_folder, list_days
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.instant import Instant
from edge_agent.ports import Batch
from edge_agent.readings import Channel, ReadingRun

if TYPE_CHECKING:
    from numpy.typing import NDArray

SKAB = Path(__file__).resolve().parents[2] / "shared" / "data" / "skab" / "anomaly-free" / "anomaly-free.csv"
MOST_BYTES, MOST_ROLLUP_BYTES, MOST_MS = 5.0, 1.0, 5.0
SIX_HOURS_S = 6 * 3_600
SECOND_US = 1_000_000
START_US = 20_000 * DAY_US
COMMIT_S = 60
SIGNALS = 8


@dataclass(frozen=True)
class Figures:
    """What was measured; times in milliseconds, of each run."""

    source: str
    readings: int
    bytes_a_reading: float
    rollup_bytes_a_reading: float
    row_bytes_a_reading: float
    read_ms: list[float]
    first_read_ms: float
    row_read_ms: list[float]
    agree: bool

    @property
    def kept(self) -> bool:
        """Whether every limit was kept."""
        return (
            self.agree
            and self.bytes_a_reading <= MOST_BYTES
            and self.rollup_bytes_a_reading <= MOST_ROLLUP_BYTES
            and statistics.median(self.read_ms) <= MOST_MS
        )


def signals(seconds: int) -> tuple[str, NDArray[np.float64]]:
    """Values (seconds, signals) and where they are from."""
    if SKAB.is_file():
        with SKAB.open(encoding="utf-8") as file:
            rows = [row[1:] for row in csv.reader(file, delimiter=";")][1:]
        values = np.array(rows, dtype=np.float64)
        return f"SKAB, {len(rows)} s repeated", np.resize(values, (seconds, values.shape[1]))
    steps = np.random.default_rng(7).normal(0, 0.05, (seconds, SIGNALS))
    return "random walks of two decimals", np.round(50 + np.cumsum(steps, axis=0), 2)


def measure(hours: int, jitter_ms: int, runs: int, folder: Path) -> Figures:
    """Fill both stores, then read both in turns."""
    seconds = hours * 3_600
    source, values = signals(seconds)
    jitter = np.random.default_rng(11).integers(0, jitter_ms + 1, seconds) * 1_000
    times = START_US + np.arange(seconds, dtype=np.int64) * SECOND_US + jitter
    channels = [Channel("line-1", "pump", f"signal_{n}") for n in range(values.shape[1])]
    readings = values.size
    path = folder / "lineproof.sqlite"
    fill_store(path, channels, times, values)
    days = list_days(days_folder(path))
    day_bytes = sum(day.size_bytes for day in days)
    share = rollup_share(path)
    row_file = folder / "rows.sqlite"
    rows = fill_rows(row_file, times, values)
    store = SqliteStore.open(path)
    first_ms, _ = read(store, channels[0], seconds)
    read_ms, row_ms, agree = [], [], True
    for run in range(runs):
        number = run % len(channels)
        ours_ms, (our_times, ours) = read(store, channels[number], seconds)
        theirs_ms, (their_times, theirs) = read_rows(rows, number, seconds)
        agree = agree and np.array_equal(our_times, their_times) and np.array_equal(ours, theirs) and len(ours) > 0
        read_ms.append(ours_ms)
        row_ms.append(theirs_ms)
    store.close()
    rows.close()
    return Figures(
        source=source,
        readings=readings,
        bytes_a_reading=day_bytes * (1 - share) / readings,
        rollup_bytes_a_reading=day_bytes * share / readings,
        row_bytes_a_reading=row_file.stat().st_size / readings,
        read_ms=read_ms,
        first_read_ms=first_ms,
        row_read_ms=row_ms,
        agree=agree,
    )


def fill_store(path: Path, channels: list[Channel], times: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    """Commit a minute at a time and compact as the agent does, every minute."""
    store = SqliteStore.open(path, staging_s=0)
    for first in range(0, len(times), COMMIT_S):
        some, stamps = values[first : first + COMMIT_S], times[first : first + COMMIT_S]
        run = ReadingRun(
            channels * len(stamps),
            np.repeat(stamps, len(channels)).tolist(),
            some.ravel().tolist(),
            [0] * some.size,
        )
        now = Instant(START_US + (first + 2 * COMMIT_S) * SECOND_US, 0, "bench")
        store.commit(Batch(now, readings=run))
        while store.compact(now):
            pass
    store.close()


def rollup_share(path: Path) -> float:
    """Share of the blocks' bytes that are roll-ups."""
    minutes = data = 0
    for file in days_folder(path).glob("*.sqlite"):
        day = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
        minutes += cast("int", day.execute("SELECT sum(length(minutes)) FROM block").get)
        data += cast("int", day.execute("SELECT sum(length(data)) FROM block").get)
        day.close()
    return minutes / (minutes + data)


def fill_rows(path: Path, times: NDArray[np.int64], values: NDArray[np.float64]) -> apsw.Connection:
    """A row a reading, in the order of arrival, found by sensor and time."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute(
        "CREATE TABLE reading (channel INTEGER, t_us INTEGER, value REAL, quality INTEGER);"
        "CREATE INDEX reading_by_channel ON reading (channel, t_us)"
    )
    numbers = range(values.shape[1])
    with connection:
        connection.executemany(
            "INSERT INTO reading VALUES (?, ?, ?, 0)",
            (
                (number, stamp, row[number])
                for stamp, row in zip(times.tolist(), values.tolist(), strict=True)
                for number in numbers
            ),
        )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return connection


Series = tuple["NDArray[np.int64]", "NDArray[np.float64]"]


def read(store: SqliteStore, channel: Channel, seconds: int) -> tuple[float, Series]:
    """The newest six hours of a sensor from the agent's store, and how long that took, ms."""
    end_us = START_US + seconds * SECOND_US
    began_ns = time.perf_counter_ns()
    found = store.readings(channel.key, end_us - SIX_HOURS_S * SECOND_US, end_us)
    return (time.perf_counter_ns() - began_ns) / 1e6, found


def read_rows(connection: apsw.Connection, number: int, seconds: int) -> tuple[float, Series]:
    """The same from the rows."""
    end_us = START_US + seconds * SECOND_US
    bounds = (number, end_us - SIX_HOURS_S * SECOND_US, end_us)
    query = "SELECT t_us, value FROM reading WHERE channel = ? AND t_us >= ? AND t_us < ? AND quality < 2 ORDER BY t_us"
    began_ns = time.perf_counter_ns()
    rows = cast("list[tuple[int, float]]", connection.execute(query, bounds).fetchall())
    found = np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float64)
    return (time.perf_counter_ns() - began_ns) / 1e6, found


def outcomes(figures: Figures) -> list[results.Outcome]:
    """What the runner judges and tells."""
    ratios = [ours / theirs for ours, theirs in zip(figures.read_ms, figures.row_read_ms, strict=True)]
    return [
        results.Outcome(
            "readings_store.bytes", "Bytes on disk a reading", [figures.bytes_a_reading], MOST_BYTES, unit="B"
        ),
        results.Outcome(
            "readings_store.rollup_bytes",
            "Bytes on disk a reading for its one-minute roll-ups",
            [figures.rollup_bytes_a_reading],
            MOST_ROLLUP_BYTES,
            unit="B",
        ),
        results.Outcome(
            "readings_store.six_hours_ms", "Six hours of one sensor read back", figures.read_ms, MOST_MS, unit="ms"
        ),
        results.Outcome(
            "readings_store.bytes_of_rows",
            "Bytes a reading, roll-ups included, of those of a row a reading in SQLite",
            [(figures.bytes_a_reading + figures.rollup_bytes_a_reading) / figures.row_bytes_a_reading],
        ),
        results.Outcome("readings_store.read_of_rows", "Reading six hours back, of the time rows take", ratios),
    ]


def text(figures: Figures) -> str:
    """The figures in lines."""
    told = [f"{figures.readings} readings ({figures.source}); both agree: {figures.agree}"]
    for outcome in outcomes(figures):
        low, high = min(outcome.samples), max(outcome.samples)
        state = {True: "kept", False: "MISSED", None: ""}[outcome.held]
        told.append(
            f"  {outcome.median:8.3f} {outcome.unit:<2} ({low:.3f} to {high:.3f})  {outcome.asked:<10} {state:<6}"
            f" {outcome.sentence}"
        )
    told.append(f"  rows: {figures.row_bytes_a_reading:.1f} B a reading; first read {figures.first_read_ms:.2f} ms")
    return "\n".join(told)


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hours", type=int, default=24, help="of readings, at least 6")
    parser.add_argument("--jitter-ms", type=int, default=3, help="stamps are late by 0 to so many milliseconds")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    results.add_option(parser)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineproof-bench-") as name:
        figures = measure(given.hours, given.jitter_ms, given.runs, Path(name))
    print(json.dumps(asdict(figures)) if given.json else text(figures))
    results.write(given.outcomes, outcomes(figures))
    return 0 if figures.kept else 1


if __name__ == "__main__":
    sys.exit(main())
