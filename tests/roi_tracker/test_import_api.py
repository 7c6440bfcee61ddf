"""The routes over a real store, with requests as a client sends them."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI

from roi_tracker import import_api
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.plant_files.importing import Plant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNTS = b"line,start,end,produced\na,2025-03-01 06:00,2025-03-01 14:00,5\n"


class Client:
    def __init__(self, path: Path) -> None:
        self.path = path
        service = FastAPI()
        service.include_router(import_api.import_router(self.store, Plant(time_zone="Asia/Seoul")))
        self._transport = httpx.ASGITransport(service)

    @contextmanager
    def store(self) -> Iterator[SqliteStore]:
        opened = SqliteStore(self.path)
        try:
            yield opened
        finally:
            opened.close()

    def post(self, name: str, content: bytes, query: str = "", **form: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://127.0.0.1") as client:
                return await client.post(f"/api/import{query}", files={"file": (name, content)}, data=form)

        return asyncio.run(ask())

    def count(self) -> int:
        with self.store() as opened:
            return opened.fact_count()


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path / "roi.sqlite")


def test_a_file_is_imported_once(client: Client) -> None:
    first, again = client.post("c.csv", COUNTS), client.post("c.csv", COUNTS)
    assert (first.status_code, first.json()["added"], again.json()["duplicates"]) == (200, 1, 1)
    changed = client.post("c.csv", COUNTS.replace(b",5\n", b",6\n"))
    assert changed.status_code == 422
    assert "produced 5 is stored, 6 given" in changed.json()["rows"][0]["message"]
    replaced = client.post("c.csv", COUNTS.replace(b",5\n", b",6\n"), "?replace=true")
    assert (replaced.json()["replaced"], client.count()) == (1, 1)


def test_a_preview_stores_nothing(client: Client) -> None:
    shown = client.post("c.csv", COUNTS + b"a,x,y,z\n", "?preview=true")
    body: dict[str, Any] = shown.json()
    assert (shown.status_code, body["kind"], body["rows"], body["wrong"]) == (200, "counts", 1, 1)
    assert body["errors"][0]["line"] == 3
    assert client.count() == 0


def test_errors_have_one_shape(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = client.post("c.csv", b"line,date,produced\na,2025-03-01,-1\n")
    row = {"source": "c.csv", "line": 2, "column": "produced", "value": "-1"}
    assert row.items() <= bad.json()["rows"][0].items()
    mapped = client.post("c.csv", COUNTS, mapping="kind = 5")
    for refused in (bad, mapped, client.post("evil.exe", b"MZ"), client.post("../../c.pdf", COUNTS)):
        assert refused.status_code == 422
        assert set(refused.json()) == {"error", "hint", "error_ko", "hint_ko", "rows", "retryable"}
    monkeypatch.setattr(import_api, "MAX_UPLOAD_BYTES", 20)
    assert client.post("c.csv", COUNTS).status_code == 413
    assert client.count() == 0
