"""What does a tick of 200 channels cost in mirrored rings, against one loop over the channels?

    python -m benchmarks.feature_tick [--channels N] [--rows N ...] [--runs N] [--json]

A tick takes one value of every channel into its window and gives mean, RMS, peak, crest factor and kurtosis of every
window. `ring` is the agent's way: `signals.ring.MirroredRing` and `signals.amplitude.amplitudes`, all channels at once.
`loop` is how such code is usually written: a deque a channel, and the same five figures by numpy from each. `lean loop`
is a loop over channels without deques: every channel in a mirrored ring of its own, the figures by the agent's own
function, channel by channel. `window only` leaves the figures out: what the data structure itself costs.

All run in one process, in turns, on the same values, and must agree. Exit 1 when they differ or `ring` needs more than
0.03 of `loop`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from benchmarks import results
from edge_agent.signals.amplitude import amplitudes
from edge_agent.signals.ring import MirroredRing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

LIMIT = 0.03
TICKS = {"ring": 400, "loop": 20, "lean loop": 20}
"""Ticks of a run: enough that one interruption by another process does not decide it."""


class Way(Protocol):
    """One way to do a tick."""

    def tick(self, row: NDArray[np.float32]) -> Floats:
        """Take a value of every channel; five figures of every window, (5, channels)."""
        ...

    def window_only(self, row: NDArray[np.float32]) -> object:
        """Take a value of every channel and have the windows at hand."""
        ...


class Ring:
    """All channels in one mirrored ring."""

    def __init__(self, channels: int, rows: int) -> None:
        self._ring = MirroredRing(rows=rows, channels=channels)

    def tick(self, row: NDArray[np.float32]) -> Floats:
        """One write, one call."""
        self._ring.push(row)
        found = amplitudes(self._ring.window, axis=0)
        return np.stack([found.mean, found.rms, found.peak, found.crest, found.kurtosis])

    def window_only(self, row: NDArray[np.float32]) -> object:
        """One write; the window is a view."""
        self._ring.push(row)
        return self._ring.window


class Loop:
    """A deque a channel."""

    def __init__(self, channels: int, rows: int) -> None:
        self._windows: list[deque[float]] = [deque([0.0] * rows, maxlen=rows) for _ in range(channels)]

    def tick(self, row: NDArray[np.float32]) -> Floats:
        """Channel by channel, figure by figure."""
        figures = np.empty((5, len(self._windows)))
        for channel, (window, value) in enumerate(zip(self._windows, row.tolist(), strict=True)):
            window.append(value)
            values = np.array(window)
            mean = values.mean()
            moved = values - mean
            rms = np.sqrt(np.mean(moved**2))
            peak = np.max(np.abs(moved))
            figures[:, channel] = mean, rms, peak, peak / rms, np.mean(moved**4) / rms**4
        return figures

    def window_only(self, row: NDArray[np.float32]) -> object:
        """Channel by channel, as arrays."""
        windows = []
        for window, value in zip(self._windows, row.tolist(), strict=True):
            window.append(value)
            windows.append(np.array(window))
        return windows


class LeanLoop:
    """A mirrored ring a channel."""

    def __init__(self, channels: int, rows: int) -> None:
        self._rings = [MirroredRing(rows=rows, channels=1) for _ in range(channels)]

    def tick(self, row: NDArray[np.float32]) -> Floats:
        """Channel by channel, the agent's own function."""
        figures = np.empty((5, len(self._rings)))
        for channel, (ring, value) in enumerate(zip(self._rings, row, strict=True)):
            ring.push(value)
            found = amplitudes(ring.window[:, 0])
            figures[:, channel] = found.mean, found.rms, found.peak, found.crest, found.kurtosis
        return figures

    def window_only(self, row: NDArray[np.float32]) -> object:
        """Channel by channel, views."""
        windows = []
        for ring, value in zip(self._rings, row, strict=True):
            ring.push(value)
            windows.append(ring.window)
        return windows


@dataclass(frozen=True)
class Spread:
    """Microseconds a tick over several runs."""

    median_us: float
    low_us: float
    high_us: float


