"""Joins what keeps and removes to the rest of the agent: part of the composition root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.adapters.posix_disk import PosixDisk
from edge_agent.adapters.sqlite_images import SqliteImageIndex
from edge_agent.instant import Instant, to_us
from edge_agent.retention import retention_rules
from edge_agent.status.evidence_holds import EvidenceHolds
from edge_agent.status.evidence_pins import PinLedger
from edge_agent.status.review_desk import ReviewDesk
from edge_agent.workers.keeping import Keeper
from edge_agent.workers.purging import Kept, Purger

if TYPE_CHECKING:
    from pathlib import Path

    from edge_agent.adapters.file_evidence import FileEvidence
    from edge_agent.adapters.sqlite_store import SqliteStore
    from edge_agent.ports import StoreReader
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
        metrics=context.metrics,
        every_ns=round(settings.every_s * 10**9),
        anchor=newest_moment(store),
    )


def newest_moment(store: StoreReader) -> Instant | None:
    """When the newest event was committed, by both clocks; None for an empty store."""
    newest = store.events_after(store.last_seq() - 1, limit=1)
    return Instant(to_us(newest[0].recorded_at), newest[0].mono_ns, newest[0].boot_id) if newest else None
