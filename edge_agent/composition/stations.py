"""Makes the stations: each with its recipes, its worker, and its own folder or camera.

A station whose model cannot be used is made all the same: its parts get NO_VERDICT, and the others get their verdicts.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import structlog

from edge_agent.adapters.folder_source import FolderSource
from edge_agent.composition.cameras import camera_source, evidence_of
from edge_agent.composition.eyes import station_eyes
from edge_agent.errors import AgentError, ConfigError
from edge_agent.events import ProductChange
from edge_agent.inspection.inspections import Limits
from edge_agent.inspection.products import REMEMBERED_CHANGES
from edge_agent.instant import Instant, to_us
from edge_agent.workers.inspecting import StationPlan, StationWorker
from edge_agent.workers.recipes import RecipeBook, TunedScorer, UnusableScorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.adapters.camera_source import CameraSource
    from edge_agent.composition.ground import Ground
    from edge_agent.ports import ImageScorer
    from edge_agent.settings.config import Settings, StationSettings
    from edge_agent.settings.recipes import LimitSettings
    from edge_agent.workers.inspecting import Eyes, StationAudit

log = structlog.get_logger(__name__)


def recipe_book(
    station: StationSettings, settings: Settings, ground: Ground, *, strict: bool, before: RecipeBook | None = None
) -> RecipeBook:
    """The recipes of a station, its models loaded and warm.

    Args:
        station: which.
        settings: all of them.
        ground: what the agent stands on.
        strict: a model that cannot be used is an error, unless it could not be used before either.
        before: the recipes in force, whose small view of JPEGs has proved itself.

    Raises:
        AgentError: a model cannot be used, or its limits and the settings' clash.
    """
    view = before.usual.reduced if before is not None else None

    def eyes(model: str, limits: LimitSettings) -> Eyes:
        nonlocal view
        scorer = _scorer(station, model, limits, ground, strict=strict)
        made = station_eyes(station, scorer, evidence_of(station, ground.evidence), settings.inference)
        view = view or made.reduced  # one small view a station, which tries each of its models
        return dataclasses.replace(made, reduced=view)

    return RecipeBook(
        usual=eyes(station.model, station),
        products={recipe.product: eyes(recipe.model or station.model, recipe) for recipe in station.recipes},
        known_only=station.unknown_product == "no_verdict",
        product_at=lambda moment: ground.products.at(station.name, moment, station.product),
        own=station.product,
    )


def station_plan(station: StationSettings, audit: StationAudit | None) -> StationPlan:
    """How a station judges."""
    return StationPlan(
        station.name, station.line, station.mode, frozenset(station.keep_evidence), station.origin, audit
    )


def station_worker(plan: StationPlan, book: RecipeBook, settings: Settings, ground: Ground) -> StationWorker:
    """A station's worker, not started yet."""
    return StationWorker(plan, book, ground.clock, ground.metrics, queue_size=settings.inference.image_queue)


def own_source(station: StationSettings, ground: Ground) -> FolderSource | CameraSource | None:
    """A station's folder or camera; its frames bear no product, so that the log of products tells it.

    Raises:
        ConfigError: a camera's settings cannot be used.
    """
    unnamed = station.model_copy(update={"product": ""})
    if station.folder is not None:
        before = station.product

        def product_of(mtime_us: int) -> str:
            return ground.products.at_time(station.name, mtime_us, before)

        store = ground.store
        return FolderSource(unnamed, ground.clock, lambda key: store.event(key) is not None, product_of)
    if station.camera is not None:
        return camera_source(unnamed, ground.store, ground.clock, ground.metrics)
    return None


def remember_products(stations: Sequence[StationSettings], ground: Ground) -> None:
    """Enter the stored product changes of stations into the log."""
    names = {station.name for station in stations}
    for line in dict.fromkeys(station.line for station in stations):
        found = ground.store.latest_events("product_change", line=line, limit=REMEMBERED_CHANGES)
        for recorded in reversed(found):
            body = recorded.event.body
            if isinstance(body, ProductChange) and body.station in names:
                heard = Instant(to_us(recorded.recorded_at), recorded.mono_ns, recorded.boot_id)
                ground.products.hear(body.station, body.product, heard, recorded.event.key)


def refuse_blindness(workers: Sequence[StationWorker]) -> None:
    """An agent none of whose stations can judge does not start: whoever installs it sees why at once.

    Raises:
        ConfigError: no station can judge.
    """
    faults = [fault for worker in workers for fault in worker.book.unusable]
    if faults and all(worker.book.blind for worker in workers):
        raise ConfigError(
            f"no station can judge: {faults[0].detail}",
            field="stations.model",
            value=faults[0].identity.label,
            hint="teach or install the model, or correct its name",
        )


def problem_of(worker: StationWorker, settings: Settings) -> str:
    """What is wrong with a station's models though the station runs; empty when nothing is."""
    wanted = settings.inference.providers[0]
    problem = ""
    if worker.book.blind:
        problem = "model_unusable"
    elif worker.book.unusable:
        problem = "recipe_unusable"
    elif any(eyes.scorer.provider != wanted for eyes in worker.book.all()):
        problem = "provider_fallback"
        log.warning("not the wanted provider", station=worker.plan.name, wanted=wanted)
    return problem


def _scorer(
    station: StationSettings, model: str, limits: LimitSettings, ground: Ground, *, strict: bool
) -> ImageScorer:
    place = (station.name, model)
    known = ground.scorers.get(place)
    try:
        if known is None or ground.catalog.digest(model) != known.identity.digest:
            known = ground.scorers[place] = ground.catalog.image_scorer(model)
        return _tuned(known, limits, station)
    except AgentError as error:
        if strict and not isinstance(known, UnusableScorer):
            message = f"station {station.name} cannot use its model: {error}"
            raise ConfigError(message, field="stations.model", value=model) from error
        told = str(error)
    log.error("model cannot be used; its parts get NO_VERDICT", station=station.name, model=model, error=told)
    unusable = UnusableScorer(model, told)
    if known is None:
        ground.scorers[place] = unusable
    return unusable


def _tuned(scorer: ImageScorer, limits: LimitSettings, station: StationSettings) -> ImageScorer:
    """The model with the limits that the settings give."""
    if limits.threshold is None and limits.review_from is None:
        return scorer
    threshold = limits.threshold if limits.threshold is not None else scorer.limits.threshold
    review_from = limits.review_from if limits.review_from is not None else min(scorer.limits.review_from, threshold)
    if review_from > threshold:
        raise ConfigError(
            f"review_from lies above the model's threshold {threshold:g}",
            field=f"stations.{station.name}.review_from",
            value=review_from,
            hint="give threshold too, or a lower review_from",
        )
    return TunedScorer(scorer, Limits(threshold=threshold, review_from=review_from))
