"""Joins the stations' cameras to the rest of the agent."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.adapters.camera_source import CameraSource
from edge_agent.adapters.opencv_evidence import CompressedEvidence
from edge_agent.adapters.toml_config import read_secret
from edge_agent.events import PartIdentity
from edge_agent.inspection.camera_triggers import inspection_key

if TYPE_CHECKING:
    from edge_agent.events import Event
    from edge_agent.metrics import Metrics
    from edge_agent.ports import Clock, EvidenceStore, StoreReader
    from edge_agent.settings.config import Settings, StationSettings

LOOK_BACK = 500
"""Newest parts of a line that are looked through at the start for such as were announced and never judged."""


def camera_sources(settings: Settings, store: StoreReader, clock: Clock, metrics: Metrics) -> list[CameraSource]:
    """A source for each station with a camera."""
    return [
        camera_source(station, store, clock, metrics) for station in settings.stations if station.camera is not None
    ]


def camera_source(station: StationSettings, store: StoreReader, clock: Clock, metrics: Metrics) -> CameraSource:
    """The source of a station with a camera; parts that a sudden end left without a verdict get NO_VERDICT.

    Raises:
        ConfigError: the station has no camera.
    """
    camera = station.camera
    file = camera.password_file if camera is not None else None
    password = partial(read_secret, Path(file)) if file is not None else None
    source = CameraSource(station, clock, password, metrics)
    if camera is not None and camera.trigger is not None:
        source.recover(unjudged(store, station))
    return source


def unjudged(store: StoreReader, station: StationSettings) -> list[Event]:
    """Parts announced to a station since its newest verdict and never judged, oldest first.

    Where none of the newest parts was ever judged, the camera is new here and none is missing.
    """
    waiting: list[Event] = []
    for recorded in store.latest_events("part", line=station.line, limit=LOOK_BACK):
        event = recorded.event
        if not isinstance(event.body, PartIdentity) or event.body.station != station.name:
            continue
        if store.event(inspection_key(event)) is not None:
            return waiting[::-1]
        waiting.append(event)
    return []


def evidence_of(station: StationSettings, kept: EvidenceStore) -> EvidenceStore:
    """Where a station's pictures are kept: a camera's bitmaps are compressed first."""
    return CompressedEvidence(kept) if station.camera is not None else kept
