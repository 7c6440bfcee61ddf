"""Watches the clock over restarts and crashes: what a run knew is noted, and the feed tells what came after the note.

Every event was committed at a moment by both clocks. So an event that was committed after a jump shows the jump, even
where the agent ended before it looked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from edge_agent.errors import AgentError
from edge_agent.instant import Instant, to_us
from edge_agent.ports.keeping import ClockNote
from edge_agent.retention import ClockWatch

if TYPE_CHECKING:
    from edge_agent.ports import StoreReader
    from edge_agent.ports.keeping import ClockNotes
    from edge_agent.retention import RetentionRules

NOTE_NS = 60 * 10**9
"""Time between two notes while nothing happens."""
MOST_EVENTS = 20_000
"""Events looked at after the note, the newest: beyond it a jump that was taken back in time may be overlooked."""
_PAGE = 1_000
_HOUR_NS = 3_600 * 10**9

log = structlog.get_logger(__name__)


class WatchedClock:
    """Says whether the clock may be trusted; used by the keeper's thread.

    Args:
        rules: how long it must run evenly.
        notes: where what is known outlives the process.
        feed: the store's events.

    Raises:
        StoreError: the store cannot be read.
    """

    def __init__(self, rules: RetentionRules, notes: ClockNotes, feed: StoreReader) -> None:
        self._notes = notes
        self._feed = feed
        self._seq = feed.last_seq()
        self._last: Instant | None = None
        self._noted: ClockNote | None = None
        try:
            note = notes.read()
        except AgentError as error:
            log.warning("what was known of the clock is lost: nothing goes by age for a while", error=str(error))
            self._watch = ClockWatch(rules.settle_ns, rules.gap_us, held_ns=rules.settle_ns)  # from the first look on
            return
        if note is None:
            self._watch = ClockWatch(rules.settle_ns, rules.gap_us)
            self._walk(0)
        else:
            self._watch = ClockWatch(rules.settle_ns, rules.gap_us, note.last, note.held_ns)
            self._walk(note.seq)

    def _walk(self, seq: int) -> None:
        """Look at what was committed after an event."""
        seq = max(seq, self._seq - MOST_EVENTS)
        while page := self._feed.events_after(seq, limit=_PAGE):
            for recorded in page:
                self._watch.is_steady(Instant(to_us(recorded.recorded_at), recorded.mono_ns, recorded.boot_id))
            seq = page[-1].seq

    def is_steady(self, now: Instant) -> bool:
        """Look at the clock, and note it when it jumped, when a hold ended, and every minute."""
        before_ns = self._watch.held_ns
        steady = self._watch.is_steady(now)
        held_ns = self._watch.held_ns
        self._last = now
        if held_ns > before_ns or (held_ns and self._noted is None):
            log.error(
                "the clock jumped: nothing is removed by age",
                for_h=round(held_ns / _HOUR_NS, 1),
                fix="see that the clock is right; if it is, set retention.clock_settle_h = 0 for one run",
            )
        noted = self._noted
        if (
            noted is None
            or held_ns > before_ns
            or bool(held_ns) != bool(noted.held_ns)
            or now.mono_ns - noted.last.mono_ns >= NOTE_NS
        ):
            self.note()
        try:
            self._seq = self._feed.last_seq()
        except AgentError as error:  # the disk must be looked at all the same; more is walked at the next start
            log.warning("the newest event is not known", error=str(error))
        return steady

    def note(self) -> None:
        """Make what is known durable; a disk that fails is tried again at the next look."""
        if self._last is None:
            return
        note = ClockNote(self._last, self._seq, self._watch.held_ns)
        try:
            self._notes.write(note)
        except AgentError as error:
            log.warning("what is known of the clock is not noted", error=str(error))
            return
        self._noted = note
