"""Files as plants send them, imported into a real store."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import roi_tracker
from roi_tracker.adapters.plant_file import open_plant_file
from roi_tracker.errors import IntakeError
from roi_tracker.plant_files.importing import Plant, read_costs
from roi_tracker.plant_files.mapping import Mapping, read_mapping

if TYPE_CHECKING:
    from roi_tracker.ports import Imported

KOREAN = '라인,생산일자,교대,품목,생산수량,불량수량,계획가동시간(분)\n프레스1,2025-03-01,day,A-1,"1,200",24,450\n'


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_korean_counts_in_any_encoding(desk: Any, encoding: str) -> None:
    done: Imported = desk.load(desk.lay("mes.csv", KOREAN, encoding))
    assert (done.added, done.duplicates) == (1, 0)
    (fact,) = desk.facts()
    assert (fact.line, fact.product, fact.produced, fact.inspected, fact.rejected) == ("프레스1", "A-1", 1200, 1200, 24)
    assert (fact.at, fact.end) == (utc("2025-03-01T06:00+09:00"), utc("2025-03-01T14:00+09:00"))
    assert (fact.planned_busy_s, fact.shift, fact.origin) == (27_000.0, "day", "imported")


def test_the_same_file_again_adds_nothing_and_a_changed_row_is_a_correction(desk: Any) -> None:
    path = desk.lay("mes.csv", KOREAN)
    desk.load(path)
    assert (desk.load(path).added, desk.load(path).duplicates) == (0, 1)
    then = desk.store.fact_watermark()
    changed = desk.lay("mes2.csv", KOREAN.replace(",24,", ",30,"))
    with pytest.raises(IntakeError, match="contradict what is known") as refused:
        desk.load(changed)
    (row,) = refused.value.rows
    assert (row.source, row.line) == ("mes2.csv", 2)
    assert "rejected 24 is stored, 30 given" in row.message
    assert [fact.rejected for fact in desk.facts()] == [24]
    done = desk.load(changed, replace=True)
    assert (done.added, done.replaced, done.duplicates) == (0, 1, 0)
    assert [fact.rejected for fact in desk.facts()] == [30]
    assert [fact.rejected for fact in desk.store.facts(then)] == [24]
    kept = desk.store._connection.execute(
        "SELECT source, superseded FROM fact JOIN import ON import.number = fact.import ORDER BY fact.number"
    ).fetchall()
    assert kept == [("mes.csv", 2), ("mes2.csv", None)]


def test_all_or_nothing_with_every_row_named(desk: Any) -> None:
    text = (
        "line,start,end,product,produced,rejected\n"
        "a,2025-03-01 06:00,2025-03-01 14:00,p,100,4\n"
        "a,2025-03-01 14:00,2025-03-01 13:00,p,100,4\n"
        "a,2025-03-02 06:00,2025-03-02 14:00,p,-5,4\n"
        "a,2025-03-03 06:00,2025-03-03 14:00,p,10.5,4\n"
        "a,03/04/2025 06:00,2025-03-04 14:00,p,10,4\n"
        ",2025-03-05 06:00,2025-03-05 14:00,p,10,4\n"
        "a,2025-03-06 06:00,2025-03-06 14:00,p,10,40\n"
        "합계,,,,1000,44\n"
    )
    path = desk.lay("c.csv", text)
    with pytest.raises(IntakeError, match="6 rows") as refused:
        desk.load(path)
    told = [(row.line, row.column, row.value) for row in refused.value.rows]
    assert told == [
        (3, "end", "2025-03-01 04:00:00+00:00"),
        (4, "produced", "-5"),
        (5, "produced", "10.5"),
        (6, "start", "03/04/2025 06:00"),
        (7, "line", ""),
        (8, "rejected", "40"),
    ]
    assert all(row.fix for row in refused.value.rows)
    assert desk.facts() == []
    shown = desk.preview(path)
    assert (shown.kind, shown.rows, shown.wrong, shown.skipped) == ("counts", 1, 6, (9,))
    assert [(c.field, c.header) for c in shown.columns][:2] == [("line", "line"), ("start", "start")]
    assert desk.facts() == []


def test_a_file_that_contradicts_itself_is_refused(desk: Any) -> None:
    rows = "line,date,produced\na,2025-03-01,5\na,2025-03-01,6\n"
    with pytest.raises(IntakeError) as refused:
        desk.load(desk.lay("twice.csv", rows))
    assert [row.line for row in refused.value.rows] == [3]
    assert "keep one" in refused.value.rows[0].fix
    told = refused.value.rows[0]
    assert "produced 5 in another row, 6 given" in told.message
    assert told.message_ko.startswith("a 2025-03-01 06:00 Asia/Seoul: produced: 다른 행의 값 5, 파일의 값 6")


def test_decimal_comma_is_found_or_asked_for(desk: Any) -> None:
    head = "line;start;end;kWh\n"
    rows = "a;2025-03-01 06:00;2025-03-01 14:00;1.234,5\na;2025-03-01 14:00;2025-03-01 22:00;12\n"
    desk.load(desk.lay("e.csv", head + rows))
    assert [fact.kwh for fact in desk.facts()] == [1234.5, 12.0]
    doubtful = desk.lay("f.csv", head + "a;2025-03-02 06:00;2025-03-02 14:00;1,234\n")
    with pytest.raises(IntakeError, match="a thousand or a little more"):
        desk.load(doubtful)
    desk.load(doubtful, decimal=",")
    assert desk.facts()[-1].kwh == 1.234


def test_units_of_header_and_mapping(desk: Any) -> None:
    desk.load(desk.lay("e.csv", "line,date,energy [MWh]\na,2025-03-01,1.5\n"))
    desk.load(desk.lay("l.csv", "line,date,shift,role,작업시간(분)\na,2025-03-01,day,inspector,480\n"))
    energy, labour = desk.facts()
    assert (energy.kwh, labour.hours) == (1500.0, 8.0)
    assert energy.end - energy.at == timedelta(hours=24)
    with pytest.raises(IntakeError, match="unknown unit"):
        desk.load(desk.lay("x.csv", "line,date,energy\na,2025-03-01,1.5\n"), units={"energy": "BTU"})


def test_every_kind_has_its_fact(desk: Any) -> None:
    files = {
        "stops.csv": "라인,설비명,시작시각,정지시간(분),계획여부,정지사유\na,press,2025-03-01 07:00,12,N,jam\n",
        "audit.csv": "line,date,shift,product,stratum,audited,found\na,2025-03-01,day,p,양품,20,1\n",
        "challenge.csv": "line,date,product,inspector,defective,caught,good,과검\na,2025-03-01,p,AI,40,38,60,2\n",
        "escape.csv": "line,date,product,escapes\na,2025-03-09,p,3\n",
        "kpi.csv": "line,date,shift,kpi,numerator,denominator\na,2025-03-01,day,yield,90,100\n",
        "dd.csv": "date,name,value\n2025-03-01,degree_days,11.5\n",
        "roster.csv": "line,date,shift,role,person,hours\n"
        "a,2025-03-01,day,inspector,1,8\na,2025-03-01,day,inspector,2,8\n",
    }
    for name, text in files.items():
        desk.load(desk.lay(name, text))
    found = {type(fact).__name__: fact for fact in desk.facts()}
    assert len(desk.facts()) == 8
    shown = found["ChallengeFact"]
    assert (shown.inspector, shown.defective, shown.caught, shown.good, shown.rejected) == ("ai", 40, 38, 60, 2)
    stop = found["StopFact"]
    assert (stop.asset, stop.end - stop.at, stop.planned, stop.reason) == ("press", timedelta(minutes=12), False, "jam")
    audit = found["AuditFact"]
    assert (audit.stratum, audit.inspector, audit.audited, audit.defects_found) == ("PASS", "previous", 20, 1)
    assert found["EscapeFact"].count == 3
    assert (found["KpiFact"].numerator, found["KpiFact"].denominator) == (90.0, 100.0)
    assert (found["CovariateFact"].line, found["CovariateFact"].value) == ("*", 11.5)


def test_costs_are_rows_for_the_ledger(desk: Any) -> None:
    path = desk.lay(
        "cost.csv",
        '일자,내역,금액(만원),구분,전표번호\n2025-03-01,카메라,"1,250",투자,V-1\n2025-04-01,환급,-50,운영,V-2\n',
    )
    mapping = Mapping()
    with open_plant_file(path, mapping) as sheet:
        costs = read_costs(sheet, mapping, Plant())
    assert [(c.day, c.amount, c.kind, c.reference) for c in costs] == [
        (date(2025, 3, 1), Decimal(12_500_000), "capital", "V-1"),
        (date(2025, 4, 1), Decimal(-500_000), "running", "V-2"),
    ]
    with pytest.raises(IntakeError, match="ledger"):
        desk.load(path)


def test_hours_that_the_clock_skips_or_repeats(desk: Any) -> None:
    head = "line,asset,start,duration (min)\n"
    for text, what in (("2025-03-30 02:30", "does not exist"), ("2025-10-26 02:30", "occurs twice")):
        path = desk.lay("s.csv", head + f"a,m,{text},5\n")
        with pytest.raises(IntakeError) as refused:
            desk.load(path, time_zone="Europe/Berlin")
        assert what in refused.value.rows[0].message
    desk.load(path, time_zone="Europe/Berlin", ambiguous_hour="second")
    assert desk.facts()[0].at == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)


def test_times_with_and_without_offset_do_not_mix(desk: Any) -> None:
    rows = "a,m,2025-03-01T06:00:00+09:00,5\na,m,2025-03-01 07:00,5\n"
    with pytest.raises(IntakeError) as refused:
        desk.load(desk.lay("s.csv", "line,asset,start,duration\n" + rows))
    assert "has no offset" in refused.value.rows[0].message
    desk.plant = Plant()
    with pytest.raises(IntakeError) as refused:
        desk.load(desk.lay("t.csv", "line,asset,start,duration\na,m,2025-03-01 07:00,5\n"))
    assert "no time zone" in refused.value.rows[0].message


def test_headers_that_do_not_tell(desk: Any) -> None:
    with pytest.raises(IntakeError, match="do not tell"):
        desk.load(desk.lay("a.csv", "x,y\n1,2\n"))
    with pytest.raises(IntakeError, match="occur twice"):
        desk.load(desk.lay("b.csv", "line,date,produced,produced\na,2025-03-01,1,2\n"))
    with pytest.raises(IntakeError, match="may all be product"):
        desk.load(desk.lay("c.csv", "line,date,품번,품명,produced\na,2025-03-01,1,x,2\n"))
    with pytest.raises(IntakeError, match="need columns for line"):
        desk.load(desk.lay("d.csv", "date,produced\n2025-03-01,2\n"))
    desk.load(desk.lay("e.csv", "date,produced\n2025-03-01,2\n"), constants={"line": "press-1"})
    assert desk.facts()[0].line == "press-1"


def test_a_mapping_file(desk: Any) -> None:
    mapping = read_mapping(
        'kind = "counts"\nheader_row = 2\ndate_format = "%d.%m.%Y"\n[columns]\nline = "Anlage"\nday = "Tag"\n'
        'produced = "Menge"\n[values.line]\n"L1" = "press-1"\n'
    )
    path = desk.lay("m.csv", "Bericht;;\nAnlage;Tag;Menge\nL1;01.03.2025;5\n")
    desk.load(path, **mapping.model_dump(exclude_unset=True))
    assert (desk.facts()[0].line, desk.facts()[0].at) == ("press-1", utc("2025-03-01T06:00+09:00"))
    with pytest.raises(IntakeError, match="cannot be used"):
        read_mapping('kind = "recipes"')
    with pytest.raises(IntakeError, match="unknown fields colour"):
        desk.load(path, kind="counts", columns={"colour": "Tag"})


def test_a_damaged_row_leaves_the_store_as_it_was(desk: Any) -> None:
    rows = "".join(f"a,2025-03-01,p{number},5\n" for number in range(12_000))
    with pytest.raises(IntakeError, match="1 rows"):
        desk.load(desk.lay("big.csv", "line,date,product,produced\n" + rows + "a,2025-03-01,last,x\n"))
    assert desk.facts() == []
    with pytest.raises(IntakeError, match="quote"):
        desk.load(desk.lay("q.csv", 'line,date,product,produced\na,2025-03-01,"p,5\n'))


def test_the_command_previews_imports_and_books(tmp_path: Path) -> None:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "roi_tracker", "import", *map(str, arguments), "--store", str(store)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    store, case = tmp_path / "roi.sqlite", Path(roi_tracker.__file__).parent / "examples" / "small_press_line.yaml"
    counts, costs = tmp_path / "mes.csv", tmp_path / "cost.csv"
    counts.write_bytes(KOREAN.encode("cp949"))
    costs.write_text("date,name,amount,kind,reference\n2025-03-01,camera,1000,capital,V-1\n", encoding="utf-8")
    shown = run(counts, "--case", case, "--preview")
    assert shown.returncode == 0, shown.stderr
    assert "production and inspection counts" in shown.stdout
    assert not store.exists()
    done = run(counts, costs, "--case", case, "--json")
    assert (done.returncode, json.loads(done.stdout)["added"]) == (0, 2), done.stderr
    assert json.loads(run(counts, costs, "--case", case, "--json").stdout)["duplicates"] == 2
    costs.write_text("date,name,amount,kind,reference\n2025-03-01,camera,1001,capital,V-1\n", encoding="utf-8")
    refused = run(costs, "--case", case)
    assert refused.returncode == 2
    assert "V-1 are booked otherwise" in refused.stderr
    counts.write_text("line,date,produced\na,2025-03-01,-4\n", encoding="utf-8")
    assert run(counts, "--case", case, "--preview").returncode == 1
    wrong = run(counts, "--case", case)
    assert wrong.returncode == 2
    assert "mes.csv:2: produced: -4 is negative. Fix: a count" in wrong.stderr
