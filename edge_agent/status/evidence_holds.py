"""Images that must stay: what claims have pinned, and parts that somebody is still to look at."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from edge_agent.ports.keeping import ImageIndex
    from edge_agent.status.evidence_pins import PinLedger
    from edge_agent.status.review_desk import ReviewDesk


class EvidenceHolds:
    """ports.Holds over pins and the audit's queue.

    Args:
        pins: the ledger that the page pins with, so that a pin and a removal come one after the other.
        desk: a desk that nobody else uses: one that offers parts forgets those it offers no more.
        index: which images an inspection has.
    """

    def __init__(self, pins: PinLedger, desk: ReviewDesk, index: ImageIndex) -> None:
        self._pins = pins
        self._desk = desk
        self._index = index
        self._images: dict[str, frozenset[str]] = {}  # of inspections that wait, by key

    @contextmanager
    def held(self, now: datetime | None) -> Iterator[frozenset[str]]:
        """Digests that must stay, while the context lasts."""
        with self._pins.current():
            with self._desk.current():
                waiting = frozenset(self._desk.held(now))
            for key in self._images.keys() - waiting:
                del self._images[key]
            for key in waiting - self._images.keys():
                found = self._index.digests_of([key])
                if found:  # a draw may be read before its inspection was
                    self._images[key] = found
            yield self._pins.digests().union(*self._images.values())
