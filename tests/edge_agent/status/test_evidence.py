from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import pytest

from tests.edge_agent.status.rig import Rig, error, part_image, part_map

if TYPE_CHECKING:
    import httpx


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
