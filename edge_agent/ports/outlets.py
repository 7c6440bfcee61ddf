"""Where committed facts go: sinks, observers, and the way back in for what people record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.events import Event
    from edge_agent.ports.intake import LinkHealth
    from edge_agent.ports.transactions import Committed, OutboxMessage


class Sink(Protocol):
    """Where committed facts are sent."""

    @property
    def name(self) -> str: ...

    def start(self, settled: Callable[[str], None]) -> None:
        """Begin. `settled(key)` is called from the sink's own thread when the peer has acknowledged a message."""
        ...

    def send(self, message: OutboxMessage) -> None:
        """Hand over a message; never blocks. While the peer is away the sink keeps it in memory and sends it, in
        order, when the peer is back; the store keeps it anyway.
        """
        ...

    def announce(self, topic: str, payload: bytes, *, expiry_s: float | None = None) -> None:
        """Publish a retained state (interlock) of which only the newest matters; never blocks, is dropped while the
        peer is away, is not settled, and is forgotten by the broker after `expiry_s`.
        """
        ...

    def health(self) -> LinkHealth: ...

    def stop(self) -> None: ...


class Observer(Protocol):
    """Sees facts after their commit, in feed order: status page, metrics. Called from the writer thread; must be
    quick and must not raise.
    """

    def committed(self, committed: Committed) -> None: ...


class Recorder(Protocol):
    """Lets another thread (the status page) record one fact."""

    def record(self, event: Event, *, timeout_s: float) -> bool:
        """Commit an event; returns True when it is durable and new, False when its key was already there.

        Raises:
            StoreError: it is not durable; `retryable` says whether to try again.
        """
        ...
