from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from starlette.responses import PlainTextResponse

from edge_agent.ports import LinkHealth
from edge_agent.status.guards import Guard
from tests.edge_agent.status.rig import JUDGING, LINE, Rig, error, fill_sample, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from starlette.types import Message, Scope


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://[::1"])
def test_a_foreign_origin_changes_nothing(rig: Rig, client: httpx.Client, origin: str) -> None:
    key = rig.inspect("A-1", "REVIEW")

    response = client.post(
        JUDGING, json={"inspection_key": key, "judgement": "good", "reviewer": "Kim"}, headers={"Origin": origin}
    )

    assert (response.status_code, error(response)["code"]) == (403, "foreign_origin")
    assert rig.writer.store.dispositions_of(key) == []


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""])
def test_a_name_made_to_point_here_is_refused(client: httpx.Client, host: str) -> None:
    response = client.get("/api/state", headers={"Host": host})

    assert (response.status_code, error(response)["code"]) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "[::1]:8080", "192.168.7.20:8080"])
def test_addresses_and_localhost_are_answered(client: httpx.Client, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


async def status_of(app: Guard, server: str, headers: dict[str, str], method: str = "GET") -> int:
    """The status of one request that comes in at an address of this machine."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "query_string": b"",
        "headers": encoded,
        "server": (server, 8080),
    }
    await app(scope, receive, send)
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example:8080", 421),  # a name of theirs that was made to point here
        ("192.168.7.20.evil.example", 421),
        ("press-line:8080", 421),
        ("", 421),
        ("192.168.7.20:8080", 200),
        ("[fe80::1]:8080", 200),
        ("localhost", 200),
        ("Line.Plant.local:8080", 200),
        ("line.plant.local", 200),
    ],
)
@pytest.mark.parametrize("server", ["127.0.0.1", "192.168.7.20"])
def test_a_foreign_name_is_refused_beyond_loopback_too(server: str, host: str, status: int) -> None:
    guard = Guard(PlainTextResponse("page"), hosts=("line.plant.LOCAL",))

    assert asyncio.run(status_of(guard, server, {"host": host})) == status


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("192.168.7.20:8080", "http://192.168.7.20:8080", 200),
        ("line.plant.local", "https://line.plant.local", 200),
        ("line.plant.local", "https://evil.example", 403),
        ("line.plant.local", "https://line.plant.local:1", 403),
        ("evil.example", "http://evil.example", 421),
    ],
)
def test_a_judgement_comes_from_the_page_itself(host: str, origin: str, status: int) -> None:
    guard = Guard(PlainTextResponse("page"), hosts=("line.plant.local",))

    assert asyncio.run(status_of(guard, "192.168.7.20", {"host": host, "origin": origin}, "POST")) == status


def test_a_large_body_is_refused_by_its_claim_and_by_its_size(rig: Rig, client: httpx.Client) -> None:
    assert error(client.post(JUDGING, content=b" " * 65_537))["code"] == "body_too_large"

    def parts() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * 1_024

    response = client.post(JUDGING, content=parts(), headers={"Content-Type": "application/json"})

    assert (response.status_code, error(response)["code"]) == (413, "body_too_large")
    assert rig.writer.store.last_seq() == 0


@pytest.mark.parametrize("path", ["/", "/review", "/api/state", "/nowhere", "/static/status.css", "/evidence/x"])
def test_every_answer_carries_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers

    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_nothing_on_a_page_is_inline_or_foreign(rig: Rig, client: httpx.Client) -> None:
    fill_sample(rig)
    for path in ("/", "/review"):
        html = client.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)", html)
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", html)


def test_what_people_write_stays_text(rig: Rig, client: httpx.Client) -> None:
    key = rig.inspect("<script>alert(1)</script>", "REVIEW")
    judge(client, key, reviewer='"><img src=x>')

    for path in ("/", f"/review?inspection={key.replace('<', '%3C')}"):
        html = client.get(path).text
        assert "<script>alert" not in html
        assert "<img src=x>" not in html
        assert "&lt;script&gt;alert(1)" in html


def test_errors_have_one_shape(client: httpx.Client) -> None:
    assert error(client.get("/nowhere"))["code"] == "not_found"
    assert error(client.get(JUDGING))["code"] == "method_not_allowed"
    assert error(client.get("/api/events?after=x"))["code"] == "invalid_input"
    assert error(client.get("/?line=press-9"))["code"] == "no_such_line"
    assert error(client.get("/docs"))["code"] == "not_found"


def test_the_state_as_json(rig: Rig, client: httpx.Client) -> None:
    fill_sample(rig)

    state = client.get("/api/state").json()

    line = state["lines"][LINE]
    assert line["state"]["state"] == "degraded"
    assert line["state"]["reason"] == "alarm_active"
    assert line["snapshot"]["counts"]["rejected"] == 3
    assert state["system"]["store"]["events"] == rig.writer.store.totals().events


def test_metrics_are_taken_at_the_scrape(rig: Rig, client: httpx.Client) -> None:
    fill_sample(rig)

    text = client.get("/metrics").text

    assert f'lineproof_verdicts_total{{line="{LINE}",station="vision-1",verdict="FAIL"}} 3.0' in text
    assert f'lineproof_alarms_active{{line="{LINE}"}} 1.0' in text
    assert f'lineproof_health{{asset="conveyor",line="{LINE}"}} 97.25' in text
    assert 'lineproof_link_up{link="mqtt"} 1.0' in text


def test_ready_and_alive_are_two_questions(rig: Rig, client: httpx.Client) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}

    rig.system = msgspec.structs.replace(rig.system, links=(LinkHealth("mqtt", False, None, "connection refused"),))
    response = client.get("/readyz")
    assert response.status_code == 503
    assert error(response)["message"] == "mqtt: connection refused"
    assert client.get("/healthz").status_code == 200

    rig.system = msgspec.structs.replace(rig.system, problem="agent_stalled")
    assert client.get("/healthz").status_code == 503


def test_the_language_is_the_plants_then_the_visitors(rig: Rig, client: httpx.Client) -> None:
    assert rig.settings.language == "en"
    assert '<html lang="en">' in client.get("/").text
    assert '<html lang="ko">' in client.get("/?lang=ko").text
    assert '<html lang="ko">' in client.get("/review").text
    assert '<html lang="ko">' in client.get("/?lang=xx").text


def test_an_empty_line_teaches_the_command(client: httpx.Client) -> None:
    html = client.get("/").text

    assert "edge-agent replay --config lineproof.toml --images DIR" in html
    assert "edge-agent replay --config lineproof.toml --readings FILE.csv" in html


def test_a_part_asked_for_is_shown_though_it_is_not_in_the_queue(rig: Rig, client: httpx.Client) -> None:
    rig.inspect("R-1", "REVIEW")
    key = rig.inspect("F-1", "FAIL")

    queue = client.get("/review").text
    asked = client.get("/review", params={"inspection": key}).text

    assert 'value="press-1/vision-1/R-1"' in queue
    assert f'value="{key}"' in asked
    assert "overrules the verdict" in asked
    assert error(client.get("/review?inspection=none"))["code"] == "no_such_inspection"
