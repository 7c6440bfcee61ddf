"""The status page's web application: routes, guards and error shape joined over one context."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

from edge_agent import metrics as exposition
from edge_agent.status import (
    alarm_outcomes,
    audit_counts,
    capture_pages,
    dispositions,
    effectiveness,
    event_feed,
    evidence,
    evidence_pins,
    live,
    pages,
    problems,
    stop_revisions,
)
from edge_agent.status.context import StatusContext
from edge_agent.status.desks import desks_of
from edge_agent.status.guards import Guard
from edge_agent.status.line_state import LineState, line_state
from edge_agent.status.problems import RequestProblemError
from edge_agent.status.snapshot import LineSnapshot
from edge_agent.status.staleness import without_stale_health
from edge_agent.system_state import SystemState

if TYPE_CHECKING:
    from starlette.types import Scope


__all__ = ["StatusContext", "create_app"]


class LineReport(msgspec.Struct, frozen=True):
    """A line as `/api/state` tells it."""

    state: LineState
    snapshot: LineSnapshot


class StateReport(msgspec.Struct, frozen=True):
    """The answer of `/api/state`: every line, and the agent itself."""

    lines: dict[str, LineReport]
    system: SystemState


class _KeptForEver(StaticFiles):
    """Static files under addresses that change with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def create_app(context: StatusContext) -> FastAPI:
    """Build the application. It starts nothing; `app.state.live.close()` ends open streams before a stop.

    Args:
        context: what stands behind the page; its board is rebuilt already.
    """
    app = FastAPI(title="Lineproof status", docs_url=None, redoc_url=None)
    desks = desks_of(context)
    shown = pages.Pages(context, desks)
    feed = live.LiveFeed(shown)
    app.state.live = feed
    problems.install(app)
    app.add_middleware(Guard, hosts=context.hosts)
    app.include_router(pages.router(shown))
    app.include_router(_condition(context))
    app.include_router(event_feed.router(context))
    app.include_router(dispositions.router(context, desks.review))
    app.include_router(stop_revisions.router(context, desks.stops))
    app.include_router(effectiveness.router(context, desks.stops))
    app.include_router(alarm_outcomes.router(context, desks))
    app.include_router(audit_counts.router(context))
    app.include_router(evidence_pins.router(context, desks.pins))
    app.include_router(capture_pages.router(shown))
    app.include_router(evidence.router(context))
    app.include_router(live.router(shown, feed))
    app.mount("/static", _KeptForEver(packages=[("edge_agent.status", "static")]), name="static")
    return app


def _condition(context: StatusContext) -> APIRouter:
    """State, metrics and the two checks of a supervisor."""
    routes = APIRouter()

    @routes.get("/api/state")
    def state() -> Response:
        """Every line's snapshot and state, and the agent's condition, as JSON."""
        system, now = context.system(), context.clock.now().utc
        snapshots = {line: without_stale_health(context.board.snapshot(line), system, now) for line in context.lines}
        report = StateReport(
            lines={name: LineReport(line_state(line, system), line) for name, line in snapshots.items()},
            system=system,
        )
        return Response(
            msgspec.json.encode(report), media_type="application/json", headers={"Cache-Control": "no-store"}
        )

    @routes.get("/metrics")
    def metrics() -> Response:
        """Prometheus text format."""
        system, now = context.system(), context.clock.now().utc
        context.metrics.collect_state(system)
        for name in context.lines:
            line = without_stale_health(context.board.snapshot(name), system, now)
            context.metrics.line_counts(name, alarms_active=len(line.alarms), undelivered_now=line.late_count)
            for asset in line.health:
                context.metrics.health(name, asset.body.asset, asset.body.health)
        return Response(context.metrics.render(), headers={"Content-Type": exposition.CONTENT_TYPE})

    @routes.get("/healthz")
    def healthz() -> dict[str, str]:
        """200 while every loop of the agent advances; otherwise the process should be restarted."""
        if context.system().problem == "agent_stalled":
            raise RequestProblemError(503, "agent_stalled", "A loop of the agent stands still.", "Restart the agent.")
        return {"status": "ok"}

    @routes.get("/readyz")
    def readyz() -> dict[str, str]:
        """200 while facts can be taken in and stored; otherwise what is in the way."""
        system = context.system()
        obstacles = [f"{link.name}: {link.detail or 'not connected'}" for link in system.links if not link.alive]
        if system.problem:
            obstacles.insert(0, system.problem)
        if obstacles:
            raise RequestProblemError(
                503, "not_ready", "; ".join(obstacles), "See the page's system part.", retry_after_s=1
            )
        return {"status": "ready"}

    return routes
