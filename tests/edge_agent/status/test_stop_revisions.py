from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge_agent.errors import StoreBusyError
from edge_agent.events import StopRevision
from tests.edge_agent.status.rig import LINE, NOON, STOPS_FROM, Rig, TestClock, audited, error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = "/api/stops/revision"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, clock=TestClock(NOON), asked=audited())
    yield made
    made.close()


def revise(client: httpx.Client, act: str, *stops: str, **more: Any) -> httpx.Response:
    return client.post(PATH, json={"act": act, "stops": list(stops), "reviewer": "Kim", **more})


def counting(client: httpx.Client) -> list[tuple[int, float, str, bool]]:
    """Stops that count, oldest first: start in minutes, duration in minutes, reason, planned."""
    stops = client.get("/api/stops", params={"line": LINE}).json()["stops"]
    from datetime import datetime

    found = []
    for stop in reversed(stops):
        started, ended = datetime.fromisoformat(stop["started"]), datetime.fromisoformat(stop["ended"])
        minutes = (ended - started).total_seconds() / 60
        found.append((int((started - STOPS_FROM).total_seconds() // 60), minutes, stop["reason"], stop["planned"]))
    return found


def key_at(client: httpx.Client, minute: int) -> str:
    stops = client.get("/api/stops", params={"line": LINE}).json()["stops"]
    wanted = (STOPS_FROM + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(next(stop["key"] for stop in stops if stop["started"] == wanted))


def test_a_stop_gets_a_reason_and_its_record_stays(rig: Rig, client: httpx.Client) -> None:
    key = rig.stop(0, 30, "")

    answer = revise(client, "relabel", key, reason="changeover", note="die B", id="one")

    assert answer.status_code == 201
    assert counting(client) == [(0, 30.0, "changeover", True)]
    recorded = rig.writer.store.event(answer.json()["key"])
    assert recorded is not None
    assert isinstance(recorded.event.body, StopRevision)
    assert recorded.event.key == f"stop_revision/{LINE}/one"
    assert (recorded.event.body.replaces, recorded.event.body.note) == ((key,), "die B")
    assert recorded.event.body.stops[0].key == f"stop_revision/{LINE}/one/1"
    original = rig.writer.store.event(key)
    assert original is not None
    assert getattr(original.event.body, "reason", None) == ""


def test_a_stop_is_split_at_a_time_on_the_plants_clock(rig: Rig, client: httpx.Client) -> None:
    key = rig.stop(0, 30)

    # 00:10 UTC is 09:10 in Seoul, which a browser's field sends without a zone
    answer = revise(client, "split", key, split_at="2026-01-05T09:10:00", reason_after="maintenance")

    assert answer.status_code == 201
    assert counting(client) == [(0, 10.0, "jam", False), (10, 20.0, "maintenance", True)]


def test_neighbours_are_merged_and_revised_again(rig: Rig, client: httpx.Client) -> None:
    keys = [rig.stop(0, 10, "jam"), rig.stop(12, 20, "no_material")]

    assert revise(client, "merge", *keys).status_code == 201
    assert counting(client) == [(0, 32.0, "no_material", False)]  # the longest gives the reason
    assert revise(client, "split", key_at(client, 0), split_at="2026-01-05T00:20:00Z").status_code == 201
    assert revise(client, "relabel", key_at(client, 20), reason="break").status_code == 201

    assert counting(client) == [(0, 20.0, "no_material", False), (20, 12.0, "break", True)]


def test_a_stop_that_somebody_revised_is_refused_and_the_newest_told(rig: Rig, client: httpx.Client) -> None:
    key = rig.stop(0, 30)
    revise(client, "relabel", key, reason="breakdown", id="one")
    revise(client, "split", f"stop_revision/{LINE}/one/1", split_at="2026-01-05T00:20:00Z", id="two")

    answer = revise(client, "relabel", key, reason="quality", reviewer="Lee")

    assert (answer.status_code, error(answer)["code"]) == (409, "stop_revised")
    told = error(answer)["message"]
    assert "Kim" in told
    assert told.endswith(f"stop_revision/{LINE}/two/1, stop_revision/{LINE}/two/2.")
    assert len(counting(client)) == 2


def test_the_same_act_is_recorded_once(rig: Rig, client: httpx.Client) -> None:
    key = rig.stop(0, 30)
    for more in ({"id": "one"}, {}):
        first = revise(client, "relabel", key, reason="breakdown", **more)
        again = revise(client, "relabel", key, reason="breakdown", **more)
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == {**first.json(), "new": False}
        key = rig.stop(60, 30)
    revisions = [e for e in rig.writer.store.events_after(0, limit=99) if e.event.kind == "stop_revision"]
    assert len(revisions) == 2
    reused = revise(client, "relabel", f"stop_revision/{LINE}/one/1", reason="quality", id="one")
    assert (reused.status_code, error(reused)["code"]) == (409, "id_reused")


@pytest.mark.parametrize(
    ("act", "more", "status", "code"),
    [
        ("relabel", {}, 422, "field_missing"),
        ("relabel", {"reason": "aliens"}, 422, "no_such_reason"),
        ("relabel", {"reason": "jam"}, 422, "nothing_changes"),
        ("split", {}, 422, "field_missing"),
        ("split", {"split_at": "2026-01-05T00:00:00Z"}, 422, "split_outside_stop"),
        ("split", {"split_at": "2026-01-05T02:00:00Z"}, 422, "split_outside_stop"),
        ("merge", {}, 422, "merge_needs_two"),
        ("merge", {"stops": ["far"]}, 422, "too_far_apart"),
        ("relabel", {"stops": ["far"], "reason": "quality"}, 422, "one_stop_only"),
        ("relabel", {"stops": ["none"], "reason": "quality"}, 404, "no_such_stop"),
        ("delete", {}, 422, "invalid_input"),
        ("relabel", {"reason": "quality", "reviewer": " "}, 422, "invalid_input"),
        ("relabel", {"reason": "quality", "minutes": 3}, 422, "invalid_input"),
    ],
)
def test_what_cannot_be_done_is_named_and_changes_nothing(
    rig: Rig, client: httpx.Client, act: str, more: dict[str, Any], status: int, code: str
) -> None:
    key, far = rig.stop(0, 30), rig.stop(60, 5)
    named = {"far": [key, far], "none": [key, "downtime/x"]}
    fields = {"stops": [key], **more}
    fields["stops"] = named.get(str(fields["stops"][0]), fields["stops"])

    answer = client.post(PATH, json={"act": act, "reviewer": "Kim", **fields})

    assert (answer.status_code, error(answer)["code"]) == (status, code)
    assert counting(client) == [(0, 30.0, "jam", False), (60, 5.0, "jam", False)]


def test_of_many_who_revise_at_once_one_wins(rig: Rig) -> None:
    def act(asked: tuple[str, threading.Barrier, int]) -> int:
        key, ready, number = asked
        with httpx.Client(base_url=rig.url, trust_env=False) as client:
            ready.wait()
            return revise(client, "relabel", key, reason="quality", reviewer=f"R{number}").status_code

    for minute in (0, 60, 120):
        key, ready = rig.stop(minute, 30), threading.Barrier(4)
        with ThreadPoolExecutor(4) as everybody:
            answers = list(everybody.map(act, [(key, ready, number) for number in range(4)]))
        assert sorted(answers) == [201, 409, 409, 409]
    with httpx.Client(base_url=rig.url, trust_env=False) as client:
        assert [entry[:2] for entry in counting(client)] == [(0, 30.0), (60, 30.0), (120, 30.0)]


def test_what_is_not_durable_is_not_confirmed_and_can_be_sent_again(rig: Rig, client: httpx.Client) -> None:
    key = rig.stop(0, 30)
    rig.writer.failure = StoreBusyError("busy", hint="again")
    assert revise(client, "relabel", key, reason="quality", id="one").status_code == 503
    rig.writer.failure = None

    assert revise(client, "relabel", key, reason="quality", id="one").status_code == 201


def test_the_page_without_script_and_in_both_languages(rig: Rig, client: httpx.Client) -> None:
    keys = [rig.stop(0, 10), rig.stop(12, 10)]
    form = {
        "act": "merge",
        "stops": keys,
        "reviewer": "김 철수",
        "reason": "changeover",
        "note": "<script>alert(1)</script>",
    }

    answer = client.post(PATH, data=form)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/stops?line={LINE}")
    english, korean = (client.get("/stops", params={"lang": lang}).text for lang in ("en", "ko"))
    assert "Changeover" in english
    assert "품목 교체" in korean
    assert "revised by 김 철수" in english
    assert "<script>alert" not in english
    assert counting(client) == [(0, 22.0, "changeover", True)]


def test_a_stop_that_goes_on_is_shown(rig: Rig, client: httpx.Client) -> None:
    from edge_agent.events import MachineState

    rig.writer.commit([rig.event("s1", MachineState("press", "unplanned_stop", "jam"))])
    rig.writer.commit([rig.event("s2", MachineState("conveyor", "unplanned_stop", "jam"))])

    html = client.get("/stops?lang=en").text

    assert html.count("Standing now:") == 1
    assert "press · unplanned stop" in html
