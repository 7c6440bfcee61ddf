"""GET /api/alarms, POST /api/alarms/outcome and /api/alarms/missed: what was found after an alarm, or without one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import AwareDatetime, Field, NaiveDatetime, StringConstraints

from edge_agent.events import AlarmOutcome, Event
from edge_agent.settings.section import Name
from edge_agent.status import forms
from edge_agent.status.alarm_ledger import MissedFailure, RaisedAlarm, Stated
from edge_agent.status.forms import EventKey, Recorded, Sent
from edge_agent.status.problems import RequestProblemError

if TYPE_CHECKING:
    from edge_agent.events import Origin
    from edge_agent.status.context import StatusContext
    from edge_agent.status.desks import Desks
    from edge_agent.status.stop_ledger import StopLedger

DAYS_SHOWN = 30
DAYS_MAX = 3_660
STOP_HOURS_MAX = 10_000
Moment = AwareDatetime | NaiveDatetime


class _Statement(Sent):
    """What both acts say.

    Attributes:
        acted: somebody acted before the machine failed.
        action: what was done.
        stop: key of the recorded stop that it led to.
        avoided_stop_h: what such a failure costs in stop hours by the repair history.
        withdrawn: the earlier statement was a mistake.
    """

    acted: bool = False
    action: Annotated[str, StringConstraints(max_length=400)] = ""
    stop: EventKey | None = None
    avoided_stop_h: Annotated[float, Field(ge=0, le=STOP_HOURS_MAX, allow_inf_nan=False)] | None = None
    withdrawn: bool = False


class StatingOutcome(_Statement):
    """What a client sends about a raised alarm."""

    alarm_key: EventKey
    outcome: Literal["confirmed", "not_found"]
    failed_at: Moment | None = None


class StatingMissed(_Statement):
    """What a client sends about a failure that no alarm announced; without a zone times are the plant's."""

    line: Name
    asset: Name
    failed_at: Moment


class AlarmList(msgspec.Struct, frozen=True):
    """The answer of `/api/alarms`: raised alarms and missed failures, newest first."""

    line: str
    alarms: tuple[RaisedAlarm, ...]
    missed: tuple[MissedFailure, ...]


def router(context: StatusContext, desks: Desks) -> APIRouter:
    """The routes, over `context`."""
    routes = APIRouter()

    @routes.get("/api/alarms")
    def alarms(
        line: Annotated[str, Query(max_length=64, description="Production line.")],
        days: Annotated[int, Query(ge=1, le=DAYS_MAX, description="Alarms of so many days back.")] = DAYS_SHOWN,
    ) -> Response:
        """Raised alarms of a line with what was found, and missed failures, newest first."""
        since = context.clock.now().utc - timedelta(days=days)
        with desks.alarms.current():
            told = AlarmList(
                line, tuple(desks.alarms.raised_of(line, since)), tuple(desks.alarms.missed_of(line, since))
            )
        return Response(msgspec.json.encode(told), media_type="application/json", headers={"Cache-Control": "no-store"})

    @routes.post("/api/alarms/outcome")
    async def outcome(request: Request) -> Response:
        """State what was found after an alarm; the last statement holds."""
        sent = await forms.read(request, StatingOutcome)
        told = await run_in_threadpool(state_outcome, context, desks, sent)
        return forms.answer(request, told, sent.reviewer, f"/alarms?line={told.line}", new=told.new)

    @routes.post("/api/alarms/missed")
    async def missed(request: Request) -> Response:
        """State a failure that no alarm announced; the last statement about a machine and time holds."""
        sent = await forms.read(request, StatingMissed)
        told = await run_in_threadpool(state_missed, context, desks, sent)
        return forms.answer(request, told, sent.reviewer, f"/alarms?line={told.line}", new=told.new)

    return routes


