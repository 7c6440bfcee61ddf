"""What an agent stands on from its start to its end, whatever is reloaded meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from edge_agent.adapters.file_evidence import FileEvidence
    from edge_agent.adapters.model_catalog import ModelCatalog
    from edge_agent.adapters.sqlite_store import SqliteStore
    from edge_agent.inspection.products import ProductLog
    from edge_agent.metrics import Metrics
    from edge_agent.ports import Clock, ImageScorer


@dataclass(frozen=True, slots=True)
class Ground:
    """The parts that every station, source and monitor is made with.

    Attributes:
        data: folder of everything kept.
        products: which product is before which station.
        scorers: loaded models by station and name, so that a reload loads again only what has changed.
    """

    data: Path
    store: SqliteStore
    clock: Clock
    metrics: Metrics
    catalog: ModelCatalog
    evidence: FileEvidence
    products: ProductLog
    scorers: dict[tuple[str, str], ImageScorer] = field(default_factory=dict)
