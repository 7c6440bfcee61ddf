"""Folds one line's committed events, in feed order, into what the status page shows (pure)."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from edge_agent.events import (
    Alarm,
    Delivered,
    Disposition,
    Downtime,
    Escape,
    Health,
    Inspection,
    MachineState,
    Undelivered,
)
from edge_agent.status.snapshot import (
    ActiveAlarm,
    AssetHealth,
    HealthPoint,
    Inspected,
    Late,
    LineSnapshot,
    MachineNow,
    ShiftCounts,
    Stop,
)

if TYPE_CHECKING:
    from datetime import datetime

    from edge_agent.events import Event, RecordedEvent
    from edge_agent.status.shifts import Shift, ShiftCalendar

RECENT_KEPT = 12
TREND_KEPT = 180
"""Three hours of health at the default of one event a minute."""
LATE_KEPT = 50
REVIEWS_KEPT = 10_000


class _Tally:
    """Counts of one shift; a person's newest judgement of a part replaces the one before."""

    def __init__(self) -> None:
        self.verdicts = {"PASS": 0, "FAIL": 0, "REVIEW": 0, "NO_VERDICT": 0}
        self.reported_escapes = 0
        self._overruled: dict[str, str] = {}

    def judged(self, body: Disposition) -> None:
        if body.agrees is False:
            self._overruled[body.inspection_key] = body.judgement
        else:
            self._overruled.pop(body.inspection_key, None)

    def counts(self) -> ShiftCounts:
        overruled = list(self._overruled.values())
        return ShiftCounts(
            inspected=sum(self.verdicts.values()),
            passed=self.verdicts["PASS"],
            rejected=self.verdicts["FAIL"],
            review=self.verdicts["REVIEW"],
            no_verdict=self.verdicts["NO_VERDICT"],
            false_rejects=overruled.count("good"),
            escapes=overruled.count("defect") + self.reported_escapes,
        )


class LineFacts:
    """One line's state. Not thread-safe: the board guards it.

    Events count in the shift in which they occurred, not in which they arrived; old data that is replayed changes
    the last picture, never the counts of the present shift.
    """

    def __init__(self, line: str, calendar: ShiftCalendar) -> None:
        self.line = line
        self._calendar = calendar
        self._last_seq = 0
        self._tallies: dict[datetime, _Tally] = {}
        self._last: Inspected | None = None
        self._recent: deque[Inspected] = deque(maxlen=RECENT_KEPT)
        self._health: dict[str, AssetHealth] = {}
        self._trends: dict[str, deque[HealthPoint]] = {}
        self._machines: dict[str, MachineNow] = {}
        self._alarms: dict[str, ActiveAlarm] = {}
        self._stop: Stop | None = None
        self._late: dict[tuple[str, str], Late] = {}
        self._reviews: dict[str, None] = {}
        self._last_event_at: datetime | None = None

    def apply(self, recorded: RecordedEvent) -> bool:
        """Take an event of this line; returns False for one already taken (feed order makes that certain)."""
        if recorded.seq <= self._last_seq:
            return False
        self._last_seq = recorded.seq
        event = recorded.event
        if self._last_event_at is None or event.occurred_at > self._last_event_at:
            self._last_event_at = event.occurred_at
        self._fold_part(event)
        self._fold_machine(event, recorded.recorded_at)
        return True

    def snapshot(self, now: datetime) -> LineSnapshot:
        """The line at `now`; tallies of past shifts are let go."""
        shift = self._calendar.at(now)
        self._forget_before(shift)
        tally = self._tallies.get(shift.start)
        return LineSnapshot(
            line=self.line,
            last_seq=self._last_seq,
            shift=shift,
            counts=tally.counts() if tally is not None else ShiftCounts(),
            last=self._last,
            recent=tuple(reversed(self._recent)),
            health=tuple(self._health[asset] for asset in sorted(self._health)),
            machines=tuple(self._machines[asset] for asset in sorted(self._machines)),
            alarms=tuple(sorted(self._alarms.values(), key=lambda alarm: alarm.at)),
            last_stop=self._stop,
            late=tuple(islice(reversed(self._late.values()), LATE_KEPT))[::-1],
            late_count=len(self._late),
            open_reviews=len(self._reviews),
            last_event_at=self._last_event_at,
        )

    def _fold_part(self, event: Event) -> None:
        match event.body:
            case Inspection() as body:
                self._inspected(event, body)
            case Disposition() as body:
                self._reviews.pop(body.inspection_key, None)
                if not body.repeat_of:
                    self._tally(event.occurred_at).judged(body)
            case Escape(count=count):
                self._tally(event.occurred_at).reported_escapes += count
            case Undelivered() as body:
                late = Late(event.occurred_at, body.subject_key, body.topic, body.action)
                self._late[(body.subject_key, body.topic)] = late
            case Delivered() as body:
                self._late.pop((body.subject_key, body.topic), None)
            case _:
                pass

    def _fold_machine(self, event: Event, recorded_at: datetime) -> None:
        match event.body:
            case Health() as body:
                self._assessed(event, body, recorded_at)
            case Alarm(state="raised") as body:
                self._alarms[body.alarm] = ActiveAlarm(event.occurred_at, body)
            case Alarm() as body:
                self._alarms.pop(body.alarm, None)
            case MachineState() as body:
                self._entered(event, body)
            case Downtime() as body:
                if self._stop is None or event.occurred_at >= self._stop.started:
                    self._stop = Stop(event.occurred_at, body)
            case _:
                pass

    def _inspected(self, event: Event, body: Inspection) -> None:
        inspected = Inspected(event.key, event.occurred_at, event.origin, body)
        self._last = inspected
        self._tally(event.occurred_at).verdicts[body.verdict] += 1
        if body.verdict != "PASS":
            self._recent.append(inspected)
        if body.verdict == "REVIEW":
            self._reviews[event.key] = None
            if len(self._reviews) > REVIEWS_KEPT:
                self._reviews.pop(next(iter(self._reviews)))

    def _assessed(self, event: Event, body: Health, recorded_at: datetime) -> None:
        trend = self._trends.setdefault(body.asset, deque(maxlen=TREND_KEPT))
        trend.append(HealthPoint(event.occurred_at, body.health))
        self._health[body.asset] = AssetHealth(event.occurred_at, recorded_at, body, tuple(trend))

    def _entered(self, event: Event, body: MachineState) -> None:
        before = self._machines.get(body.asset)
        if before is not None and event.occurred_at < before.since:
            return  # a late fact about the past is not what the machine does now
        same = before is not None and (before.body.state, before.body.reason) == (body.state, body.reason)
        if not same:
            self._machines[body.asset] = MachineNow(event.occurred_at, body)

    def _tally(self, moment: datetime) -> _Tally:
        return self._tallies.setdefault(self._calendar.at(moment).start, _Tally())

    def _forget_before(self, shift: Shift) -> None:
        for start in [start for start in self._tallies if start < shift.start]:
            del self._tallies[start]
