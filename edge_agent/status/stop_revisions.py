"""GET /api/stops and POST /api/stops/revision: recorded stops, and what people make of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import Field, StringConstraints

from edge_agent.errors import RevisionRefusedError
from edge_agent.events import Event, RevisedStop, StopRevision
from edge_agent.machines.stop_revising import Cause, Piece, Stop, merge, relabel, split
from edge_agent.status import forms
from edge_agent.status.forms import EventKey, Recorded, Sent
from edge_agent.status.problems import RequestProblemError

if TYPE_CHECKING:
    from edge_agent.status.context import StatusContext
    from edge_agent.status.stop_ledger import StopLedger

DAYS_SHOWN = 14
DAYS_MAX = 3_660
STOPS_AT_ONCE = 20
_T = TypeVar("_T")
Reason = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Revising(Sent):
    """What a client sends.

    Attributes:
        act: what is done.
        stops: keys of the stops: one to relabel or split, several to merge.
        reason: code of a configured reason; of the first part of a split.
        reason_after: of the second part of a split.
        split_at: the time at which a stop is split; without a zone it is the plant's wall clock.
    """

    act: Literal["relabel", "split", "merge"]
    stops: Annotated[list[EventKey], Field(min_length=1, max_length=STOPS_AT_ONCE)]
    reason: Reason | None = None
    reason_after: Reason | None = None
    split_at: datetime | None = None


class StopList(msgspec.Struct, frozen=True):
    """The answer of `/api/stops`: stops that count, newest first."""

    line: str
    stops: tuple[Stop, ...]


def router(context: StatusContext, ledger: StopLedger) -> APIRouter:
    """The routes, over `context`."""
    routes = APIRouter()

    @routes.get("/api/stops")
    def stops(
        line: Annotated[str, Query(max_length=64, description="Production line.")],
        days: Annotated[int, Query(ge=1, le=DAYS_MAX, description="Stops of so many days back.")] = DAYS_SHOWN,
    ) -> Response:
        """Stops of a line that count now, newest first."""
        since = context.clock.now().utc - timedelta(days=days)
        with ledger.current():
            told = StopList(line, tuple(ledger.of_line(line, since)))
        return Response(msgspec.json.encode(told), media_type="application/json", headers={"Cache-Control": "no-store"})

    @routes.post("/api/stops/revision")
    async def revision(request: Request) -> Response:
        """Revise stops; answered 2xx only once it is durable."""
        sent = await forms.read(request, Revising, many=frozenset({"stops"}))
        told = await run_in_threadpool(revise, context, ledger, sent)
        return forms.answer(request, told, sent.reviewer, f"/stops?line={told.line}", new=told.new)

    return routes


def revise(context: StatusContext, ledger: StopLedger, sent: Revising) -> Recorded:
    """Make a revision durable, once, against whatever counts at that moment.

    Raises:
        RequestProblemError: a stop is not known, was revised by somebody else, or cannot be revised so.
        StoreError: it is not durable.
    """
    given = forms.derived_id(sent.model_dump(mode="json", exclude={"id"}))
    with ledger.current():
        line = _line_of(context, sent.stops)
        key = f"stop_revision/{line}/{sent.id or given}"
        done = _repeated(context, key, sent)
        if done is not None:
            return done
        stops = tuple(_counting(ledger, stop) for stop in dict.fromkeys(sent.stops))
        try:
            pieces = _pieces(context, ledger, sent, stops)
        except RevisionRefusedError as error:
            raise RequestProblemError(422, error.reason, error.args[0], error.hint) from error
        body = StopRevision(
            replaces=tuple(stop.key for stop in stops),
            stops=tuple(
                RevisedStop(
                    f"{key}/{number}",
                    stops[0].asset,
                    piece.started,
                    piece.ended,
                    piece.cause.planned,
                    piece.cause.reason,
                )
                for number, piece in enumerate(pieces, 1)
            ),
            reviewer=sent.reviewer,
            note=sent.note,
        )
        return forms.record(context, Event(key, line, context.clock.now().utc, body, stops[0].origin))


def _line_of(context: StatusContext, keys: list[str]) -> str:
    """The one line of all stops named, by what was recorded of them, current or not."""
    lines = {line for key in keys if (line := _recorded_line(context, key)) is not None}
    if len(lines) > 1:
        raise RequestProblemError(422, "different_lines", "The stops are of different lines.", "Choose one line.")
    if not lines:
        raise _unknown(keys[0])
    return lines.pop()


def _recorded_line(context: StatusContext, key: str) -> str | None:
    for candidate in (key, key.rpartition("/")[0]):
        found = context.reader.event(candidate)
        if found is not None and found.event.kind in {"downtime", "stop_revision"}:
            return found.event.line
    return None


def _repeated(context: StatusContext, key: str, sent: Revising) -> Recorded | None:
    """The answer of an act that was recorded before; the same id with other content is refused."""
    stored = context.reader.event(key)
    if stored is None or not isinstance(stored.event.body, StopRevision):
        return None
    body = stored.event.body
    causes = [stop.reason for stop in body.stops]
    splits = body.stops[0].ended_at if sent.act == "split" else None
    same = (
        set(body.replaces) == set(sent.stops)
        and (body.reviewer, body.note) == (sent.reviewer, sent.note)
        and len(body.stops) == (2 if sent.act == "split" else 1)
        and (sent.reason is None or causes[0] == sent.reason)
        and (sent.act != "split" or sent.reason_after is None or causes[-1] == sent.reason_after)
        and (splits is None or sent.split_at is None or splits == _aware(context, sent.split_at))
    )
    if not same:
        raise RequestProblemError(
            409, "id_reused", "This id stands for a different revision already.", "Make a new id for each act."
        )
    return Recorded(key, new=False, line=stored.event.line)


def _counting(ledger: StopLedger, key: str) -> Stop:
    """A stop that counts now.

    Raises:
        RequestProblemError: it was revised meanwhile (told: by whom, and what holds now), or was never recorded.
    """
    stop = ledger.stop(key)
    if stop is not None:
        return stop
    replaced = ledger.replaced(key)
    if replaced is None:
        raise _unknown(key)
    raise RequestProblemError(
        409,
        "stop_revised",
        f"{replaced.reviewer} revised this stop at {replaced.at:%Y-%m-%d %H:%M:%S} UTC; what holds now: "
        f"{', '.join(ledger.holding(key))}.",
        "Load the page again and revise what holds now.",
    )


def _pieces(context: StatusContext, ledger: StopLedger, sent: Revising, stops: tuple[Stop, ...]) -> tuple[Piece, ...]:
    if sent.act != "merge" and len(stops) > 1:
        raise RevisionRefusedError("one_stop_only", "Only a merge takes several stops.", hint="Choose one stop.")
    first = stops[0]
    kept = Cause(first.reason, first.planned)
    match sent.act:
        case "relabel":
            return relabel(first, _cause(context, _needed(sent.reason, "reason")))
        case "split":
            at = _aware(context, _needed(sent.split_at, "split_at"))
            before = kept if sent.reason is None else _cause(context, sent.reason)
            after = kept if sent.reason_after is None else _cause(context, sent.reason_after)
            return split(first, at, before, after)
        case "merge":
            longest = max(stops, key=lambda stop: stop.duration_s)
            cause = Cause(longest.reason, longest.planned) if sent.reason is None else _cause(context, sent.reason)
            keys = {stop.key for stop in stops}
            earliest = min(stop.started for stop in stops)
            others = tuple(stop for stop in ledger.of_line(first.line, earliest) if stop.key not in keys)
            return merge(stops, others, cause)


def _cause(context: StatusContext, code: str) -> Cause:
    for reason in context.asked.reasons:
        if reason.code == code:
            return Cause(code, reason.planned)
    known = ", ".join(reason.code for reason in context.asked.reasons)
    raise RevisionRefusedError("no_such_reason", f"No reason has the code {code!r}.", hint=f"Reasons are: {known}.")


def _needed(value: _T | None, name: str) -> _T:
    if value is None:
        raise RevisionRefusedError("field_missing", f"{name} is needed for this.", hint=f"Give {name}.")
    return value


def _aware(context: StatusContext, moment: datetime) -> datetime:
    """A time with a zone: the plant's wall clock where none was given."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(context.settings.time_zone))


def _unknown(key: str) -> RequestProblemError:
    return RequestProblemError(
        404, "no_such_stop", f"No stop has the key {key!r}.", "Take keys from /api/stops of the line."
    )
