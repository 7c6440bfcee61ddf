"""POST /api/inspections/disposition: a person's judgement of a part becomes a durable fact."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, StringConstraints

from edge_agent.events import Disposition, Event, Inspection
from edge_agent.human_events import ReviewStratum
from edge_agent.inspection.inspections import agreement
from edge_agent.status import forms
from edge_agent.status.forms import EventKey, Sent
from edge_agent.status.problems import RequestProblemError
from edge_agent.status.review_desk import UNDO_FOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Response

    from edge_agent.events import RecordedEvent, VerdictName
    from edge_agent.status.context import StatusContext
    from edge_agent.status.review_desk import ReviewDesk


class Judging(Sent):
    """What a client sends.

    Attributes:
        seen: judgements of the part that there were when it was shown; refused when somebody judged it meanwhile.
    """

    inspection_key: EventKey
    judgement: Literal["good", "defect"]
    defect_kind: Annotated[str, StringConstraints(max_length=64)] = ""
    seen: Annotated[int, Field(ge=0)] | None = None


class Judged(msgspec.Struct, frozen=True):
    """What came of a judgement: its event's key, whether it is new, and what it means for the verdict.

    Attributes:
        agrees, stratum: None after a blind judgement, of which nothing is told: it can still be changed for a minute,
            and the part may come again.
    """

    key: str
    new: bool
    agrees: bool | None
    stratum: ReviewStratum | None
    line: str


class Look(msgspec.Struct, frozen=True):
    """How a part is looked at: whether its verdict is hidden, and which judgement is repeated (empty for none)."""

    blind: bool
    repeat_of: str = ""


def router(context: StatusContext, desk: ReviewDesk) -> APIRouter:
    """The route, over `context`."""
    routes = APIRouter()

    @routes.post("/api/inspections/disposition")
    async def disposition(request: Request) -> Response:
        """Record a judgement; answered 2xx only once it is durable: 201 when new, 200 when it was there already."""
        judging = await forms.read(request, Judging)
        judged = await run_in_threadpool(record, context, desk, judging)
        return forms.answer(request, judged, judging.reviewer, f"/review?line={judged.line}", new=judged.new)

    return routes


def record(context: StatusContext, desk: ReviewDesk, judging: Judging) -> Judged:
    """Make a judgement durable.

    Raises:
        RequestProblemError: no such inspection, its id was used for a different judgement, or somebody judged the part
            since it was shown.
        StoreError: it is not durable.
    """
    inspected = context.reader.event(judging.inspection_key)
    if inspected is None or not isinstance(inspected.event.body, Inspection):
        hint = "Take inspection_key from an inspection event of /api/events."
        raise RequestProblemError(404, "no_such_inspection", "No inspection has this key.", hint)
    verdict = inspected.event.body.verdict
    with desk.current():
        before = context.reader.dispositions_of(judging.inspection_key)
        done = _done_before(judging, before)
        if done is not None:
            return _told(done.event, new=False)
        if judging.seen is not None and judging.seen != len(before):
            raise _judged_meanwhile(before)
        now = context.clock.now().utc
        look = look_at(desk, inspected, before, Visitor(judging.reviewer, now, context.asked.audited_lines))
        body = Disposition(
            inspection_key=judging.inspection_key,
            judgement=judging.judgement,
            agrees=agreement(verdict, judging.judgement),
            reviewer=judging.reviewer,
            stratum=_stratum(verdict),
            blind=look.blind,
            defect_kind=judging.defect_kind,
            note=judging.note,
            repeat_of=look.repeat_of,
        )
        history = before[-1].event.key if before else ""
        event = Event(
            key=f"disposition/{judging.inspection_key}/{judging.id or forms.derived_id(history, body)}",
            line=inspected.event.line,
            occurred_at=now,
            origin=inspected.event.origin,
            body=body,
        )
        return _told(event, new=forms.record(context, event).new)


class Visitor(msgspec.Struct, frozen=True):
    """Who looks, when, and on which lines all parts of the queue are shown blind."""

    reviewer: str
    now: datetime
    audited_lines: frozenset[str]


def look_at(desk: ReviewDesk, inspected: RecordedEvent, before: Sequence[RecordedEvent], visitor: Visitor) -> Look:
    """How a visitor looks at a part, by the rules of the blind audit. Called inside `desk.current()`.

    Blind are: a drawn part before its first judgement; a part of an audited line's queue before its first; a part that
    waits to be judged again, for whoever may be shown it; and for a minute what the same person just judged blind.
    """
    key = inspected.event.key
    own = _just_judged(before, visitor)
    if own is not None:
        return Look(blind=True, repeat_of=own.repeat_of)
    if desk.drawn(key) is not None:
        return Look(blind=True)
    repeat = desk.repeat(key)
    if repeat is not None and repeat.suits(visitor.reviewer, visitor.now):
        return Look(blind=True, repeat_of=repeat.repeat_of)
    body = inspected.event.body
    queued = isinstance(body, Inspection) and body.verdict == "REVIEW" and not before
    return Look(blind=queued and inspected.event.line in visitor.audited_lines)


def can_be_undone(before: Sequence[RecordedEvent], visitor: Visitor) -> bool:
    """Whether the visitor judged this part blind within the last minute."""
    return _just_judged(before, visitor) is not None


def _just_judged(before: Sequence[RecordedEvent], visitor: Visitor) -> Disposition | None:
    newest = before[-1].event if before else None
    if newest is None or not isinstance(newest.body, Disposition):
        return None
    recent = visitor.now - newest.occurred_at <= UNDO_FOR
    return newest.body if recent and newest.body.blind and newest.body.reviewer == visitor.reviewer else None


def _done_before(judging: Judging, before: Sequence[RecordedEvent]) -> RecordedEvent | None:
    """The judgement that this request is a retry of: by its id, or without one the newest with the same content."""
    for recorded in before:
        said = recorded.event.body
        if not isinstance(said, Disposition):
            continue
        same = (said.judgement, said.reviewer, said.note, said.defect_kind) == (
            judging.judgement,
            judging.reviewer,
            judging.note,
            judging.defect_kind,
        )
        if judging.id is None:
            if same and recorded is before[-1]:
                return recorded
        elif recorded.event.key == f"disposition/{judging.inspection_key}/{judging.id}":
            if not same:
                hint = "Make a new id for each judgement."
                raise RequestProblemError(409, "id_reused", "This id stands for a different judgement already.", hint)
            return recorded
    return None


def _judged_meanwhile(before: Sequence[RecordedEvent]) -> RequestProblemError:
    newest = before[-1].event.body if before else None
    who = newest.reviewer if isinstance(newest, Disposition) else "Somebody"
    return RequestProblemError(
        409,
        "judged_meanwhile",
        f"{who} judged this part while you looked at it; your judgement was not stored.",
        "Load the page again for the next part.",
    )


def _told(event: Event, *, new: bool) -> Judged:
    body = event.body
    if not isinstance(body, Disposition) or body.blind:
        return Judged(event.key, new, None, None, event.line)
    return Judged(event.key, new, body.agrees, body.stratum, event.line)


def _stratum(verdict: VerdictName) -> ReviewStratum:
    strata: dict[VerdictName, ReviewStratum] = {"PASS": "audit_pass", "FAIL": "audit_fail"}
    return strata.get(verdict, "review")
