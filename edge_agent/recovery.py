"""What a starting agent takes from its store, so that a restart changes no alarm, stop or window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.events import Alarm, Event, Health, MachineState
from edge_agent.readings import Reading

if TYPE_CHECKING:
    from edge_agent.machines.downtime import DowntimeTracker
    from edge_agent.ports import StoreReader
    from edge_agent.workers.monitoring import AssetMonitor, WatchPlan

_EVENT_HISTORY = 2_000
_STATE_HISTORY = 2_000
_FOREVER_US = 2**62


def warm_monitor(reader: StoreReader, monitor: AssetMonitor) -> int:
    """Feed a monitor the stored past that its present state depends on; returns the readings fed."""
    plan = monitor.plan
    channels = [c for c in reader.channels() if c.line == plan.line and c.asset == plan.asset]
    known = [moment for channel in channels if (moment := reader.newest_us(channel.key)) is not None]
    start_us = max(known, default=0) - monitor.memory_us
    past: list[Reading] = []
    for channel in channels:
        times, values = reader.readings(channel.key, start_us, _FOREVER_US)
        past += [Reading(channel, int(t), float(v)) for t, v in zip(times, values, strict=True)]
    past.sort(key=lambda reading: reading.t_us)
    monitor.warm(past, _of_asset(reader, plan, "alarm"), next(iter(_of_asset(reader, plan, "health")), None))
    return len(past)


def _of_asset(reader: StoreReader, plan: WatchPlan, kind: str) -> list[Event]:
    """The asset's newest events of a kind, newest first."""
    found = reader.latest_events(kind, line=plan.line, limit=_EVENT_HISTORY)
    bodies = (recorded.event for recorded in found)
    return [e for e in bodies if isinstance(e.body, Alarm | Health) and e.body.asset == plan.asset]


def resume_stops(reader: StoreReader, tracker: DowntimeTracker) -> None:
    """Bring a downtime tracker to the machine's stored state, however long ago it was entered."""
    limit = _EVENT_HISTORY
    while True:
        found = reader.latest_events("machine_state", line=tracker.line, limit=limit)
        facts: list[Event] = []
        states: set[tuple[str, str]] = set()
        for recorded in found:
            body = recorded.event.body
            if isinstance(body, MachineState) and body.asset == tracker.asset:
                facts.append(recorded.event)
                states.add((body.state, body.reason))
        if len(found) < limit or len(states) > 1:
            break
        limit *= 4
    for fact in sorted(facts, key=lambda event: event.occurred_at):
        tracker.update(fact)
