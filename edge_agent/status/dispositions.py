"""POST /api/inspections/disposition: a person's judgement of a part becomes a durable fact."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from edge_agent.events import Disposition, Event, Inspection
from edge_agent.inspections import agreement
from edge_agent.status.problems import RequestProblemError, invalid_input
from edge_agent.status.visitor import REVIEWER_MAX, remember_reviewer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_agent.events import RecordedEvent, VerdictName
    from edge_agent.status.context import StatusContext

RECORD_TIMEOUT_S = 5.0
_DERIVED_ID_LENGTH = 32

Stratum = Literal["review", "audit_pass", "audit_fail"]


class Judging(BaseModel):
    """What a client sends.

    Attributes:
        id: made by the client, one for each act of judging; the same id again is the same judgement. Without it the
            server takes the same content after the same history as the same judgement.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    inspection_key: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    judgement: Literal["good", "defect"]
    reviewer: Annotated[str, StringConstraints(min_length=1, max_length=REVIEWER_MAX)]
    note: Annotated[str, StringConstraints(max_length=1_000)] = ""
    defect_kind: Annotated[str, StringConstraints(max_length=64)] = ""
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None


class Judged(msgspec.Struct, frozen=True):
    """What came of a judgement: its event's key, whether it is new, and what it means for the verdict."""

    key: str
    new: bool
    agrees: bool | None
    stratum: Stratum
    line: str


def router(context: StatusContext) -> APIRouter:
    """The route, over `context`."""
    routes = APIRouter()

    @routes.post("/api/inspections/disposition")
    async def disposition(request: Request) -> Response:
        """Record a judgement; answered 2xx only once it is durable: 201 when new, 200 when it was there already."""
        from_form = _media_type(request) == "application/x-www-form-urlencoded"
        judging = _judging(await _fields(request, from_form=from_form))
        judged = await run_in_threadpool(record, context, judging)
        response: Response
        if from_form:
            response = RedirectResponse(f"/review?line={judged.line}", status_code=303)
        else:
            response = JSONResponse(msgspec.to_builtins(judged), 201 if judged.new else 200)
        remember_reviewer(response, judging.reviewer)
        return response

    return routes


def record(context: StatusContext, judging: Judging) -> Judged:
    """Make a judgement durable.

    Raises:
        RequestProblemError: no such inspection, or its id was used for a different judgement.
        StoreError: it is not durable.
    """
    inspected = context.reader.event(judging.inspection_key)
    if inspected is None or not isinstance(inspected.event.body, Inspection):
        hint = "Take inspection_key from an inspection event of /api/events."
        raise RequestProblemError(404, "no_such_inspection", "No inspection has this key.", hint)
    verdict = inspected.event.body.verdict
    body = Disposition(
        inspection_key=judging.inspection_key,
        judgement=judging.judgement,
        agrees=agreement(verdict, judging.judgement),
        reviewer=judging.reviewer,
        stratum=_stratum(verdict),
        defect_kind=judging.defect_kind,
        note=judging.note,
    )
    before = context.reader.dispositions_of(judging.inspection_key)
    if judging.id is None and before and before[-1].event.body == body:
        return Judged(before[-1].event.key, False, body.agrees, body.stratum, inspected.event.line)
    event = Event(
        key=f"disposition/{judging.inspection_key}/{judging.id or _derived_id(body, before)}",
        line=inspected.event.line,
        occurred_at=context.clock.now().utc,
        origin=inspected.event.origin,
        body=body,
    )
    new = context.recorder.record(event, timeout_s=RECORD_TIMEOUT_S)
    if not new:
        _refuse_other_content(context.reader.event(event.key), body)
    return Judged(event.key, new, body.agrees, body.stratum, event.line)


def _refuse_other_content(stored: RecordedEvent | None, body: Disposition) -> None:
    if stored is not None and stored.event.body != body:
        hint = "Make a new id for each judgement."
        raise RequestProblemError(409, "id_reused", "This id stands for a different judgement already.", hint)


def _derived_id(body: Disposition, before: list[RecordedEvent]) -> str:
    """Names the judgement by its content and what it follows, so that a retry is one and a change of mind another."""
    history = before[-1].event.key if before else ""
    content = msgspec.json.encode([history, body])
    return hashlib.sha256(content).hexdigest()[:_DERIVED_ID_LENGTH]


def _stratum(verdict: VerdictName) -> Stratum:
    strata: dict[VerdictName, Stratum] = {"PASS": "audit_pass", "FAIL": "audit_fail"}
    return strata.get(verdict, "review")


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _fields(request: Request, *, from_form: bool) -> Mapping[str, object]:
    if from_form:
        form = await request.form(max_fields=16)
        return {name: value for name, value in form.items() if value != "" or name in {"judgement", "reviewer"}}
    if _media_type(request) != "application/json":
        hint = "Send application/json or application/x-www-form-urlencoded."
        raise RequestProblemError(415, "unsupported_media_type", "This kind of body is not read.", hint)
    try:
        content = msgspec.json.decode(await request.body())
    except msgspec.DecodeError as error:
        raise RequestProblemError(400, "not_json", f"The body is not JSON: {error}", "Send one JSON object.") from error
    except RecursionError as error:
        raise RequestProblemError(400, "not_json", "The body is nested too deep.", "Send one JSON object.") from error
    if not isinstance(content, dict):
        raise RequestProblemError(400, "not_json", "The body is not a JSON object.", "Send one JSON object.")
    return content


def _judging(fields: Mapping[str, object]) -> Judging:
    try:
        return Judging.model_validate(fields)
    except ValidationError as error:
        raise invalid_input(error.errors(include_url=False, include_input=False)) from error
