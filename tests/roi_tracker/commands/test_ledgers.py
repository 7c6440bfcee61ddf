"""Ledger and board at the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import apsw
import pytest
from typer.testing import CliRunner, Result

import roi_tracker
from roi_tracker.__main__ import app
from roi_tracker.adapters.entry_file import read_entries
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.errors import IntakeError, StoreError
from roi_tracker.ledger.entries import ActualCost

CASE = Path(roi_tracker.__file__).parent / "examples" / "small_press_line.yaml"
COST = """
[[entry]]
kind = "cost"
day = 2025-10-31
amount = 12500.50
cost = "running"
name_ko = "전력"
name_en = "Power"
reference = "meter 10"
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "roi.sqlite"
    SqliteStore(path).close()
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def document(*arguments: object) -> Any:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def written(tmp_path: Path, text: str, name: str = "entries.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_register_add_show_verify(tmp_path: Path, store: Path) -> None:
    common = ("--case", CASE, "--store", store, "--author", "controller")
    first = document("ledger", "register", *common)
    kinds = [entry["body"]["kind"] for entry in first["written"]]
    assert kinds == ["case_version", "unit_value", "unit_value", "unit_value"]
    assert first["written"][0]["body"]["text"] == CASE.read_text(encoding="utf-8")
    assert document("ledger", "register", *common)["written"] == []
    (added,) = document("ledger", "add", written(tmp_path, COST), *common)
    assert (added["number"], added["body"]["amount"]) == (5, "12500.50")
    again = run("ledger", "add", written(tmp_path, COST), *common)
    assert isinstance(again.exception, StoreError)
    shown = run("ledger", "show", "--store", store, "--kind", "cost")
    assert "12500.50 running, Power (meter 10)" in shown.stdout
    found = document("ledger", "verify", "--store", store, "--head", added["sha256"])
    assert (found["entries"], found["head"]["sha256"], found["faults"]) == (5, added["sha256"], [])
    short = shown.stdout.strip().rpartition("; ")[2]
    assert short == added["sha256"][:16]
    assert document("ledger", "verify", "--store", store, "--head", short)["faults"] == []
    assert run("ledger", "verify", "--store", store, "--head", "f" * 64).exit_code == 1


def alter_an_amount(tmp_path: Path, store: Path) -> None:
    common = ("--case", CASE, "--store", store, "--author", "controller")
    document("ledger", "add", written(tmp_path, COST), *common)
    raw = apsw.Connection(str(store))
    raw.execute("DROP TRIGGER ledger_no_update")
    raw.execute("UPDATE ledger SET body = CAST(replace(CAST(body AS TEXT), '12500.50', '1.50') AS BLOB)")
    raw.close()


@pytest.mark.parametrize(
    "command",
    [
        *(("report", "--format", output) for output in ("html", "pdf", "xlsx", "csv", "json")),
        ("report", "--format", "all"),
        ("report", "--drill", "fewer-defects", "--format", "csv"),
        ("board",),
    ],
)
def test_nothing_is_reported_from_an_altered_ledger(tmp_path: Path, store: Path, command: tuple[str, ...]) -> None:
    alter_an_amount(tmp_path, store)
    out = tmp_path / "out"
    place = ("--out", out) if "all" in command else ()
    done = run(*command, "--case", CASE, "--store", store, *place)
    assert isinstance(done.exception, StoreError)
    assert "does not hold at entry 1 (altered" in str(done.exception)
    assert not out.exists()
    assert not done.stdout


def test_verify_says_no_when_an_amount_was_altered(tmp_path: Path, store: Path) -> None:
    alter_an_amount(tmp_path, store)
    done = run("ledger", "verify", "--store", store)
    assert done.exit_code == 1
    assert "entry 1: altered" in done.stdout


def test_a_closing_date_that_has_passed_is_told(tmp_path: Path, store: Path) -> None:
    text = CASE.read_text(encoding="utf-8").replace(
        "    lines: [press-1]\n", "    lines: [press-1]\n    measurement: {closing_dates: [2025-12-31]}\n", 1
    )
    done = run("ledger", "register", "--case", written(tmp_path, text, "c.yaml"), "--store", store, "--author", "a")
    assert done.exit_code == 1
    assert "too late: closing date 2025-12-31 of fewer-defects" in done.stdout


def test_a_changed_unit_value_is_told_and_both_stay(tmp_path: Path, store: Path) -> None:
    document("ledger", "register", "--case", CASE, "--store", store, "--author", "a")
    text = CASE.read_text(encoding="utf-8").replace("amount: 1500\n", "amount: 1800\n")
    changed = document(
        "ledger", "register", "--case", written(tmp_path, text, "c.yaml"), "--store", store, "--author", "a"
    )
    assert changed["changed"] == ["fewer-defects"]
    assert [entry["body"]["kind"] for entry in changed["written"]] == ["case_version", "unit_value"]


def test_wrong_entries_are_all_named(tmp_path: Path) -> None:
    wrong = written(tmp_path, COST + COST.replace("amount", "amuont") + '[[entry]]\nkind = "gift"\n')
    with pytest.raises(IntakeError, match=r"2 entries of entries\.toml") as caught:
        read_entries(wrong)
    assert [row.line for row in caught.value.rows] == [2, 3]
    with pytest.raises(IntakeError, match="no list of entries"):
        read_entries(written(tmp_path, "[entry]\n"))
    with pytest.raises(IntakeError, match="cannot be read"):
        read_entries(written(tmp_path, "entry ="))


def test_json_and_toml_say_the_same_exactly(tmp_path: Path) -> None:
    row = {
        "kind": "cost", "day": "2025-10-31", "amount": 12500.1, "cost": "running", "name_ko": "전력",
        "name_en": "Power", "reference": "meter 10",
    }  # fmt: skip
    (found,) = read_entries(written(tmp_path, json.dumps({"entry": [row]}), "e.json"))
    (other,) = read_entries(written(tmp_path, COST.replace("12500.50", "12500.1")))
    assert isinstance(found, ActualCost)
    assert (found, str(found.amount)) == (other, "12500.1")


def test_losses_of_an_empty_store(store: Path) -> None:
    assert "0 losses" in run("ledger", "losses", "--case", CASE, "--store", store).stdout
    assert run("ledger", "show", "--store", store).exit_code == 1


def test_no_store_is_made_by_looking(tmp_path: Path) -> None:
    missing = tmp_path / "none.sqlite"
    assert isinstance(run("ledger", "verify", "--store", missing).exception, StoreError)
    assert not missing.exists()


def test_the_board_of_a_case_without_one_says_what_to_do(store: Path) -> None:
    english = run("board", "--case", CASE, "--store", store, "--lang", "en")
    assert english.exit_code == 1
    assert "states no kpi_board" in english.stdout
    assert "kpi_board" in run("board", "--case", CASE, "--store", store).stdout


def test_the_board_as_json(tmp_path: Path, store: Path) -> None:
    text = CASE.read_text(encoding="utf-8") + (
        "\nkpi_board:\n  - {id: d, name: {ko: 불량률, en: Defect rate}, axis: cost, source: defects,"
        ' unit: "%", target: 2, owner: quality}\n'
    )
    done = run("board", "--case", written(tmp_path, text, "c.yaml"), "--store", store, "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert (found["entries"][0]["state"], found["empty_axes"]) == ("not_measured", ["productivity", "revenue", "risk"])


def test_costs_of_a_file_are_booked_once(tmp_path: Path, store: Path) -> None:
    costs = written(
        tmp_path,
        "day,amount,kind,reference,name\n2025-09-30,900000,running,invoice 25-0988,Maintenance Q3\n",
        "costs.csv",
    )
    common = ("--case", CASE, "--store", store)
    assert document("ledger", "import", costs, *common)["added"] == 1
    again = document("ledger", "import", costs, *common)
    assert (again["added"], again["duplicates"]) == (0, 1)
    (entry,) = document("ledger", "show", "--store", store)
    assert (entry["body"]["amount"], entry["body"]["reference"]) == ("900000", "invoice 25-0988")