def state_outcome(context: StatusContext, desks: Desks, sent: StatingOutcome) -> Recorded:
    """Make a statement about an alarm durable.

    Raises:
        RequestProblemError: there is no such alarm or stop, or the id stands for something else.
        StoreError: it is not durable.
    """
    with desks.alarms.current():
        alarm = desks.alarms.alarm(sent.alarm_key)
        if alarm is None:
            hint = "Take alarm_key from /api/alarms of the line."
            raise RequestProblemError(404, "no_such_alarm", "No raised alarm has this key.", hint)
        body = AlarmOutcome(
            alarm_key=alarm.key,
            asset=alarm.body.asset,
            outcome=sent.outcome,
            reviewer=sent.reviewer,
            failed_at=_aware(context, sent.failed_at),
            acted=sent.acted,
            action=sent.action,
            stop_key=_stop_key(desks.stops, sent.stop, alarm.line),
            avoided_stop_h=sent.avoided_stop_h,
            withdrawn=sent.withdrawn,
            note=sent.note,
        )
        return _record(
            context, alarm.line, alarm.key, _Statements(sent.id, desks.alarms.newest(alarm.key), alarm.stated, body)
        )


def state_missed(context: StatusContext, desks: Desks, sent: StatingMissed) -> Recorded:
    """Make a missed failure durable.

    Raises:
        RequestProblemError: no such line, machine or stop; a time to come; or the id stands for something else.
        StoreError: it is not durable.
    """
    failed_at = _aware(context, sent.failed_at)
    if sent.line not in context.lines:
        hint = f"Lines are: {', '.join(context.lines) or 'none'}."
        raise RequestProblemError(404, "no_such_line", f"No line is called {sent.line!r}.", hint)
    known = context.asked.assets.get(sent.line, ())
    if known and sent.asset not in known:
        hint = f"Machines of {sent.line} are: {', '.join(known)}."
        raise RequestProblemError(404, "no_such_asset", f"No machine is called {sent.asset!r}.", hint)
    if failed_at is None or failed_at > context.clock.now().utc:
        hint = "Give the time at which it failed."
        raise RequestProblemError(422, "time_to_come", "The failure lies in the future.", hint)
    with desks.alarms.current():
        before = desks.alarms.missed(sent.line, sent.asset, failed_at)
        if sent.withdrawn and before is None and sent.id is None:
            hint = "Take asset and failed_at from /api/alarms of the line."
            raise RequestProblemError(404, "no_such_failure", "No missed failure is known there.", hint)
        body = AlarmOutcome(
            alarm_key="",
            asset=sent.asset,
            outcome="missed",
            reviewer=sent.reviewer,
            failed_at=failed_at,
            acted=sent.acted,
            action=sent.action,
            stop_key=_stop_key(desks.stops, sent.stop, sent.line),
            avoided_stop_h=sent.avoided_stop_h,
            withdrawn=sent.withdrawn,
            note=sent.note,
        )
        name = f"missed/{sent.line}/{sent.asset}/{failed_at:%Y%m%dT%H%M%S.%fZ}"
        newest = desks.alarms.newest((sent.line, sent.asset, failed_at))
        said = _Statements(sent.id, newest, None if before is None else before.stated, body)
        return _record(context, sent.line, name, said)


class _Statements(msgspec.Struct, frozen=True):
    """The statement that held until now, and the one that shall hold, with its id.

    Attributes:
        newest: key of the newest statement, be it a withdrawal; empty for the first.
    """

    id: str | None
    newest: str
    before: Stated | None
    body: AlarmOutcome


def _record(context: StatusContext, line: str, subject: str, said: _Statements) -> Recorded:
    """Record a statement; one equal to what holds already is the same statement."""
    before = said.before
    if said.id is None and before is not None and before.body == said.body:
        return Recorded(said.newest, new=False, line=line)
    key = f"alarm_outcome/{subject}/{said.id or forms.derived_id(said.newest, said.body)}"
    event = Event(key, line, context.clock.now().utc, said.body, _origin(context, said.body))
    return forms.stored_act(context, event) or forms.record(context, event)


def _origin(context: StatusContext, body: AlarmOutcome) -> Origin:
    alarm = context.reader.event(body.alarm_key) if body.alarm_key else None
    return alarm.event.origin if alarm is not None else "measured"


def _stop_key(stops: StopLedger, key: str | None, line: str) -> str:
    if key is None:
        return ""
    with stops.current():
        stop = stops.stop(key)
    if stop is None or stop.line != line:
        hint = "Take keys from /api/stops of the line."
        raise RequestProblemError(404, "no_such_stop", "No stop of this line has this key.", hint)
    return stop.key


def _aware(context: StatusContext, moment: datetime | None) -> datetime | None:
    """A time with a zone: the plant's wall clock where none was given; whole in UTC so that it names one moment."""
    if moment is None:
        return None
    placed = moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(context.settings.time_zone))
    return placed.astimezone(UTC)
