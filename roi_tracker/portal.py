"""The portal for management: the report from the store in both languages, its pages, downloads and drill-down."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Annotated, get_args
from urllib.parse import urlsplit

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from roi_tracker.errors import TrackerError
from roi_tracker.import_api import import_router
from roi_tracker.render.content_page import render_content_page
from roi_tracker.render.portal_pages import (
    PAGES,
    ObservationsQuery,
    Page,
    fact_content,
    line_content,
    observations_content,
    page_content,
    shift_content,
    surround,
)
from roi_tracker.render.report_outputs import ReportFormat, render_report
from roi_tracker.report.drilldown import in_month

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager
    from datetime import date

    from roi_tracker.money import Language
    from roi_tracker.plant_files.importing import Plant
    from roi_tracker.ports import TrackerStore
    from roi_tracker.render.content_blocks import Content
    from roi_tracker.report.drilldown import DrillRow
    from roi_tracker.report.model import Inputs, Report
    from roi_tracker.reporting import Reporting

_LanguageQuery = Annotated[str | None, Query(description="language of the page, ko or en")]
_MonthQuery = Annotated[str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="YYYY-MM")]
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_TYPES: dict[ReportFormat, str] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
_FORBIDDEN, _NOT_FOUND, _REFUSED, _UNPROCESSABLE, _UNAVAILABLE = 403, 404, 409, 422, 503
"""409: store, ledger or case are in a state that must be mended first; the portal itself did not fail."""
_STATUS = {"line": _NOT_FOUND, "key": _NOT_FOUND, "lang": _UNPROCESSABLE}
"""By what an address names wrongly."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Desk:
    """What the portal works with.

    Attributes:
        programme: opens store and ledger for one request at a time.
        today: date of the document, in the plant's time zone.
        open_store: store for an import; None for a portal that takes no imports.
        plant: calendar and time zone, for imports.
        agent: address of the agent's page for images, empty for none.
        language: of a page where neither its address nor the browser asks for one of ours.
    """

    programme: Callable[[], AbstractContextManager[Reporting]]
    today: Callable[[], date]
    open_store: Callable[[], AbstractContextManager[TrackerStore]] | None = None
    plant: Plant | None = None
    agent: str = ""
    language: Language = "ko"


class _Newest:
    """The newest report, made again only when something it rests on has changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._turn = Lock()
        self._made: tuple[tuple[Inputs, date], Reporting, Report] | None = None

    def get(self) -> tuple[Reporting, Report]:
        with self._turn, self._desk.programme() as programme:
            key = (programme.inputs(), self._desk.today())
            if self._made is None or self._made[0] != key:
                self._made = (key, programme, programme.report(key[1]))
            return self._made[1:]


def portal(desk: Desk, hosts: tuple[str, ...] = ("127.0.0.1", "localhost")) -> FastAPI:
    """Build the service.

    Args:
        desk: what it works with.
        hosts: names under which the portal may be asked for; others are refused (DNS rebinding).
    """
    app = FastAPI(title="Lineproof roi-tracker", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.language = desk.language
    _guard(app, hosts)
    newest = _Newest(desk)
    if desk.open_store is not None and desk.plant is not None:
        app.include_router(import_router(desk.open_store, desk.plant))
    _add_pages(app, newest)
    _add_drill(app, newest, desk)

    @app.get("/report.{output}")
    def download(output: ReportFormat, lang: _LanguageQuery = None) -> Response:
        language: Language = _asked(lang) or app.state.language
        programme, report = newest.get()
        content = render_report(report, output, language, programme)
        name = f'attachment; filename="report-{language}.{output}"'
        return Response(content, media_type=_TYPES[output], headers={"Content-Disposition": name})

    @app.get("/healthz")
    def healthy() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _guard(app: FastAPI, hosts: tuple[str, ...]) -> None:
    """Policy headers on every answer; nothing may be posted from another site's page."""
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))

    @app.middleware("http")
    async def secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.nonce = secrets.token_urlsafe(16)
        origin = request.headers.get("origin")
        if request.method not in _SAFE_METHODS and origin and urlsplit(origin).netloc != request.headers.get("host"):
            refusal = {"error": "posted from another site", "field": "Origin", "hint": "use this portal's own pages"}
            response: Response = JSONResponse(refusal | {"retryable": False}, status_code=_FORBIDDEN)
        else:
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
        status = _STATUS.get(error.field or "", _UNAVAILABLE if error.retryable else _REFUSED)
        return JSONResponse(body, status_code=status)


