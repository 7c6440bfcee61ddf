from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_agent.events import Escape, decode_recorded
from tests.edge_agent.status.rig import LINE, Rig, error

if TYPE_CHECKING:
    import httpx


def test_the_feed_gives_every_event_once_in_order(rig: Rig, client: httpx.Client) -> None:
    rig.writer.commit([rig.event(f"e{n}", Escape("bracket-a", n, "customer")) for n in range(25)])
    position, seen = 0, []
    while True:
        page = client.get("/api/events", params={"after": position, "limit": 10})
        assert page.headers["content-type"] == "application/x-ndjson"
        assert page.headers["lineproof-last-seq"] == str(rig.writer.store.last_seq())
        if not page.content:
            break
        events = [decode_recorded(line) for line in page.content.splitlines()]
        seen += [event.event.key for event in events]
        position = int(page.headers["lineproof-next-after"])
        assert position == events[-1].seq

    assert seen == [f"e{n}" for n in range(25)]
    assert position == rig.writer.store.last_seq()


def test_a_filtered_feed_moves_on_past_what_it_leaves_out(rig: Rig, client: httpx.Client) -> None:
    rig.inspect("A-1", "PASS")
    rig.writer.commit([rig.event("e", Escape("bracket-a", 1, "customer"))])

    inspections = client.get("/api/events", params={"kind": "inspection", "line": LINE})
    both = client.get("/api/events", params={"kind": ["inspection", "escape"]})
    other = client.get("/api/events", params={"line": "press-9"})

    assert inspections.content.count(b"\n") == 1
    assert both.content.count(b"\n") == 2
    assert other.content == b""
    last = str(rig.writer.store.last_seq())
    assert {r.headers["lineproof-next-after"] for r in (inspections, both, other)} == {last}


@pytest.mark.parametrize("query", ["after=-1", "limit=0", "limit=10001", "kind=nothing"])
def test_the_feed_refuses_what_it_cannot_mean(client: httpx.Client, query: str) -> None:
    response = client.get(f"/api/events?{query}")

    assert response.status_code == 422
    error(response)
