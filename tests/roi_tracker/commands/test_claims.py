"""Claims and adjustments as people enter them: what the events do not show is refused, in both languages."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from roi_tracker.__main__ import app
from roi_tracker.adapters.sqlite_ledger import SqliteLedger
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.errors import CaseError, UnreachableError
from roi_tracker.ledger.entries import Claim, Draft
from roi_tracker.observations.facts import StopFact
from tests.roi_tracker.adapters.test_http_feed_pins import agent  # noqa: F401 - a fixture
from tests.roi_tracker.report.conftest import plant  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.roi_tracker.adapters.test_http_feed_pins import Agent
    from tests.roi_tracker.report.conftest import Plant

ADJUSTMENT = """
[[entry]]
kind = "adjustment"
benefit_id = "fewer-defects"
first = 2025-08-04
last = 2025-08-31
factor = 0.9
event = "die 4 replaced"
reason = "the new die scraps less"
approver = "controller"
evidence = ["trial-2025-08.pdf"]
"""


def claim(
    benefit: str = "fewer-defects", first: str = "2025-10-01", keys: str = '"system-stop/1"', last: str = ""
) -> str:
    days = f"first = {first}\nlast = {last or first}\n"
    return f'[[entry]]\nkind = "claim"\nbenefit_id = "{benefit}"\n{days}evidence = [{keys}]\nstatement = "avoided"\n'


@pytest.fixture
def place(plant: Plant, tmp_path: Path) -> Path:  # noqa: F811 - the fixture's name
    """A folder with a store of a year, whose ledger claims `part/1` for fewer-defects, and its case."""
    shutil.copy(plant.path, tmp_path / "roi.sqlite")
    (tmp_path / "case.yaml").write_text(plant.text.text, encoding="utf-8")
    return tmp_path


VALUE = """
[[entry]]
kind = "unit_value"
subject = "fewer-defects"
amount = 9000
per = "defect"
valid_from = 2025-01-01
valid_to = 2026-12-31
source = "sheet of today"
owner = "controller"
approver = "boss"
"""
CREDIT = """
[[entry]]
kind = "cost"
day = 2025-10-31
amount = -40000000
cost = "capital"
name_ko = "반품"
name_en = "Returned"
reference = "credit 1"
reverses = "invoice 25-0742"
approver = "controller"
"""


def add(place: Path, text: str, *extra: object) -> Result:
    (place / "e.toml").write_text(text, encoding="utf-8")
    words = ["ledger", "add", place / "e.toml", "--case", place / "case.yaml", "--store", place / "roi.sqlite"]
    return CliRunner().invoke(app, [str(word) for word in (*words, "--author", "quality", *extra)])


def shown(place: Path, kind: str) -> list[Any]:
    words = ["ledger", "show", "--store", str(place / "roi.sqlite"), "--kind", kind, "--json"]
    found: list[Any] = json.loads(CliRunner().invoke(app, words).stdout)
    return found


@pytest.mark.parametrize(
    ("text", "english", "korean"),
    [
        (claim("typo"), "no such benefit line", "그런 효과 항목이 없습니다"),
        (claim(keys='"nothing"'), "no such event in the store", "저장소에 그런 이벤트가 없습니다"),
        (
            claim(first="2025-10-02"),
            "this event is of 2025-10-01, the claim is for 2025-10-02",
            "청구 기간은 2025-10-02",
        ),
        (claim(first="2025-02-01"), "it ends before go-live", "가동 개시 전에 끝납니다"),
        (claim(keys='"part/1"'), "this event was claimed for fewer-defects", "이미 청구되었습니다"),
        (claim("less-downtime", keys='"part/1"'), "was claimed for fewer-defects: it counts once", "한 번만 셉니다"),
        (claim(keys='"judged/1"'), "the same loss (part/1) was claimed for fewer-defects", "같은 손실(part/1)이"),
        (claim(keys='"system-stop/1", "system-stop/1"'), "cites this event twice", "두 번 인용합니다"),
        (claim() + claim(), "entry 2: the same claim is in the ledger already", "같은 청구가 이미"),
        (claim() + claim("less-downtime"), "entry 2: this event was claimed for fewer-defects", "한 번만 셉니다"),
        (ADJUSTMENT.replace("factor = 0.9\n", ""), "it changes nothing", "아무것도 바꾸지 않습니다"),
        (ADJUSTMENT.replace("fewer-defects", "typo"), "no such benefit line", "그런 효과 항목이 없습니다"),
        (ADJUSTMENT.replace("die 4 replaced", " "), "an adjustment without an event", "사건이 없는 조정입니다"),
        (ADJUSTMENT.replace('["trial-2025-08.pdf"]', "[]"), "an adjustment without evidence", "증거가 없는 조정입니다"),
        (ADJUSTMENT.replace("2025-08-", "2025-05-"), "it ends before go-live", "가동 개시 전에 끝납니다"),
        (ADJUSTMENT + ADJUSTMENT, "entry 2: the same adjustment is signed already", "이미 서명되었습니다"),
        (ADJUSTMENT.replace("0.9", "1000"), "more than the frozen baseline expects", "더 많이 더합니다"),
        (
            ADJUSTMENT.replace("factor = 0.9", "quantity = 1000000000"),
            "more than the frozen baseline",
            "더 많이 더합니다",
        ),
        (VALUE, "from go-live (2025-07-15) on a unit value is not raised; 1500 was frozen", "단가를 올리지 않습니다"),
        (VALUE.replace('"defect"', '"h"'), "fewer-defects is valued per defect", "단가는 defect당"),
        (VALUE.replace("fewer-defects", "overkil"), "and no harm, has this name", "이런 이름이 없습니다"),
        (CREDIT.replace("invoice 25-0742", "typo"), "no cost with this reference", "기장된 비용이 없습니다"),
        (CREDIT.replace("2025-10-31", "2025-07-01"), "dated before the cost", "날짜(2025-07-12)보다 앞섭니다"),
        (CREDIT, "only 12500000 of that cost is left", "되돌릴 수 있는 금액은 12500000뿐"),
        (
            CREDIT.replace("-40000000", "-7000000") + CREDIT.replace("-40000000", "-7000000").replace("credit 1", "2"),
            "only 5500000 of that cost is left",
            "되돌릴 수 있는 금액은 5500000뿐",
        ),
        (
            '[[entry]]\nkind = "closing_date"\nbenefit_id = "fewer-defects"\nday = 2099-12-31\n',
            "the case names no such closing date",
            "그런 마감일이 없습니다",
        ),
    ],
)
def test_what_may_not_be_written_is_refused_with_its_reason(place: Path, text: str, english: str, korean: str) -> None:
    before = shown(place, "claim") + shown(place, "adjustment")
    for lang, words in (("en", english), ("ko", korean)):
        done = add(place, text, "--lang", lang)
        assert isinstance(done.exception, CaseError), done.output
        assert words in str(done.exception)
        assert "Fix: " in str(done.exception)
    assert shown(place, "claim") + shown(place, "adjustment") == before


def test_an_event_of_another_line_is_refused(place: Path) -> None:
    case = place / "case.yaml"
    case.write_text(case.read_text(encoding="utf-8").replace("lines: [press-1]", "lines: [press-2]"), encoding="utf-8")
    done = add(place, claim(), "--lang", "en")
    assert "this event is of press-1, the benefit line is measured on press-2" in str(done.exception)


def test_what_the_events_show_is_written_and_told_as_not_pinned(place: Path) -> None:
    done = add(place, claim() + ADJUSTMENT, "--lang", "en")
    assert done.exit_code == 0, done.output
    assert len(shown(place, "claim")) == 2
    assert "not pinned: 1 events of small-press-line/" in done.stderr
    again = add(place, claim(), "--lang", "en")
    assert "the same claim is in the ledger already" in str(again.exception)


def test_with_an_agents_address_evidence_is_pinned_at_once(place: Path, agent: Agent) -> None:  # noqa: F811 - the fixture's name
    done = add(place, claim(), "--feed", agent.address, "--lang", "en")
    assert done.exit_code == 0, done.output
    assert {key for sent in agent.sent for key in sent["keys"]} == {"part/1", "system-stop/1"}
    assert [entry["body"]["evidence"] for entry in shown(place, "evidence_pin")] == [["part/1"], ["system-stop/1"]]
    assert "not pinned" not in done.stderr


def test_an_agent_that_does_not_answer_leaves_the_claim_written_and_unpinned(place: Path) -> None:
    done = add(place, claim(), "--feed", "http://127.0.0.1:9", "--lang", "ko")
    assert isinstance(done.exception, UnreachableError)
    assert "기록했으나 고정하지 못함" in done.stderr
    assert len(shown(place, "claim")) == 2
    assert shown(place, "evidence_pin") == []


def test_an_agent_that_does_not_know_an_event_says_no(place: Path, agent: Agent) -> None:  # noqa: F811 - the fixture's name
    at = datetime(2025, 10, 2, 1, tzinfo=UTC)
    end = at + timedelta(hours=1)
    stop = StopFact(key="foreign/1", line="press-1", at=at, end=end, origin="measured", asset="press", planned=False)
    store = SqliteStore(place / "roi.sqlite")
    store.add_facts([stop], source="another agent")
    store.close()
    done = add(place, claim(first="2025-10-02", keys='"foreign/1"'), "--feed", agent.address, "--lang", "en")
    assert done.exit_code == 1
    assert "not pinned: 1 events" in done.stderr
    assert [entry["body"]["evidence"] for entry in shown(place, "evidence_pin")] == [["part/1"]]


def test_the_list_of_claims_tells_what_is_not_shown_and_not_kept(place: Path, agent: Agent) -> None:  # noqa: F811 - the fixture's name
    words = ["ledger", "claims", "--case", str(place / "case.yaml"), "--store", str(place / "roi.sqlite")]
    done = CliRunner().invoke(app, [*words, "--lang", "en"])
    assert done.exit_code == 1
    assert "evidence checked; not pinned at an agent: 1 of 1 events may be deleted there" in done.stdout
    assert add(place, claim(), "--feed", agent.address).exit_code == 0
    kept = CliRunner().invoke(app, [*words, "--lang", "ko"])
    assert kept.exit_code == 0, kept.stdout
    assert kept.stdout.count("증거 확인됨; 에이전트가 이벤트 1건을 모두 보존합니다") == 2
    ledger = SqliteLedger(place / "roi.sqlite")
    body = Claim(
        benefit_id="fewer-defects", first=date(2025, 9, 1), last=date(2025, 9, 1), evidence=("gone",), statement="old"
    )
    ledger.append([Draft("small-press-line", datetime.now(UTC), "somebody", body)])
    ledger.close()
    told = CliRunner().invoke(app, [*words, "--lang", "en"])
    assert told.exit_code == 1
    assert "evidence not checked, not counted: no such event in the store (gone)" in told.stdout
    found = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert [state["why"] and state["why"]["name"] for state in found] == [None, None, "event_unknown"]
