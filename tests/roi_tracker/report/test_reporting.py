"""A report with everything in it: made, saved, made again byte for byte, and followed down to single events."""

from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, get_args

import msgspec
import pytest

from roi_tracker.adapters.sqlite_ledger import SqliteLedger
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.errors import CaseError, StoreError
from roi_tracker.ledger.entries import ReportSaved
from roi_tracker.observations import facts as f
from roi_tracker.realization.flows import Flow, present_value
from roi_tracker.render.content_page import render_content_page
from roi_tracker.render.drill_files import render_drill_csv, render_drill_json
from roi_tracker.render.json_document import render_json
from roi_tracker.render.report_content import report_content
from roi_tracker.render.report_outputs import ReportFormat, render_report
from roi_tracker.render.report_workbook import render_report_workbook
from roi_tracker.report.case_text import CaseText
from roi_tracker.report.drilldown import in_month
from roi_tracker.reporting import Reporting, check_reproduced, find_saved, register_text, reproduce, save_report
from tests.roi_tracker.oracles.recalculate import _convert, cells, differences, soffice, without_values
from tests.roi_tracker.report.conftest import ON

if TYPE_CHECKING:
    from pathlib import Path

    from roi_tracker.money import Language
    from roi_tracker.report.model import Report
    from tests.roi_tracker.report.conftest import Plant

FORMATS: tuple[ReportFormat, ...] = get_args(ReportFormat)


@pytest.fixture(scope="module")
def programme(plant: Plant) -> Reporting:
    return plant.reporting()


@pytest.fixture(scope="module")
def report(programme: Reporting) -> Report:
    return programme.report(ON)


@pytest.fixture(scope="module")
def twin(plant: Plant) -> tuple[Reporting, Report]:
    """Everything a second time, from the store."""
    again = plant.reporting()
    return again, again.report(ON)


def test_every_part_is_filled(report: Report) -> None:
    assert [line.result.proof.__struct_config__.tag for line in report.lines][:1] == ["realized"]
    assert report.gaps == ()
    assert report.pilot is not None
    assert [gate.state for gate in report.realization.gates] == ["passed", "not_yet"]
    assert [claim.evidence for claim in report.claims] == [("part/1",)]
    assert [(row.cause, row.quantity) for row in report.realization.costs.harm] == [("system_stop", Decimal(1))]
    assert report.quality.score is not None
    assert {one.benefit_id for one in report.inputs.baselines} == {line.result.benefit_id for line in report.lines}
    assert [one.benefit_class for one in report.classes] == ["cashable", "redeployed"]


def test_classes_add_up_to_the_headline(report: Report) -> None:
    counted = sum((one.low for one in report.classes if one.counted), Decimal(0))
    assert counted == report.realization.realized.benefit


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_says_everything(report: Report, language: str) -> None:
    content = report_content(report, "ko" if language == "ko" else "en")
    assert [section.id for section in content.sections if section.front] == ["head", "lines", "bridge", "classes"]
    assert [section.id for section in content.sections][4:8] == ["curve", "bridge-lines", "not-proven", "basis"]
    page = render_content_page(content)
    assert "<script" not in page
    assert "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    for line in report.lines:
        assert f'id="line-{line.result.benefit_id}"' in page
        assert line.result.proof.basis is not None
        assert line.result.proof.basis.baseline_sha256 in page
    for word in (report.inputs.case_sha256, report.inputs.ledger_head, "supplier changed", "steering group"):
        assert word in page
    assert page.count("#how-npv") >= 1
    assert 'id="how-npv"' in page
    assert ("모의 데이터" in page, "Simulated data" in page) == (True, True)


def test_every_how_link_has_its_row(report: Report) -> None:
    content = report_content(report, "en")
    wanted = {fact.how for section in content.sections for fact in section.facts}
    wanted |= {column.how for section in content.sections for table in section.tables for column in table.columns}
    there = {anchor for section in content.sections for table in section.tables for anchor in table.anchors}
    assert {f"how-{name}" for name in wanted if name} == there


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("output", FORMATS)
def test_the_same_inputs_give_the_same_bytes(
    report: Report, programme: Reporting, twin: tuple[Reporting, Report], output: ReportFormat, language: Language
) -> None:
    first = render_report(report, output, language, programme)
    again, made = twin
    assert render_report(made, output, language, again) == first


def test_a_saved_report_is_made_again_after_the_world_went_on(plant: Plant, tmp_path: Path) -> None:
    """New facts, a correction, another frozen baseline, more ledger entries and a changed case: the bytes stay."""
    path = tmp_path / "roi.sqlite"
    shutil.copy(plant.path, path)
    store, ledger = SqliteStore(path), SqliteLedger(path)
    now = datetime(2026, 1, 5, 8, tzinfo=UTC)
    register_text(plant.case.id, plant.text, ledger, now)
    made = Reporting(plant.case, store, ledger, text=plant.text)
    before = made.report(ON)
    document = render_json(before).encode()
    digest = save_report(before, document, ledger, now)
    assert save_report(before, document, ledger, now) == digest
    assert sum(isinstance(entry.body, ReportSaved) for entry in ledger.entries()) == 1
    files = {output: render_report(before, output, "ko", made) for output in FORMATS}

    at = datetime(2025, 3, 3, 1, tzinfo=UTC)
    stop = f.StopFact(
        key="late/stop",
        line="press-1",
        at=at,
        end=at + timedelta(hours=5),
        origin="simulated",
        asset="press",
        planned=False,
    )
    audit = f.AuditFact(
        key="late/audit",
        line="press-1",
        at=datetime(2025, 11, 3, 1, tzinfo=UTC),
        origin="simulated",
        product="bracket-a",
        shift="day",
        inspector="ai",
        stratum="PASS",
        audited=50,
        defects_found=9,
    )
    store.add_facts([stop, audit], source="later")
    changed = CaseText(plant.text.text.replace("amount: 1500", "amount: 1700"), "yaml")
    later = Reporting(changed.case(), store, ledger, text=changed)
    assert later.freeze(now, "the year was corrected")
    register_text(plant.case.id, changed, ledger, now)
    assert render_json(later.report(ON)).encode() != document

    saved = find_saved(ledger.entries(), digest[:12])
    again = reproduce(saved, store, ledger)
    report = again.report(saved.generated_on)
    check_reproduced(saved, render_json(report).encode())
    assert {output: render_report(report, output, "ko", again) for output in FORMATS} == files
    with pytest.raises(StoreError, match="not the report that was saved"):
        check_reproduced(saved, document + b" ")
    with pytest.raises(StoreError, match="no saved report"):
        find_saved(ledger.entries(), "0" * 12)
    with pytest.raises(StoreError, match="too short"):
        find_saved(ledger.entries(), "ab")


