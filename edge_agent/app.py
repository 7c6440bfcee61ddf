"""The composition root: the only place that knows every adapter. Builds the line, runs it, takes it down in order."""

from __future__ import annotations

import signal
import socket
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvicorn

from edge_agent.adapters.file_evidence import FileEvidence
from edge_agent.adapters.folder_source import FolderSource
from edge_agent.adapters.model_catalog import ModelCatalog
from edge_agent.adapters.mqtt_fast_client import fast_lane_open
from edge_agent.adapters.mqtt_sink import MqttSink
from edge_agent.adapters.sqlite_store import SqliteStore
from edge_agent.adapters.system_clock import SystemClock
from edge_agent.adapters.systemd_notify import notify
from edge_agent.composition.asking import asked, station_audits
from edge_agent.composition.cameras import camera_sources, evidence_of
from edge_agent.composition.eyes import station_eyes
from edge_agent.composition.keeping import keeper_of
from edge_agent.composition.mqtt_sources import mqtt_sources
from edge_agent.condition import STALL_LIMIT_S, Condition, Heartbeat
from edge_agent.errors import AgentError, ConfigError, StoreError, UnreachableError
from edge_agent.events import Event, ModeChange
from edge_agent.instant import MICROSECONDS_PER_SECOND, from_us
from edge_agent.machines.alarms import AlarmRule
from edge_agent.machines.downtime import DowntimeTracker
from edge_agent.metrics import Metrics
from edge_agent.pipeline import Line, Pace, Pipeline
from edge_agent.recovery import resume_stops, warm_monitor
from edge_agent.status.board import LineBoard
from edge_agent.status.evidence_pins import PinLedger
from edge_agent.status.server import StatusContext, create_app
from edge_agent.workers.inspecting import StationAudit, StationPlan, StationWorker
from edge_agent.workers.monitoring import AssetMonitor, WatchPlan
from edge_agent.workers.publishing import StationPolicy, agent_state_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_agent.ports import Clock, Source
    from edge_agent.settings.config import AlarmSettings, AssetSettings, Settings

log = structlog.get_logger(__name__)

_WATCH_S = 0.5
_RECORD_S = 30.0
_LINKS_S = 5.0
_POLL_S = 0.02
_BUILT = datetime(2026, 1, 1, tzinfo=UTC)
_CLOCK_SLACK = timedelta(days=1)
"""A clock may be set back a little; a day before the newest stored fact it was not set at all."""