def _add_pages(app: FastAPI, newest: _Newest) -> None:
    def serve(page: Page) -> Callable[[Request, _LanguageQuery], HTMLResponse]:
        def answer(request: Request, lang: _LanguageQuery = None) -> HTMLResponse:
            language = _language(request, lang)
            _, report = newest.get()
            return _page(request, page_content(report, language, page), language, page)

        return answer

    for page in get_args(Page):
        app.get(PAGES[page], name=page)(serve(page))

    @app.get("/lines/{benefit_id}")
    def line(request: Request, benefit_id: str, lang: _LanguageQuery = None) -> HTMLResponse:
        language = _language(request, lang)
        programme, report = newest.get()
        programme.line(benefit_id)
        return _page(request, line_content(report, language, benefit_id), language, "lines")


def _add_drill(app: FastAPI, newest: _Newest, desk: Desk) -> None:
    @app.get("/lines/{benefit_id}/observations")
    def observations(
        request: Request,
        benefit_id: str,
        lang: _LanguageQuery = None,
        month: _MonthQuery = None,
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    ) -> HTMLResponse:
        language = _language(request, lang)
        programme, report = newest.get()
        query = ObservationsQuery(benefit_id, month, page)
        content = observations_content(report, language, programme.rows(benefit_id), query)
        return _page(request, content, language, "lines")

    @app.get("/lines/{benefit_id}/observations/{key:path}")
    def shift(
        request: Request, benefit_id: str, key: Annotated[str, Path(max_length=300)], lang: _LanguageQuery = None
    ) -> HTMLResponse:
        language = _language(request, lang)
        programme, report = newest.get()
        row = _row(programme, benefit_id, key)
        with desk.programme() as opened:
            ((_, facts),) = opened.events((row,))
        return _page(request, shift_content(report, language, row, facts), language, "lines")

    @app.get("/facts/{key:path}")
    def fact(request: Request, key: Annotated[str, Path(max_length=500)], lang: _LanguageQuery = None) -> HTMLResponse:
        language = _language(request, lang)
        _, report = newest.get()
        with desk.programme() as opened:
            found = opened.fact(key)
        if found is None:
            raise TrackerError("no such event", field="key", value=key, hint="it may be of another store")
        return _page(request, fact_content(report, language, found, desk.agent), language, "lines")


def _row(programme: Reporting, benefit_id: str, key: str) -> DrillRow:
    for row in in_month(programme.rows(benefit_id), None):
        if row.key == key:
            return row
    raise TrackerError("no such observation", field="key", value=key, hint="see the line's observations")


def _page(request: Request, content: Content, language: Language, page: Page) -> HTMLResponse:
    query = dict(request.query_params)
    here = surround(language, page, request.url.path, query, request.state.nonce)
    return HTMLResponse(render_content_page(content, here))


def _asked(lang: str | None) -> Language | None:
    """The language that an address names.

    Raises:
        TrackerError: one that no page is written in.
    """
    if lang is None or lang in {"ko", "en"}:
        return "ko" if lang == "ko" else "en" if lang == "en" else None
    raise TrackerError("no page in this language", field="lang", value=lang, hint="lang=ko or lang=en")


def _language(request: Request, lang: str | None) -> Language:
    """The one asked for; else the first of ours that a browser asks for; the portal's own where it asks for neither."""
    chosen = _asked(lang)
    if chosen is not None:
        return chosen
    for part in request.headers.get("accept-language", "").lower().split(","):
        code = part.split(";")[0].strip()[:2]
        if code == "en":
            return "en"
        if code == "ko":
            return "ko"
    own: Language = request.app.state.language
    return own
