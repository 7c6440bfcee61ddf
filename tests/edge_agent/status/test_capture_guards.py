"""What holds for every page and act of capture alike: whose requests count, what a GET does, what is inline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.edge_agent.status.rig import LINE, NOON, Rig, TestClock, audited, error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

PAGES = ["/stops", "/alarms", "/audit", "/review"]
ACTS = ["/api/stops/revision", "/api/alarms/outcome", "/api/alarms/missed", "/api/audit-counts", "/api/evidence-pins"]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, clock=TestClock(NOON), asked=audited())
    yield made
    made.close()


def filled(rig: Rig) -> dict[str, dict[str, Any]]:
    """One act of each kind that would be recorded."""
    who = {"reviewer": "Kim"}
    return {
        "/api/stops/revision": {"act": "relabel", "stops": [rig.stop(0, 30)], "reason": "quality", **who},
        "/api/alarms/outcome": {"alarm_key": rig.alarm("wear"), "outcome": "confirmed", **who},
        "/api/alarms/missed": {"line": LINE, "asset": "press", "failed_at": "2026-01-05T09:00:00Z", **who},
        "/api/audit-counts": {
            "line": LINE,
            "product": "p",
            "day": "2026-01-04",
            "shift": "06:00",
            "stratum": "FAIL",
            "audited": 5,
            "defects_found": 4,
            **who,
        },
        "/api/evidence-pins": {"claim": "c", "keys": [rig.inspect("A-1", "PASS")]},
    }


@pytest.mark.parametrize("path", ACTS)
def test_a_foreign_page_can_do_nothing(rig: Rig, client: httpx.Client, path: str) -> None:
    body = filled(rig)[path]
    before = rig.writer.store.last_seq()

    refused = client.post(path, json=body, headers={"Origin": "http://evil.example"})

    assert (refused.status_code, error(refused)["code"]) == (403, "foreign_origin")
    assert rig.writer.store.last_seq() == before
    assert client.post(path, json=body, headers={"Origin": rig.url}).status_code == 201


def test_no_get_changes_anything(rig: Rig, client: httpx.Client) -> None:
    bodies = filled(rig)
    before = rig.writer.store.last_seq()

    for path in ACTS:
        flat = {name: value if isinstance(value, str) else str(value) for name, value in bodies[path].items()}
        assert client.get(path, params=flat).status_code in {200, 405}
    for path in (*PAGES, "/api/stops", "/api/alarms"):
        assert client.get(path, params={"line": LINE}).status_code == 200

    assert rig.writer.store.last_seq() == before


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_nothing_on_a_page_is_inline_or_foreign_or_without_a_word(
    rig: Rig, client: httpx.Client, path: str, language: str
) -> None:
    filled(rig)
    html = client.get(path, params={"lang": language}).text

    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)", html)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", html)
    assert not re.search(r"\[\w+\.\w+\]", html)


@pytest.mark.parametrize("path", ACTS)
@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [(b"{", "application/json", 400), (b"[" * 60_000, "application/json", 400), (b"x", "text/plain", 415)],
)
def test_a_body_that_cannot_be_read_is_refused(
    client: httpx.Client, path: str, content: bytes, media_type: str, status: int
) -> None:
    answer = client.post(path, content=content, headers={"Content-Type": media_type})
    assert answer.status_code == status
    error(answer)


def test_a_line_that_is_not_there_is_refused(client: httpx.Client) -> None:
    for path in PAGES:
        assert error(client.get(path, params={"line": "press-9"}))["code"] == "no_such_line"
