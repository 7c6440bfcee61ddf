"""Hands committed messages to the sink, never more than so many at a time: what waits longer waits in the store.

While the broker is away for days the outbox grows on disk, where it is durable anyway, and not in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from edge_agent.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.instant import Instant
    from edge_agent.ports import OutboxMessage, Sink, StoreReader
    from edge_agent.workers.deliveries import DeliveryWatch

IN_HAND = 5_000
URGENT_IN_HAND = 4 * IN_HAND
"""Messages with a deadline go on being handed over: the interlock of a live line hangs on them. So many that wait are
late themselves, and raise it without those that follow."""

log = structlog.get_logger(__name__)


class OutboxFeed:
    """Between the store's outbox and the sink; used by the writer thread, by `start` before it runs.

    Args:
        store: where all messages are until they are settled.
        sink: takes them.
        watch: knows those that the sink has.
        in_hand, urgent_in_hand: how many the sink may have, without and with a deadline.
    """

    def __init__(
        self,
        store: StoreReader,
        sink: Sink,
        watch: DeliveryWatch,
        *,
        in_hand: int = IN_HAND,
        urgent_in_hand: int = URGENT_IN_HAND,
    ) -> None:
        self._store = store
        self._sink = sink
        self._watch = watch
        self._in_hand = in_hand
        self._urgent_in_hand = urgent_in_hand
        self._behind = False

    @property
    def behind(self) -> bool:
        """Whether messages wait in the store that the sink has not seen."""
        return self._behind

    def look_again(self) -> None:
        """The store may hold messages that nobody offered: those of the last run, or of a commit in doubt."""
        self._behind = True

    def offer(self, messages: Sequence[OutboxMessage], now: Instant) -> None:
        """Hand over messages that were just committed, or leave them to `top_up`, so that they overtake none.

        One with a deadline may overtake those without.
        """
        for message in messages:
            if self._behind or self._watch.pending >= self._in_hand:
                self._behind = True
                if message.deadline_ms is None or self._watch.pending >= self._urgent_in_hand:
                    continue
            self._hand_over(message, now)

    def top_up(self, now: Instant) -> None:
        """Hand over what waits in the store once the sink has room; after a commit, so that nothing settled is left."""
        if not self._behind or self._watch.pending > self._in_hand // 2:
            return
        try:
            # those in hand are in the store as well, and urgent ones among the newest
            found = self._store.pending_outbox(self._in_hand)
        except StoreError as error:
            log.warning("the outbox could not be read; it is tried again", error=str(error))
            return
        self._behind = len(found) == self._in_hand
        for message in found:
            self._hand_over(message, now)

    def _hand_over(self, message: OutboxMessage, now: Instant) -> None:
        if message.key not in self._watch:
            self._watch.sent(message, now)
            self._sink.send(message)
