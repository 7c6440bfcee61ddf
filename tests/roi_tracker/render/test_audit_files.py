from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import roi_tracker
from roi_tracker.audit.correction import corrected_case
from roi_tracker.audit.document import AuditDocument, audit_document
from roi_tracker.business_case import BusinessCase, parse_case
from roi_tracker.render.appraisal_addresses import address_text, with_names
from roi_tracker.render.appraisal_content import appraisal_content
from roi_tracker.render.appraisal_findings import grouped
from roi_tracker.render.appraisal_outputs import audit_view, render_audit
from roi_tracker.render.appraisal_wording import AppraisalWording

if TYPE_CHECKING:
    from roi_tracker.money import Language
    from roi_tracker.render.appraisal_outputs import OutputFormat
    from roi_tracker.render.content_blocks import Content, Section

EXAMPLES = Path(roi_tracker.__file__).parent / "examples"
AS_OF = date(2025, 3, 1)
LANGUAGES: tuple[Language, Language] = ("ko", "en")
HANGUL = re.compile("[\N{HANGUL SYLLABLE GA}-\N{HANGUL SYLLABLE HIH}]")


@pytest.fixture(scope="module")
def abc() -> BusinessCase:
    return parse_case((EXAMPLES / "abc_manufacturing.yaml").read_text(encoding="utf-8"), "yaml")


@pytest.fixture(scope="module")
def document(abc: BusinessCase) -> AuditDocument:
    return audit_document(abc)


def _file(abc: BusinessCase, document: AuditDocument, output: OutputFormat, language: Language) -> bytes:
    return render_audit(abc, corrected_case(abc), document, output, (language, AS_OF))


def _content(abc: BusinessCase, document: AuditDocument, language: Language) -> Content:
    return appraisal_content(corrected_case(abc), document.corrected, language, AS_OF, audit_view(document))


def _section(content: Content, name: str) -> Section:
    return next(one for one in content.sections if one.id == name)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for one in value for text in _texts(one)]
    fields = getattr(value, "__struct_fields__", ())
    return [text for name in fields for text in _texts(getattr(value, name))]


def test_english_speaks_of_no_korean_unit_or_name(abc: BusinessCase, document: AuditDocument) -> None:
    foreign = [text for text in _texts(_content(abc, document, "en").sections) if HANGUL.search(text)]
    assert foreign == []
    assert not HANGUL.search(_file(abc, document, "html", "en").decode())
    english = [one.explanation.en for one in (*document.findings, *document.cannot_check)]
    assert [text for text in english if HANGUL.search(text)] == []


@pytest.mark.parametrize(
    ("language", "printed", "row"),
    [
        (
            "ko",
            "계획 표기 844.4억원",
            ("불량 감소: 편익 2025\N{EN DASH}2029 · 억원", "28.8 … 108", "2.88 … 10.8", "\N{MULTIPLICATION SIGN}10"),
        ),
        (
            "en",
            "the plan prints KRW 84,440 million",
            (
                "Fewer defects: benefit 2025\N{EN DASH}2029 · KRW million",
                "2,880 … 10,800",
                "288 … 1,080",
                "\N{MULTIPLICATION SIGN}10",
            ),
        ),
    ],
)
def test_figures_stand_in_words_and_units_of_the_language(
    abc: BusinessCase, document: AuditDocument, language: Language, printed: str, row: tuple[str, ...]
) -> None:
    content = _content(abc, document, language)
    assert content.sections[0].facts[0].note == printed
    rows = [found for table in _section(content, "findings").tables for found in table.rows]
    assert row in [found[:4] for found in rows]


def test_each_row_of_findings_says_why(abc: BusinessCase, document: AuditDocument) -> None:
    for table in _section(_content(abc, document, "ko"), "findings").tables:
        assert len(table.details) == len(table.rows)
        assert all(table.details)


