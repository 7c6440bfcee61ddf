"""The pages on which people say what happened: stops with their reasons, outcomes of alarms, audits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from edge_agent.events import AuditCount
from edge_agent.machines.downtime import STOPPED
from edge_agent.status import alarm_outcomes, stop_revisions
from edge_agent.status.capture_views import AuditView, NotedAudit, alarms_view, audit_rows, stops_view
from edge_agent.status.pages import answer_page, visit_of

if TYPE_CHECKING:
    from edge_agent.status.pages import Pages, Visit

_ROWS = 100
_NOTED = 20


def router(pages: Pages) -> APIRouter:
    """The page routes."""
    routes = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    @routes.get("/stops")
    def stops(request: Request) -> HTMLResponse:
        return answer_page(request, pages, stops_page(pages, visit_of(request, pages)))

    @routes.get("/alarms")
    def alarms(request: Request) -> HTMLResponse:
        return answer_page(request, pages, alarms_page(pages, visit_of(request, pages)))

    @routes.get("/audit")
    def audit(request: Request) -> HTMLResponse:
        return answer_page(request, pages, audit_page(pages, visit_of(request, pages)))

    return routes


def stops_page(pages: Pages, visit: Visit) -> str:
    """Stops of a line: those that go on, and those of the last days with what may be done to them."""
    if not visit.line:
        return pages.render("no_lines.html", visit, page="stops")
    context = pages.context
    since = context.clock.now().utc - timedelta(days=stop_revisions.DAYS_SHOWN)
    with pages.desks.stops.current():
        found = pages.desks.stops.of_line(visit.line, since)[:_ROWS]
    wanted = context.asked.stopping.get(visit.line)
    standing = [
        machine
        for machine in context.board.snapshot(visit.line).machines
        if machine.body.state in STOPPED and wanted in {None, machine.body.asset}
    ]
    view = stops_view(found, standing, context.asked.reasons, pages.words(visit))
    return pages.render("stops.html", visit, page="stops", view=view)


def alarms_page(pages: Pages, visit: Visit) -> str:
    """Alarms of a line that wait for an outcome, those that have one, and failures without an alarm."""
    if not visit.line:
        return pages.render("no_lines.html", visit, page="alarms")
    context, now = pages.context, pages.context.clock.now().utc
    since = now - timedelta(days=alarm_outcomes.DAYS_SHOWN)
    with pages.desks.alarms.current():
        raised = pages.desks.alarms.raised_of(visit.line, since)[:_ROWS]
        missed = pages.desks.alarms.missed_of(visit.line, since)[:_ROWS]
    with pages.desks.stops.current():
        stops = pages.desks.stops.of_line(visit.line, since)[:_ROWS]
    known = {alarm.body.asset: None for alarm in raised}
    known |= dict.fromkeys(health.body.asset for health in context.board.snapshot(visit.line).health)
    assets = context.asked.assets.get(visit.line) or tuple(sorted(known))
    view = alarms_view(raised, missed, stops, assets, pages.words(visit), now)
    return pages.render("alarms.html", visit, page="alarms", view=view)


def audit_page(pages: Pages, visit: Visit) -> str:
    """How parts are drawn, how many wait, and audits of the previous inspection."""
    if not visit.line:
        return pages.render("no_lines.html", visit, page="audit")
    context, words, now = pages.context, pages.words(visit), pages.context.clock.now().utc
    with pages.desks.review.current():
        waiting = len(pages.desks.review.waiting(visit.line, visit.reviewer, now))
    stations = [station.name for station in pages.system().stations if station.line == visit.line]
    noted = [
        NotedAudit(
            words.full(recorded.event.occurred_at),
            words(
                "audit.noted_value",
                product=body.product,
                stratum=words(f"verdict.{body.stratum}"),
                audited=words.count(body.audited),
                found=words.count(body.defects_found),
            ),
        )
        for recorded in context.reader.latest_events("audit_count", line=visit.line, limit=_NOTED)
        if isinstance(body := recorded.event.body, AuditCount)
    ]
    view = AuditView(
        stations=audit_rows(context.asked.audits, stations, words),
        waiting=words("review.open", count=words.count(waiting)),
        noted=tuple(noted),
        shifts=context.settings.shift_starts,
        today=words.field(now)[:10],
    )
    return pages.render("audit.html", visit, page="audit", view=view)
