"""A store altered behind the program's back: no command computes from it, and `verify` says what differs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, get_args

import apsw
import msgspec
import pytest
from typer.testing import CliRunner, Result

from roi_tracker.__main__ import app
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.ledger.chain import ChainFaultName
from roi_tracker.observations.seals import StoreAlteredError, StoreFaultName
from roi_tracker.observations.shifts import ShiftCalendar
from roi_tracker.observing import derivation_name, observe
from roi_tracker.render.store_text import store_catalogue
from tests.roi_tracker.report.conftest import Plant, plant  # noqa: F401 - a fixture
from tests.roi_tracker.report.test_portal import _service, ask

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def altered(plant: Plant, tmp_path: Path) -> tuple[Path, Path]:  # noqa: F811 - the fixture's name
    """Store and case; one imported row has fewer rejected parts than were imported."""
    store, case = tmp_path / "roi.sqlite", tmp_path / "case.yaml"
    shutil.copy(plant.path, store)
    case.write_text(plant.text.text, encoding="utf-8")
    raw = apsw.Connection(str(store))
    raw.execute("DROP TRIGGER fact_no_update")
    raw.execute(
        'UPDATE fact SET body = CAST(replace(CAST(body AS TEXT), \'"rejected":\', \'"rejected":0,"was":\') AS BLOB)'
        " WHERE number = (SELECT min(number) FROM fact WHERE kind = 'production')"
    )
    assert raw.changes() == 1
    raw.close()
    return store, case


@pytest.mark.parametrize(
    "command",
    [
        ("measure",),
        ("report", "--format", "json"),
        ("report", "--drill", "fewer-defects", "--format", "csv"),
        ("board",),
        ("baseline", "fit"),
        ("baseline", "show"),
        ("pilot", "check"),
        ("ledger", "losses"),
    ],
)
def test_no_command_computes_from_an_altered_store(altered: tuple[Path, Path], command: tuple[str, ...]) -> None:
    store, case = altered
    done = run(*command, "--case", case, "--store", store)
    assert isinstance(done.exception, StoreAlteredError)
    assert "fact_altered: import 1" in str(done.exception)
    assert not done.stdout


def test_nor_does_a_report_made_again(plant: Plant, tmp_path: Path) -> None:  # noqa: F811 - the fixture's name
    store, case = tmp_path / "roi.sqlite", tmp_path / "case.yaml"
    shutil.copy(plant.path, store)
    case.write_text(plant.text.text, encoding="utf-8")
    saved = run("report", "--case", case, "--store", store, "--format", "json", "--save", "--as-of", "2026-01-05")
    digest = saved.stderr.rpartition("saved as ")[2].strip()
    again = ("report", "--reproduce", digest, "--store", store, "--format", "json")
    assert run(*again).stdout == saved.stdout
    head = json.loads(saved.stdout)["inputs"]["facts_head"]
    assert run("verify", "--store", store, "--head", head[:12]).exit_code == 0
    raw = apsw.Connection(str(store))
    raw.execute("DROP TRIGGER fact_no_delete")
    raw.execute("DELETE FROM fact WHERE number = 7")
    raw.close()
    done = run(*again)
    assert isinstance(done.exception, StoreAlteredError)
    assert "fact_missing" in str(done.exception)


def test_verify_names_it_in_both_languages_and_says_no(altered: tuple[Path, Path]) -> None:
    store, case = altered
    done = run("verify", "--store", store, "--json")
    assert done.exit_code == 1
    found: Any = json.loads(done.stdout)
    (fault,) = found["faults"]
    assert (fault["name"], fault["batch"], fault["line"]) == ("fact_altered", 1, "press-1")
    assert fault["day"]
    english = run("verify", "--store", store, "--lang", "en").stdout
    assert f"An imported fact was altered: import 1 ({fault['source']}), number {fault['fact']}" in english
    assert f"day {fault['day']}" in english
    korean = run("verify", "--store", store, "--lang", "ko", "--case", case).stdout
    assert f"가져온 사실이 변경되었습니다: 가져오기 1 ({fault['source']})" in korean
    assert f"날짜 {fault['day']}" in korean


def test_the_command_line_ends_with_2_and_no_traceback(altered: tuple[Path, Path]) -> None:
    store, case = altered
    done = subprocess.run(
        [sys.executable, "-m", "roi_tracker", "measure", "--case", case, "--store", store],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "fact_altered" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_whole_store_holds_and_its_days_are_those_of_its_facts(plant: Plant, tmp_path: Path) -> None:  # noqa: F811 - the fixture's name
    store, case = tmp_path / "roi.sqlite", tmp_path / "case.yaml"
    shutil.copy(plant.path, store)
    case.write_text(plant.text.text, encoding="utf-8")
    done = run("verify", "--store", store, "--case", case, "--lang", "en")
    assert done.exit_code == 0, done.stdout
    assert "are as this program left them" in done.stdout
    assert run("verify", "--store", store, "--head", "0123456789ab").exit_code == 1
    assert run("verify", "--store", store, "--forget-derived", "--case", case).exit_code == 0


def test_forged_derived_days_are_neither_verified_nor_saved(plant: Plant, tmp_path: Path) -> None:  # noqa: F811 - the fixture's name
    store, case = tmp_path / "roi.sqlite", tmp_path / "case.yaml"
    shutil.copy(plant.path, store)
    case.write_text(plant.text.text, encoding="utf-8")
    opened = SqliteStore(store)
    name = derivation_name(plant.text.case().plant)
    true, watermark = observe(opened, ShiftCalendar(plant.text.case().plant), name), opened.fact_watermark()
    last = true.products[-1]
    forged = (*true.products[:-1], msgspec.structs.replace(last, rejected=0))
    opened.forget_observations()
    days = {row.day for row in true.line_shifts}
    opened.keep_observations(name, watermark, msgspec.structs.replace(true, products=forged), days)
    head = opened.head().sha256
    opened.close()
    done = run("verify", "--store", store, "--head", head, "--json")  # the seals hold, the cache's digests fit
    assert done.exit_code == 1
    assert [fault["day"] for fault in json.loads(done.stdout)["faults"]] == [last.day.isoformat()]
    saved = run("report", "--case", case, "--store", store, "--format", "json", "--save")
    assert isinstance(saved.exception, StoreAlteredError)
    assert "day_altered" in str(saved.exception)
    assert run("verify", "--store", store, "--forget-derived").exit_code == 0
    assert run("report", "--case", case, "--store", store, "--format", "json", "--save").exit_code == 0


@pytest.mark.parametrize("where", ["folder", "under_a_file", "foreign"])
def test_an_impossible_store_ends_with_3(tmp_path: Path, where: str) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("line,start,end,product,produced\nl,2025-03-01 06:00,2025-03-01 14:00,p,5\n", encoding="utf-8")
    place = {
        "folder": tmp_path,
        "under_a_file": file / "roi.sqlite",
        "foreign": tmp_path / "other.sqlite",
    }[where]
    if where == "foreign":
        raw = apsw.Connection(str(place))
        raw.execute("CREATE TABLE customers (name TEXT)")
        raw.close()
    done = subprocess.run(
        [sys.executable, "-m", "roi_tracker", "import", file, "--store", place],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "Fix: " in done.stderr
    assert "Traceback" not in done.stderr


def test_both_languages_have_the_same_words_and_every_fault_one() -> None:
    korean, english = store_catalogue("ko"), store_catalogue("en")
    assert korean.keys == english.keys
    assert {f"fault.{name}" for name in get_args(StoreFaultName)} <= english.keys
    assert {f"chain.{name}" for name in get_args(ChainFaultName)} <= english.keys


def test_the_portal_stops_showing_figures_once_a_fact_is_altered(plant: Plant, tmp_path: Path) -> None:  # noqa: F811 - the fixture's name
    copy = Plant(tmp_path / "roi.sqlite", plant.text)
    shutil.copy(plant.path, copy.path)
    service = _service(copy)
    assert ask(service, "/").status_code == 200
    raw = apsw.Connection(str(copy.path))
    raw.execute("DROP TRIGGER fact_no_update")
    raw.execute("UPDATE fact SET at_us = at_us + 1 WHERE number = 3")
    raw.close()
    refused = ask(service, "/")
    assert refused.status_code == 409
    assert "fact_altered: import 1" in refused.json()["error"]