def test_a_workbooks_case_is_read_back_from_its_text(plant: Plant) -> None:
    written = CaseText(plant.case.model_dump_json(), "json")
    assert written.case() == plant.case


def test_npv_to_date_follows_from_the_parts_of_the_report(plant: Plant, report: Report) -> None:
    real = report.realization
    flows = [Flow(row.day, -row.amount) for row in real.costs.paid]
    flows += [Flow(row.day, -row.amount) for row in real.costs.harm if row.counted]
    before = Decimal(0)
    for point in real.curve:
        flows.append(Flow(point.day, point.low - before))
        before = point.low
    assert present_value(plant.case, flows) == real.realized.npv


@pytest.mark.skipif(soffice() is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("language", ["ko", "en"])
def test_another_program_recalculates_the_workbook(
    report: Report, programme: Reporting, tmp_path: Path, language: str
) -> None:
    stored = tmp_path / "report.xlsx"
    stored.write_bytes(render_report_workbook(report, "ko" if language == "ko" else "en", programme))
    bare = tmp_path / "bare" / "report.xlsx"
    bare.parent.mkdir()
    without_values(stored, bare)
    _convert([bare], tmp_path / "back", tmp_path / "profile")
    ours, theirs = cells(stored), cells(tmp_path / "back" / "report.xlsx")
    assert sum(cell.formula is not None for cell in ours.values()) > 100
    assert list(differences("report", ours, theirs)) == []
    sums = [cell for cell in ours.values() if cell.formula is not None and "ROUND(" in cell.formula]
    assert {cell.value for cell in sums} == {0.0}


def test_a_figure_leads_to_its_observations_and_their_events(programme: Reporting) -> None:
    rows = in_month(programme.rows("fewer-defects"), "2025-10")
    assert {row.period for row in rows} == {"reporting"}
    assert len(rows) == 31 * 3 * 2
    events = {row.key: [fact.key for fact in facts] for row, facts in programme.events(rows)}
    day = "press-1/2025-10-01/day/bracket-a"
    assert {"press-1/production/2025-10-01/day/bracket-a", "part/1", "judged/1"} <= set(events[day])
    assert "part/1" not in events["press-1/2025-10-01/day/bracket-b"]
    assert all(keys for keys in events.values())


def test_every_stop_hour_is_in_the_events_behind_it(programme: Reporting) -> None:
    """Hours of the stops behind a shift, cut at its borders, are the shift's stop hours."""
    rows = in_month(programme.rows("less-downtime"), "2025-10")
    for row, facts in programme.events(rows):
        stops = [fact for fact in facts if isinstance(fact, f.StopFact) and not fact.planned]
        assert (row.stops or 0) <= len(stops)
        if not stops:
            assert not row.stop_h


def test_drill_files(programme: Reporting) -> None:
    rows = in_month(programme.rows("fewer-defects"), "2025-10")[:4]
    text = b"".join(render_drill_csv("fewer-defects", programme.events(rows))).decode("utf-8-sig")
    written = list(csv.DictReader(io.StringIO(text)))
    assert [row["produced"] for row in written] == [str(row.produced) for row in rows]
    assert all(int(row["events"]) == len(row["event_keys"].split()) for row in written)
    document = json.loads(b"".join(render_drill_json("fewer-defects", programme.events(rows))))
    assert [one["key"] for one in document["observations"]] == [row.key for row in rows]
    assert all(one["events"][0]["fact"] for one in document["observations"])
    with pytest.raises(CaseError, match="no such benefit line"):
        programme.rows("nothing")


def test_texts_never_turn_into_formulas(report: Report, programme: Reporting) -> None:
    claim = report.claims[0].statement
    assert claim.startswith("=")
    text = render_report(report, "csv", "en", programme).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text)):
        assert not any(cell.startswith(("=", "@", "+")) for cell in row)


def test_a_report_before_any_measured_day(plant: Plant, tmp_path: Path) -> None:
    store, ledger = SqliteStore(tmp_path / "empty.sqlite"), SqliteLedger(tmp_path / "empty.sqlite")
    programme = Reporting(plant.case, store, ledger, text=plant.text)
    report = programme.report(ON)
    assert report.realization.as_of is None
    assert report.realized == ()
    for output in FORMATS:
        assert render_report(report, output, "en", programme)
    page = render_report(report, "html", "en", programme).decode()
    assert "roi-tracker import" in page
    assert msgspec.json.decode(render_report(report, "json", "en", programme))["case_id"] == plant.case.id
