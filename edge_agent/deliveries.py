"""Watches messages on their way out: what is late, and what that raises on the line."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from edge_agent.events import Delivered, Event, Undelivered
from edge_agent.instant import from_us
from edge_agent.system_state import Interlock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.instant import Instant
    from edge_agent.ports import OutboxMessage
    from edge_agent.system_state import InterlockName

NANOSECONDS_PER_MICROSECOND = 1_000
MICROSECONDS_PER_MILLISECOND = 1_000
_SEVERITY: dict[InterlockName, int] = {"run": 0, "divert": 1, "stop": 2}


class DeliveryWatch:
    """Every message handed to a sink, until it is settled. One thread (the writer) uses it.

    Deadlines run on the monotonic clock from the moment a message enters the watch, less the age it already had by
    the wall clock then, so that a clock jump while it waits neither expires nor saves it.
    """

    def __init__(self) -> None:
        self._pending: dict[str, tuple[OutboxMessage, int]] = {}
        self._deadlines: list[tuple[int, str]] = []
        self._late: dict[str, OutboxMessage] = {}

    @property
    def pending(self) -> int:
        """Messages not settled yet."""
        return len(self._pending)

    def __contains__(self, key: str) -> bool:
        """Whether a message is on its way."""
        return key in self._pending

    def sent(self, message: OutboxMessage, now: Instant) -> None:
        """A message was handed to the sink."""
        self._pending[message.key] = (message, now.mono_ns)
        if message.deadline_ms is not None:
            age_us = max(0, now.utc_us - message.created_us)
            left_us = round(message.deadline_ms * MICROSECONDS_PER_MILLISECOND) - age_us
            heapq.heappush(self._deadlines, (now.mono_ns + left_us * NANOSECONDS_PER_MICROSECOND, message.key))

    def settled(self, key: str, now: Instant) -> tuple[float | None, Event | None]:
        """The peer acknowledged a message.

        Returns:
            Seconds from hand-over to acknowledgement (None for an unknown key), and the event that a message
            reported as undelivered arrived after all.
        """
        entry = self._pending.pop(key, None)
        late = self._late.pop(key, None)
        elapsed_s = (now.mono_ns - entry[1]) / 1e9 if entry is not None else None
        if late is None:
            return elapsed_s, None
        return elapsed_s, Event(
            key=f"delivered/{key}",
            line=late.line,
            occurred_at=from_us(now.utc_us),
            body=Delivered(subject_key=late.subject_key, topic=late.topic),
        )

    def expire(self, now: Instant) -> list[Event]:
        """`Undelivered` events for messages whose deadline has passed since the last call."""
        events: list[Event] = []
        while self._deadlines and self._deadlines[0][0] <= now.mono_ns:
            _, key = heapq.heappop(self._deadlines)
            entry = self._pending.get(key)
            if entry is None or key in self._late:
                continue
            message = entry[0]
            self._late[key] = message
            events.append(
                Event(
                    key=f"undelivered/{key}",
                    line=message.line,
                    occurred_at=from_us(now.utc_us),
                    body=Undelivered(
                        subject_key=message.subject_key,
                        topic=message.topic,
                        deadline_ms=message.deadline_ms or 0.0,
                        action=message.on_late,
                    ),
                )
            )
        return events

    def interlocks(self, lines: Sequence[str]) -> tuple[Interlock, ...]:
        """What each line's controller must be told because of late messages; the severest action holds."""
        return tuple(self._interlock(line) for line in lines)

    def _interlock(self, line: str) -> Interlock:
        state: InterlockName = "run"
        for message in self._late.values():
            action: InterlockName = "run" if message.on_late == "none" else message.on_late
            if message.line == line and _SEVERITY[action] > _SEVERITY[state]:
                state = action
        return Interlock(line, state, "reject_undelivered" if state != "run" else "")
