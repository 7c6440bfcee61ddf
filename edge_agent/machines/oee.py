"""Overall equipment effectiveness of a machine over a period, from its states and counts (ISO 22400-2).

Times are those of the standard: planned busy time (PBT), actual production time (APT), unit down time (ADOT), delay
time (ADET), set-up time (AUST). A figure that cannot be had is None with the reason, never a guess, and a figure above
1 is shown as it is: then parts are made faster than the planned run time says, which is wrong.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from edge_agent.events import MachineState, MachineStateName, Production
from edge_agent.instant import to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from edge_agent.events import Event

LEAST_COVERAGE = 0.9
"""Share of the period in which the machine's state must be known, as for a valid day of a baseline."""
_SECONDS: Final = 1e-6
REASONS: Final = {
    "state_unknown": "the machine's state is known for too little of the period",
    "no_planned_busy_time": "nothing was planned in the period",
    "not_produced": "the machine did not produce in the period",
    "nothing_counted": "no count of produced parts lies in the period",
    "scrap_not_counted": "a count of the period does not say how many parts were scrapped or reworked",
    "no_planned_run_time": "the planned run time per item is not given for a product that was made",
    "counts_straddle": "a count reaches beyond the period, and nobody knows which of its parts were made within",
    "counts_overlap": "two counts of one product cover the same time, so that parts may be counted twice",
    "more_bad_than_produced": "more parts were scrapped and reworked than produced",
}


class Ratio(msgspec.Struct, frozen=True):
    """A key performance indicator, or the key of `REASONS` that says why there is none."""

    value: float | None
    reason: str = ""

    def times(self, other: Ratio) -> Ratio:
        """The product; of two reasons the first.

        >>> Ratio(0.5).times(Ratio(0.5)).value, Ratio(0.5).times(Ratio(None, "not_produced")).reason
        (0.25, 'not_produced')
        """
        if self.value is None or other.value is None:
            return self if self.value is None else other
        return Ratio(self.value * other.value)


class TimeElements(msgspec.Struct, frozen=True):
    """Where a machine's time in a period went, seconds; the elements sum to the period.

    Attributes:
        production_s: producing (APT).
        delay_s: ready and not producing: starved, blocked, idle (ADET).
        setup_s: being set up (AUST).
        down_s: stopped unplanned (ADOT).
        planned_stop_s: stopped as planned; no part of the planned busy time.
        unknown_s: before the first state that is known.
        failures: unplanned stops that began in the period.
    """

    production_s: float = 0.0
    delay_s: float = 0.0
    setup_s: float = 0.0
    down_s: float = 0.0
    planned_stop_s: float = 0.0
    unknown_s: float = 0.0
    failures: int = 0

    @property
    def known_s(self) -> float:
        """Time in which the state is known."""
        return self.production_s + self.delay_s + self.setup_s + self.down_s + self.planned_stop_s

    @property
    def planned_busy_s(self) -> float:
        """Planned busy time (PBT): what is known, less planned stops."""
        return self.known_s - self.planned_stop_s

    @property
    def coverage(self) -> float:
        """Share of the period in which the state is known, 0 to 1."""
        whole_s = self.known_s + self.unknown_s
        return self.known_s / whole_s if whole_s > 0 else 0.0


class Quantities(msgspec.Struct, frozen=True):
    """What was made in a period.

    Attributes:
        produced: parts (PQ); None when they are not known, with `problem`.
        good: parts that were right without rework (GQ); None when scrap or rework is not counted.
        planned_run_s: planned run time of all parts together (sum of PRI times PQ); None when one is not given.
        problem: key of `REASONS` for `produced` being None.
        good_problem: key of `REASONS` for `good` being None.
    """

    produced: int | None
    good: int | None = None
    planned_run_s: float | None = None
    problem: str = ""
    good_problem: str = ""


class Effectiveness(msgspec.Struct, frozen=True):
    """Key performance indicators of one machine and period (ISO 22400-2, clause 9).

    Attributes:
        availability: APT / PBT.
        effectiveness: planned run time of what was made / APT.
        quality_ratio: GQ / PQ.
        oee: the product of these three.
        nee: the same with set-up counted as use, (APT + AUST) / PBT: net equipment effectiveness index.
        technical_efficiency: APT / (APT + ADOT + ADET).
        setup_ratio: AUST / (APT + AUST).
    """

    availability: Ratio
    effectiveness: Ratio
    quality_ratio: Ratio
    oee: Ratio
    nee: Ratio
    technical_efficiency: Ratio
    setup_ratio: Ratio


