from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge_agent.events import AlarmOutcome
from tests.edge_agent.status.rig import LINE, NOON, Rig, TestClock, audited, error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

FAILED = "2026-01-05T18:30:00"  # 09:30 UTC on the plant's clock


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, clock=TestClock(NOON), asked=audited())
    yield made
    made.close()


def state(client: httpx.Client, key: str, outcome: str = "confirmed", **more: Any) -> httpx.Response:
    return client.post("/api/alarms/outcome", json={"alarm_key": key, "outcome": outcome, "reviewer": "Kim", **more})


def missed(client: httpx.Client, **more: Any) -> httpx.Response:
    fields = {"line": LINE, "asset": "press", "failed_at": FAILED, "reviewer": "Kim", **more}
    return client.post("/api/alarms/missed", json=fields)


def told(client: httpx.Client) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/api/alarms", params={"line": LINE}).json()
    return answer


def outcomes(rig: Rig) -> list[AlarmOutcome]:
    found = [recorded.event.body for recorded in rig.writer.store.events_after(0, limit=99)]
    return [body for body in found if isinstance(body, AlarmOutcome)]


def test_an_alarm_waits_until_somebody_says_what_was_found(rig: Rig, client: httpx.Client) -> None:
    key, stop = rig.alarm("wear"), rig.stop(0, 30)
    assert "Alarms waiting" in client.get("/alarms?lang=en").text
    assert told(client)["alarms"][0]["stated"] is None

    answer = state(client, key, acted=True, action="greased", stop=stop, avoided_stop_h=2.5)

    assert answer.status_code == 201
    assert outcomes(rig) == [
        AlarmOutcome(key, "press", "confirmed", "Kim", acted=True, action="greased", stop_key=stop, avoided_stop_h=2.5)
    ]
    assert told(client)["alarms"][0]["stated"]["body"]["outcome"] == "confirmed"


def test_the_last_statement_holds_and_a_withdrawn_one_waits_again(rig: Rig, client: httpx.Client) -> None:
    key = rig.alarm("wear")
    statuses = [
        state(client, key).status_code,
        state(client, key).status_code,  # a retry
        state(client, key, "not_found").status_code,
        state(client, key).status_code,  # a change of mind
    ]
    assert statuses == [201, 200, 201, 201]
    assert told(client)["alarms"][0]["stated"]["body"]["outcome"] == "confirmed"

    state(client, key, withdrawn=True)

    assert told(client)["alarms"][0]["stated"] is None


def test_a_missed_failure_is_stated_revised_and_taken_back(client: httpx.Client) -> None:
    assert missed(client, note="bearing").status_code == 201
    assert missed(client, note="bearing").status_code == 200
    assert missed(client, note="belt").status_code == 201

    (entry,) = told(client)["missed"]
    assert (entry["failed_at"], entry["stated"]["body"]["note"]) == ("2026-01-05T09:30:00Z", "belt")
    assert missed(client, withdrawn=True).status_code == 201
    assert told(client)["missed"] == []
    assert missed(client, note="bearing").status_code == 201
    assert len(told(client)["missed"]) == 1


def test_the_same_id_is_the_same_statement(rig: Rig, client: httpx.Client) -> None:
    key = rig.alarm("wear")

    answers = [state(client, key, id="one"), state(client, key, id="one"), state(client, key, "not_found", id="one")]

    assert [answer.status_code for answer in answers] == [201, 200, 409]
    assert error(answers[2])["code"] == "id_reused"
    assert len(outcomes(rig)) == 1


@pytest.mark.parametrize(
    ("path", "fields", "status", "code"),
    [
        ("outcome", {"alarm_key": "none", "outcome": "confirmed"}, 404, "no_such_alarm"),
        ("outcome", {"alarm_key": "KEY", "outcome": "missed"}, 422, "invalid_input"),
        ("outcome", {"alarm_key": "KEY", "outcome": "confirmed", "stop": "none"}, 404, "no_such_stop"),
        ("outcome", {"alarm_key": "KEY", "outcome": "confirmed", "avoided_stop_h": -1}, 422, "invalid_input"),
        ("outcome", {"alarm_key": "KEY", "outcome": "confirmed", "avoided_stop_h": "nan"}, 422, "invalid_input"),
        ("missed", {"line": "press-9", "asset": "press", "failed_at": FAILED}, 404, "no_such_line"),
        ("missed", {"line": LINE, "asset": "oven", "failed_at": FAILED}, 404, "no_such_asset"),
        ("missed", {"line": LINE, "asset": "press", "failed_at": "2026-01-05T22:00:00"}, 422, "time_to_come"),
        ("missed", {"line": LINE, "asset": "press", "failed_at": "soon"}, 422, "invalid_input"),
        ("missed", {"line": LINE, "asset": "press", "failed_at": FAILED, "withdrawn": True}, 404, "no_such_failure"),
    ],
)
def test_what_cannot_be_is_named_and_recorded_nowhere(
    rig: Rig, client: httpx.Client, path: str, fields: dict[str, Any], status: int, code: str
) -> None:
    key = rig.alarm("wear")
    fields = {name: key if value == "KEY" else value for name, value in fields.items()}

    answer = client.post(f"/api/alarms/{path}", json={"reviewer": "Kim", **fields})

    assert (answer.status_code, error(answer)["code"]) == (status, code)
    assert outcomes(rig) == []


def test_the_page_without_script_and_in_both_languages(rig: Rig, client: httpx.Client) -> None:
    key = rig.alarm("wear")
    form = {"alarm_key": key, "outcome": "not_found", "reviewer": "Kim", "action": "", "note": "<script>x()</script>"}

    answer = client.post("/api/alarms/outcome", data=form)
    client.post("/api/alarms/missed", data={"line": LINE, "asset": "press", "failed_at": FAILED, "reviewer": "Kim"})

    assert (answer.status_code, answer.headers["location"]) == (303, f"/alarms?line={LINE}")
    english, korean = (client.get("/alarms", params={"lang": lang}).text for lang in ("en", "ko"))
    assert "Not found" in english
    assert "not acted before a failure" in english
    assert "이상 없음" in korean
    assert "놓침" in korean
    assert "2026-01-05 18:30:00" in korean
    assert "<script>x()" not in english
