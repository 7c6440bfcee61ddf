"""Evidence that a claim cites is kept by the agent that has it; what cannot be pinned now is asked again next time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.ledger.books import books_of
from roi_tracker.ledger.entries import Draft, EvidencePinned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from roi_tracker.ledger.entries import Entry
    from roi_tracker.ports import EvidencePins, LedgerStore


def pin_evidence(ledger: LedgerStore, agent: EvidencePins, case_id: str, at: datetime, author: str) -> Sequence[Entry]:
    """Pin everything cited and not yet kept, as far as this agent knows it; each answer is written down at once.

    Raises:
        UnreachableError: the agent does not answer; what it kept before is written, the rest stays to be pinned.
    """
    written: list[Entry] = []
    for citation in books_of(ledger.entries(), case_id).unpinned:
        kept = tuple(agent.pin(citation.claim, citation.evidence))
        if kept:
            body = EvidencePinned(feed=agent.address, claim=citation.claim, evidence=kept)
            written += ledger.append([Draft(case_id, at, author, body)])
    return written
