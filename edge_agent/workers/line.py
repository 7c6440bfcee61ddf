"""What the pipeline joins: the parts of all lines of one agent, as they are between two reloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.machines.downtime import DowntimeTracker
    from edge_agent.metrics import Metrics
    from edge_agent.ports import Clock, Observer, Sink, Source, Store
    from edge_agent.workers.inspecting import StationWorker
    from edge_agent.workers.monitoring import AssetMonitor
    from edge_agent.workers.publishing import StationPolicy


@dataclass(frozen=True, slots=True)
class Pace:
    """When the writer commits, and how much may wait for it.

    Attributes:
        commit_messages: items in a group at most.
        commit_s: a group is committed this long after its first item at the latest.
        queue_messages: items waiting before sources are held back.
    """

    commit_messages: int
    commit_s: float
    queue_messages: int


@dataclass(frozen=True, slots=True)
class Line:
    """Everything the pipeline joins; made by `app`.

    Attributes:
        names: names of the production lines.
        workers: station workers by station name.
        monitors: asset monitors by `line/asset`.
        stops: downtime trackers by line.
        policies: delivery policies by station name.
        prefix: first topic level of everything published.
    """

    store: Store
    clock: Clock
    metrics: Metrics
    sink: Sink
    sources: Sequence[Source]
    workers: dict[str, StationWorker]
    monitors: dict[str, AssetMonitor]
    stops: dict[str, DowntimeTracker]
    policies: dict[str, StationPolicy]
    observers: Sequence[Observer]
    names: tuple[str, ...]
    prefix: str
    pace: Pace
