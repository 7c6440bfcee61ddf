from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge_agent.status.evidence_pins import PinLedger
from tests.edge_agent.status.rig import LINE, Rig, error, judge, part_image, part_map

if TYPE_CHECKING:
    import httpx

PATH = "/api/evidence-pins"


def change(client: httpx.Client, method: str, claim: str, *keys: str) -> httpx.Response:
    body = {"claim": claim, "keys": list(keys)} if keys else {"claim": claim}
    return client.request(method, PATH, json=body)


def listed(client: httpx.Client, **query: str) -> list[tuple[str, str, int]]:
    pins = client.get(PATH, params=query).json()["pins"]
    return [(pin["claim"], pin["key"], len(pin["digests"])) for pin in pins]


def test_what_a_claim_cites_is_pinned_until_it_is_released(rig: Rig, client: httpx.Client) -> None:
    shown = rig.inspect("A-1", "FAIL", image=part_image(), anomaly_map=part_map())
    bare = rig.inspect("A-2", "PASS")
    judge(client, shown, id="one")

    answer = change(client, "POST", "claims/2026-01", shown, bare, f"disposition/{shown}/one")

    assert answer.status_code == 201
    assert answer.json() == {"changed": 3, "unchanged": 0, "without_image": [bare]}
    assert listed(client) == [
        ("claims/2026-01", f"disposition/{shown}/one", 2),
        ("claims/2026-01", shown, 2),
        ("claims/2026-01", bare, 0),
    ]
    again = change(client, "POST", "claims/2026-01", shown)
    assert (again.status_code, again.json()["changed"]) == (200, 0)
    assert change(client, "DELETE", "claims/2026-01", bare).json()["changed"] == 1
    assert change(client, "DELETE", "claims/2026-01").json()["changed"] == 2
    assert change(client, "DELETE", "claims/2026-01").json()["changed"] == 0
    assert listed(client) == []


def test_pins_are_durable_and_hold_for_each_claim_by_itself(rig: Rig, client: httpx.Client) -> None:
    key = rig.inspect("A-1", "FAIL", image=part_image(), anomaly_map=part_map())
    change(client, "POST", "a", key)
    change(client, "POST", "b", key)
    change(client, "DELETE", "a", key)
    change(client, "POST", "a", key)
    change(client, "DELETE", "a")

    rig.stop_server()
    rig.start_server()

    assert listed(client) == [("b", key, 2)]
    assert listed(client, claim="a") == []
    ledger = PinLedger(rig.writer.store)
    with ledger.current():
        held = ledger.digests()
    assert held == set(client.get(PATH).json()["pins"][0]["digests"])
    assert all(rig.evidence.get(digest) for digest in held)


def test_a_key_that_is_no_event_pins_nothing(rig: Rig, client: httpx.Client) -> None:
    key = rig.inspect("A-1", "FAIL", image=part_image())

    answer = change(client, "POST", "a", key, "nothing")

    assert (answer.status_code, error(answer)["code"]) == (404, "no_such_event")
    assert listed(client) == []
    assert error(client.post(PATH, json={"claim": "a"}))["code"] == "invalid_input"


@pytest.mark.parametrize("body", [{"keys": ["k"]}, {"claim": "a b", "keys": ["k"]}, {"claim": "a", "keys": []}, [], 1])
def test_what_breaks_the_contract_is_refused(client: httpx.Client, body: Any) -> None:
    answer = client.post(PATH, json=body)
    assert answer.status_code in {400, 422}
    error(answer)


def test_a_long_list_is_given_in_pieces(rig: Rig, client: httpx.Client) -> None:
    keys = [rig.inspect(f"A-{n}", "PASS") for n in range(5)]
    change(client, "POST", "a", *keys)

    first, second = (client.get(PATH, params={"start": start, "limit": 3}).json() for start in (0, 3))

    assert [pin["key"] for pin in (*first["pins"], *second["pins"])] == keys
    assert (first["total"], second["pins"][0]["line"]) == (5, LINE)
