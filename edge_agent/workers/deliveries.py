"""Watches messages on their way out: what is late, and what that raises on the line."""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.events import Delivered, Event, Undelivered
from edge_agent.instant import from_us
from edge_agent.system_state import Interlock, severest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.instant import Instant
    from edge_agent.ports import OutboxMessage
    from edge_agent.system_state import InterlockName

NANOSECONDS_PER_MICROSECOND = 1_000
MICROSECONDS_PER_MILLISECOND = 1_000


@dataclass(slots=True)
class _Pending:
    """A message on its way; `late` once its deadline has passed, `told` once an event says so."""

    message: OutboxMessage
    sent_ns: int
    due_ns: int | None
    late: bool = False
    told: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """What an acknowledgement means.

    Attributes:
        elapsed_s: seconds from hand-over to acknowledgement, None for an unknown key.
        events: that the message was late (unless told before), and that it arrived after all.
    """

    elapsed_s: float | None
    events: tuple[Event, ...] = ()


class DeliveryWatch:
    """Every message handed to a sink, until it is settled. Any thread: the heartbeat must see a passed deadline while
    the writer hangs in a commit.

    Deadlines run on the monotonic clock from the moment a message enters the watch, less the age it already had by
    the wall clock then, so that a clock jump while it waits neither expires nor saves it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[str, _Pending] = {}
        self._due: list[tuple[int, str]] = []
        self._untold: list[str] = []
        self._late: Counter[tuple[str, InterlockName]] = Counter()

    @property
    def pending(self) -> int:
        """Messages not settled yet."""
        return len(self._pending)

    def __contains__(self, key: str) -> bool:
        """Whether a message is on its way."""
        return key in self._pending

    def sent(self, message: OutboxMessage, now: Instant) -> None:
        """A message is handed to the sink."""
        due_ns = None
        if message.deadline_ms is not None:
            age_us = max(0, now.utc_us - message.created_us)
            left_us = round(message.deadline_ms * MICROSECONDS_PER_MILLISECOND) - age_us
            due_ns = now.mono_ns + left_us * NANOSECONDS_PER_MICROSECOND
        with self._lock:
            self._pending[message.key] = _Pending(message, now.mono_ns, due_ns)
            if due_ns is not None:
                heapq.heappush(self._due, (due_ns, message.key))

    def settled(self, key: str, now: Instant) -> Settlement:
        """The peer acknowledged a message; one that came late is told as late, however soon nobody looked."""
        with self._lock:
            self._mark(now)
            entry = self._pending.pop(key, None)
            if entry is None:
                return Settlement(None)
            elapsed_s = (now.mono_ns - entry.sent_ns) / 1e9
            if not entry.late:
                return Settlement(elapsed_s)
            self._late[(entry.message.line, _action(entry.message))] -= 1
            arrived = Event(
                key=f"delivered/{key}",
                line=entry.message.line,
                occurred_at=from_us(now.utc_us),
                body=Delivered(subject_key=entry.message.subject_key, topic=entry.message.topic),
            )
            return Settlement(elapsed_s, (arrived,) if entry.told else (_undelivered(entry.message, now), arrived))

    def expire(self, now: Instant) -> list[Event]:
        """`Undelivered` events for messages whose deadline has passed since the last call."""
        with self._lock:
            self._mark(now)
            events = []
            for key in self._untold:
                entry = self._pending.get(key)
                if entry is not None and not entry.told:
                    entry.told = True
                    events.append(_undelivered(entry.message, now))
            self._untold.clear()
            return events

    def interlocks(self, lines: Sequence[str], now: Instant) -> tuple[Interlock, ...]:
        """What each line's controller must be told because of late messages; the severest action holds."""
        with self._lock:
            self._mark(now)
            return tuple(self._interlock(line) for line in lines)

    def _interlock(self, line: str) -> Interlock:
        actions: tuple[InterlockName, ...] = ("divert", "stop")
        state = severest("run", *(action for action in actions if self._late[(line, action)] > 0))
        return Interlock(line, state, "reject_undelivered" if state != "run" else "")

    def _mark(self, now: Instant) -> None:
        """Note which messages have become late; the caller holds the lock."""
        while self._due and self._due[0][0] <= now.mono_ns:
            _, key = heapq.heappop(self._due)
            entry = self._pending.get(key)
            if entry is not None and not entry.late and entry.due_ns is not None and entry.due_ns <= now.mono_ns:
                entry.late = True
                self._untold.append(key)
                self._late[(entry.message.line, _action(entry.message))] += 1


def _action(message: OutboxMessage) -> InterlockName:
    return "run" if message.on_late == "none" else message.on_late


def _undelivered(message: OutboxMessage, now: Instant) -> Event:
    return Event(
        key=f"undelivered/{message.key}",
        line=message.line,
        occurred_at=from_us(now.utc_us),
        body=Undelivered(
            subject_key=message.subject_key,
            topic=message.topic,
            deadline_ms=message.deadline_ms or 0.0,
            action=message.on_late,
        ),
    )
