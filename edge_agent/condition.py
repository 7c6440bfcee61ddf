"""The agent's own condition, gathered for the status page, and what it tells each line's controller."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from edge_agent.publishing import interlock_payload, interlock_topic
from edge_agent.system_state import AssetState, Interlock, StationState, SystemState

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.config import Settings
    from edge_agent.instant import Instant
    from edge_agent.pipeline import Line, Pipeline
    from edge_agent.ports import LinkHealth
    from edge_agent.system_state import InterlockName

log = structlog.get_logger(__name__)

STALL_LIMIT_S = 10.0
"""A writer that has not come round for this long stands still: commits end in milliseconds, retries in two seconds."""

_SEVERITY: dict[InterlockName, int] = {"run": 0, "divert": 1, "stop": 2}


@dataclass(frozen=True, slots=True)
class Condition:
    """Reads the condition of a running pipeline; any thread.

    Attributes:
        started: when the process started.
        version: the distribution's version.
        problems: what start-up found wrong with a station though it runs (`provider_fallback`), by station name.
    """

    settings: Settings
    line: Line
    pipeline: Pipeline
    started: Instant
    version: str
    problems: dict[str, str]

    @property
    def standing_still(self) -> bool:
        """Whether a loop that must go on does not: the process should be restarted."""
        workers_dead = any(not worker.alive for worker in self.line.workers.values())
        return self.pipeline.fatal is not None or self.pipeline.stalled_s > STALL_LIMIT_S or workers_dead

    def interlocks(self) -> tuple[Interlock, ...]:
        """What each line's controller must be told: late rejects, a store that takes nothing, a loop that stands."""
        return tuple(
            max(
                (late, self._own_fault(late.line)),
                key=lambda interlock: _SEVERITY[interlock.state],
            )
            for late in self.pipeline.interlocks
        )

    def _own_fault(self, line: str) -> Interlock:
        actions: list[InterlockName] = [
            "run" if station.on_late == "none" else station.on_late
            for station in self.settings.stations
            if station.line == line and station.mode == "live"
        ]
        action: InterlockName = max(actions, key=lambda state: _SEVERITY[state], default="run")
        if self.standing_still:
            return Interlock(line, action, "agent_stalled")
        if self.pipeline.problem:
            return Interlock(line, action, "store_failing")
        return Interlock(line, "run")

    def state(self) -> SystemState:
        """Everything about the agent itself, now."""
        links = (*(source.health() for source in self.line.sources), self.line.sink.health())
        now = self.line.clock.now()  # after the links, so that no age is below zero
        return SystemState(
            agent=self.settings.agent.name,
            version=self.version,
            started_us=self.started.utc_us,
            uptime_s=(now.mono_ns - self.started.mono_ns) / 1e9,
            links=links,
            stations=tuple(self._stations(links)),
            assets=tuple(self._assets()),
            interlocks=self.interlocks(),
            store=self.line.store.totals(),
            waiting_messages=self.pipeline.waiting,
            last_message_age_s=_age_s(links[:-1], "mqtt:", now),
            last_commit_ms=self.pipeline.last_commit_ms,
            problem=self.pipeline.problem or ("agent_stalled" if self.standing_still else ""),
        )

    def _stations(self, links: tuple[LinkHealth, ...]) -> list[StationState]:
        folders = {link.name: link for link in links}
        states = []
        for station in self.settings.stations:
            worker = self.line.workers[station.name]
            folder = folders.get(f"folder:{station.name}")
            problem = self.problems.get(station.name, "")
            if not worker.alive:
                problem = "station_stopped"
            elif folder is not None and not folder.alive:
                problem = "folder_unreachable"
            states.append(
                StationState(
                    name=station.name,
                    line=station.line,
                    mode=station.mode,
                    model=worker.eyes.scorer.identity.label,
                    provider=worker.eyes.scorer.provider,
                    waiting=worker.waiting,
                    problem=problem,
                )
            )
        return states

    def _assets(self) -> list[AssetState]:
        return [
            AssetState(monitor.plan.asset, monitor.plan.line, scorer.identity.label, scorer.provider)
            for monitor in self.line.monitors.values()
            if (scorer := monitor.scorer) is not None
        ]


class Heartbeat:
    """Announces every line's interlock at a steady pace, from its own thread; silence means stop to a controller.

    Args:
        condition: where the interlocks come from.
        feed_watchdog: called at each beat while every loop advances.
    """

    def __init__(self, condition: Condition, feed_watchdog: Callable[[], object]) -> None:
        self._condition = condition
        self._feed_watchdog = feed_watchdog
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; the last announced state stays until its reader counts the missing beats."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        period_s = self._condition.settings.sink.heartbeat_s
        while not self._stopping.wait(period_s):
            try:
                self._beat(period_s)
            except Exception:
                # the thread's boundary: a beat that fails is a beat missed, which already means stop
                log.exception("heartbeat failed")

    def _beat(self, period_s: float) -> None:
        line = self._condition.line
        for interlock in self._condition.interlocks():
            payload = interlock_payload(interlock, at_us=line.clock.now().utc_us, heartbeat_s=period_s)
            line.sink.announce(interlock_topic(line.prefix, interlock.line), payload)
        if not self._condition.standing_still:
            self._feed_watchdog()


def _age_s(links: tuple[LinkHealth, ...], prefix: str, now: Instant) -> float | None:
    ages = [
        (now.mono_ns - link.last_activity_mono_ns) / 1e9
        for link in links
        if link.name.startswith(prefix) and link.last_activity_mono_ns is not None
    ]
    return min(ages, default=None)
