"""The one shape of every error over HTTP: `{"error": {"code", "message", "hint"}}`, never a stack trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from edge_agent.errors import StoreError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

_CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    421: "wrong_host",
    422: "invalid_input",
    503: "not_available",
}


class RequestProblemError(Exception):
    """A request that cannot be answered as asked.

    Attributes:
        status: HTTP status.
        code: stable snake_case name.
        hint: what to do.
        retry_after_s: when trying again makes sense, None when it does not.
    """

    def __init__(self, status: int, code: str, message: str, hint: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.hint = hint
        self.retry_after_s = retry_after_s


def problem_response(problem: RequestProblemError) -> JSONResponse:
    """The answer for a problem."""
    headers = {"Cache-Control": "no-store"}
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    content = {"error": {"code": problem.code, "message": str(problem), "hint": problem.hint}}
    return JSONResponse(content, problem.status, headers)


def install(app: FastAPI) -> None:
    """Answer every error of the app in the one shape."""

    @app.exception_handler(RequestProblemError)
    async def _problem(_request: Request, error: RequestProblemError) -> JSONResponse:
        return problem_response(error)

    @app.exception_handler(StoreError)
    async def _store(_request: Request, error: StoreError) -> JSONResponse:
        code = "store_busy" if error.retryable else "store_failing"
        hint = error.hint or "See the system part of the page; the request was not stored."
        return problem_response(RequestProblemError(503, code, error.args[0], hint, retry_after_s=2))

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "http_error")
        hint = (
            "Pages: /, /review, /stops, /alarms and /audit. Interfaces: /api/state, /api/events, /api/stops, "
            "/api/alarms, /api/evidence-pins, /metrics, /healthz, /readyz."
        )
        return problem_response(RequestProblemError(error.status_code, code, str(error.detail), hint))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(invalid_input(error.errors()))

    @app.exception_handler(Exception)
    async def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
        # the cause goes to the server's log, where the framework raises it again, never to the visitor
        hint = "Try again; if it stays, read the agent's log for the cause."
        return problem_response(RequestProblemError(500, "internal_error", "Something went wrong.", hint))


def invalid_input(errors: object) -> RequestProblemError:
    """Name each field that breaks the contract, in one sentence."""
    found = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list | tuple) else []
    told = "; ".join(
        f"{'.'.join(str(part) for part in error.get('loc', ()))}: {error.get('msg', 'not valid')}" for error in found
    )
    return RequestProblemError(
        422, "invalid_input", told or "The input is not valid.", "Correct the fields named here."
    )
