"""Takes up other settings while the agent runs: all of what can be taken up, or nothing.

First everything new is made, models loaded, beside what runs; whatever fails until then is a refused reload, and what
runs goes on untouched. Then the line is switched between two commits. Connections to the broker stay; a source or a
station that goes is drained before anybody forgets it, so that no fact and no image is lost.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from edge_agent.adapters.mqtt_source import MqttSource
from edge_agent.adapters.sparkplug_host import SparkplugHost
from edge_agent.composition.asking import asked, station_audits
from edge_agent.composition.monitors import Watch, machine_watch
from edge_agent.composition.mqtt_sources import (
    images_intake,
    messages_intake,
    mqtt_source,
    sparkplug_codec,
    sparkplug_sources,
)
from edge_agent.composition.running import Parts, board_of, line_of, problems_of
from edge_agent.composition.stations import own_source, recipe_book, remember_products, station_plan, station_worker
from edge_agent.errors import AgentError, StoreBusyError
from edge_agent.settings.reloading import in_force, is_replaced
from edge_agent.system_state import ReloadState
from edge_agent.workers.recipe_changes import model_changes, unusable_models

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_agent.composition.running import Running
    from edge_agent.condition import Condition
    from edge_agent.ports import Codec, Observer, Source
    from edge_agent.settings.config import Settings, StationSettings
    from edge_agent.status.board import LineBoard
    from edge_agent.workers.inspecting import StationAudit, StationPlan, StationWorker
    from edge_agent.workers.line import Line
    from edge_agent.workers.recipes import RecipeBook

log = structlog.get_logger(__name__)

_SWITCH_S = 30.0
_TOPICS_S = 10.0
_FINISH_S = 60.0


@dataclass(slots=True)
class _Plan:
    """Everything that a reload will put in the place of something, made and warm, and nothing of it begun."""

    settings: Settings
    audits: dict[str, StationAudit]
    watch: Watch
    board: LineBoard | None
    swapped: dict[str, tuple[StationPlan, RecipeBook]] = field(default_factory=dict)
    workers: dict[str, StationWorker] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    topics: list[tuple[MqttSource, Sequence[str], Codec]] = field(default_factory=list)
    births: list[tuple[SparkplugHost, tuple[str, str]]] = field(default_factory=list)
    leaving: set[str] = field(default_factory=set)
    books: dict[str, RecipeBook] = field(default_factory=dict)  # those before, by station


class Reloader:
    """Reloads the settings of a running agent; called from one thread.

    Args:
        running: what runs.
        load: reads the settings anew; raises `ConfigError`.
        record_modes: records what judges each station, where that has changed.
    """

    def __init__(self, running: Running, load: Callable[[], Settings], record_modes: Callable[[Running], None]) -> None:
        self._running = running
        self._load = load
        self._record_modes = record_modes
        self._number = 0

    def reload(self) -> ReloadState:
        """Take up the settings as they are now, or keep those before; never raises for what is wrong with them."""
        self._number += 1
        try:
            wanted, waiting = in_force(self._load(), self._running.settings)
            plan = self._prepare(wanted)
            changed = self._apply(plan)
        except AgentError as error:
            log.error("reload refused; the settings before it hold", reason=str(error))  # noqa: TRY400 - told, no defect
            return self._tell("refused", refused=str(error))
        except Exception as error:
            # the boundary of a reload: a defect in it must not end an agent that runs
            log.exception("reload failed; see what /api/state says is in force")
            return self._tell("refused", refused=f"{type(error).__name__}: {error}")
        log.info("settings reloaded", changed=changed, waiting_for_restart=waiting)
        return self._tell("partly" if waiting else "taken", waiting=waiting, changed=changed)

    def _tell(
        self, result: str, *, refused: str = "", waiting: tuple[str, ...] = (), changed: tuple[str, ...] = ()
    ) -> ReloadState:
        running = self._running
        books = {station.name: running.line.workers[station.name].book for station in running.settings.stations}
        unusable = tuple(told for name, book in books.items() for told in unusable_models(name, book))
        told = ReloadState(self._number, running.ground.clock.now().utc_us, refused, waiting, changed, unusable)
        self._show(dataclasses.replace(running.condition, reload=told))
        running.ground.metrics.reloaded(result)
        return told

    # ---- make everything new ------------------------------------------------------------------------------------

    def _prepare(self, settings: Settings) -> _Plan:
        running, ground = self._running, self._running.ground
        audits = station_audits(settings, ground.data)
        watch = machine_watch(settings, ground, running.settings, running.watch)
        same_lines = settings.lines == running.settings.lines
        plan = _Plan(settings, audits, watch, None if same_lines else board_of(settings, ground))
        plan.books = {name: worker.book for name, worker in running.line.workers.items()}
        before = {station.name: station for station in running.settings.stations}
        remember_products([station for station in settings.stations if station.name not in before], ground)
        for station in settings.stations:
            self._prepare_station(plan, station, before.get(station.name))
        plan.leaving |= set(before) - {station.name for station in settings.stations}
        self._prepare_topics(plan)
        return plan

    def _prepare_station(self, plan: _Plan, station: StationSettings, before: StationSettings | None) -> None:
        running, ground = self._running, self._running.ground
        old = running.line.workers.get(station.name)
        stays = before is not None and old is not None and not is_replaced(station, before)
        known = old.book if stays and old is not None else None
        book = recipe_book(station, plan.settings, ground, strict=True, before=known)
        judging = station_plan(station, plan.audits.get(station.name))
        if stays:
            plan.swapped[station.name] = (judging, book)
            return
        if before is not None:
            plan.leaving.add(station.name)
        plan.workers[station.name] = station_worker(judging, book, plan.settings, ground)
        source = own_source(station, ground)
        if source is not None:
            plan.sources.append(source)

    def _prepare_topics(self, plan: _Plan) -> None:
        """Codecs and connections of what the broker carries, where anything they depend on has changed."""
        settings, before, ground = plan.settings, self._running.settings, self._running.ground
        present = {source.name: source for source in self._running.line.sources}
        if (settings.mqtt, settings.signals, settings.stations) != (before.mqtt, before.signals, before.stations):
            for intake in (messages_intake(settings, ground.products), images_intake(settings, ground.products)):
                source = present.get(f"mqtt:{intake.client_id}")
                if isinstance(source, MqttSource):
                    plan.topics.append((source, intake.filters, intake.codec))
                elif intake.filters:
                    plan.sources.append(mqtt_source(intake, settings, ground.clock))
        if settings.mqtt.sparkplug == before.mqtt.sparkplug:
            return
        host = next((source for source in present.values() if isinstance(source, SparkplugHost)), None)
        data = present.get(f"mqtt:{settings.agent.name}-sparkplug")
        if host is not None and isinstance(data, MqttSource):
            births = sparkplug_codec(settings, host)
            plan.topics.append((data, births.filters, births))
            plan.births += [(host, (device.group, device.node)) for device in settings.mqtt.sparkplug.devices]
        else:
            plan.sources += sparkplug_sources(settings, ground.clock, ground.metrics)

    # ---- put it in place ----------------------------------------------------------------------------------------

    def _apply(self, plan: _Plan) -> tuple[str, ...]:
        running = self._running
        line, pipeline = running.line, running.pipeline
        own = {f"{kind}:{name}": name for kind in ("folder", "camera") for name in plan.leaving}
        leaving = [source for source in line.sources if source.name in own]
        fed = {own[source.name] for source in leaving}
        staying = [source for source in line.sources if source.name not in own]
        board: Observer = plan.board or next(each for each in line.observers if each is running.context.board)
        # a station that has a source of its own keeps its old worker until that source is drained
        between = {**plan.workers, **{name: line.workers[name] for name in plan.leaving if name in fed}}
        between |= {name: line.workers[name] for name in plan.leaving if name not in between}
        kept = {name: line.workers[name] for name in plan.swapped}
        final = {station.name: {**kept, **plan.workers}[station.name] for station in plan.settings.stations}
        first = line_of(
            plan.settings, running.ground, Parts({**kept, **between}, plan.watch, line.sources), line.sink, board
        )
        last = line_of(
            plan.settings, running.ground, Parts(final, plan.watch, [*staying, *plan.sources]), line.sink, board
        )
        policies = {**line.policies, **first.policies}  # verdicts of stations that leave may still be on their way
        first = dataclasses.replace(first, policies=policies)
        last = dataclasses.replace(last, policies=policies)

        def switch() -> None:
            plan.watch.warm(running.ground.store)
            if plan.board is not None:
                plan.board.rebuild(running.ground.store)
            for name, (judging, book) in plan.swapped.items():
                line.workers[name].plan, line.workers[name].book = judging, book
            pipeline.switch(first)

        pipeline.begin(plan.workers.values(), ())
        try:
            pipeline.between_commits(switch, _SWITCH_S)
        except AgentError:
            for worker in plan.workers.values():
                worker.stop()
            raise
        self._drain(plan, leaving)
        try:
            pipeline.between_commits(lambda: pipeline.switch(last), _FINISH_S)
        except StoreBusyError:
            # the store takes nothing now; what leaves has delivered all it will, and its facts wait in the queue
            log.warning("switched while facts wait for the store")
            pipeline.switch(last)
        pipeline.begin((), plan.sources)
        for host, (group, node) in plan.births:
            host.ask_rebirth(group, node)
        for source in leaving:
            source.stop()
        return self._settle(plan, last)

    def _drain(self, plan: _Plan, leaving: list[Source]) -> None:
        """Let what leaves deliver and judge to its end."""
        for source in leaving:
            source.pause()
        for source, filters, codec in plan.topics:
            if not source.change(filters, codec, _TOPICS_S):
                log.warning("topics change once the pipeline takes what came before", source=source.name)
        for name in plan.leaving:
            self._running.line.workers[name].finish(_FINISH_S)

    def _settle(self, plan: _Plan, line: Line) -> tuple[str, ...]:
        """Enter what holds now, show it, and say what has changed."""
        running = self._running
        before, running.settings, running.line = running.settings, plan.settings, line
        running.watch, running.audits = plan.watch, plan.audits
        wanted = {(s.name, model) for s in plan.settings.stations for model in _models(s)}
        for place in [place for place in running.ground.scorers if place not in wanted]:
            del running.ground.scorers[place]
        running.context = dataclasses.replace(
            running.context,
            board=plan.board or running.context.board,
            lines=plan.settings.lines,
            asked=asked(plan.settings, plan.audits),
        )
        condition = dataclasses.replace(
            running.condition, settings=plan.settings, line=line, problems=problems_of(line.workers, plan.settings)
        )
        self._show(condition)
        self._record_modes(running)
        models = [
            told
            for name, worker in line.workers.items()
            if name in plan.books
            for told in model_changes(name, plan.books[name], worker.book)
        ]
        return (*_changes(before, plan.settings), *models)

    def _show(self, condition: Condition) -> None:
        running = self._running
        running.condition = condition
        running.heartbeat.follow(condition)
        running.context = dataclasses.replace(running.context, system=condition.state)
        running.page.show(running.context)


def _models(station: StationSettings) -> set[str]:
    return {station.model, *(recipe.model or station.model for recipe in station.recipes)}


def _changes(before: Settings, now: Settings) -> list[str]:
    """One short sentence for each thing that was taken up."""
    old = {station.name: station for station in before.stations}
    new = {station.name: station for station in now.stations}
    told = [f"station {name} removed" for name in old if name not in new]
    told += [f"station {name} added" for name in new if name not in old]
    for name, station in new.items():
        if name in old and station != old[name]:
            how = "begun anew" if is_replaced(station, old[name]) else "changed"
            what = [key for key in type(station).model_fields if getattr(station, key) != getattr(old[name], key)]
            told.append(f"station {name} {how}: {', '.join(what)}")
    others = ("mqtt", "assets", "alarms", "signals", "downtime", "oee", "stop_reasons")
    return told + [f"{name} changed" for name in others if getattr(before, name) != getattr(now, name)]
