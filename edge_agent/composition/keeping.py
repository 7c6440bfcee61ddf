"""Joins what keeps and removes to the rest of the agent: part of the composition root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.adapters.file_clock_notes import FileClockNotes
from edge_agent.adapters.posix_disk import PosixDisk
from edge_agent.adapters.sqlite_images import SqliteImageIndex
from edge_agent.retention import retention_rules
from edge_agent.status.evidence_holds import EvidenceHolds
from edge_agent.status.evidence_pins import PinLedger
from edge_agent.status.review_desk import ReviewDesk
from edge_agent.workers.clock_watching import WatchedClock
from edge_agent.workers.keeping import Keeper
from edge_agent.workers.purging import Kept, Purger

if TYPE_CHECKING:
    from pathlib import Path

    from edge_agent.adapters.file_evidence import FileEvidence
    from edge_agent.adapters.sqlite_store import SqliteStore
    from edge_agent.settings.retention import RetentionSettings
    from edge_agent.status.context import StatusContext

_MB = 10**6


def keeper_of(
    settings: RetentionSettings, folder: Path, store: SqliteStore, evidence: FileEvidence, context: StatusContext
) -> Keeper:
    """The keeper of an agent's data folder; not started.

    Raises:
        StoreError: the store cannot be read.
    """
    rules = retention_rules(settings)
    index = SqliteImageIndex(store.path)
    holds = EvidenceHolds(context.pins or PinLedger(store), ReviewDesk(store, context.asked.audits), index)
    purger = Purger(Kept(store, index, evidence, holds), rules, context.recorder, context.metrics)
    return Keeper(
        purger,
        days=store,
        images=evidence,
        disk=PosixDisk(folder, settings.ballast_mb * _MB),
        rules=rules,
        clock=context.clock,
        watch=WatchedClock(rules, FileClockNotes(folder), store),
        metrics=context.metrics,
        every_ns=round(settings.every_s * 10**9),
    )
