from __future__ import annotations

import http.client
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from edge_agent.errors import StoreBusyError, StoreError
from edge_agent.events import Disposition, Escape, decode_recorded
from edge_agent.ports import LinkHealth
from edge_agent.status import live
from tests.edge_agent.status.rig import LINE, Rig, fill_sample, part_image, part_map, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

URL = "/api/inspections/disposition"


def error(response: httpx.Response) -> dict[str, str]:
    content = response.json()
    assert list(content) == ["error"]
    assert sorted(content["error"]) == ["code", "hint", "message"]
    assert all(isinstance(value, str) and value for value in content["error"].values())
    assert "Traceback" not in response.text
    found: dict[str, str] = content["error"]
    return found


def judge(client: httpx.Client, key: str, **changes: Any) -> httpx.Response:
    body = {"inspection_key": key, "judgement": "good", "reviewer": "Kim", **changes}
    return client.post(URL, json={name: value for name, value in body.items() if value is not None})


# ---- judging ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "judgement", "agrees", "stratum"),
    [
        ("REVIEW", "good", None, "review"),
        ("NO_VERDICT", "defect", None, "review"),
        ("FAIL", "good", False, "audit_fail"),
        ("FAIL", "defect", True, "audit_fail"),
        ("PASS", "defect", False, "audit_pass"),
        ("PASS", "good", True, "audit_pass"),
    ],
)
def test_a_judgement_is_durable_when_it_is_answered(
    rig: Rig, client: httpx.Client, verdict: Any, judgement: str, agrees: Any, stratum: str
) -> None:
    key = rig.inspect("A-1", verdict)

    response = judge(client, key, judgement=judgement, note="edge", id="one")

    assert response.status_code == 201
    assert response.json() == {
        "key": f"disposition/{key}/one",
        "new": True,
        "agrees": agrees,
        "stratum": stratum,
        "line": LINE,
    }
    stored = rig.writer.store.dispositions_of(key)
    assert [recorded.event.body for recorded in stored] == [
        Disposition(key, judgement, agrees, "Kim", stratum, blind=False, note="edge")  # type: ignore[arg-type] # literals of the table above
    ]


def test_the_same_id_is_the_same_judgement(rig: Rig, client: httpx.Client) -> None:
    key = rig.inspect("A-1", "REVIEW")

    first, second = judge(client, key, id="one"), judge(client, key, id="one")

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["new"] is False
    assert len(rig.writer.store.dispositions_of(key)) == 1


def test_an_id_cannot_stand_for_two_judgements(rig: Rig, client: httpx.Client) -> None:
    key = rig.inspect("A-1", "REVIEW")
    judge(client, key, id="one")

    response = judge(client, key, id="one", judgement="defect")

    assert response.status_code == 409
    assert error(response)["code"] == "id_reused"
    assert len(rig.writer.store.dispositions_of(key)) == 1


def test_without_an_id_a_retry_is_one_and_a_change_of_mind_another(rig: Rig, client: httpx.Client) -> None:
    key = rig.inspect("A-1", "REVIEW")

    statuses = [judge(client, key, judgement=j).status_code for j in ("good", "good", "defect", "good")]

    assert statuses == [201, 200, 201, 201]
    bodies = [recorded.event.body for recorded in rig.writer.store.dispositions_of(key)]
    assert [getattr(body, "judgement", None) for body in bodies] == ["good", "defect", "good"]


def test_a_simulated_part_gives_a_simulated_judgement(rig: Rig, client: httpx.Client) -> None:
    key = rig.inspect("A-1", "REVIEW", simulated=True)

    judge(client, key)

    assert rig.writer.store.dispositions_of(key)[0].event.origin == "simulated"


def test_a_form_without_script_works_and_the_name_is_kept(rig: Rig, client: httpx.Client) -> None:
    key = rig.inspect("A-1", "REVIEW")
    fields = {"inspection_key": key, "judgement": "defect", "reviewer": "김 철수", "note": "", "defect_kind": "scratch"}

    response = client.post(URL, data=fields, headers={"Origin": rig.url})

    assert response.status_code == 303
    assert response.headers["location"] == f"/review?line={LINE}"
    assert "HttpOnly" in response.headers["set-cookie"]
    assert "SameSite=strict" in response.headers["set-cookie"]
    assert "김 철수" in client.get("/review", params={"inspection": key}).text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"inspection_key": "none", "judgement": "good", "reviewer": "Kim"}, 404, "no_such_inspection"),
        ({"inspection_key": "none", "judgement": "maybe", "reviewer": "Kim"}, 422, "invalid_input"),
        ({"inspection_key": "none", "judgement": "good", "reviewer": "  "}, 422, "invalid_input"),
        ({"inspection_key": "none", "judgement": "good"}, 422, "invalid_input"),
        ({"inspection_key": "n", "judgement": "good", "reviewer": "Kim", "blind": True}, 422, "invalid_input"),
        ({"inspection_key": "n", "judgement": "good", "reviewer": "Kim", "id": "a/b"}, 422, "invalid_input"),
        ([1], 400, "not_json"),
    ],
)
def test_what_breaks_the_contract_is_named(client: httpx.Client, body: object, status: int, code: str) -> None:
    response = client.post(URL, json=body)

    assert (response.status_code, error(response)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"a", "text/plain", 415),
        (b"", "", 415),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    client: httpx.Client, content: bytes, media_type: str, status: int
) -> None:
    response = client.post(URL, content=content, headers={"Content-Type": media_type})

    assert response.status_code == status
    error(response)


