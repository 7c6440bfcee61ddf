"""Which topics a source has subscribed, and the change to others on a living connection.

A change loses nothing and reads nothing wrong: topics that go are unsubscribed first, what the broker had sent until
then is still read in the old way, and only then comes the new way of reading, and then the new topics. While the broker
is away the change is made at once, and a session's leftovers of topics that went are quarantined as unmapped.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from paho.mqtt.subscribeoptions import SubscribeOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from edge_agent.adapters.mqtt_client import PlantClient
    from edge_agent.ports import Codec


class TopicChange:
    """A change that was asked for; `done` is set once the new codec reads."""

    def __init__(self, filters: Sequence[str], codec: Codec) -> None:
        self.filters = tuple(filters)
        self.codec = codec
        self.done = threading.Event()


class Subscriptions:
    """The topic filters of one session.

    Args:
        filters: what is subscribed at first.
        turn_over: takes a change at the place in the stream where it holds from.
    """

    def __init__(self, filters: Sequence[str], turn_over: Callable[[TopicChange], None]) -> None:
        self.filters = tuple(filters)
        self.confirmed = False
        self.refused: list[str] = []
        self._turn_over = turn_over
        self._lock = threading.Lock()
        self._asked: TopicChange | None = None
        self._unsubscribing = False
        self._gone: set[str] = set()

    def ask(self, change: TopicChange, *, connected: bool) -> None:
        """Have a change made; any thread. The network thread makes it while the broker is there."""
        with self._lock:
            self._asked = change
        if not connected:
            self._make()

    # ---- network thread -----------------------------------------------------------------------------------------

    def connected(self, client: PlantClient) -> None:
        """Subscribe; a session that was there sends no retained messages again (Retain Handling 1)."""
        self._unsubscribing = False
        self._make()
        if self._gone:
            client.unsubscribe(sorted(self._gone))
        self._subscribe(client)

    def lost(self) -> None:
        """The connection is over."""
        self.confirmed = False
        self._unsubscribing = False

    def turn(self, client: PlantClient) -> None:
        """Begin a change that was asked for."""
        asked = self._asked
        if asked is None or self._unsubscribing:
            return
        gone = sorted(set(self.filters) - set(asked.filters))
        if gone:
            self._unsubscribing = True
            client.unsubscribe(gone)
        else:
            self._make()
            self._subscribe(client)

    def unsubscribed(self, client: PlantClient) -> None:
        """The broker sends nothing more of the topics that go."""
        if self._unsubscribing:
            self._unsubscribing = False
            self._make()
            self._subscribe(client)

    def subscribed(self, reasons: Sequence[ReasonCode]) -> None:
        """The broker's answer."""
        self.refused = [
            f"{topic_filter} ({reason})"
            for topic_filter, reason in zip(self.filters, reasons, strict=False)
            if reason.is_failure
        ]
        self.confirmed = True

    def _subscribe(self, client: PlantClient) -> None:
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        if self.filters:
            client.subscribe([(topic_filter, options) for topic_filter in self.filters])
        else:
            self.confirmed = True

    def _make(self) -> None:
        with self._lock:
            asked, self._asked = self._asked, None
            if asked is None:
                return
            self._gone = (self._gone | set(self.filters)) - set(asked.filters)
            self.filters = asked.filters
        self._turn_over(asked)