def time_elements(facts: Iterable[Event], asset: str, start: datetime, end: datetime) -> TimeElements:
    """Cut a machine's states to a period.

    Args:
        facts: events of one line, any order; states before `start` say in which one the period begins.
        asset: the machine.
        start: the period's begin, aware.
        end: the period's end, aware.

    >>> from datetime import UTC, datetime
    >>> from edge_agent.events import Event
    >>> def at(hour, state):
    ...     return Event(f"k{hour}", "l", datetime(2026, 1, 5, hour, tzinfo=UTC), MachineState("press", state))
    >>> day = [at(6, "producing"), at(10, "unplanned_stop"), at(11, "producing"), at(13, "planned_stop")]
    >>> found = time_elements(day, "press", datetime(2026, 1, 5, 8, tzinfo=UTC), datetime(2026, 1, 5, 14, tzinfo=UTC))
    >>> found.production_s / 3600, found.down_s / 3600, found.planned_busy_s / 3600, found.failures
    (4.0, 1.0, 5.0, 1)
    """
    begin_us, end_us = to_us(start), to_us(end)
    states = sorted(
        (to_us(fact.occurred_at), fact.body.state)
        for fact in facts
        if isinstance(fact.body, MachineState) and fact.body.asset == asset
    )
    spent: dict[MachineStateName | None, int] = {}
    failures = 0
    current: MachineStateName | None = None
    at_us = begin_us
    for t_us, state in states:
        if t_us >= end_us:
            break
        if t_us > at_us:
            spent[current] = spent.get(current, 0) + t_us - at_us
            at_us = t_us
        failures += state == "unplanned_stop" and current != state and t_us >= begin_us
        current = state
    spent[current] = spent.get(current, 0) + max(0, end_us - at_us)
    return TimeElements(
        production_s=spent.get("producing", 0) * _SECONDS,
        delay_s=spent.get("idle", 0) * _SECONDS,
        setup_s=spent.get("setup", 0) * _SECONDS,
        down_s=spent.get("unplanned_stop", 0) * _SECONDS,
        planned_stop_s=spent.get("planned_stop", 0) * _SECONDS,
        unknown_s=spent.get(None, 0) * _SECONDS,
        failures=failures,
    )


def quantities(
    facts: Iterable[Event], start: datetime, end: datetime, planned_run_s: Mapping[str, float]
) -> Quantities:
    """Add up the counts that lie in a period.

    Args:
        facts: events of one line, any order.
        start: the period's begin, aware.
        end: the period's end, aware.
        planned_run_s: planned run time per item (PRI) by product, seconds.
    """
    counts = sorted(
        (
            (fact.body.product, fact.occurred_at, fact.body)
            for fact in facts
            if isinstance(fact.body, Production) and fact.occurred_at < end and fact.body.ended_at > start
        ),
        key=lambda count: count[:2],
    )
    if not counts:
        return Quantities(None, problem="nothing_counted")
    if any(began < start or body.ended_at > end for _, began, body in counts):
        return Quantities(None, problem="counts_straddle")
    for (product, _, earlier), (other, began, _) in pairwise(counts):
        if product == other and began < earlier.ended_at:
            return Quantities(None, problem="counts_overlap")
    bodies = [body for _, _, body in counts]
    produced = sum(body.produced for body in bodies)
    good, good_problem = _good(bodies, produced)
    runs = [planned_run_s.get(body.product) for body in bodies if body.produced]
    known = [run_s for run_s in runs if run_s is not None]
    made = [body.produced for body in bodies if body.produced]
    planned = sum(run_s * n for run_s, n in zip(known, made, strict=True)) if len(known) == len(made) else None
    return Quantities(produced, good, planned, good_problem=good_problem)


def _good(bodies: list[Production], produced: int) -> tuple[int | None, str]:
    bad = 0
    for body in bodies:
        if body.scrap is None or body.rework is None:
            return None, "scrap_not_counted"
        bad += body.scrap + body.rework
    return (None, "more_bad_than_produced") if bad > produced else (produced - bad, "")


def effectiveness(elements: TimeElements, made: Quantities, *, planned_busy_s: float | None = None) -> Effectiveness:
    """Key performance indicators of a period.

    Args:
        elements: where the time went.
        made: what came of it.
        planned_busy_s: planned busy time by the plan, where the states do not tell it; they do otherwise.

    >>> shift = TimeElements(production_s=21_600, delay_s=1_200, setup_s=1_200, down_s=1_200, planned_stop_s=3_600)
    >>> found = effectiveness(shift, Quantities(produced=2_000, good=1_900, planned_run_s=20_000.0))
    >>> [round(ratio.value, 4) for ratio in (found.availability, found.effectiveness, found.quality_ratio, found.oee)]
    [0.8571, 0.9259, 0.95, 0.754]
    """
    busy_s = elements.planned_busy_s if planned_busy_s is None else planned_busy_s
    known = elements.coverage >= LEAST_COVERAGE
    production_s, use_s = elements.production_s, elements.production_s + elements.setup_s
    available = _share(production_s, busy_s, "no_planned_busy_time", known=known)
    used = _share(use_s, busy_s, "no_planned_busy_time", known=known)
    if made.produced is None:
        effective = Ratio(None, made.problem)
    elif made.planned_run_s is None:
        effective = Ratio(None, "no_planned_run_time")
    else:
        effective = _share(made.planned_run_s, production_s, "not_produced", known=known)
    if made.produced is None or made.good is None:
        quality = Ratio(None, made.problem or made.good_problem)
    else:
        quality = _share(made.good, made.produced, "not_produced", known=True)
    return Effectiveness(
        availability=available,
        effectiveness=effective,
        quality_ratio=quality,
        oee=available.times(effective).times(quality),
        nee=used.times(effective).times(quality),
        technical_efficiency=_share(
            production_s, production_s + elements.down_s + elements.delay_s, "not_produced", known=known
        ),
        setup_ratio=_share(elements.setup_s, use_s, "not_produced", known=known),
    )


def _share(part: float, whole: float, reason: str, *, known: bool) -> Ratio:
    if not known:
        return Ratio(None, "state_unknown")
    return Ratio(part / whole) if whole > 0 else Ratio(None, reason)
