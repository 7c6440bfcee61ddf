"""The agent's own condition, gathered for the status page, and what it tells each line's controller."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from edge_agent.system_state import (
    NO_RELOAD,
    AssetState,
    Interlock,
    RecipeState,
    StationState,
    SystemState,
    severest,
)
from edge_agent.workers.publishing import interlock_payload, interlock_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_agent.instant import Instant
    from edge_agent.pipeline import Line, Pipeline
    from edge_agent.ports import LinkHealth
    from edge_agent.settings.config import Settings, StationSettings
    from edge_agent.settings.recipes import LimitSettings
    from edge_agent.system_state import InterlockName, ReloadState
    from edge_agent.workers.inspecting import StationWorker

log = structlog.get_logger(__name__)

_LOOK_S = 0.1
MISSED_BEATS = 3
"""Beats that a controller may miss before it takes silence for stop; the broker forgets the last one then too."""

STALL_LIMIT_S = 10.0
"""A writer that has not come round for this long stands still: commits end in milliseconds, retries in two seconds."""


def _own_product(station: StationSettings) -> str:
    return station.product


@dataclass(frozen=True, slots=True)
class Condition:
    """Reads the condition of a running pipeline; any thread.

    Attributes:
        started: when the process started.
        version: the distribution's version.
        problems: what start-up found wrong with a station though it runs (`provider_fallback`), by station name.
        reload: what became of the newest reload.
        product_of: the product before a station now.
    """

    settings: Settings
    line: Line
    pipeline: Pipeline
    started: Instant
    version: str
    problems: dict[str, str]
    reload: ReloadState = NO_RELOAD
    product_of: Callable[[StationSettings], str] = _own_product

    @property
    def standing_still(self) -> bool:
        """Whether a loop that must go on does not: the process should be restarted."""
        workers = self.line.workers.values()
        return (
            self.pipeline.fatal is not None
            or self.pipeline.stalled_s > STALL_LIMIT_S
            or any(worker.started and not worker.alive for worker in workers)
            or any(worker.busy_s > STALL_LIMIT_S and not self.pipeline.problem for worker in workers)
        )

    def interlocks(self) -> tuple[Interlock, ...]:
        """What each line with a live station is told: late rejects and verdicts, a store that takes nothing, a loop
        that stands.

        A line that only sensors are watched on has nothing to interlock, and another agent may speak for it.
        """
        judged = {station.line for station in self.settings.stations if station.mode == "live"}
        return tuple(self._interlock(late) for late in self.pipeline.interlocks if late.line in judged)

    def _interlock(self, late: Interlock) -> Interlock:
        fault = self._own_fault(late.line)
        return fault if severest(fault.state, late.state) != late.state else late

    def _own_fault(self, line: str) -> Interlock:
        """What the agent's own condition asks of a line; the stations of a line in fault each with their action."""
        stations = [s for s in self.settings.stations if s.line == line and s.mode == "live"]
        if self.standing_still:
            return _raised(line, "agent_stalled", stations)
        if self.pipeline.problem:
            return _raised(line, "store_failing", stations)
        late = [station for station in stations if self._verdict_late(station)]
        if late:
            return _raised(line, "verdict_late", late)
        for reason in ("model_unusable", "unknown_product"):
            unfit = [station for station in stations if self._unfit(station) == reason]
            if unfit:
                return _raised(line, reason, unfit)
        blind = [station for station in stations if station.camera is not None and self._blind(station)]
        return _raised(line, "camera_blind", blind) if blind else Interlock(line, "run")

    def _unfit(self, station: StationSettings) -> str:
        """Why the station can judge no part of the product before it now; empty when it can."""
        if self.problems.get(station.name) == "model_unusable":
            return "model_unusable"
        return self.line.workers[station.name].book.fault_of(self.product_of(station))

    def _blind(self, station: StationSettings) -> bool:
        """Whether a station's camera shows nothing that can be judged: parts pass it unseen."""
        cameras = [source for source in self.line.sources if source.name == f"camera:{station.name}"]
        return not all(camera.health().alive for camera in cameras)

    def _verdict_late(self, station: StationSettings) -> bool:
        """Whether the part in hand, or one whose commit hangs, has had its time before its verdict was on its way."""
        waited_s = max(self.line.workers[station.name].oldest_s, self.pipeline.committing_s)
        return waited_s * 1e3 > station.deadline_ms

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
            reload=self.reload,
        )

    def _stations(self, links: tuple[LinkHealth, ...]) -> list[StationState]:
        named = {link.name: link for link in links}
        states = []
        for station in self.settings.stations:
            worker = self.line.workers[station.name]
            folder, camera = named.get(f"folder:{station.name}"), named.get(f"camera:{station.name}")
            problem = self._unfit(station) or self.problems.get(station.name, "") or worker.failing
            if not worker.alive:
                problem = "station_stopped"
            elif folder is not None and not folder.alive:
                problem = "folder_unreachable"
            elif camera is not None and not camera.alive:
                problem = camera.reason or "camera_failed"
            states.append(
                StationState(
                    name=station.name,
                    line=station.line,
                    mode=station.mode,
                    model=worker.eyes.scorer.identity.label,
                    provider=worker.eyes.scorer.provider,
                    waiting=worker.waiting,
                    problem=problem,
                    product=self.product_of(station),
                    recipes=_recipes(station, worker),
                )
            )
        return states

    def _assets(self) -> list[AssetState]:
        return [
            AssetState(
                monitor.plan.asset,
                monitor.plan.line,
                scorer.identity.label,
                scorer.provider,
                (monitor.plan.stale_us + monitor.plan.record_every_us) / 1e6,
            )
            for monitor in self.line.monitors.values()
            if (scorer := monitor.scorer) is not None
        ]


