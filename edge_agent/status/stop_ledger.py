"""The stops that count now, from recorded stops and their revisions; nothing recorded is ever altered."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from edge_agent.events import Downtime, StopRevision
from edge_agent.machines.stop_revising import Stop
from edge_agent.status.following import Following

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.events import RecordedEvent
    from edge_agent.ports import StoreReader


class Replaced(msgspec.Struct, frozen=True):
    """What became of a stop that counts no longer.

    Attributes:
        by: key of the revision event.
        reviewer, at: who revised it, and when.
        stops: keys of what the revision made of it.
    """

    by: str
    reviewer: str
    at: datetime
    stops: tuple[str, ...]


class StopLedger(Following):
    """Stops of all lines. Every method is called inside `current()`.

    Revisions are recorded one at a time, each checked against what counts then, so that a stop is replaced once; one
    that comes from elsewhere and replaces nothing that counts is ignored.
    """

    def __init__(self, reader: StoreReader) -> None:
        super().__init__(reader, frozenset({"downtime", "stop_revision"}))
        self._current: dict[str, Stop] = {}
        self._replaced: dict[str, Replaced] = {}

    def stop(self, key: str) -> Stop | None:
        """The stop with this key, None when it does not count (or never did)."""
        return self._current.get(key)

    def replaced(self, key: str) -> Replaced | None:
        """What became of a stop, None for one that counts or is not known."""
        return self._replaced.get(key)

    def holding(self, key: str) -> tuple[str, ...]:
        """Keys of the stops that hold now in place of a replaced one, however often they were revised."""
        found = self._replaced.get(key)
        if found is None:
            return (key,)
        return tuple(dict.fromkeys(newest for made in found.stops for newest in self.holding(made)))

    def of_line(self, line: str, since: datetime) -> Sequence[Stop]:
        """Stops of a line that ended after `since`, newest first."""
        found = [stop for stop in self._current.values() if stop.line == line and stop.ended > since]
        return sorted(found, key=lambda stop: (stop.started, stop.key), reverse=True)

    def _apply(self, recorded: RecordedEvent) -> None:
        event = recorded.event
        match event.body:
            case Downtime() as body:
                if event.key not in self._replaced:
                    self._current[event.key] = Stop(
                        event.key,
                        event.line,
                        body.asset,
                        event.occurred_at,
                        body.ended_at,
                        body.planned,
                        body.reason,
                        event.origin,
                    )
            case StopRevision() as body if any(key in self._current for key in body.replaces):
                for key in body.replaces:
                    self._current.pop(key, None)
                    made = tuple(stop.key for stop in body.stops)
                    self._replaced[key] = Replaced(event.key, body.reviewer, event.occurred_at, made)
                for stop in body.stops:
                    self._current[stop.key] = Stop(
                        stop.key,
                        event.line,
                        stop.asset,
                        stop.started_at,
                        stop.ended_at,
                        stop.planned,
                        stop.reason,
                        event.origin,
                        body.reviewer,
                    )
            case _:
                pass
