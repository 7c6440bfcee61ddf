"""GET /api/events: committed facts as one JSON object a line, in feed order, for whoever keeps a position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from edge_agent.events import Body, encode, kind_of
from edge_agent.status.problems import RequestProblemError

if TYPE_CHECKING:
    from edge_agent.status.context import StatusContext

LONGEST_PAGE = 10_000
KINDS: frozenset[str] = frozenset(kind_of(body) for body in Body.__args__)


def router(context: StatusContext) -> APIRouter:
    """The feed, over `context`."""
    routes = APIRouter()

    @routes.get("/api/events")
    def events(
        after: Annotated[int, Query(ge=0, le=2**62, description="Give events with a greater seq.")] = 0,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="At most this many.")] = 1_000,
        kind: Annotated[list[str] | None, Query(description="Only these kinds; may be repeated.")] = None,
        line: Annotated[str | None, Query(max_length=64, description="Only this line.")] = None,
    ) -> Response:
        """Events after a position. Ask again from `Lineproof-Next-After` until the page is empty.

        `Lineproof-Last-Seq` is the newest event of the whole store, whatever the filter, read before the page: a
        reader whose position has reached it has all that was there.
        """
        unknown = sorted(set(kind or ()) - KINDS)
        if unknown:
            hint = f"Kinds are: {', '.join(sorted(KINDS))}."
            raise RequestProblemError(422, "unknown_kind", f"No kind is called {unknown[0]!r}.", hint)
        last_seq = context.reader.last_seq()
        page = context.reader.events_after(after, limit=limit, kinds=frozenset(kind) if kind else None, line=line)
        exhausted = len(page) < limit
        position = max(page[-1].seq if page else after, max(after, last_seq) if exhausted else after)
        return Response(
            b"".join(encode(recorded) + b"\n" for recorded in page),
            media_type="application/x-ndjson",
            headers={
                "Lineproof-Last-Seq": str(last_seq),
                "Lineproof-Next-After": str(position),
                "Cache-Control": "no-store",
            },
        )

    return routes
