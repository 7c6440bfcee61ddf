"""Watches one machine: readings in, health and alarm events out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import structlog

from edge_agent.errors import AgentError
from edge_agent.events import Alarm, Event, Health, Origin
from edge_agent.instant import MICROSECONDS_PER_SECOND, from_us, to_us
from edge_agent.machines.alarms import AlarmTracker
from edge_agent.machines.health import HealthAssessment, assess
from edge_agent.machines.windows import SlidingWindow
from edge_agent.readings import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_agent.machines.alarms import AlarmRule, Transition
    from edge_agent.ports import HealthScorer
    from edge_agent.readings import Reading

log = structlog.get_logger(__name__)

HEALTH_SIGNAL = "health.statistic"


class WatchPlan(msgspec.Struct, frozen=True):
    """What is watched on one asset.

    Attributes:
        line, asset: the machine.
        stale_us: a channel silent this long makes the health unknown, microseconds.
        record_every_us: a health event at least this often while readings come, microseconds of event time.
        origin: `simulated` when the readings come from the virtual plant.
    """

    line: str
    asset: str
    stale_us: int
    record_every_us: int
    origin: Origin = "measured"


class AssetMonitor:
    """Health and alarms of one asset, in event time: the same readings give the same events with the same keys.

    Args:
        plan: what is watched.
        scorer: the health model, or None where only plain channel limits are watched.
        rules: alarms on this asset.
    """

    def __init__(self, plan: WatchPlan, scorer: HealthScorer | None, rules: Sequence[AlarmRule]) -> None:
        self.plan = plan
        self.scorer = scorer
        self._past: dict[str, list[tuple[int, bool]]] | None = None
        self._on_health = [AlarmTracker(rule) for rule in rules if rule.signal == HEALTH_SIGNAL]
        self._on_channel: dict[str, list[AlarmTracker]] = {}
        for rule in rules:
            if rule.signal != HEALTH_SIGNAL:
                self._on_channel.setdefault(rule.signal, []).append(AlarmTracker(rule))
        self._window = (
            SlidingWindow(
                scorer.channels,
                rows=scorer.window_rows,
                period_us=round(scorer.period_s * MICROSECONDS_PER_SECOND),
                stale_us=plan.stale_us,
            )
            if scorer is not None
            else None
        )
        self._recorded_us: int | None = None
        self._recorded_reason = ""

    @property
    def memory_us(self) -> int:
        """How much of the past decides the present state, microseconds: what a restart has to feed again."""
        delays = [t.rule.on_delay_us + t.rule.off_delay_us for t in self._trackers()]
        window_s = self.scorer.window_rows * self.scorer.period_s if self.scorer is not None else 0.0
        return round(window_s * MICROSECONDS_PER_SECOND) + max(delays, default=0) + self.plan.stale_us

    def offer(self, reading: Reading) -> list[Event]:
        """Take one reading of this asset and return the events it causes, oldest first."""
        events: list[Event] = []
        if self._window is not None:
            for t_us, window in self._window.offer(reading):
                events += self._assessed(t_us, window)
        if reading.quality >= Quality.BAD:
            return events  # an impossible value says nothing, and a restart does not see it again
        for tracker in self._on_channel.get(reading.channel.name, ()):
            transition = self._step(tracker, reading.t_us, reading.value)
            if transition is not None:
                events.append(self._alarm(tracker.rule, transition, {}))
        return events

    def fall_silent(self, t_us: int) -> list[Event]:
        """The machine's publisher is gone: the health is unknown from now on, and the window starts filling again.

        What was told before the newest reading, or told already, changes nothing.
        """
        if self._window is None or not self._window.forget(t_us):
            return []
        due = self._recorded_reason != "stale_channel"
        return [self._health(t_us, HealthAssessment(None, None, "stale_channel"))] if due else []

    def warm(self, readings: Sequence[Reading], alarms: Sequence[Event], health: Event | None) -> None:
        """Live through the recent past again after a restart; its events are already in the store.

        Args:
            readings: what the store holds of the last `memory_us`, in time order.
            alarms: the asset's alarm events in the store, any order.
            health: the newest health event of the asset in the store.
        """
        begin_us = readings[0].t_us if readings else 0
        self._past = {tracker.rule.name: [] for tracker in self._trackers()}
        active: dict[str, bool] = {}
        for event in sorted(alarms, key=lambda alarm: alarm.occurred_at):
            if isinstance(event.body, Alarm) and event.body.alarm in self._past:
                at_us = to_us(event.occurred_at)
                if at_us < begin_us or not readings:
                    active[event.body.alarm] = event.body.state == "raised"
                else:
                    self._past[event.body.alarm].append((at_us, event.body.state == "raised"))
        for tracker in self._trackers():
            tracker.active = active.get(tracker.rule.name, False)
        for reading in readings:
            self.offer(reading)
        for tracker in self._trackers():
            for _, raised in self._past[tracker.rule.name]:
                tracker.change(active=raised)
        self._past = None
        if health is not None and isinstance(health.body, Health):
            self._recorded_us, self._recorded_reason = to_us(health.occurred_at), health.body.reason

    def _step(self, tracker: AlarmTracker, t_us: int, value: float) -> Transition | None:
        if self._past is None:
            return tracker.update(t_us, value)
        # the past that is fed begins in the middle of a window, so that a change may lie where no value is seen again
        changes = self._past[tracker.rule.name]
        changed = False
        while changes and changes[0][0] <= t_us:
            at_us, raised = changes.pop(0)
            tracker.change(active=raised)
            changed = at_us == t_us
        tracker.relive(t_us, value, changed=changed)
        return None

    def _trackers(self) -> list[AlarmTracker]:
        return [*self._on_health, *(t for trackers in self._on_channel.values() for t in trackers)]

    def _assessed(self, t_us: int, window: NDArray[np.float32] | None) -> list[Event]:
        scorer, within = self.scorer, self._window
        if scorer is None or within is None:
            return []
        if window is None:
            reason = "window_filling" if within.filled else "stale_channel"
            assessment = HealthAssessment(None, None, reason)
        else:
            assessment = self._judged(scorer, window)
        value = assessment.statistic if assessment.statistic is not None else math.nan
        transitions = [
            (tracker.rule, transition)
            for tracker in self._on_health
            if (transition := self._step(tracker, t_us, value)) is not None
        ]
        events: list[Event] = []
        if transitions or self._due(t_us, assessment.reason):
            events.append(self._health(t_us, assessment))
        events += [self._alarm(rule, change, assessment.contributions) for rule, change in transitions]
        return events

    def _judged(self, scorer: HealthScorer, window: NDArray[np.float32]) -> HealthAssessment:
        try:
            return assess(scorer.assess(window), scorer.channels)
        except AgentError as error:
            if self._recorded_reason != "model_failed":
                log.warning("health model failed", asset=self.plan.asset, error=str(error))
            return HealthAssessment(None, None, "model_failed")

    def _due(self, t_us: int, reason: str) -> bool:
        last = self._recorded_us
        return last is None or reason != self._recorded_reason or t_us - last >= self.plan.record_every_us

    def _health(self, t_us: int, assessment: HealthAssessment) -> Event:
        self._recorded_us, self._recorded_reason = t_us, assessment.reason
        identity = self.scorer.identity if self.scorer is not None else None
        return Event(
            key=f"health/{self.plan.line}/{self.plan.asset}/{t_us}",
            line=self.plan.line,
            occurred_at=from_us(t_us),
            origin=self.plan.origin,
            body=Health(
                asset=self.plan.asset,
                health=assessment.health,
                reason=assessment.reason,
                statistic=assessment.statistic,
                contributions=assessment.contributions,
                model=identity.label if identity else "",
                model_digest=identity.digest if identity else "",
            ),
        )

    def _alarm(self, rule: AlarmRule, transition: Transition, contributions: dict[str, float]) -> Event:
        state = "raised" if transition.raised else "cleared"
        return Event(
            key=f"alarm/{rule.line}/{rule.name}/{transition.at_us}/{state}",
            line=rule.line,
            occurred_at=from_us(transition.at_us),
            origin=self.plan.origin,
            body=Alarm(
                alarm=rule.name,
                asset=rule.asset,
                state="raised" if transition.raised else "cleared",
                value=transition.value,
                limit=rule.limit,
                action=rule.action,
                since=from_us(transition.since_us),
                contributions=contributions,
            ),
        )