@pytest.mark.parametrize(
    ("failure", "code"),
    [(StoreBusyError("busy", hint="again"), "store_busy"), (StoreError("disk full"), "store_failing")],
)
def test_what_is_not_durable_is_not_confirmed(rig: Rig, client: httpx.Client, failure: Exception, code: str) -> None:
    key = rig.inspect("A-1", "REVIEW")
    rig.writer.failure = failure

    response = judge(client, key)

    assert (response.status_code, error(response)["code"]) == (503, code)
    assert response.headers["retry-after"] == "2"


def test_an_unexpected_fault_shows_no_trace(rig: Rig, client: httpx.Client) -> None:
    key = rig.inspect("A-1", "REVIEW")
    rig.writer.failure = RuntimeError("secret detail")

    response = judge(client, key)

    assert response.status_code == 500
    assert error(response)["code"] == "internal_error"
    assert "secret" not in response.text


# ---- guards -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://[::1"])
def test_a_foreign_origin_changes_nothing(rig: Rig, client: httpx.Client, origin: str) -> None:
    key = rig.inspect("A-1", "REVIEW")

    response = client.post(
        URL, json={"inspection_key": key, "judgement": "good", "reviewer": "Kim"}, headers={"Origin": origin}
    )

    assert (response.status_code, error(response)["code"]) == (403, "foreign_origin")
    assert rig.writer.store.dispositions_of(key) == []


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""])
def test_a_name_made_to_point_here_is_refused(client: httpx.Client, host: str) -> None:
    response = client.get("/api/state", headers={"Host": host})

    assert (response.status_code, error(response)["code"]) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "[::1]:8080"])
def test_loopback_names_are_answered(client: httpx.Client, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_large_body_is_refused_by_its_claim_and_by_its_size(rig: Rig, client: httpx.Client) -> None:
    assert error(client.post(URL, content=b" " * 65_537))["code"] == "body_too_large"

    def parts() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * 1_024

    response = client.post(URL, content=parts(), headers={"Content-Type": "application/json"})

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
    assert error(client.get(URL))["code"] == "method_not_allowed"
    assert error(client.get("/api/events?after=x"))["code"] == "invalid_input"
    assert error(client.get("/?line=press-9"))["code"] == "no_such_line"
    assert error(client.get("/docs"))["code"] == "not_found"


# ---- feed -------------------------------------------------------------------------------------------------------


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


# ---- evidence ---------------------------------------------------------------------------------------------------


def test_evidence_is_given_as_it_was_taken_and_as_it_is_shown(rig: Rig, client: httpx.Client) -> None:
    image, heat = part_image(), part_map()
    digest, map_digest = rig.evidence.put(image), rig.evidence.put(heat)

    original = client.get(f"/evidence/{digest}")
    overlay = client.get(f"/evidence/{digest}/overlay", params={"map": map_digest})

    assert original.content == image
    assert original.headers["content-type"] == "image/jpeg"
    assert "immutable" in original.headers["cache-control"]
    assert "sandbox" in original.headers["content-security-policy"]
    assert overlay.headers["content-type"] == "image/jpeg"
    assert overlay.content != client.get(f"/evidence/{digest}/preview").content


def test_a_page_kept_as_evidence_is_never_a_page(rig: Rig, client: httpx.Client) -> None:
    digest = rig.evidence.put(b"<html><script>alert(1)</script></html>")

    response = client.get(f"/evidence/{digest}")

    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"].startswith("attachment")
    assert error(client.get(f"/evidence/{digest}/preview"))["code"] == "image_format_unknown"


@pytest.mark.parametrize("path", [f"{'0' * 64}", f"{'0' * 64}/preview", f"{'0' * 64}/overlay?map={'0' * 64}"])
def test_what_is_not_kept_is_not_found(client: httpx.Client, path: str) -> None:
    response = client.get(f"/evidence/{path}")

    assert (response.status_code, error(response)["code"]) == (404, "not_kept")


def test_a_digest_is_never_a_path(rig: Rig, client: httpx.Client) -> None:
    for path in ("..%2f..%2fstore.sqlite", "A" * 64, "0" * 63):
        assert client.get(f"/evidence/{path}").status_code in {404, 422}
    connection = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=10)
    connection.request("GET", "/evidence/../store.sqlite")
    assert connection.getresponse().status == 404
    connection.close()


# ---- condition --------------------------------------------------------------------------------------------------


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


# ---- pages ------------------------------------------------------------------------------------------------------


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


# ---- live -------------------------------------------------------------------------------------------------------


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
