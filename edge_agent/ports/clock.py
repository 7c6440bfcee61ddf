"""Time as the agent knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from edge_agent.instant import Instant


class Clock(Protocol):
    """Time as the agent knows it."""

    def now(self) -> Instant:
        """The present moment; never blocks."""
        ...
