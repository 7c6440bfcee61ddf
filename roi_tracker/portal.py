"""The portal for management: the report from the store in both languages, made afresh for each request."""

from __future__ import annotations

import secrets
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from roi_tracker.errors import TrackerError
from roi_tracker.render.json_document import render_json
from roi_tracker.render.web import render_page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from roi_tracker.report.model import Report

_LanguageQuery = Annotated[Literal["ko", "en"] | None, Query(description="language of the page")]
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def portal(make_report: Callable[[], Report], hosts: tuple[str, ...] = ("127.0.0.1", "localhost")) -> FastAPI:
    """Build the service.

    Args:
        make_report: measures and reports; called by one request at a time.
        hosts: names under which the portal may be asked for; others are refused (DNS rebinding).
    """
    app = FastAPI(title="Lineproof roi-tracker", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    turn = Lock()

    def report() -> Report:
        with turn:
            return make_report()

    @app.middleware("http")
    async def secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.nonce = secrets.token_urlsafe(16)
        response = await call_next(request)
        response.headers.update(_HEADERS)
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'nonce-{request.state.nonce}'; img-src 'self' data:; base-uri 'none';"
            " form-action 'none'; frame-ancestors 'none'"
        )
        return response

    @app.exception_handler(TrackerError)
    async def refused(_request: Request, error: TrackerError) -> JSONResponse:
        body = {"error": str(error), "field": error.field, "hint": error.hint, "retryable": error.retryable}
        return JSONResponse(body, status_code=503 if error.retryable else 500)

    @app.get("/")
    def page(request: Request, lang: _LanguageQuery = None) -> HTMLResponse:
        language = lang or _preferred(request.headers.get("accept-language", ""))
        return HTMLResponse(render_page(report(), language, nonce=request.state.nonce, portal=True))

    @app.get("/report.html")
    def download(lang: _LanguageQuery = None) -> HTMLResponse:
        language = lang or "ko"
        name = f'attachment; filename="report-{language}.html"'
        return HTMLResponse(render_page(report(), language), headers={"Content-Disposition": name})

    @app.get("/report.json")
    def document() -> Response:
        return Response(render_json(report()), media_type="application/json")

    @app.get("/healthz")
    def healthy() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _preferred(accepted: str) -> Literal["ko", "en"]:
    """The first of our languages that a browser asks for; Korean where it asks for neither."""
    for part in accepted.lower().split(","):
        code = part.split(";")[0].strip()[:2]
        if code == "en":
            return "en"
        if code == "ko":
            return "ko"
    return "ko"
