"""Page 1: what a controller asks first stands on one A4 page in both languages, however many lines a case has."""

from __future__ import annotations

from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING

import msgspec
import pytest
import typst

from roi_tracker.render.content_page import render_content_page
from roi_tracker.render.content_pdf import typst_inputs
from roi_tracker.render.report_content import report_content
from roi_tracker.render.report_ledger import changed_by_ledger
from roi_tracker.render.report_wording import ReportWording
from tests.roi_tracker.report.conftest import ON

if TYPE_CHECKING:
    from roi_tracker.money import Language
    from roi_tracker.report.model import LineSection, Report
    from tests.roi_tracker.report.conftest import Plant


@pytest.fixture(scope="module")
def report(plant: Plant) -> Report:
    return plant.reporting().report(ON)


def of_lines(report: Report, count: int) -> Report:
    """The same report with that many lines."""

    def named(line: LineSection, number: int) -> LineSection:
        result = msgspec.structs.replace(line.result, benefit_id=f"{line.result.benefit_id}-{number}")
        return msgspec.structs.replace(line, result=result)

    lines = tuple(named(report.lines[number % len(report.lines)], number) for number in range(count))
    return msgspec.structs.replace(report, lines=lines, prospects=())


def ends_on(report: Report, language: Language) -> list[int]:
    """The page on which page 1 ends."""
    room = resources.files("roi_tracker.render").joinpath("typst")
    with resources.as_file(room) as folder:
        found = typst.query(
            folder / "content.typ",
            "<front-ends>",
            field="value",
            root=folder,
            font_paths=[folder / "fonts"],
            ignore_system_fonts=True,
            sys_inputs=typst_inputs(report_content(report, language)),
        )
    pages: list[int] = msgspec.json.decode(found)
    return pages


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("count", [1, 6, 7, 20])
def test_page_one_is_one_page(report: Report, language: Language, count: int) -> None:
    assert ends_on(of_lines(report, count), language) == [1]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_page_one_says_what_a_controller_asks_first(report: Report, language: Language) -> None:
    w = ReportWording(report, language)
    front = [section for section in report_content(report, language).sections if section.front]
    head, lines, bridge, classes = front
    assert [fact.how for fact in head.facts] == ["benefit", "achievement", "roi", "npv", "payback", "score"]
    assert report.quality.score is not None
    assert head.facts[-1].value == f"{report.quality.score:.0f} / 100"
    (table,) = lines.tables
    for row, line in zip(table.rows, report.lines, strict=True):
        frozen = w.baseline_hash(line.result.benefit_id)
        assert frozen is not None
        assert row[5] == frozen[:12]
        held = line.result.shared or line.result.realized
        basis = line.result.proof.basis
        if held is None or basis is None:
            assert row[2:5] == (w.t("figure.none"),) * 3
            assert row[6] == w.t("lines.not_proven")
        else:
            assert row[3] == f"{w.plain(held.low)} \N{EN DASH} {w.plain(held.high)}"
            assert row[6] == basis.grade
    assert [chart.kind for chart in bridge.charts] == ["bridge"]
    cashable = classes.tables[0].rows[0]
    assert cashable[0] == w.t("class.cashable")
    assert cashable[5] == ", ".join(report.classes[0].grades)
    assert report.classes[0].grades
    assert "\N{EN DASH}" in cashable[4]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_many_lines_stand_on_page_one_and_are_explained_after_it(report: Report, language: Language) -> None:
    content = report_content(of_lines(report, 9), language)
    by_id = {section.id: section for section in content.sections}
    assert by_id["lines-short"].front
    assert not by_id["lines"].front
    assert len(by_id["lines-short"].tables[0].rows) == len(by_id["lines"].tables[0].details) == 9
    unproven = [line for line in of_lines(report, 9).lines if line.result.realized is None]
    told = " ".join(by_id["lines-short"].notes)
    w = ReportWording(report, language)
    assert (w.t("lines.not_proven_are", lines="")[:4] in told) == bool(unproven)
    (adjusted,) = changed_by_ledger(w, report.realized[0])  # both quantities of the plant's signed adjustment
    assert adjusted in told
    assert 'class="front"' in render_content_page(content)


def scaled(report: Report, times: Decimal) -> Report:
    """The same report about money that many times as much."""
    lines: list[LineSection] = []
    for line in report.lines:
        result = line.result
        held = None
        if result.realized is not None:
            ends = {name: getattr(result.realized, name) * times for name in ("low", "value", "high")}
            held = msgspec.structs.replace(result.realized, **ends)
        changed = msgspec.structs.replace(result, projected=result.projected * times, realized=held, shared=held)
        lines.append(msgspec.structs.replace(line, result=changed))
    real = report.realization
    sums = {
        name: msgspec.structs.replace(whole, benefit=whole.benefit * times, cost=whole.cost * times)
        for name, whole in (("realized", real.realized), ("projected", real.projected))
    }
    return msgspec.structs.replace(report, lines=tuple(lines), realization=msgspec.structs.replace(real, **sums))


def test_the_english_unit_follows_the_size_and_the_korean_one_stays_the_cases(report: Report) -> None:
    for times, unit in (("1", "KRW million"), ("0.01", "KRW thousand"), ("0.00001", "KRW")):
        made = scaled(report, Decimal(times))
        assert (ReportWording(made, "en").unit, ReportWording(made, "ko").unit) == (unit, "만원")
    w = ReportWording(scaled(report, Decimal(1_000)), "en")
    assert w.unit == "KRW million"
    assert w.stated(150.0) == "KRW 1.5 million"  # 150 of the case's 만원


def test_money_that_is_there_is_never_shown_as_none(report: Report) -> None:
    w = ReportWording(report, "ko")
    assert (w.plain(Decimal(40)), w.plain(Decimal(-40)), w.plain(Decimal(0))) == ("0.004", "\N{MINUS SIGN}0.004", "0.0")
    assert w.signed(Decimal(40)) == "+0.004"