class Heartbeat:
    """Announces every line's interlock at a steady pace, and at once when it changes, from its own thread; silence
    means stop to a controller.

    Args:
        condition: where the interlocks come from.
        feed_watchdog: called at each beat while every loop advances.
    """

    def __init__(self, condition: Condition, feed_watchdog: Callable[[], object]) -> None:
        self._condition = condition
        self._feed_watchdog = feed_watchdog
        self._stopping = threading.Event()
        self._announced: tuple[Interlock, ...] = ()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def follow(self, condition: Condition) -> None:
        """Announce what another condition says from the next beat on: the settings were reloaded."""
        self._condition = condition

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and tell every line that nobody inspects from now on."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)
        live = [station for station in self._condition.settings.stations if station.mode == "live"]
        for line in dict.fromkeys(station.line for station in live):
            self._announce(_raised(line, "agent_stopped", [station for station in live if station.line == line]))

    def _run(self) -> None:
        period_s = self._condition.settings.sink.heartbeat_s
        next_s = 0.0
        while not self._stopping.wait(min(_LOOK_S, period_s)):
            try:
                interlocks = self._condition.interlocks()
                if time.monotonic() >= next_s or interlocks != self._announced:
                    next_s = time.monotonic() + period_s
                    self._beat(interlocks)
            except Exception:
                # the thread's boundary: a beat that fails is a beat missed, which already means stop
                log.exception("heartbeat failed")

    def _beat(self, interlocks: tuple[Interlock, ...]) -> None:
        self._announced = interlocks
        for interlock in interlocks:
            self._announce(interlock)
        if not self._condition.standing_still:
            self._feed_watchdog()

    def _announce(self, interlock: Interlock) -> None:
        line, period_s = self._condition.line, self._condition.settings.sink.heartbeat_s
        payload = interlock_payload(interlock, at_us=line.clock.now().utc_us, heartbeat_s=period_s)
        line.sink.announce(interlock_topic(line.prefix, interlock.line), payload, expiry_s=MISSED_BEATS * period_s)


def _recipes(station: StationSettings, worker: StationWorker) -> tuple[RecipeState, ...]:
    """What judges each product, with the limits that are in force and the costs that were stated."""
    stated: dict[str, LimitSettings] = {"": station, **{recipe.product: recipe for recipe in station.recipes}}
    judging = {"": worker.book.usual, **worker.book.products}
    found = []
    for product, eyes in judging.items():
        limits, costs = eyes.scorer.limits, stated[product].costs if product in stated else None
        finite = math.isfinite(limits.threshold)
        found.append(
            RecipeState(
                product,
                eyes.scorer.identity.label,
                limits.threshold if finite else None,
                limits.review_from if finite else None,
                costs.escape if costs is not None else None,
                costs.overkill if costs is not None else None,
                costs.currency if costs is not None else "",
            )
        )
    return tuple(found)


def _raised(line: str, reason: str, stations: Sequence[StationSettings]) -> Interlock:
    """The severest action that these stations ask for, with its reason; `run` where they ask for none."""
    actions: list[InterlockName] = ["run" if s.late_action == "none" else s.late_action for s in stations]
    state = severest("run", *actions)
    return Interlock(line, state, reason if state != "run" else "")


def _age_s(links: tuple[LinkHealth, ...], prefix: str, now: Instant) -> float | None:
    ages = [
        (now.mono_ns - link.last_activity_mono_ns) / 1e9
        for link in links
        if link.name.startswith(prefix) and link.last_activity_mono_ns is not None
    ]
    return min(ages, default=None)
