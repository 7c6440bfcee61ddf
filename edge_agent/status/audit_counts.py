"""POST /api/audit-counts: a random audit of the inspection that was there before, noted by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, StringConstraints

from edge_agent.events import AuditCount, Event
from edge_agent.settings.section import Name
from edge_agent.status import forms
from edge_agent.status.forms import Recorded, Sent
from edge_agent.status.problems import RequestProblemError
from edge_agent.status.shifts import ShiftCalendar

if TYPE_CHECKING:
    from fastapi import Response

    from edge_agent.status.context import StatusContext

PARTS_MAX = 1_000_000


class Counting(Sent):
    """What a client sends.

    Attributes:
        day: the day on which the shift began, at the plant.
        shift: its start, `HH:MM`, one of the configured ones.
        stratum: what the previous inspection had said of these parts.
        audited, defects_found: parts that were chosen at random and looked at again, and defective ones among them.
    """

    line: Name
    product: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    day: date
    shift: Annotated[str, StringConstraints(max_length=8)]
    stratum: Literal["PASS", "FAIL"]
    audited: Annotated[int, Field(ge=1, le=PARTS_MAX)]
    defects_found: Annotated[int, Field(ge=0, le=PARTS_MAX)]


def router(context: StatusContext) -> APIRouter:
    """The route, over `context`."""
    routes = APIRouter()

    @routes.post("/api/audit-counts")
    async def audit_count(request: Request) -> Response:
        """Record an audit of the previous inspection; answered 2xx only once it is durable."""
        sent = await forms.read(request, Counting)
        told = await run_in_threadpool(record, context, sent)
        return forms.answer(request, told, sent.reviewer, f"/audit?line={told.line}", new=told.new)

    return routes


def record(context: StatusContext, sent: Counting) -> Recorded:
    """Make an audit durable. It lies in the middle of its shift, so that clocks that differ a little agree on it.

    Raises:
        RequestProblemError: no such line or shift, one to come, more defects than parts, or the id stands for
            something else.
        StoreError: it is not durable.
    """
    if sent.line not in context.lines:
        hint = f"Lines are: {', '.join(context.lines) or 'none'}."
        raise RequestProblemError(404, "no_such_line", f"No line is called {sent.line!r}.", hint)
    if sent.defects_found > sent.audited:
        message = f"{sent.defects_found} defects were found among {sent.audited} parts."
        raise RequestProblemError(422, "more_defects_than_parts", message, "Correct one of the two counts.")
    starts = context.settings.shift_starts
    if sent.shift not in starts:
        hint = f"Shifts begin at: {', '.join(starts)}."
        raise RequestProblemError(404, "no_such_shift", f"No shift begins at {sent.shift!r}.", hint)
    calendar = ShiftCalendar(context.settings.time_zone, starts)
    begin = datetime.combine(sent.day, time.fromisoformat(sent.shift), calendar.zone).astimezone(UTC)
    now = context.clock.now().utc
    if begin > now:
        hint = "Give the day on which the shift began."
        raise RequestProblemError(422, "time_to_come", "This shift has not begun.", hint)
    shift = calendar.at(begin + timedelta(minutes=1))
    body = AuditCount(
        product=sent.product,
        shift=sent.shift,
        inspector="previous",
        stratum=sent.stratum,
        audited=sent.audited,
        defects_found=sent.defects_found,
        reviewer=sent.reviewer,
        note=sent.note,
    )
    key = f"audit_count/{sent.line}/{sent.id or forms.derived_id(sent.day.isoformat(), body)}"
    event = Event(key, sent.line, min(now, shift.start + (shift.end - shift.start) / 2), body)
    stored = context.reader.event(key)
    if stored is not None and stored.event.body == body:
        return Recorded(key, new=False, line=sent.line)  # a shift that still runs had its time from the first try
    return forms.stored_act(context, event) or forms.record(context, event)
