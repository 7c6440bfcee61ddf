"""The pages people open, and the regions of the line page that are sent again when they change."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from edge_agent.status.review_page import review_case
from edge_agent.status.review_view import review_view
from edge_agent.status.sparkline import HEIGHT, WIDTH
from edge_agent.status.staleness import without_stale_health
from edge_agent.status.views import line_view
from edge_agent.status.visitor import REVIEWER_MAX, language_of, line_of, remember_language, reviewer_of
from edge_agent.status.words import Words

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from edge_agent.status.context import StatusContext
    from edge_agent.status.desks import Desks
    from edge_agent.status.words import Language
    from edge_agent.system_state import SystemState

REGIONS = ("band", "picture", "counts", "machine", "alarms", "health", "system")
_SYSTEM_KEPT_S = 1.0


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at what."""

    line: str
    language: Language
    reviewer: str = ""


class Pages:
    """Renders pages and regions; any thread. The agent's condition is read at most once a second for all visitors."""

    def __init__(self, context: StatusContext, desks: Desks) -> None:
        self.context = context
        self.desks = desks
        self._environment = Environment(
            loader=PackageLoader("edge_agent.status"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            assets=_static_version(),
            spark_width=WIDTH,
            spark_height=HEIGHT,
            reviewer_max=REVIEWER_MAX,
            new_id=lambda: secrets.token_hex(16),
        )
        self._system: tuple[float, SystemState] | None = None

    def system(self) -> SystemState:
        """The agent's condition, at most a second old."""
        now = time.monotonic()
        kept = self._system
        if kept is None or now - kept[0] >= _SYSTEM_KEPT_S:
            kept = self._system = (now, self.context.system())
        return kept[1]

    def line_page(self, visit: Visit) -> str:
        """The whole line page."""
        if not visit.line:
            return self.render("no_lines.html", visit, page="line")
        return self.render("line.html", visit, page="line", view=self._line_view(visit), regions=REGIONS)

    def regions(self, visit: Visit) -> dict[str, str]:
        """The changing parts of the line page, by region name."""
        view = self._line_view(visit)
        return {name: self.render(f"_{name}.html", visit, view=view) for name in REGIONS}

    def review_page(self, visit: Visit, wanted: str | None) -> str:
        """The review page, for one inspection or for the queue's next.

        Raises:
            RequestProblemError: no inspection has the key that is wanted.
        """
        if not visit.line:
            return self.render("no_lines.html", visit, page="review")
        case = review_case(self.context, self.desks.review, visit.line, visit.reviewer, wanted)
        view = review_view(visit.line, case, self.words(visit), self.context.clock.now().utc)
        return self.render("review.html", visit, page="review", view=view)

    def _line_view(self, visit: Visit) -> object:
        system, now = self.system(), self.context.clock.now().utc
        snapshot = without_stale_health(self.context.board.snapshot(visit.line), system, now)
        return line_view(snapshot, system, self.words(visit), now, self.context.asked.reasons)

    def words(self, visit: Visit) -> Words:
        """The words a visitor reads."""
        return Words(visit.language, self.context.settings.time_zone)

    def render(self, template: str, visit: Visit, **values: object) -> str:
        """A template with what every page needs and `values`."""
        return self._environment.get_template(template).render(
            t=self.words(visit),
            visit=visit,
            lines=self.context.lines,
            zone=self.context.settings.time_zone,
            now_ms=self.context.clock.now().utc_us // 1_000,
            **values,
        )


def router(pages: Pages) -> APIRouter:
    """The page routes."""
    routes = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    @routes.get("/")
    def line(request: Request) -> HTMLResponse:
        return answer_page(request, pages, pages.line_page(visit_of(request, pages)))

    @routes.get("/review")
    def review(request: Request) -> HTMLResponse:
        return answer_page(
            request, pages, pages.review_page(visit_of(request, pages), request.query_params.get("inspection"))
        )

    return routes


def visit_of(request: Request, pages: Pages) -> Visit:
    """Who looks at what, by the request."""
    context = pages.context
    return Visit(line_of(request, context), language_of(request, context), reviewer_of(request))


def answer_page(request: Request, pages: Pages, html: str) -> HTMLResponse:
    """A page as it is sent; a language that was chosen is kept."""
    response = HTMLResponse(html, headers={"Cache-Control": "no-store"})
    if "lang" in request.query_params:
        remember_language(response, language_of(request, pages.context))
    return response


def _static_version() -> str:
    """Changes with the content of the static files, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for entry in sorted(static_folder().iterdir(), key=lambda entry: entry.name):
        digest.update(entry.read_bytes())
    return digest.hexdigest()[:12]


def static_folder() -> Traversable:
    """Where style, script and icon lie."""
    return files("edge_agent.status").joinpath("static")