class Agent:
    """One agent, from settings to a running line.

    Args:
        settings: validated settings.
        pipeline_of: how the pipeline is made of its line; fault tests put a broken one here to show that they bite.
    """

    def __init__(self, settings: Settings, pipeline_of: Callable[[Line], Pipeline] = Pipeline) -> None:
        self.settings = settings
        self._pipeline_of = pipeline_of
        self._stopping = threading.Event()

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
            board = LineBoard(settings.lines, settings.agent, clock)
            board.rebuild(store)
            catalog = ModelCatalog(data / "models", settings.inference.providers)
            evidence = FileEvidence(data / "evidence")
            audits = station_audits(settings, data)
            workers, problems = _workers(settings, catalog, evidence, clock, metrics, audits)
            cameras = camera_sources(settings, store, clock, metrics)
            line = Line(
                store=store,
                clock=clock,
                metrics=metrics,
                sink=_sink(settings, clock),
                sources=(*_sources(settings, store, clock, metrics), *cameras),
                workers=workers,
                monitors=_monitors(settings, catalog, store),
                stops=_stops(settings, store),
                policies={s.name: StationPolicy(s.deadline_ms, s.late_action) for s in settings.stations},
                observers=(board, *cameras),
                names=settings.lines,
                prefix=settings.sink.prefix,
                pace=Pace(
                    settings.store.commit_messages, settings.store.commit_ms / 1e3, settings.store.queue_messages
                ),
            )
            pipeline = self._pipeline_of(line)
            condition = Condition(settings, line, pipeline, clock.now(), version("lineproof"), problems)
            context = StatusContext(
                reader=store,
                evidence=evidence,
                recorder=pipeline,
                board=board,
                system=condition.state,
                metrics=metrics,
                settings=settings.agent,
                lines=settings.lines,
                clock=clock,
                hosts=settings.status.hosts,
                asked=asked(settings, audits),
                pins=PinLedger(store),
            )
            page = _Page(context, settings)
            stack.callback(page.stop)
            pipeline.start()
            stack.callback(pipeline.stop)
            heartbeat = Heartbeat(condition, lambda: notify("WATCHDOG=1"))
            heartbeat.start()
            stack.callback(heartbeat.stop)
            page.start()
            keeper = keeper_of(settings.retention, data, store, evidence, context)
            keeper.start()
            stack.callback(keeper.stop)
            _record_modes(settings, line, pipeline)
            pipeline.open()
            self._await_links(condition)
            log.info("ready", page=page.url, lines=list(settings.lines))
            notify("READY=1")
            if ready is not None:
                ready(page.url)
            return self._watch(condition, page)

    def _await_links(self, condition: Condition) -> None:
        """Give the sources a moment to subscribe before the agent says ready: what a plant publishes before the
        broker knows our session, it keeps for nobody. A broker that is away must not keep the agent from starting.
        """
        for _ in range(round(_LINKS_S / _POLL_S)):
            if all(source.health().alive for source in condition.line.sources) or self._stopping.wait(_POLL_S):
                return
        away = [health.name for source in condition.line.sources if not (health := source.health()).alive]
        log.warning("ready without every source; they are tried again", away=away)

    def _watch(self, condition: Condition, page: _Page) -> int:
        while not self._stopping.wait(_WATCH_S):
            if condition.pipeline.fatal is not None:
                log.critical(
                    "ending so that a supervisor starts the agent afresh", cause=repr(condition.pipeline.fatal)
                )
                return 1
            if condition.standing_still and condition.pipeline.stalled_s < STALL_LIMIT_S:
                log.critical("a station's loop has ended or hangs; ending so that a supervisor starts afresh")
                return 1
            if not page.alive:
                log.critical("status page ended; ending so that a supervisor starts the agent afresh")
                return 1
        notify("STOPPING=1")
        log.info("stopping")
        return 0


