from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from edge_agent.events import AuditCount
from tests.edge_agent.status.rig import LINE, NOON, Rig, TestClock, audited, error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

GIVEN = {
    "line": LINE,
    "product": "bracket-a",
    "day": "2026-01-04",
    "shift": "22:00",
    "stratum": "PASS",
    "audited": 50,
    "defects_found": 2,
    "reviewer": "Kim",
}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, clock=TestClock(NOON), asked=audited())
    yield made
    made.close()


def test_an_audit_of_the_previous_inspection_lies_in_its_shift(rig: Rig, client: httpx.Client) -> None:
    answer = client.post("/api/audit-counts", json=GIVEN)
    again = client.post("/api/audit-counts", json=GIVEN)

    assert (answer.status_code, again.status_code) == (201, 200)
    (recorded,) = rig.writer.store.latest_events("audit_count", line=LINE, limit=9)
    # 22:00 to 06:00 in Seoul is 13:00 to 21:00 UTC; its middle
    assert recorded.event.occurred_at == datetime(2026, 1, 4, 17, 0, tzinfo=UTC)
    assert recorded.event.body == AuditCount("bracket-a", "22:00", "previous", "PASS", 50, 2, "Kim")


def test_a_shift_that_still_runs_is_not_in_the_future(rig: Rig, client: httpx.Client) -> None:
    # noon UTC is 21:00 in Seoul: the shift of 14:00 has its middle behind it; at 14:30 it would not
    from datetime import timedelta

    rig.clock.advance(timedelta(hours=-6, minutes=-30))
    assert client.post("/api/audit-counts", json={**GIVEN, "day": "2026-01-05", "shift": "14:00"}).status_code == 201
    (recorded,) = rig.writer.store.latest_events("audit_count", line=LINE, limit=9)
    assert recorded.event.occurred_at == datetime(2026, 1, 5, 5, 30, tzinfo=UTC)
    rig.clock.advance(timedelta(minutes=5))
    assert client.post("/api/audit-counts", json={**GIVEN, "day": "2026-01-05", "shift": "14:00"}).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"defects_found": 51}, 422, "more_defects_than_parts"),
        ({"audited": 0, "defects_found": 0}, 422, "invalid_input"),
        ({"audited": 1.5}, 422, "invalid_input"),
        ({"shift": "07:00"}, 404, "no_such_shift"),
        ({"line": "press-9"}, 404, "no_such_line"),
        ({"day": "2026-01-06"}, 422, "time_to_come"),
        ({"stratum": "REVIEW"}, 422, "invalid_input"),
        ({"inspector": "ai"}, 422, "invalid_input"),
    ],
)
def test_what_cannot_be_is_named(
    rig: Rig, client: httpx.Client, change: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post("/api/audit-counts", json={**GIVEN, **change})

    assert (answer.status_code, error(answer)["code"]) == (status, code)
    assert rig.writer.store.last_seq() == 0


def test_an_id_stands_for_one_audit(client: httpx.Client) -> None:
    client.post("/api/audit-counts", json={**GIVEN, "id": "one"})

    answer = client.post("/api/audit-counts", json={**GIVEN, "audited": 51, "id": "one"})

    assert (answer.status_code, error(answer)["code"]) == (409, "id_reused")


def test_the_page_says_how_parts_are_drawn_and_what_was_noted(client: httpx.Client) -> None:
    answer = client.post("/api/audit-counts", data={**GIVEN, "product": "<b>bracket</b>"})
    english, korean = (client.get("/audit", params={"lang": lang}).text for lang in ("en", "ko"))

    assert (answer.status_code, answer.headers["location"]) == (303, f"/audit?line={LINE}")
    assert "1 part in 10; ± 1 percentage points" in english
    assert "10개 중 1개, ± 5%p" in korean
    assert "&lt;b&gt;bracket&lt;/b&gt;, Pass: 2 of 50 defective" in english
