"""The portal as a browser sees it."""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

import apsw
import httpx
import pytest

from roi_tracker.adapters.sqlite_ledger import SqliteLedger
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.ledger.entries import Draft, GateDecision
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.plant_files.importing import Plant as PlantOfFiles
from roi_tracker.portal import Desk, portal
from roi_tracker.render.portal_pages import PAGES, ROWS_A_PAGE
from roi_tracker.render.report_outputs import ReportFormat
from roi_tracker.reporting import Reporting
from tests.roi_tracker.report.conftest import ON, Plant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI

    from roi_tracker.money import Language

AGENT = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def service(plant: Plant) -> FastAPI:
    return _service(plant)


def _service(plant: Plant, language: Language = "ko") -> FastAPI:
    @contextmanager
    def programme() -> Iterator[Reporting]:
        store, ledger = plant.open()
        yield Reporting(plant.case, store, ledger, text=plant.text)
        store.close()
        ledger.close()

    @contextmanager
    def opened() -> Iterator[SqliteStore]:
        store = SqliteStore(plant.path)
        yield store
        store.close()

    files = PlantOfFiles(ShiftCalendar(plant.case.plant), plant.case.plant.time_zone)
    return portal(Desk(programme, lambda: ON, opened, files, AGENT, language))


def ask(service: FastAPI, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(service)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(send())


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_page_in_both_languages_under_a_strict_policy(service: FastAPI, page: str) -> None:
    path = next(one for name, one in PAGES.items() if name == page)
    english = ask(service, path, **{"accept-language": "en-GB,ko;q=0.5"})
    assert english.status_code == 200
    policy = english.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce is not None
    assert f'nonce="{nonce.group(1)}"' in english.text
    assert "unsafe-inline" not in policy
    assert "style=" not in english.text
    assert '<html lang="en">' in english.text
    assert 'aria-current="page"' in english.text
    korean = ask(service, f"{path}?lang=ko")
    assert '<html lang="ko">' in korean.text


def test_every_link_of_the_report_leads_somewhere(service: FastAPI) -> None:
    page = ask(service, "/?lang=en").text
    ids = set(re.findall(r'id="([^"]+)"', page))
    links = set(re.findall(r'href="([^"]+)"', page)) - {"data:,"}
    assert any(link.startswith("/lines/") for link in links)
    for link in links:
        target = link.replace("&amp;", "&")
        if target.startswith("#"):
            assert target[1:] in ids
        else:
            assert ask(service, target).status_code == 200, target
    ledger = ask(service, "/ledger?lang=en").text
    how = set(re.findall(r'href="(/how\?lang=en)#(how-[a-z]+)"', ledger))
    assert how
    rows = ask(service, "/how?lang=en").text
    assert all(f'id="{anchor}"' in rows for _, anchor in how)


@pytest.mark.parametrize(
    ("output", "begins"),
    [("html", b"<!doctype"), ("pdf", b"%PDF"), ("xlsx", b"PK"), ("csv", b"\xef\xbb\xbf"), ("json", b"{")],
)
def test_downloads(service: FastAPI, output: str, begins: bytes) -> None:
    found = ask(service, f"/report.{output}?lang=en")
    assert found.status_code == 200
    assert found.content.startswith(begins)
    assert found.headers["content-disposition"] == f'attachment; filename="report-en.{output}"'


def test_down_to_the_image_of_one_part(service: FastAPI) -> None:
    page = ask(service, "/lines/fewer-defects/observations?lang=en&month=2025-10")
    assert page.text.count("<tr>") + page.text.count('<tr class="') <= ROWS_A_PAGE + 20
    day = "/lines/fewer-defects/observations/press-1/2025-10-01/day/bracket-a?lang=en"
    second = ask(service, "/lines/fewer-defects/observations?lang=en&month=2025-10&page=2").text
    assert day in second
    events = ask(service, day).text
    assert 'href="/facts/part/1?lang=en"' in events
    part = ask(service, "/facts/part/1?lang=en").text
    assert f'href="{AGENT}/evidence/{"ab" * 32}"' in part
    judged = ask(service, "/facts/judged/1?lang=en").text
    assert 'href="/facts/part/1?lang=en"' in judged


def test_a_portal_has_a_language_of_its_own(plant: Plant) -> None:
    english = _service(plant, "en")
    assert '<html lang="en">' in ask(english, "/").text
    assert '<html lang="ko">' in ask(english, "/", **{"accept-language": "ko"}).text
    assert 'filename="report-en.csv"' in ask(english, "/report.csv").headers["content-disposition"]


def test_what_is_not_there_is_said(service: FastAPI) -> None:
    for path in ("/lines/none", "/facts/none", "/lines/fewer-defects/observations/none", "/lines/none/observations"):
        missing = ask(service, path)
        assert missing.status_code == 404, path
        assert set(missing.json()) == {"error", "field", "hint", "retryable"}
    other = ask(service, "/?lang=fr")
    assert other.status_code == 422
    assert other.json()["hint"] == "lang=ko or lang=en"
    assert ask(service, "/report.csv?lang=fr").status_code == 422
    assert ask(service, "/report.doc").status_code == 422
    assert ask(service, "/lines/fewer-defects/observations?month=2025-13").status_code == 422


def test_other_hosts_and_other_sites_are_refused(service: FastAPI) -> None:
    assert ask(service, "/", host="evil.example").status_code == 400
    posted = ask(service, "/api/import", "POST", origin="https://evil.example")
    assert posted.status_code == 403
    assert posted.json()["field"] == "Origin"
    assert ask(service, "/api/import", "POST", origin="http://127.0.0.1").status_code == 422


def test_an_altered_ledger_is_refused_and_said_on_every_page(plant: Plant, tmp_path: Path) -> None:
    path = tmp_path / "roi.sqlite"
    shutil.copy(plant.path, path)
    raw = apsw.Connection(str(path))
    raw.execute("DROP TRIGGER ledger_no_update")
    raw.execute("UPDATE ledger SET body = CAST(replace(CAST(body AS TEXT), '120000', '1') AS BLOB)")
    raw.close()
    altered = _service(Plant(path, plant.text))
    for asked in (*PAGES.values(), "/report.json", "/lines/fewer-defects"):
        found = ask(altered, asked)
        assert found.status_code == 409, asked
        assert found.json()["field"] == "ledger"
        assert "does not hold at entry 1 (altered" in found.json()["error"]


def test_an_emoji_in_the_ledger_stops_no_page_and_no_format(plant: Plant, tmp_path: Path) -> None:
    path = tmp_path / "roi.sqlite"
    shutil.copy(plant.path, path)
    decision = GateDecision(
        gate="First gate", answer="go_on", reason="well done \N{GRINNING FACE}", decided_by="line \N{SNOWMAN}"
    )
    ledger = SqliteLedger(path)
    ledger.append([Draft(plant.case.id, datetime(2025, 10, 3, tzinfo=UTC), "engineer", decision)])
    ledger.close()
    told = _service(Plant(path, plant.text))
    assert any("\N{GRINNING FACE}" in ask(told, asked).text for asked in PAGES.values())
    for output in get_args(ReportFormat):
        assert ask(told, f"/report.{output}?lang=ko").status_code == 200, output
