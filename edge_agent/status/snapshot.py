"""What the status page knows about a line at one moment: immutable, made only of committed facts."""

from __future__ import annotations

from datetime import datetime

import msgspec

from edge_agent.events import Alarm, Downtime, Health, Inspection, MachineState, Origin
from edge_agent.status.shifts import Shift


class Inspected(msgspec.Struct, frozen=True):
    """An inspection with the key and time of its event."""

    key: str
    at: datetime
    origin: Origin
    body: Inspection


class ShiftCounts(msgspec.Struct, frozen=True):
    """What happened on a line in one shift, by the time it happened.

    Attributes:
        inspected: parts judged by a model; the sum of the next four.
        passed, rejected, review, no_verdict: of those, by verdict.
        false_rejects: FAIL verdicts that a person overruled as good in this shift.
        escapes: PASS verdicts that a person overruled as defective in this shift, and defective parts reported as
            having passed.
    """

    inspected: int = 0
    passed: int = 0
    rejected: int = 0
    review: int = 0
    no_verdict: int = 0
    false_rejects: int = 0
    escapes: int = 0


class HealthPoint(msgspec.Struct, frozen=True):
    """One point of a trend: time, and health 0 to 100 or None for not known."""

    at: datetime
    health: float | None


class AssetHealth(msgspec.Struct, frozen=True):
    """A watched machine: its newest health event and the trend up to it, oldest first.

    Attributes:
        at: the time that the event speaks of; long past in a replay of old data.
        recorded_at: when it was recorded, by this machine's clock; only this tells whether the agent still watches.
    """

    at: datetime
    recorded_at: datetime
    body: Health
    trend: tuple[HealthPoint, ...]


class ActiveAlarm(msgspec.Struct, frozen=True):
    """An alarm whose newest event says raised."""

    at: datetime
    body: Alarm


class MachineNow(msgspec.Struct, frozen=True):
    """The state a machine is in, and since when."""

    since: datetime
    body: MachineState


class Stop(msgspec.Struct, frozen=True):
    """The newest stop that has ended."""

    started: datetime
    body: Downtime


class Late(msgspec.Struct, frozen=True):
    """A message past its deadline that the broker has not acknowledged."""

    at: datetime
    subject_key: str
    topic: str
    action: str


class LineSnapshot(msgspec.Struct, frozen=True):
    """A line as its committed events tell it.

    Attributes:
        line: the production line.
        last_seq: the newest event taken in.
        shift: the present shift, to which `counts` belong.
        last: the newest inspection.
        recent: the newest inspections that are not PASS, newest first.
        health, machines: by asset name.
        alarms: active alarms, oldest first.
        late: undelivered messages, oldest first; the newest `LATE_KEPT` at most.
        late_count: how many there are in all.
        open_reviews: REVIEW verdicts that wait for a person.
        last_event_at: newest time of an event of any kind, None for an empty line.
    """

    line: str
    last_seq: int
    shift: Shift
    counts: ShiftCounts
    last: Inspected | None = None
    recent: tuple[Inspected, ...] = ()
    health: tuple[AssetHealth, ...] = ()
    machines: tuple[MachineNow, ...] = ()
    alarms: tuple[ActiveAlarm, ...] = ()
    last_stop: Stop | None = None
    late: tuple[Late, ...] = ()
    late_count: int = 0
    open_reviews: int = 0
    last_event_at: datetime | None = None
