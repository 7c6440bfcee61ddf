"""The agent as it runs: everything that a reload puts something else in the place of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.adapters.camera_source import CameraSource
from edge_agent.composition.stations import problem_of
from edge_agent.status.board import LineBoard
from edge_agent.workers.line import Line, Pace
from edge_agent.workers.publishing import StationPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_agent.composition.ground import Ground
    from edge_agent.composition.monitors import Watch
    from edge_agent.composition.page import StatusPage
    from edge_agent.condition import Condition, Heartbeat
    from edge_agent.pipeline import Pipeline
    from edge_agent.ports import Observer, Sink, Source
    from edge_agent.settings.config import Settings, StationSettings
    from edge_agent.status.context import StatusContext
    from edge_agent.workers.inspecting import StationAudit, StationWorker


@dataclass(slots=True)
class Running:
    """Every part that has the settings in it. Changed by the thread that reloads, read by it alone."""

    ground: Ground
    settings: Settings
    line: Line
    watch: Watch
    audits: dict[str, StationAudit]
    pipeline: Pipeline
    condition: Condition
    context: StatusContext
    page: StatusPage
    heartbeat: Heartbeat


@dataclass(frozen=True, slots=True)
class Parts:
    """What a line is made of, by its settings."""

    workers: dict[str, StationWorker]
    watch: Watch
    sources: Sequence[Source]


def line_of(settings: Settings, ground: Ground, parts: Parts, sink: Sink, board: Observer) -> Line:
    """The line of some settings, of parts that are made already."""
    return Line(
        store=ground.store,
        clock=ground.clock,
        metrics=ground.metrics,
        sink=sink,
        sources=tuple(parts.sources),
        workers=parts.workers,
        monitors=parts.watch.monitors,
        stops=parts.watch.stops,
        policies={s.name: StationPolicy(s.deadline_ms, s.late_action) for s in settings.stations},
        observers=(board, *(source for source in parts.sources if isinstance(source, CameraSource))),
        names=settings.lines,
        prefix=settings.sink.prefix,
        pace=Pace(settings.store.commit_messages, settings.store.commit_ms / 1e3, settings.store.queue_messages),
    )


def board_of(settings: Settings, ground: Ground) -> LineBoard:
    """A board of these lines; `rebuild` it before it is shown."""
    return LineBoard(settings.lines, settings.agent, ground.clock)


def problems_of(workers: dict[str, StationWorker], settings: Settings) -> dict[str, str]:
    """What is wrong with stations that run all the same, by name."""
    found = {name: problem_of(worker, settings) for name, worker in workers.items()}
    return {name: problem for name, problem in found.items() if problem}


def product_teller(ground: Ground) -> Callable[[StationSettings], str]:
    """Tells the product before a station now."""
    return lambda station: ground.products.newest(station.name, station.product)
