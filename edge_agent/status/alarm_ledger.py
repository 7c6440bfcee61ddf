"""Raised alarms with what was found after each, and failures that no alarm announced."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from edge_agent.events import Alarm, AlarmOutcome, Origin
from edge_agent.status.following import Following

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.events import RecordedEvent
    from edge_agent.ports import StoreReader


class Stated(msgspec.Struct, frozen=True):
    """What a person stated, and when."""

    at: datetime
    body: AlarmOutcome


class RaisedAlarm(msgspec.Struct, frozen=True):
    """An alarm that was raised; `stated` is the newest statement about it, None while it waits for one."""

    key: str
    line: str
    at: datetime
    origin: Origin
    body: Alarm
    stated: Stated | None = None


class MissedFailure(msgspec.Struct, frozen=True):
    """A failure without an alarm, as it was stated last."""

    line: str
    asset: str
    failed_at: datetime
    stated: Stated


class AlarmLedger(Following):
    """Alarms of all lines. Every method is called inside `current()`."""

    def __init__(self, reader: StoreReader) -> None:
        super().__init__(reader, frozenset({"alarm", "alarm_outcome"}))
        self._raised: dict[str, RaisedAlarm] = {}
        self._missed: dict[tuple[str, str, datetime], MissedFailure] = {}
        self._newest: dict[tuple[str, str, datetime] | str, str] = {}

    def alarm(self, key: str) -> RaisedAlarm | None:
        """The raised alarm with this key, None when there is none."""
        return self._raised.get(key)

    def missed(self, line: str, asset: str, failed_at: datetime) -> MissedFailure | None:
        """The missed failure of a machine at a time; None when there is none, or when it was withdrawn."""
        found = self._missed.get((line, asset, failed_at))
        return None if found is None or found.stated.body.withdrawn else found

    def newest(self, subject: tuple[str, str, datetime] | str) -> str:
        """Key of the newest statement about an alarm (its key) or a missed failure (line, asset, time), withdrawn or
        not; empty when there is none.
        """
        return self._newest.get(subject, "")

    def raised_of(self, line: str, since: datetime) -> Sequence[RaisedAlarm]:
        """Alarms of a line raised after `since`, newest first."""
        found = [alarm for alarm in self._raised.values() if alarm.line == line and alarm.at > since]
        return sorted(found, key=lambda alarm: (alarm.at, alarm.key), reverse=True)

    def missed_of(self, line: str, since: datetime) -> Sequence[MissedFailure]:
        """Missed failures of a line after `since` that were not withdrawn, newest first."""
        found = [
            entry
            for entry in self._missed.values()
            if entry.line == line and entry.failed_at > since and not entry.stated.body.withdrawn
        ]
        return sorted(found, key=lambda entry: (entry.failed_at, entry.asset), reverse=True)

    def _apply(self, recorded: RecordedEvent) -> None:
        event = recorded.event
        match event.body:
            case Alarm(state="raised") as body:
                self._raised[event.key] = RaisedAlarm(event.key, event.line, event.occurred_at, event.origin, body)
            case AlarmOutcome() as body:
                stated = Stated(event.occurred_at, body)
                if body.outcome == "missed" and body.failed_at is not None:
                    name = (event.line, body.asset, body.failed_at)
                    self._missed[name] = MissedFailure(*name, stated)
                    self._newest[name] = event.key
                elif body.alarm_key in self._raised:
                    alarm = self._raised[body.alarm_key]
                    self._newest[body.alarm_key] = event.key
                    self._raised[body.alarm_key] = msgspec.structs.replace(
                        alarm, stated=None if body.withdrawn else stated
                    )
            case _:
                pass
