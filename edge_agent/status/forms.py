"""What people and programs send, read into one model: JSON from a script, form fields from a page without one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from edge_agent.status.problems import RequestProblemError, invalid_input
from edge_agent.status.visitor import REVIEWER_MAX, remember_reviewer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request

    from edge_agent.events import Event
    from edge_agent.status.context import StatusContext

RECORD_TIMEOUT_S = 5.0
KEY_MAX = 512
_FIELDS_MAX = 64
_DERIVED_ID_LENGTH = 32

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
EventKey = Annotated[str, StringConstraints(min_length=1, max_length=KEY_MAX)]
Note = Annotated[str, StringConstraints(max_length=1_000)]


class Sent(BaseModel):
    """What every act of a person carries.

    Attributes:
        reviewer: who acts.
        note: free text.
        id: made by the client, one for each act; the same id again is the same act. Without it the server takes the
            same content as the same act.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    reviewer: Annotated[str, StringConstraints(min_length=1, max_length=REVIEWER_MAX)]
    note: Note = ""
    id: Id | None = None


class Recorded(msgspec.Struct, frozen=True):
    """The answer to an act: its event's key, and whether it is new."""

    key: str
    new: bool
    line: str


_Model = TypeVar("_Model", bound=BaseModel)


def is_form(request: Request) -> bool:
    """Whether a page without script sent it."""
    return _media_type(request) == "application/x-www-form-urlencoded"


async def read(request: Request, model: type[_Model], *, many: frozenset[str] = frozenset()) -> _Model:
    """Read and check a body; empty form fields count as not given.

    Args:
        request: JSON object or form.
        model: what it must be.
        many: form fields that may be given several times.

    Raises:
        RequestProblemError: it is neither, or breaks the model; every field at fault is named.
    """
    try:
        return model.model_validate(await _fields(request, many))
    except ValidationError as error:
        raise invalid_input(error.errors(include_url=False, include_input=False, include_context=False)) from error


async def _fields(request: Request, many: frozenset[str]) -> Mapping[str, object]:
    if is_form(request):
        form = await request.form(max_fields=_FIELDS_MAX)
        given: dict[str, object] = {}
        for name, value in form.multi_items():
            if value == "":
                continue
            given[name] = [*form.getlist(name)] if name in many else value
        return given
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


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def derived_id(*content: object) -> str:
    """Names an act by its content, for clients that make no id."""
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:_DERIVED_ID_LENGTH]


def stored_act(context: StatusContext, event: Event) -> Recorded | None:
    """The answer for an act that was recorded before under the same key; None for a new one.

    Raises:
        RequestProblemError: the id stands for something else already.
    """
    stored = context.reader.event(event.key)
    if stored is None:
        return None
    if stored.event.body != event.body:
        hint = "Make a new id for each act."
        raise RequestProblemError(409, "id_reused", "This id stands for something else already.", hint)
    return Recorded(event.key, new=False, line=event.line)


def record(context: StatusContext, event: Event) -> Recorded:
    """Make an act durable, once.

    Raises:
        RequestProblemError: the id stands for something else already.
        StoreError: it is not durable.
    """
    if context.recorder.record(event, timeout_s=RECORD_TIMEOUT_S):
        return Recorded(event.key, new=True, line=event.line)
    return stored_act(context, event) or Recorded(event.key, new=False, line=event.line)


def answer(request: Request, told: msgspec.Struct, reviewer: str, page: str, *, new: bool) -> Response:
    """201 for a new act, 200 for one that was there; a page without script goes back to `page`."""
    response: Response
    if is_form(request):
        response = RedirectResponse(page, status_code=303)
    else:
        response = JSONResponse(msgspec.to_builtins(told), 201 if new else 200)
    remember_reviewer(response, reviewer)
    return response