@dataclass(frozen=True)
class Figures:
    """What was measured; ratios are those of one run each, median and spread."""

    channels: int
    rows: int
    runs: int
    ticks: dict[str, Spread]
    windows: dict[str, Spread]
    ratio_median: float
    ratio_low: float
    ratio_high: float
    ratios: list[float]
    lean_ratio_median: float
    window_ratio_median: float
    agree: bool


def measure(channels: int, rows: int, runs: int) -> Figures:
    """Time all ways in turns."""
    generator = np.random.default_rng(5)
    values = generator.standard_normal((rows, channels)).astype(np.float32)
    ways: dict[str, Way] = {
        "ring": Ring(channels, rows),
        "loop": Loop(channels, rows),
        "lean loop": LeanLoop(channels, rows),
    }
    for row in values:
        for way in ways.values():
            way.window_only(row)
    last = [way.tick(values[0]) for way in ways.values()]
    agree = all(np.allclose(last[0], other, rtol=1e-3, atol=1e-4) for other in last[1:])
    ticks: dict[str, list[float]] = {name: [] for name in ways}
    windows: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            ticks[name].append(_us(way.tick, values, TICKS[name]))
            windows[name].append(_us(way.window_only, values, TICKS[name]))
    ratios = _ratios(ticks, "loop")
    return Figures(
        channels=channels,
        rows=rows,
        runs=runs,
        ticks={name: _spread(found) for name, found in ticks.items()},
        windows={name: _spread(found) for name, found in windows.items()},
        ratio_median=statistics.median(ratios),
        ratio_low=min(ratios),
        ratio_high=max(ratios),
        ratios=ratios,
        lean_ratio_median=statistics.median(_ratios(ticks, "lean loop")),
        window_ratio_median=statistics.median(_ratios(windows, "loop")),
        agree=agree,
    )


def _us(call: Callable[[NDArray[np.float32]], object], values: NDArray[np.float32], ticks: int) -> float:
    began_ns = time.perf_counter_ns()
    for number in range(ticks):
        call(values[number % len(values)])
    return (time.perf_counter_ns() - began_ns) / 1e3 / ticks


def _spread(found: Sequence[float]) -> Spread:
    return Spread(statistics.median(found), min(found), max(found))


def _ratios(found: dict[str, list[float]], peer: str) -> list[float]:
    return [ours / theirs for ours, theirs in zip(found["ring"], found[peer], strict=True)]


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--channels", type=int, default=200)
    parser.add_argument("--rows", type=int, nargs="+", default=[64, 256, 1_024], help="values in a window")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    results.add_option(parser)
    arguments = parser.parse_args()
    measured = [measure(arguments.channels, rows, arguments.runs) for rows in arguments.rows]
    print(json.dumps([asdict(figures) for figures in measured]) if arguments.json else "\n".join(map(text, measured)))
    results.write(
        arguments.outcomes,
        [
            results.Outcome(
                f"feature_tick.of_loop[{each.rows}]",
                f"a feature tick of {each.channels} channels over {each.rows} values, to the loop over channels",
                each.ratios,
                LIMIT,
            )
            for each in measured
        ],
    )
    return int(not all(figures.agree and figures.ratio_median <= LIMIT for figures in measured))


def text(figures: Figures) -> str:
    """The figures of one length of windows for people."""
    lines = [f"{figures.channels} channels, windows of {figures.rows}, {figures.runs} runs; microseconds a tick"]
    for name, spread in figures.ticks.items():
        window = figures.windows[name]
        lines.append(
            f"  {name:<10} {spread.median_us:>9.1f}  ({spread.low_us:.1f} to {spread.high_us:.1f});"
            f" window only {window.median_us:>7.1f}  ({window.low_us:.1f} to {window.high_us:.1f})"
        )
    kept = "kept" if figures.ratio_median <= LIMIT else "MISSED"
    lines.append(
        f"  ring / loop {figures.ratio_median:.4f} ({figures.ratio_low:.4f} to {figures.ratio_high:.4f}),"
        f" limit {LIMIT}: {kept}; ring / lean loop {figures.lean_ratio_median:.4f};"
        f" window only, ring / loop {figures.window_ratio_median:.4f}; results agree: {figures.agree}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
