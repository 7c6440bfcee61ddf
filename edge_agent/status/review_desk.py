"""Parts that wait for a person's look besides REVIEW verdicts: those drawn for the blind audit, and repeat reviews."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from edge_agent.events import AuditDraw, Disposition, Inspection
from edge_agent.inspection.sampling import merge_order
from edge_agent.status.following import Following

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_agent.events import RecordedEvent
    from edge_agent.ports import StoreReader
    from edge_agent.workers.inspecting import StationAudit

OPEN_FOR = timedelta(days=14)
"""A part that nobody looked at for so long is not offered any more: it has left the plant."""
UNDO_FOR = timedelta(minutes=1)
"""A judgement can be changed for so long and stays blind: until then nothing told the reviewer of the verdict."""
SAME_REVIEWER_AFTER = timedelta(hours=24)
"""A part is shown again to the reviewer who judged it only after so long; to anybody else at once."""


class Waiting(msgspec.Struct, frozen=True):
    """A part that waits for a blind look.

    Attributes:
        key: of the inspection.
        rank: place in the random order, 0 to 1.
        at: drawn, or judged first.
        repeat_of: the judgement that shall be repeated, empty for a first look.
        judged_by: who judged first, empty for a first look.
    """

    key: str
    line: str
    rank: float
    at: datetime
    repeat_of: str = ""
    judged_by: str = ""

    def suits(self, reviewer: str, now: datetime) -> bool:
        """Whether a reviewer may be shown it now: not the part that was just judged by the same person."""
        if now - self.at > OPEN_FOR:
            return False
        return not self.judged_by or self.judged_by != reviewer or now - self.at >= SAME_REVIEWER_AFTER


class ReviewDesk(Following):
    """Draws that nobody has judged yet, and judgements that shall be repeated. Methods are called inside `current()`.

    Args:
        reader: the store.
        audits: how parts are drawn, by station: it decides which are shown again.
    """

    def __init__(self, reader: StoreReader, audits: Mapping[str, StationAudit]) -> None:
        super().__init__(reader, frozenset({"audit_draw", "disposition"}))
        self._audits = audits
        self._most_repeats = max((audit.rates.repeat_rate for audit in audits.values()), default=0.0)
        self._drawn: dict[str, Waiting] = {}
        self._repeats: dict[str, Waiting] = {}

    def waiting(self, line: str, reviewer: str, now: datetime) -> Sequence[Waiting]:
        """What a reviewer may be shown on a line, in random order."""
        self._drawn = {key: entry for key, entry in self._drawn.items() if now - entry.at <= OPEN_FOR}
        self._repeats = {key: entry for key, entry in self._repeats.items() if now - entry.at <= OPEN_FOR}
        found = [*self._drawn.values(), *self._repeats.values()]
        return sorted(
            (entry for entry in found if entry.line == line and entry.suits(reviewer, now)),
            key=lambda entry: (entry.rank, entry.key),
        )

    def drawn(self, key: str) -> Waiting | None:
        """The draw of an inspection that waits for its first look."""
        return self._drawn.get(key)

    def repeat(self, key: str) -> Waiting | None:
        """The judgement of an inspection that waits to be repeated."""
        return self._repeats.get(key)

    def held(self, now: datetime | None) -> Sequence[str]:
        """Inspections whose images somebody is still to look at.

        Args:
            now: repeats that have waited too long to be offered are left out; None, while the clock is not trusted,
                leaves none out. A draw that was never judged is never left out.
        """
        waiting = [key for key, entry in self._repeats.items() if now is None or now - entry.at <= OPEN_FOR]
        return [*self._drawn, *waiting]

    def _apply(self, recorded: RecordedEvent) -> None:
        event = recorded.event
        match event.body:
            case AuditDraw() as body:
                self._drawn[body.inspection_key] = Waiting(
                    body.inspection_key, event.line, body.rank, event.occurred_at
                )
            case Disposition() as body if body.repeat_of:
                self._repeats.pop(body.inspection_key, None)
            case Disposition() as body:
                self._drawn.pop(body.inspection_key, None)
                self._judged(recorded, body)
            case _:
                pass

    def _judged(self, recorded: RecordedEvent, body: Disposition) -> None:
        """A first judgement that was blind may be drawn for a repeat; one that was not blind ends the wait for it."""
        self._repeats.pop(body.inspection_key, None)
        station = self._station(body) if body.blind else None
        if station is None or not station.lottery.repeats(body.inspection_key, station.rates.repeat_rate):
            return
        event = recorded.event
        self._repeats[body.inspection_key] = Waiting(
            body.inspection_key,
            event.line,
            merge_order(body.inspection_key, event.key),
            event.occurred_at,
            event.key,
            body.reviewer,
        )

    def _station(self, body: Disposition) -> StationAudit | None:
        """The audit of the part's station; looked up only for parts that any station would show again."""
        anyone = next(iter(self._audits.values()), None)
        if anyone is None or not anyone.lottery.repeats(body.inspection_key, self._most_repeats):
            return None
        inspected = self._reader.event(body.inspection_key)
        if inspected is None or not isinstance(inspected.event.body, Inspection):
            return None
        return self._audits.get(inspected.event.body.station)


def mixed(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Two queues as one, each in its own order, so that nobody can tell from the place which a part is of.

    >>> mixed(["a", "b"], [])
    ['a', 'b']
    >>> sorted(mixed(["a", "b"], ["c"]))
    ['a', 'b', 'c']
    """
    left, right = list(first), list(second)
    found: list[str] = []
    while left and right:
        ahead = merge_order(left[0], right[0]) < 0.5  # noqa: PLR2004 - the toss of a coin
        found.append((left if ahead else right).pop(0))
    return [*found, *left, *right]
