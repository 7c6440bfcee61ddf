"""Events that tell of one and the same loss, so that it is credited once.

A camera that fails a part, a second camera that fails it again, and a machine-health alarm raised at that time on that
line are one loss. What probably caused it is said, never assumed into a figure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.observations.facts import AlarmFact, AlarmOutcomeFact, InspectedPart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from roi_tracker.observations.facts import Fact

LikelyCause = Literal["machine_confirmed", "machine_suspected", "not_the_machine", "unknown"]
SAME_TIME = timedelta(minutes=30)
"""An alarm and a failed part this near to one another, on one line, tell of one loss: health windows span minutes."""


class JointLoss(msgspec.Struct, frozen=True):
    """Two events or more that tell of one loss.

    Attributes:
        name: key of its first event.
        inspections, alarms: keys of failed parts and of alarms.
        likely_cause: `machine_confirmed` (somebody found the fault the alarm told of), `machine_suspected` (an alarm,
            nobody has said yet), `not_the_machine` (somebody looked and found nothing), `unknown` (no alarm).
    """

    name: str
    line: str
    first: datetime
    last: datetime
    inspections: tuple[str, ...]
    alarms: tuple[str, ...]
    likely_cause: LikelyCause

    @property
    def keys(self) -> tuple[str, ...]:
        """All its events."""
        return (*self.inspections, *self.alarms)


def joint_losses(facts: Iterable[Fact], same_time: timedelta = SAME_TIME) -> tuple[JointLoss, ...]:
    """Losses that several events tell of, in order of time.

    A failed part belongs to the alarm nearest in time on its line, within `same_time` on either side. Without an alarm,
    failures of the same part within `same_time` of one another are one loss; parts without a name stay apart.
    """
    failed: dict[str, list[InspectedPart]] = defaultdict(list)
    alarms: dict[str, list[AlarmFact]] = defaultdict(list)
    outcomes: dict[str, AlarmOutcomeFact] = {}
    for fact in facts:
        if isinstance(fact, InspectedPart) and fact.verdict == "FAIL":
            failed[fact.line].append(fact)
        elif isinstance(fact, AlarmFact):
            alarms[fact.line].append(fact)
        elif isinstance(fact, AlarmOutcomeFact) and fact.alarm_key:
            outcomes[fact.alarm_key] = fact
    found: list[JointLoss] = []
    for line, parts in failed.items():
        raised = sorted(alarms[line], key=_time)
        with_alarm: dict[str, list[InspectedPart]] = defaultdict(list)
        without: list[InspectedPart] = []
        for part in sorted(parts, key=_time):
            near = _nearest(raised, part.at, same_time)
            (without if near is None else with_alarm[near.key]).append(part)
        found += [
            _loss(with_alarm[alarm.key], [alarm], _cause(outcomes.get(alarm.key)))
            for alarm in raised
            if alarm.key in with_alarm
        ]
        found += [_loss(group, [], "unknown") for group in _same_part(without, same_time) if len(group) > 1]
    return tuple(sorted(found, key=lambda loss: (loss.first, loss.name)))


def _time(fact: InspectedPart | AlarmFact) -> tuple[datetime, str]:
    return (fact.at, fact.key)


def _nearest(alarms: Sequence[AlarmFact], at: datetime, within: timedelta) -> AlarmFact | None:
    place = bisect_left(alarms, at, key=lambda alarm: alarm.at)
    near = [alarm for alarm in alarms[max(0, place - 1) : place + 1] if abs(alarm.at - at) <= within]
    return min(near, key=lambda alarm: (abs(alarm.at - at), alarm.at), default=None)


def _same_part(parts: Sequence[InspectedPart], within: timedelta) -> list[list[InspectedPart]]:
    open_groups: dict[str, list[InspectedPart]] = {}
    groups: list[list[InspectedPart]] = []
    for part in parts:
        if not part.part:
            continue
        group = open_groups.get(part.part)
        if group is None or part.at - group[-1].at > within:
            group = open_groups[part.part] = []
            groups.append(group)
        group.append(part)
    return groups


def _cause(outcome: AlarmOutcomeFact | None) -> LikelyCause:
    if outcome is None:
        return "machine_suspected"
    return "not_the_machine" if outcome.outcome == "not_found" else "machine_confirmed"


def _loss(parts: Sequence[InspectedPart], alarms: Sequence[AlarmFact], cause: LikelyCause) -> JointLoss:
    every: list[InspectedPart | AlarmFact] = sorted((*parts, *alarms), key=_time)
    return JointLoss(
        name=every[0].key,
        line=every[0].line,
        first=every[0].at,
        last=every[-1].at,
        inspections=tuple(part.key for part in parts),
        alarms=tuple(alarm.key for alarm in alarms),
        likely_cause=cause,
    )


def loss_names(joint: Sequence[JointLoss]) -> Mapping[str, str]:
    """Name of the loss that an event tells of, for events of joint losses; any other event is a loss by itself."""
    return {key: loss.name for loss in joint for key in loss.keys}
