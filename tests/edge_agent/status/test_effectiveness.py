from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge_agent.events import Event, MachineState, MachineStateName, Production
from edge_agent.settings.config import Settings
from tests.edge_agent.status.rig import LINE, NOON, STOPS_FROM, Rig, TestClock, audited, error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    asked = dataclasses.replace(audited(), planned_run_s={LINE: {"bracket-a": 30.0}})
    made = Rig(tmp_path, clock=TestClock(NOON), asked=asked)
    yield made
    made.close()


def _enter(rig: Rig, minute: int, state: MachineStateName) -> None:
    at = STOPS_FROM + timedelta(minutes=minute)
    rig.writer.commit([Event(f"state/{minute}", LINE, at, MachineState("press", state))])


def _made(rig: Rig, minute: int, minutes: int, produced: int, **bad: int) -> None:
    at = STOPS_FROM + timedelta(minutes=minute)
    body = Production("bracket-a", "early", at + timedelta(minutes=minutes), produced, **bad)
    rig.writer.commit([Event(f"made/{minute}", LINE, at, body)])


def _ask(client: httpx.Client, minute: int = 0, minutes: int = 100, line: str = LINE) -> Any:
    start = STOPS_FROM + timedelta(minutes=minute)
    period = {"from": start.isoformat(), "to": (start + timedelta(minutes=minutes)).isoformat()}
    return client.get("/api/oee", params={"line": line, **period})


def test_a_period_by_hand(rig: Rig, client: httpx.Client) -> None:
    _enter(rig, -30, "producing")
    _enter(rig, 40, "unplanned_stop")
    _enter(rig, 60, "producing")
    _made(rig, 0, 100, 128, scrap=3, rework=5)

    told = _ask(client).raise_for_status().json()

    assert (told["asset"], told["planned_busy_s"], told["coverage"]) == ("press", 6_000.0, 1.0)
    indicators = {name: figure["value"] for name, figure in told["indicators"].items()}
    assert indicators["availability"] == pytest.approx(0.8)
    assert indicators["effectiveness"] == pytest.approx(128 * 30 / 4_800)
    assert indicators["quality_ratio"] == pytest.approx(120 / 128)
    assert indicators["oee"] == pytest.approx(0.8 * 0.8 * 120 / 128)


def test_a_stop_that_a_person_calls_a_changeover_leaves_the_planned_busy_time(rig: Rig, client: httpx.Client) -> None:
    _enter(rig, -30, "producing")
    _enter(rig, 40, "unplanned_stop")
    _enter(rig, 60, "producing")
    key = rig.stop(40, 20, "jam")
    sent = {"act": "relabel", "stops": [key], "reason": "changeover", "reviewer": "Kim"}
    assert client.post("/api/stops/revision", json=sent).status_code == 201

    told = _ask(client).json()

    assert told["times"]["planned_stop_s"] == 1_200.0
    assert told["times"]["down_s"] == 0.0
    assert told["times"]["failures"] == 0
    assert told["indicators"]["availability"]["value"] == 1.0
    assert told["planned_busy_s"] == 4_800.0


def test_a_merge_counts_the_time_between_as_stopped(rig: Rig, client: httpx.Client) -> None:
    for minute in (-30, 20, 30):
        _enter(rig, minute, "producing")
    for minute in (10, 22):
        _enter(rig, minute, "unplanned_stop")
    keys = [rig.stop(10, 10), rig.stop(22, 8)]
    sent = {"act": "merge", "stops": keys, "reason": "jam", "reviewer": "Kim"}
    assert client.post("/api/stops/revision", json=sent).status_code == 201

    told = _ask(client).json()

    assert told["times"]["down_s"] == 1_200.0
    assert told["times"]["failures"] == 1


def test_what_is_not_known_has_its_reason(rig: Rig, client: httpx.Client) -> None:
    _enter(rig, 50, "producing")

    told = _ask(client).json()

    assert told["coverage"] == 0.5
    assert told["indicators"]["availability"] == {"value": None, "reason": "state_unknown"}
    assert told["indicators"]["quality_ratio"] == {"value": None, "reason": "nothing_counted"}


def test_one_simulated_fact_labels_the_whole(rig: Rig, client: httpx.Client) -> None:
    _enter(rig, -30, "producing")
    assert _ask(client).json()["origin"] == "measured"
    at = STOPS_FROM + timedelta(minutes=50)
    rig.writer.commit([Event("state/50", LINE, at, MachineState("press", "idle"), "simulated")])
    assert _ask(client).json()["origin"] == "simulated"
    assert _ask(client, minutes=50).json()["origin"] == "measured"
    assert _ask(client, minute=60).json()["origin"] == "simulated"  # it holds at the begin


def test_without_a_period_it_is_this_shift_until_now(client: httpx.Client) -> None:
    told = client.get("/api/oee", params={"line": LINE}).raise_for_status().json()
    assert told["end"] == NOON.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert told["start"] < told["end"]


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"line": "no-line"}, 404, "no_machine"),
        ({"line": LINE, "from": "2026-01-01T00:00:00"}, 422, "no_time_zone"),
        ({"line": LINE, "from": "2020-01-01T00:00:00Z"}, 422, "bad_period"),
        ({"line": LINE, "from": "2999-01-01T00:00:00Z"}, 422, "bad_period"),
        ({"line": LINE, "from": "yesterday"}, 422, ""),
        ({}, 422, ""),
    ],
)
def test_what_cannot_be_answered_is_refused(
    client: httpx.Client, asked: dict[str, str], status: int, code: str
) -> None:
    answer = client.get("/api/oee", params=asked)
    assert answer.status_code == status
    assert not code or error(answer)["code"] == code


def test_planned_run_times_need_a_machine() -> None:
    base: dict[str, Any] = {
        "agent": {"name": "a", "data_dir": "d"},
        "oee": [{"line": "l", "planned_run_s": {"p": 1.0}}],
    }
    with pytest.raises(ValueError, match="the line 'l' has no machine"):
        Settings.model_validate(base)
    assert Settings.model_validate(base | {"downtime": [{"line": "l", "asset": "a"}]}).oee[0].planned_run_s == {
        "p": 1.0
    }
    with pytest.raises(ValueError, match="greater than 0"):
        Settings.model_validate(
            base | {"downtime": [{"line": "l", "asset": "a"}], "oee": [{"line": "l", "planned_run_s": {"p": 0.0}}]}
        )