def run(settings: Settings, ready: Callable[[str], None] | None = None) -> int:
    """Run an agent in this process until SIGTERM or SIGINT; see `Agent.run`."""
    agent = Agent(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    return agent.run(ready)


class _Page:
    """The status page's server in its own thread."""

    def __init__(self, context: StatusContext, settings: Settings) -> None:
        self._app = create_app(context)
        config = uvicorn.Config(
            self._app,
            host=settings.status.host,
            port=settings.status.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._socket = _listen(settings)
        self._host = settings.status.host
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="page", daemon=True)

    @property
    def url(self) -> str:
        """Where the page is."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._socket.getsockname()[1]}/"

    @property
    def alive(self) -> bool:
        """Whether the server's thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End; open live connections are closed."""
        self._app.state.live.close()  # else open pages hold the stop up
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(timeout=5)
        self._socket.close()


def _listen(settings: Settings) -> socket.socket:
    """Bind before anything is started, so that a taken port is an error and not a running agent without a page."""
    host, port = settings.status.host, settings.status.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol is named because asyncio turns Nagle's delay off only then: 40 ms an answer otherwise
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise AgentError(
            f"the status page cannot listen on {host}:{port}: {error.strerror}",
            field="status.port",
            value=port,
            hint="choose another port, or end the program that uses it",
        ) from error
    return listener


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


def _sources(settings: Settings, store: SqliteStore, clock: Clock, metrics: Metrics) -> Sequence[Source]:
    sources = mqtt_sources(settings, clock, metrics)
    watched = [station for station in settings.stations if station.folder is not None]
    sources += [FolderSource(station, clock, lambda key: store.event(key) is not None) for station in watched]
    return sources


def _workers(
    settings: Settings,
    catalog: ModelCatalog,
    evidence: FileEvidence,
    clock: Clock,
    metrics: Metrics,
    audits: dict[str, StationAudit],
) -> tuple[dict[str, StationWorker], dict[str, str]]:
    workers: dict[str, StationWorker] = {}
    problems: dict[str, str] = {}
    for station in settings.stations:
        scorer = catalog.image_scorer(station.model)
        if scorer.provider != settings.inference.providers[0]:
            problems[station.name] = "provider_fallback"
            log.warning("not the wanted provider", station=station.name, provider=scorer.provider)
        kept = frozenset(station.keep_evidence)
        plan = StationPlan(station.name, station.line, station.mode, kept, station.origin, audits.get(station.name))
        eyes = station_eyes(station, scorer, evidence_of(station, evidence), settings.inference)
        queue_size = settings.inference.image_queue
        workers[station.name] = StationWorker(plan, eyes, clock, metrics, queue_size=queue_size)
    return workers, problems


def _monitors(settings: Settings, catalog: ModelCatalog, store: SqliteStore) -> dict[str, AssetMonitor]:
    monitors: dict[str, AssetMonitor] = {}
    watched = {f"{asset.line}/{asset.name}": asset for asset in settings.assets}
    keys = dict.fromkeys([*watched, *(f"{alarm.line}/{alarm.asset}" for alarm in settings.alarms)])
    for key in keys:
        asset = watched.get(key)
        rules = [_rule(alarm) for alarm in settings.alarms if f"{alarm.line}/{alarm.asset}" == key]
        scorer = catalog.health_scorer(asset.model) if asset is not None else None
        if scorer is not None:
            _refuse_foreign_channels(settings, key, scorer.channels)
        monitors[key] = AssetMonitor(_watch_plan(key, asset), scorer, rules)
        fed = warm_monitor(store, monitors[key])
        log.info("asset monitor ready", asset=key, readings_from_store=fed)
    return monitors


def _refuse_foreign_channels(settings: Settings, key: str, wanted: Sequence[str]) -> None:
    """A health model whose channels no topic carries would fill its window for ever."""
    carried = settings.channels_of.get(key, frozenset())
    missing = [name for name in wanted if name not in carried]
    if missing:
        raise ConfigError(
            f"the health model of {key} needs channels that no [[mqtt.readings]] entry of this asset carries",
            field="assets.model",
            value=", ".join(missing),
            hint=f"map them (carried now: {', '.join(sorted(carried)) or 'none'}), or teach a model on these channels",
        )


def _watch_plan(key: str, asset: AssetSettings | None) -> WatchPlan:
    line, name = key.split("/", 1)
    if asset is None:
        return WatchPlan(line, name, stale_us=0, record_every_us=0)
    return WatchPlan(
        line,
        name,
        stale_us=round(asset.stale_after_s * MICROSECONDS_PER_SECOND),
        record_every_us=round(asset.record_every_s * MICROSECONDS_PER_SECOND),
        origin=asset.origin,
    )


def _rule(alarm: AlarmSettings) -> AlarmRule:
    return AlarmRule(
        name=alarm.name,
        line=alarm.line,
        asset=alarm.asset,
        signal=alarm.signal,
        limit=alarm.above if alarm.above is not None else alarm.below if alarm.below is not None else 0.0,
        direction="above" if alarm.above is not None else "below",
        deadband=alarm.deadband,
        on_delay_us=round(alarm.on_delay_s * MICROSECONDS_PER_SECOND),
        off_delay_us=round(alarm.off_delay_s * MICROSECONDS_PER_SECOND),
        action=alarm.action,
    )


def _stops(settings: Settings, store: SqliteStore) -> dict[str, DowntimeTracker]:
    trackers = {d.line: DowntimeTracker(d.line, d.asset, minimum_s=d.minimum_s) for d in settings.downtime}
    for tracker in trackers.values():
        resume_stops(store, tracker)
    return trackers


def _record_modes(settings: Settings, line: Line, pipeline: Pipeline) -> None:
    """State what judges each station from now on, when that differs from what the store says."""
    now = line.clock.now()
    for station in settings.stations:
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
                pipeline.record(event, timeout_s=_RECORD_S)
            except StoreError as error:
                log.warning("mode change not recorded yet", station=station.name, error=str(error))
