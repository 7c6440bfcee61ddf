"""From machine states to stops that have ended (the time elements of ISO 22400-2)."""

from __future__ import annotations

from edge_agent.events import Downtime, Event, MachineState
from edge_agent.instant import MICROSECONDS_PER_SECOND, from_us, to_us

STOPPED = frozenset({"planned_stop", "unplanned_stop"})


class DowntimeTracker:
    """Turns the state facts of one machine into `Downtime` events.

    A stop lasts from entering a stop state to leaving it; a change from planned to unplanned (or of the reason) ends
    one stop and begins another, so that each has one cause. A fact older than the newest one is ignored: it is
    stored, and the stop ledger of a later version may split on it.

    Args:
        line, asset: the machine.
        minimum_s: shorter stops are not recorded, seconds.
    """

    def __init__(self, line: str, asset: str, *, minimum_s: float) -> None:
        self.line = line
        self.asset = asset
        self._minimum_us = round(minimum_s * MICROSECONDS_PER_SECOND)
        self._current: MachineState | None = None
        self._since_us = 0
        self._newest_us = 0

    @property
    def current(self) -> MachineState | None:
        """The state the machine is in, None before the first fact."""
        return self._current

    def update(self, fact: Event) -> Event | None:
        """Take a state fact; returns the stop that it ends, if any.

        >>> from datetime import UTC, datetime
        >>> def at(minute, state):
        ...     moment = datetime(2026, 1, 5, 8, minute, tzinfo=UTC)
        ...     return Event(f"k{minute}", "l", moment, MachineState("press", state, "jam"))
        >>> tracker = DowntimeTracker("l", "press", minimum_s=0)
        >>> tracker.update(at(0, "unplanned_stop")) is None
        True
        >>> tracker.update(at(7, "producing")).body.duration_s
        420.0
        """
        state = fact.body
        if not isinstance(state, MachineState) or state.asset != self.asset or fact.line != self.line:
            return None
        t_us = to_us(fact.occurred_at)
        if t_us < self._newest_us:
            return None
        self._newest_us = t_us
        before = self._current
        if before is not None and (before.state, before.reason) == (state.state, state.reason):
            return None
        ended = self._ended(before, t_us, fact) if before is not None and before.state in STOPPED else None
        self._current, self._since_us = state, t_us
        return ended

    def _ended(self, before: MachineState, t_us: int, fact: Event) -> Event | None:
        duration_us = t_us - self._since_us
        if duration_us <= 0 or duration_us < self._minimum_us:
            return None
        return Event(
            key=f"downtime/{self.line}/{self.asset}/{self._since_us}",
            line=self.line,
            occurred_at=from_us(self._since_us),
            origin=fact.origin,
            body=Downtime(
                asset=self.asset,
                ended_at=from_us(t_us),
                duration_s=duration_us / MICROSECONDS_PER_SECOND,
                planned=before.state == "planned_stop",
                reason=before.reason,
            ),
        )
