"""What a person may do to recorded stops: name the reason, split at a time, merge neighbours. No time is lost.

Whatever is done, the new stops last together from the first start to the last end of what they replace, one after the
other: a person can say why a line stood, never that it did not.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from edge_agent.errors import RevisionRefusedError
from edge_agent.events import Origin

MERGE_GAP = timedelta(minutes=5)
"""Neighbours further apart are two stops: a merge counts the time between them as stopped."""


class Stop(msgspec.Struct, frozen=True):
    """A stop as it counts now.

    Attributes:
        key: of the `downtime` event, or the one a revision gave it.
        revised_by: who revised it last, empty for a stop as it was recorded.
    """

    key: str
    line: str
    asset: str
    started: datetime
    ended: datetime
    planned: bool
    reason: str
    origin: Origin
    revised_by: str = ""

    @property
    def duration_s(self) -> float:
        """How long it lasted, seconds."""
        return (self.ended - self.started).total_seconds()


class Cause(msgspec.Struct, frozen=True):
    """A reason with whether it was planned."""

    reason: str
    planned: bool


class Piece(msgspec.Struct, frozen=True):
    """A stop that shall count from now on; it has no key yet."""

    started: datetime
    ended: datetime
    cause: Cause


def relabel(stop: Stop, cause: Cause) -> tuple[Piece, ...]:
    """The same stop for another reason.

    Raises:
        RevisionRefusedError: it has that reason already.
    """
    if (stop.reason, stop.planned) == (cause.reason, cause.planned):
        raise RevisionRefusedError(
            "nothing_changes", "The stop has this reason already.", hint="Choose another reason, or leave it."
        )
    return (Piece(stop.started, stop.ended, cause),)


def split(stop: Stop, at: datetime, first: Cause, second: Cause) -> tuple[Piece, ...]:
    """Two stops, one until `at` and one from there.

    Raises:
        RevisionRefusedError: `at` is not within the stop.

    >>> from datetime import UTC
    >>> def moment(minute):
    ...     return datetime(2026, 1, 5, 8, minute, tzinfo=UTC)
    >>> jam, tool = Cause("jam", False), Cause("changeover", True)
    >>> stop = Stop("k", "l", "press", moment(0), moment(30), False, "jam", "measured")
    >>> [(p.started.minute, p.ended.minute, p.cause.reason) for p in split(stop, moment(10), jam, tool)]
    [(0, 10, 'jam'), (10, 30, 'changeover')]
    """
    if not stop.started < at < stop.ended:
        raise RevisionRefusedError(
            "split_outside_stop",
            f"The stop lasts from {_utc(stop.started)} to {_utc(stop.ended)}; {_utc(at)} is not within it.",
            hint="Give a time after its start and before its end.",
        )
    return (Piece(stop.started, at, first), Piece(at, stop.ended, second))


def merge(stops: tuple[Stop, ...], others: tuple[Stop, ...], cause: Cause) -> tuple[Piece, ...]:
    """One stop instead of neighbours.

    Args:
        stops: the neighbours, at least two.
        others: every other stop of the line that counts.
        cause: reason of the merged stop.

    Raises:
        RevisionRefusedError: they are of different machines, too far apart, or another stop lies between them.
    """
    ordered = sorted(stops, key=lambda stop: (stop.started, stop.ended))
    if len({stop.key for stop in ordered}) < 2:  # noqa: PLR2004 - a merge takes two
        raise RevisionRefusedError("merge_needs_two", "A merge takes at least two stops.", hint="Choose two or more.")
    if len({stop.asset for stop in ordered}) > 1:
        raise RevisionRefusedError(
            "different_machines", "The stops are of different machines.", hint="Merge stops of one machine."
        )
    for before, after in pairwise(ordered):
        if after.started - before.ended > MERGE_GAP:
            raise RevisionRefusedError(
                "too_far_apart",
                f"The machine ran from {_utc(before.ended)} to {_utc(after.started)}, longer than "
                f"{MERGE_GAP.seconds // 60} minutes; a merge would count that as stopped.",
                hint="Merge only stops that follow one another closely.",
            )
    start, end = ordered[0].started, max(stop.ended for stop in ordered)
    between = [o for o in others if o.asset == ordered[0].asset and o.started < end and o.ended > start]
    if between:
        raise RevisionRefusedError(
            "overlaps_another",
            f"The stop that began at {_utc(between[0].started)} lies between them.",
            hint="Merge it too, or merge fewer.",
        )
    return (Piece(start, end, cause),)


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
