"""What the status page is given; made by `app`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_agent.settings.capture import USUAL_REASONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_agent.metrics import Metrics
    from edge_agent.ports import Clock, EvidenceStore, Recorder, StoreReader
    from edge_agent.settings.capture import StopReasonSettings
    from edge_agent.settings.config import AgentSettings
    from edge_agent.status.board import LineBoard
    from edge_agent.status.evidence_pins import PinLedger
    from edge_agent.system_state import SystemState
    from edge_agent.workers.inspecting import StationAudit


@dataclass(frozen=True, slots=True)
class Asked:
    """What people are asked for.

    Attributes:
        audits: how parts are drawn for the blind audit, by station; empty where none is configured.
        audited_lines: lines with such a station: all parts of their queue are shown blind, so that none stands out.
        reasons: reasons of stops that people choose from.
        planned_run_s: planned run time per item, seconds, by line and product.
        stopping: the machine whose stops are the line's, by line.
        assets: machines of each line that a failure may be stated of.
    """

    audits: Mapping[str, StationAudit] = field(default_factory=dict)
    audited_lines: frozenset[str] = frozenset()
    reasons: tuple[StopReasonSettings, ...] = USUAL_REASONS
    stopping: Mapping[str, str] = field(default_factory=dict)
    planned_run_s: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    assets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
        asked: what people are asked for.
        pins: the ledger of pinned evidence that the keeper looks at too; None for one of the page's own.
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
    asked: Asked = field(default_factory=Asked)
    pins: PinLedger | None = None
