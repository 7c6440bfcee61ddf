"""GET /api/live: what changed on a line, pushed to open pages as server-sent events."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from edge_agent.status.pages import Visit
from edge_agent.status.problems import RequestProblemError
from edge_agent.status.visitor import language_of, line_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge_agent.status.pages import Pages

CLIENTS_MAX = 32
TICK_S = 0.25
"""At most four pushes a second: more than an eye can follow."""
QUIET_LOOK_S = 1.0
"""Without new events the agent's own condition is still looked at this often."""
PULSE_S = 2.0
"""A sign of life at least this often; the page calls the link lost after three missed ones."""


class LiveFeed:
    """Open streams, counted and bounded; all visitors of one line and language share one rendering."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._open = 0
        self._closing = False
        self._shared: dict[Visit, tuple[int, float, dict[str, str]]] = {}

    @property
    def open(self) -> int:
        """Streams open now."""
        return self._open

    def close(self) -> None:
        """End all streams within a tick; call it before the server is told to stop, which waits for them."""
        self._closing = True

    def admit(self) -> None:
        """Ask whether one more stream may open; it counts from its first byte.

        Raises:
            RequestProblemError: there are too many, or the server is stopping.
        """
        if self._closing or self._open >= CLIENTS_MAX:
            hint = f"At most {CLIENTS_MAX} pages are kept live; close one that nobody looks at."
            raise RequestProblemError(503, "too_many_pages", "No more live pages now.", hint, retry_after_s=5)

    async def stream(self, visit: Visit) -> AsyncIterator[bytes]:
        """Regions as they change, each sent only when it differs from what this page has; pulses between."""
        shown: dict[str, str] = {}
        pulsed_s = 0.0
        self._open += 1
        try:
            yield b"retry: 1000\n\n"
            while not self._closing:
                regions = await self._regions(visit)
                changed = {name: html for name, html in regions.items() if shown.get(name) != html}
                now_s = time.monotonic()
                if changed:
                    shown.update(changed)
                    yield _message("regions", changed)
                if changed or now_s - pulsed_s >= PULSE_S:
                    pulsed_s = now_s
                    yield _message("pulse", self._pages.context.clock.now().utc_us // 1_000)
                await asyncio.sleep(TICK_S)
        finally:
            self._open -= 1

    async def _regions(self, visit: Visit) -> dict[str, str]:
        version, now_s = self._pages.context.board.version, time.monotonic()
        kept = self._shared.get(visit)
        if kept is not None:
            same_facts = kept[0] == version and now_s - kept[1] < QUIET_LOOK_S
            just_now = now_s - kept[1] < TICK_S
            if same_facts or just_now:
                return kept[2]
        regions = await run_in_threadpool(self._pages.regions, visit)
        self._shared[visit] = (version, now_s, regions)
        return regions


def router(pages: Pages, feed: LiveFeed) -> APIRouter:
    """The stream's route."""
    routes = APIRouter()

    @routes.get("/api/live", response_class=StreamingResponse)
    async def live(request: Request) -> StreamingResponse:
        """Server-sent events: `regions` (object of region name to HTML) and `pulse` (server time, ms)."""
        context = pages.context
        visit = Visit(line_of(request, context), language_of(request, context))
        if not visit.line:
            raise RequestProblemError(404, "no_such_line", "No line is configured.", "Name a line, then restart.")
        feed.admit()
        return StreamingResponse(
            feed.stream(visit),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return routes


def _message(name: str, data: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))
