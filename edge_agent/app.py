"""The composition root: the only place that knows every adapter. Builds the line, runs it, takes it down in order."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from edge_agent.adapters.agent_process import AgentProcess
from edge_agent.adapters.file_evidence import FileEvidence
from edge_agent.adapters.model_catalog import ModelCatalog
from edge_agent.adapters.mqtt_fast_client import fast_lane_open
from edge_agent.adapters.mqtt_sink import MqttSink
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.adapters.systemd_notify import notify
from edge_agent.composition.asking import asked, station_audits
from edge_agent.composition.ground import Ground
from edge_agent.composition.keeping import keeper_of
from edge_agent.composition.monitors import machine_watch
from edge_agent.composition.mqtt_sources import mqtt_sources
from edge_agent.composition.page import StatusPage
from edge_agent.composition.reloading import Reloader
from edge_agent.composition.running import Parts, Running, board_of, line_of, problems_of, product_teller
from edge_agent.composition.stations import (
    own_source,
    recipe_book,
    refuse_blindness,
    remember_products,
    station_plan,
    station_worker,
)
from edge_agent.condition import STALL_LIMIT_S, Condition, Heartbeat
from edge_agent.errors import StoreError, UnreachableError
from edge_agent.events import Event, ModeChange
from edge_agent.inspection.products import ProductLog
from edge_agent.instant import from_us
from edge_agent.metrics import Metrics
from edge_agent.pipeline import Pipeline
from edge_agent.status.context import StatusContext
from edge_agent.status.evidence_pins import PinLedger
from edge_agent.workers.publishing import agent_state_topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.ports import Clock
    from edge_agent.settings.config import Settings
    from edge_agent.system_state import ReloadState
    from edge_agent.workers.line import Line

log = structlog.get_logger(__name__)

_WATCH_S = 0.5
_RECORD_S = 30.0
_LINKS_S = 5.0
_POLL_S = 0.02
_SWITCH_S = 0.001
"""A thread with Python work may keep the others waiting this long: the usual 5 ms, met at several steps of a picture
under thousands of messages a second, are as long as an inference."""
_BUILT = datetime(2026, 1, 1, tzinfo=UTC)
_CLOCK_SLACK = timedelta(days=1)
"""A clock may be set back a little; a day before the newest stored fact it was not set at all."""


class Agent:
    """One agent, from settings to a running line.

    Args:
        settings: validated settings.
        pipeline_of: how the pipeline is made of its line; fault tests put a broken one here to show that they bite.
        load: reads the settings anew at a reload; raises `ConfigError`.
        told: takes what became of a reload.
    """

    def __init__(
        self,
        settings: Settings,
        pipeline_of: Callable[[Line], Pipeline] = Pipeline,
        *,
        load: Callable[[], Settings] | None = None,
        told: Callable[[ReloadState], None] | None = None,
    ) -> None:
        self.settings = settings
        self._pipeline_of = pipeline_of
        self._load = load or (lambda: settings)
        self._told = told or (lambda _: None)
        self._stopping = threading.Event()
        self._reloading = threading.Event()

    def reload(self) -> None:
        """Ask the agent to read its settings anew; any thread, signal handlers too."""
        self._reloading.set()

    def stop(self) -> None:
        """Ask the agent to end; any thread, signal handlers too."""
        self._stopping.set()

    def run(self, ready: Callable[[str], None] | None = None) -> int:
        """Run until `stop` or a fatal fault; returns the exit status (0 asked to end, 1 ended by a fault).

        Args:
            ready: called once with the status page's address, when sources are open and models are warm.

        Raises:
            AgentError: what the settings name cannot be used (model, store, folder, port).
        """
        settings, clock = self.settings, SystemClock()
        data = Path(settings.agent.data_dir)
        with ExitStack() as stack:
            store = SqliteStore.open(data / "lineproof.sqlite", staging_s=settings.store.staging_s)
            stack.callback(store.close)
            _refuse_unset_clock(clock, store)
            metrics = Metrics()
            metrics.fast_lane(is_open=fast_lane_open())
            ground = Ground(
                data=data,
                store=store,
                clock=clock,
                metrics=metrics,
                catalog=ModelCatalog(data / "models", settings.inference.providers),
                evidence=FileEvidence(data / "evidence"),
                products=ProductLog(),
            )
            running = self._compose(ground, stack)
            _record_modes(running)
            running.pipeline.open()
            self._await_links(running.condition)
            log.info("ready", page=running.page.url, lines=list(settings.lines))
            notify("READY=1")
            if ready is not None:
                ready(running.page.url)
            return self._watch(running)

    def _compose(self, ground: Ground, stack: ExitStack) -> Running:
        """Make everything that a reload may replace, and start what must run before the sources open."""
        settings, store = self.settings, ground.store
        board = board_of(settings, ground)
        board.rebuild(store)
        audits = station_audits(settings, ground.data)
        remember_products(settings.stations, ground)
        workers = {
            station.name: station_worker(
                station_plan(station, audits.get(station.name)),
                recipe_book(station, settings, ground, strict=False),
                settings,
                ground,
            )
            for station in settings.stations
        }
        refuse_blindness(list(workers.values()))
        watch = machine_watch(settings, ground)
        watch.warm(store)
        own = [own_source(station, ground) for station in settings.stations]
        sources = [
            *mqtt_sources(settings, ground.clock, ground.metrics, ground.products),
            *(source for source in own if source is not None),
        ]
        line = line_of(settings, ground, Parts(workers, watch, sources), _sink(settings, ground.clock), board)
        pipeline = self._pipeline_of(line)
        condition = Condition(
            settings,
            line,
            pipeline,
            ground.clock.now(),
            version("lineproof"),
            problems_of(workers, settings),
            product_of=product_teller(ground),
        )
        context = StatusContext(
            reader=store,
            evidence=ground.evidence,
            recorder=pipeline,
            board=board,
            system=condition.state,
            metrics=ground.metrics,
            settings=settings.agent,
            lines=settings.lines,
            clock=ground.clock,
            hosts=settings.status.hosts,
            asked=asked(settings, audits),
            pins=PinLedger(store),
        )
        page = StatusPage(context, settings.status)
        stack.callback(page.stop)
        pipeline.start()
        stack.callback(pipeline.stop)
        heartbeat = Heartbeat(condition, lambda: notify("WATCHDOG=1"))
        heartbeat.start()
        stack.callback(heartbeat.stop)
        page.start()
        keeper = keeper_of(settings.retention, ground.data, store, ground.evidence, context)
        keeper.start()
        stack.callback(keeper.stop)
        return Running(
            ground=ground,
            settings=settings,
            line=line,
            watch=watch,
            audits=audits,
            pipeline=pipeline,
            condition=condition,
            context=context,
            page=page,
            heartbeat=heartbeat,
        )

    def _await_links(self, condition: Condition) -> None:
        """Give the sources a moment to subscribe before the agent says ready: what a plant publishes before the
        broker knows our session, it keeps for nobody. A broker that is away must not keep the agent from starting.
        """
        for _ in range(round(_LINKS_S / _POLL_S)):
            if all(source.health().alive for source in condition.line.sources) or self._stopping.wait(_POLL_S):
                return
        away = [health.name for source in condition.line.sources if not (health := source.health()).alive]
        log.warning("ready without every source; they are tried again", away=away)

    def _watch(self, running: Running) -> int:
        reloader = Reloader(running, self._load, _record_modes)
        while not self._stopping.wait(_WATCH_S):
            condition = running.condition
            if condition.pipeline.fatal is not None:
                log.critical(
                    "ending so that a supervisor starts the agent afresh", cause=repr(condition.pipeline.fatal)
                )
                return 1
            if condition.standing_still and condition.pipeline.stalled_s < STALL_LIMIT_S:
                log.critical("a station's loop has ended or hangs; ending so that a supervisor starts afresh")
                return 1
            if not running.page.alive:
                log.critical("status page ended; ending so that a supervisor starts the agent afresh")
                return 1
            if self._reloading.is_set():
                self._reloading.clear()
                self._told(reloader.reload())
        notify("STOPPING=1")
        log.info("stopping")
        return 0


def run(
    settings: Settings, ready: Callable[[str], None] | None = None, load: Callable[[], Settings] | None = None
) -> int:
    """Run an agent in this process until SIGTERM or SIGINT, reloading its settings at SIGHUP; see `Agent.run`.

    Args:
        settings: what to begin with.
        ready: see `Agent.run`.
        load: reads the settings anew; without it a reload takes up nothing.
    """
    data = Path(settings.agent.data_dir)
    sys.setswitchinterval(_SWITCH_S)
    with AgentProcess.hold(data) as process:
        agent = Agent(settings, load=load, told=process.answer)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: agent.stop())
        signal.signal(signal.SIGHUP, lambda *_: agent.reload())
        return agent.run(ready)


def _refuse_unset_clock(clock: Clock, store: SqliteStore) -> None:
    """A clock that was never set would quarantine a whole plant's messages as coming from the future."""
    now = clock.now().utc
    newest = store.events_after(store.last_seq() - 1, limit=1)
    floor = max([_BUILT, *(recorded.recorded_at - _CLOCK_SLACK for recorded in newest)])
    if now < floor:
        raise UnreachableError(
            f"this machine's clock says {now:%Y-%m-%d %H:%M} UTC, which cannot be",
            hint="set the clock, and keep it set with NTP or chrony; the agent starts again by itself under systemd",
        )


def _sink(settings: Settings, clock: Clock) -> MqttSink:
    agent = settings.agent.name
    return MqttSink(
        settings.broker,
        f"{agent}-out",
        clock,
        state_topic=agent_state_topic(settings.sink.prefix, agent),
        agent=agent,
    )


def _record_modes(running: Running) -> None:
    """State what judges each station from now on, when that differs from what the store says."""
    line = running.line
    now = line.clock.now()
    for station in running.settings.stations:
        identity = line.workers[station.name].eyes.scorer.identity
        change = ModeChange(station.name, station.mode, identity.label, identity.digest)
        newest = next(
            (
                recorded.event.body
                for recorded in line.store.latest_events("mode", line=station.line, limit=100)
                if isinstance(recorded.event.body, ModeChange) and recorded.event.body.station == station.name
            ),
            None,
        )
        if newest != change:
            key = f"mode/{station.line}/{station.name}/{now.utc_us}"
            event = Event(key, station.line, from_us(now.utc_us), change, station.origin)
            try:
                running.pipeline.record(event, timeout_s=_RECORD_S)
            except StoreError as error:
                log.warning("mode change not recorded yet", station=station.name, error=str(error))
