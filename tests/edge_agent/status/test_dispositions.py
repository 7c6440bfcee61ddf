from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge_agent.errors import StoreBusyError, StoreError
from edge_agent.events import Disposition
from tests.edge_agent.status.rig import JUDGING, LINE, Rig, error, judge

if TYPE_CHECKING:
    import httpx


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

    response = client.post(JUDGING, data=fields, headers={"Origin": rig.url})

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
    response = client.post(JUDGING, json=body)

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
    response = client.post(JUDGING, content=content, headers={"Content-Type": media_type})

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
