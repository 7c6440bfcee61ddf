"""What a starting agent takes from its store, so that a restart changes no alarm, stop or window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_agent.events import Alarm, Event, Health
from edge_agent.readings import Reading

if TYPE_CHECKING:
    from edge_agent.downtime import DowntimeTracker
    from edge_agent.monitoring import AssetMonitor, WatchPlan
    from edge_agent.ports import StoreReader
    from edge_agent.readings import Channel

_EVENT_HISTORY = 2_000
_STATE_HISTORY = 2_000
_FOREVER_US = 2**62


def warm_monitor(reader: StoreReader, monitor: AssetMonitor) -> int:
    """Feed a monitor the stored past that its present state depends on; returns the readings fed."""
    plan = monitor.plan
    channels = [c for c in reader.channels() if c.line == plan.line and c.asset == plan.asset]
    newest = {channel.key: _newest_us(reader, channel, monitor.memory_us) for channel in channels}
    known = [moment for moment in newest.values() if moment is not None]
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
    """Bring a downtime tracker to the machine's last stored state."""
    facts = [
        recorded.event for recorded in reader.latest_events("machine_state", line=tracker.line, limit=_STATE_HISTORY)
    ]
    for fact in sorted(facts, key=lambda event: event.occurred_at):
        tracker.update(fact)


def _newest_us(reader: StoreReader, channel: Channel, memory_us: int) -> int | None:
    """Time of a channel's newest reading: first among recent minutes, then among everything."""
    minutes = reader.minutes(channel.key, 0, _FOREVER_US)
    start_us = minutes[-1].start_us if minutes else 0
    times, _ = reader.readings(channel.key, max(0, start_us - memory_us), _FOREVER_US)
    return int(np.max(times)) if times.size else None
