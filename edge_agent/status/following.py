"""Pictures of the store's past that are up to date whenever somebody asks: they read on from where they stopped."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.events import RecordedEvent
    from edge_agent.ports import StoreReader

_PAGE = 5_000


class Following:
    """Folds events of some kinds in feed order. Subclasses say what an event means in `_apply`.

    A decision that must hold against everybody else (is this stop still what it was?) is taken and recorded inside
    one `current()`: what another visitor records meanwhile waits, and what was recorded before is in the picture.

    Args:
        reader: the store.
        kinds: event kinds that the picture is made of.
    """

    def __init__(self, reader: StoreReader, kinds: frozenset[str]) -> None:
        self._reader = reader
        self._kinds = kinds
        self._seq = 0
        self._lock = threading.RLock()

    @contextmanager
    def current(self) -> Iterator[None]:
        """Hold the picture as the store has it now; any thread, one at a time."""
        with self._lock:
            self._catch_up()
            yield

    def _apply(self, recorded: RecordedEvent) -> None:
        raise NotImplementedError

    def _catch_up(self) -> None:
        newest = self._reader.last_seq()
        while self._seq < newest:
            page = self._reader.events_after(self._seq, limit=_PAGE, kinds=self._kinds)
            for recorded in page:
                self._apply(recorded)
            self._seq = page[-1].seq if len(page) == _PAGE else max(newest, page[-1].seq if page else 0)
