"""The live picture of every line, kept from committed events and rebuilt from the store at start."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from edge_agent.status.line_facts import LATE_KEPT, REVIEWS_KEPT, TREND_KEPT, LineFacts
from edge_agent.status.shifts import ShiftCalendar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from edge_agent.events import RecordedEvent
    from edge_agent.ports import Clock, Committed, StoreReader
    from edge_agent.settings.config import AgentSettings
    from edge_agent.status.snapshot import LineSnapshot

_FIRST_LOOK = 1_000
_LONGEST_LOOK = 1_000_000
_STATE_HISTORY = 2_000
"""As far back as a starting pipeline looks for alarms and machine states (`recovery`), so that both agree."""


class LineBoard:
    """Observer of the pipeline and source of the status page; every method may be called from any thread.

    `rebuild` is called once, before the pipeline starts; what is committed afterwards continues from there.
    """

    def __init__(self, lines: Sequence[str], settings: AgentSettings, clock: Clock) -> None:
        self._clock = clock
        self._calendar = ShiftCalendar(settings.time_zone, settings.shift_starts)
        self._lines = {line: LineFacts(line, self._calendar) for line in lines}
        self._kept: dict[str, LineSnapshot] = {}
        self._version = 0
        self._changed = threading.Condition()

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._version

    def committed(self, committed: Committed) -> None:
        """Take new events (port `Observer`); events of lines not configured are none of the page's."""
        with self._changed:
            changed = False
            for recorded in committed.events:
                facts = self._lines.get(recorded.event.line)
                if facts is not None and facts.apply(recorded):
                    self._kept.pop(facts.line, None)
                    changed = True
            if changed:
                self._version += 1
                self._changed.notify_all()

    def rebuild(self, reader: StoreReader) -> None:
        """Bring every line to where its stored events leave it: this shift's counts and all that still holds."""
        now = self._clock.now().utc
        for line in list(self._lines):
            events = sorted(_standing(reader, line, self._calendar.at(now).start), key=lambda event: event.seq)
            with self._changed:
                facts = self._lines[line] = LineFacts(line, self._calendar)
                for recorded in events:
                    facts.apply(recorded)
                self._kept.pop(line, None)
                self._version += 1
                self._changed.notify_all()

    def snapshot(self, line: str) -> LineSnapshot:
        """A line now.

        Raises:
            KeyError: no line of that name.
        """
        with self._changed:
            now = self._clock.now().utc
            kept = self._kept.get(line)
            if kept is None or not kept.shift.holds(now):
                kept = self._kept[line] = self._lines[line].snapshot(now)
            return kept

    def wait(self, after: int, timeout_s: float) -> int:
        """Block until `version` exceeds `after` or the time is up; returns the version then."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > after, timeout_s)
            return self._version


def _standing(reader: StoreReader, line: str, shift_start: datetime) -> list[RecordedEvent]:
    """The stored events that decide what the page shows now, each once."""
    found: dict[int, RecordedEvent] = {}

    def keep(events: Sequence[RecordedEvent]) -> None:
        found.update((recorded.seq, recorded) for recorded in events)

    for kind in ("inspection", "disposition", "escape"):
        keep(_recorded_since(reader, kind, line, shift_start))
    keep(reader.latest_events("inspection", line=line, limit=1))
    keep(reader.open_reviews(line=line, limit=REVIEWS_KEPT))
    for kind in ("alarm", "machine_state"):
        keep(reader.latest_events(kind, line=line, limit=_STATE_HISTORY))
    keep(reader.latest_events("health", line=line, limit=4 * TREND_KEPT))
    keep(reader.latest_events("downtime", line=line, limit=1))
    keep(_still_late(reader, line))
    return list(found.values())


def _recorded_since(reader: StoreReader, kind: str, line: str, start: datetime) -> list[RecordedEvent]:
    """All events of a kind recorded since `start`: nothing that occurred in the shift was recorded before it."""
    limit = _FIRST_LOOK
    while True:
        events = reader.latest_events(kind, line=line, limit=limit)
        reached = len(events) < limit or events[-1].recorded_at < start or limit >= _LONGEST_LOOK
        if reached:
            return [recorded for recorded in events if recorded.recorded_at >= start]
        limit *= 8


def _still_late(reader: StoreReader, line: str) -> list[RecordedEvent]:
    """Missed deadlines whose message the outbox still holds; a message settled after a restart leaves no event."""
    pending = {(message.subject_key, message.topic) for message in reader.pending_outbox() if message.line == line}
    if not pending:
        return []
    late = reader.latest_events("undelivered", line=line, limit=max(LATE_KEPT, 2 * len(pending)))
    return [
        recorded
        for recorded in late
        if (getattr(recorded.event.body, "subject_key", ""), getattr(recorded.event.body, "topic", "")) in pending
    ]
