"""What alarms on a monitored statistic are worth: events found, delay, false alarms; never point-adjusted.

An alarm is raised when the statistic has been at or above 1.0 for the on-delay, and cleared when it has been below
for the off-delay. An event counts as found only when an alarm is *raised* inside it: one that was already on says
nothing about the event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Flags = NDArray[np.bool_]
SECONDS_PER_WEEK = 604_800.0


class Monitored(msgspec.Struct, frozen=True):
    """One run: a statistic and the truth at each grid point.

    Attributes:
        statistic: (n,), 1.0 at the limit.
        abnormal: (n,), the label; None where nothing is known.
        period_s: seconds between points.
    """

    statistic: NDArray[np.float64]
    abnormal: NDArray[np.bool_]
    period_s: float


class Delays(msgspec.Struct, frozen=True):
    """How long a condition must hold, seconds."""

    on_s: float = 30.0
    off_s: float = 30.0


class AlarmFigures(msgspec.Struct, frozen=True):
    """Figures over all runs.

    Attributes:
        events, events_found: labelled stretches, and those in which an alarm was raised.
        false_alarms: alarms raised outside every event.
        false_alarms_per_week: against the healthy time monitored; None without any.
        delay_s: median time from an event's start to its alarm; None when none was found.
        healthy_s: healthy time monitored.
        point_f1: F1 of single points at or above the limit, no delays, no adjustment.
        all_ones_f1: F1 of calling every point abnormal.
        random_f1: expected F1 of calling the same share of points at random.
        second_half_f1: F1 of calling the second half of each run, without any sensor.
    """

    events: int
    events_found: int
    false_alarms: int
    false_alarms_per_week: float | None
    delay_s: float | None
    healthy_s: float
    point_f1: float
    all_ones_f1: float
    random_f1: float
    second_half_f1: float


def alarms_raised(statistic: NDArray[np.float64], period_s: float, delays: Delays) -> list[int]:
    """Points at which an alarm is raised.

    >>> alarms_raised(np.array([0, 2, 2, 0, 2, 2, 2, 0.0]), 1.0, Delays(on_s=2, off_s=2))
    [2]
    """
    on_points = max(1, round(delays.on_s / period_s))
    off_points = max(1, round(delays.off_s / period_s))
    raised: list[int] = []
    active = False
    held = 0
    for index, value in enumerate(statistic):
        held = held + 1 if (value >= 1.0) != active else 0
        if held >= (off_points if active else on_points):
            active = not active
            held = 0
            if active:
                raised.append(index)
    return raised


def stretches(flags: Flags) -> list[tuple[int, int]]:
    """Start and end (exclusive) of each stretch of True.

    >>> stretches(np.array([False, True, True, False, True]))
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def evaluate_alarms(runs: Sequence[Monitored], delays: Delays) -> AlarmFigures:
    """Figures over runs that were not used for teaching."""
    events = found = false = 0
    waits: list[float] = []
    healthy_s = 0.0
    for run in runs:
        raised = alarms_raised(run.statistic, run.period_s, delays)
        spans = stretches(run.abnormal)
        events += len(spans)
        inside = [[at for at in raised if start <= at < end] for start, end in spans]
        found += sum(bool(hits) for hits in inside)
        waits += [(hits[0] - start) * run.period_s for (start, _), hits in zip(spans, inside, strict=True) if hits]
        false += len(raised) - sum(len(hits) for hits in inside)
        healthy_s += float((~run.abnormal).sum()) * run.period_s
    truth = np.concatenate([run.abnormal for run in runs])
    called = np.concatenate([run.statistic >= 1.0 for run in runs])
    late = np.concatenate([np.arange(len(run.abnormal)) >= len(run.abnormal) / 2 for run in runs])
    return AlarmFigures(
        events=events,
        events_found=found,
        false_alarms=false,
        false_alarms_per_week=false / healthy_s * SECONDS_PER_WEEK if healthy_s else None,
        delay_s=float(np.median(waits)) if waits else None,
        healthy_s=healthy_s,
        point_f1=f1(called, truth),
        all_ones_f1=f1(np.ones_like(truth), truth),
        random_f1=_random_f1(float(called.mean()), float(truth.mean())),
        second_half_f1=f1(late, truth),
    )


def f1(called: Flags, truth: Flags) -> float:
    """Harmonic mean of precision and recall, 0 when nothing was called and nothing true.

    >>> f1(np.array([True, True, False]), np.array([True, False, False]))
    0.6666666666666666
    """
    hits = int((called & truth).sum())
    total = int(called.sum()) + int(truth.sum())
    return 2 * hits / total if total else 0.0


def _random_f1(share_called: float, share_true: float) -> float:
    """With independent calls the expected hits are the product of the shares."""
    total = share_called + share_true
    return 2 * share_called * share_true / total if total else 0.0