def test_grouped_findings_are_all_of_them_in_order(document: AuditDocument) -> None:
    view = audit_view(document)
    groups = grouped(view.findings)
    assert [one for group in groups for one in group] == list(view.findings)
    assert len(groups) < len(view.findings)
    for group in groups:
        assert len({(one.cause, one.unit) for one in group}) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_and_pdf_of_an_audit(abc: BusinessCase, document: AuditDocument, language: Language) -> None:
    pytest.importorskip("typst")
    page = _file(abc, document, "html", language).decode()
    assert page.startswith("<!doctype html>")
    assert page.count("<section") == page.count("</section>") > 12
    assert page.count('class="detail"') == page.count('class="reasoned"') > 60
    assert "<script" not in page
    first = _file(abc, document, "pdf", language)
    assert first[:5] == b"%PDF-"
    assert first == _file(abc, document, "pdf", language)


def test_workbook_lists_every_finding_with_its_numbers(abc: BusinessCase, document: AuditDocument) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(io.BytesIO(_file(abc, document, "xlsx", "en")), data_only=True)
    rows = list(book["Findings"].iter_rows(min_row=3, values_only=True))
    assert len(rows) == len(document.findings)
    by_address: dict[str, Any] = {row[11]: row for row in rows}
    found = by_address["benefits.defects.saving[2025]"]
    assert (found[0], found[5], found[6]) == ("Fewer defects: benefit 2025", "KRW million", 2880)
    assert found[7] == pytest.approx(288)
    assert found[8] == pytest.approx(10)
    assert book["Findings"].auto_filter.ref == f"A2:L{len(rows) + 2}"


def test_csv_and_json_of_an_audit_hold_every_finding(abc: BusinessCase, document: AuditDocument) -> None:
    text = _file(abc, document, "csv", "ko").decode()
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["address"] for row in rows] == [one.id for one in (*document.findings, *document.cannot_check)]
    assert not re.search(r"(?m)^[=+@-]", text)
    told = json.loads(_file(abc, document, "json", "en"))
    assert len(told["findings"]) == len(document.findings)


@pytest.mark.parametrize(
    ("address", "ko", "en"),
    [
        ("scenarios.realistic.npv", "기본 시나리오 NPV", "NPV, realistic"),
        ("benefits.defects.saving[2025]", "불량 감소: 편익 2025", "Fewer defects: benefit 2025"),
        ("benefits.direct.pv", "직접 편익: 현재가치", "Direct benefits: present value"),
        ("opex.maintenance", "연간 운영비: 유지보수", "Running cost a year: Maintenance"),
        (
            "sensitivity.capex.minus_10pct",
            "민감도: 투자비, \N{MINUS SIGN}10 %",
            "Sensitivity: Capital, \N{MINUS SIGN}10 %",
        ),
        ("break_even.energy.reduction", "손익분기: 에너지 절감률", "Break-even: Energy reduction"),
        ("statements.sales[before]", "손익: 매출 도입 전", "Profit and loss: Sales before"),
        ("alternatives.cloud_ai.irr", "대안 클라우드 AI: IRR", "Alternative Cloud AI: IRR"),
        ("defects.points[2029]", "불량률 개선 2029", "Defect points 2029"),
        ("benefits.nobody.saving", "benefits.nobody.saving", "benefits.nobody.saving"),
        ("scenarios.realistic.unheard_of", "scenarios.realistic.unheard_of", "scenarios.realistic.unheard_of"),
    ],
)
def test_addresses_in_words(abc: BusinessCase, address: str, ko: str, en: str) -> None:
    assert address_text(AppraisalWording(abc, "ko", 1e8), address) == ko
    assert address_text(AppraisalWording(abc, "en", 1e8), address) == en


def test_names_within_sentences_take_the_right_particle(abc: BusinessCase) -> None:
    w = AppraisalWording(abc, "ko", 1e8)
    assert (
        with_names(w, "capex.total이(가) 빠져 있습니다 (mid_year)")
        == "\u2018투자비: 합계\u2019가 빠져 있습니다 (기중 흐름)"
    )
    assert with_names(w, "file.csv is no address") == "file.csv is no address"


def test_an_audit_without_findings_says_so(abc: BusinessCase) -> None:
    clean = abc.model_copy(update={"stated": abc.stated[:1], "assumptions": abc.assumptions})
    found = audit_document(clean)
    errors = [one for one in found.findings if one.kind == "recomputable_error"]
    assert errors == []
    page = render_audit(clean, corrected_case(clean), found, "html", ("en", AS_OF)).decode()
    assert "0 recomputable errors" in page
