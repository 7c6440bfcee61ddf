from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from edge_agent.status import live
from tests.edge_agent.status.rig import Rig, error, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    import pytest


def messages(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_a_change_is_pushed_and_only_what_changed(rig: Rig, client: httpx.Client) -> None:
    with client.stream("GET", "/api/live") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = messages(response.iter_lines())
        name, first = next(stream)
        assert (name, sorted(first)) == (
            "regions",
            ["alarms", "band", "counts", "health", "machine", "picture", "system"],
        )
        name, server_ms = next(stream)
        assert name == "pulse"
        assert abs(server_ms - rig.clock.now().utc_us / 1_000) < 10_000

        rig.inspect("A-77", "FAIL")
        pushed = next(data for name, data in stream if name == "regions" and "picture" in data)

    assert "A-77" in pushed["picture"]
    assert "alarms" not in pushed


def test_streams_are_bounded_and_a_closed_one_makes_room(
    rig: Rig, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CLIENTS_MAX", 1)
    with client.stream("GET", "/api/live") as response:
        stream = messages(response.iter_lines())
        next(stream)
        refused = client.get("/api/live")
        assert (refused.status_code, error(refused)["code"]) == (503, "too_many_pages")

    wait_for(lambda: rig.app.state.live.open == 0, "the closed stream is counted out")


def test_a_stopping_server_ends_its_streams(rig: Rig, client: httpx.Client) -> None:
    with client.stream("GET", "/api/live") as response:
        lines = messages(response.iter_lines())
        next(lines)
        rig.app.state.live.close()

        assert [name for name, _ in lines if name not in {"pulse", "regions"}] == []
    assert error(client.get("/api/live"))["code"] == "too_many_pages"


def test_a_new_shift_is_pushed_without_an_event(rig: Rig, client: httpx.Client) -> None:
    rig.inspect("A-1", "FAIL")
    with client.stream("GET", "/api/live") as response:
        stream = messages(response.iter_lines())
        before = next(data for name, data in stream if name == "regions")["counts"]
        rig.clock.advance(timedelta(hours=8))
        after = next(data for name, data in stream if name == "regions" and "counts" in data)["counts"]

    assert before != after
    assert "<dd>1</dd>" not in after
