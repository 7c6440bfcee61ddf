"""What the status page is given; made by `app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.config import AgentSettings
    from edge_agent.metrics import Metrics
    from edge_agent.ports import Clock, EvidenceStore, Recorder, StoreReader
    from edge_agent.status.board import LineBoard
    from edge_agent.system_state import SystemState


@dataclass(frozen=True, slots=True)
class StatusContext:
    """Everything behind the status page.

    Attributes:
        reader: committed facts.
        evidence: kept images.
        recorder: makes a judgement durable.
        board: live picture of the lines, rebuilt before the first request.
        system: the agent's condition now; may read the store.
        metrics: what `/metrics` shows.
        settings: language, time zone and shifts.
        lines: production lines in the order of the configuration.
        clock: time.
        hosts: names the page may be opened by, besides localhost and addresses (`status.hosts`).
    """

    reader: StoreReader
    evidence: EvidenceStore
    recorder: Recorder
    board: LineBoard
    system: Callable[[], SystemState]
    metrics: Metrics
    settings: AgentSettings
    lines: tuple[str, ...]
    clock: Clock
    hosts: tuple[str, ...] = ()
