from __future__ import annotations

import io
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import roi_tracker
from roi_tracker.business_case import BusinessCase, parse_case
from roi_tracker.documents import appraisal_document
from roi_tracker.render.appraisal_content import appraisal_content
from roi_tracker.render.appraisal_outputs import render_appraisal
from roi_tracker.render.appraisal_table import render_appraisal_csv
from roi_tracker.render.appraisal_wording import AppraisalWording, appraisal_words
from roi_tracker.render.content_charts import PAGE, PRINT, svg
from roi_tracker.render.content_page import render_content_page

if TYPE_CHECKING:
    from roi_tracker.documents import AppraisalDocument
    from roi_tracker.money import Language
    from roi_tracker.render.content_blocks import Content

EXAMPLES = Path(roi_tracker.__file__).parent / "examples"
AS_OF = date(2025, 3, 1)
LANGUAGES: tuple[Language, Language] = ("ko", "en")


def example(name: str) -> BusinessCase:
    return parse_case((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"), "yaml")


@pytest.fixture(scope="module")
def abc() -> BusinessCase:
    return example("abc_manufacturing")


@pytest.fixture(scope="module")
def document(abc: BusinessCase) -> AppraisalDocument:
    return appraisal_document(abc, 1_000)


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    ko, en = appraisal_words("ko"), appraisal_words("en")
    assert ko.keys == en.keys
    for key in ko.keys:
        assert set(re.findall(r"\{\w+\}", ko._messages[key])) == set(re.findall(r"\{\w+\}", en._messages[key])), key


def test_money_is_written_as_each_reader_counts(abc: BusinessCase) -> None:
    assert AppraisalWording(abc, "ko", 1e8).money(289.8) == "289.8억원"
    assert AppraisalWording(abc, "en", 1e8).money(289.8) == "KRW 28,980 million"
    assert AppraisalWording(abc, "en", 1e8).signed(-0.01) == "\N{MINUS SIGN}1.0"


def test_headline_of_the_corrected_plan(abc: BusinessCase, document: AppraisalDocument) -> None:
    content = appraisal_content(abc, document, "ko", AS_OF)
    assert [fact.value for fact in content.sections[0].facts[:3]] == ["289.8억원", "155 %", "1.03년"]
    scenarios = next(one for one in content.sections if one.id == "scenarios")
    direct, _, phased, *_ = scenarios.tables[1].rows
    assert direct[1:3] == ("183.0", "111 %")
    assert phased[1:3] == ("295.0", "없음")


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_is_whole_and_asks_for_nothing_outside(
    abc: BusinessCase, document: AppraisalDocument, language: Language
) -> None:
    page = render_content_page(appraisal_content(abc, document, language, AS_OF))
    assert page.count("<section") == page.count("</section>") > 10
    assert page.count("<svg") == 4
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "<script" not in page


def test_texts_of_a_case_never_become_markup(abc: BusinessCase, document: AppraisalDocument) -> None:
    name = abc.name.model_copy(update={"en": "<script>alert(1)</script>"})
    benefits = (abc.benefits[0].model_copy(update={"name": name}), *abc.benefits[1:])
    hostile = abc.model_copy(update={"name": name, "benefits": benefits})
    page = render_content_page(appraisal_content(hostile, document, "en", AS_OF))
    assert "<script" not in page


def test_one_chart_definition_for_page_and_print(abc: BusinessCase, document: AppraisalDocument) -> None:
    content = appraisal_content(abc, document, "en", AS_OF)
    for chart in (chart for section in content.sections for chart in section.charts):
        page, paper = svg(chart, PAGE), svg(chart, PRINT)
        assert re.sub(r'(fill|stroke|font-family)="[^"]*"', "", page) == re.sub(
            r'(fill|stroke|font-family)="[^"]*"', "", paper
        )
        assert "var(" not in paper


def test_csv_quotes_what_a_spreadsheet_would_run_and_keeps_numbers(abc: BusinessCase) -> None:
    text = render_appraisal_csv(abc)
    assert text.startswith("\ufeffaddress,value,unit,reason\r\n")
    assert "\r\ncapex.total,3100000000" in text
    assert not re.search(r"(?m)^[=+@-]", text)


def test_pdf_is_the_same_bytes_again_and_dated_as_of(abc: BusinessCase, document: AppraisalDocument) -> None:
    pytest.importorskip("typst")
    first = render_appraisal(abc, document, "pdf", "ko", AS_OF)
    assert first[:5] == b"%PDF-"
    assert first == render_appraisal(abc, document, "pdf", "ko", AS_OF)
    assert b"D:20250301" in first
    assert first != render_appraisal(abc, document, "pdf", "ko", date(2025, 3, 2))


def test_a_character_without_a_glyph_is_printed_as_its_code(abc: BusinessCase, document: AppraisalDocument) -> None:
    pytest.importorskip("typst")
    odd = abc.model_copy(update={"name": abc.name.model_copy(update={"en": "Plan \N{SNOWMAN} \N{GRINNING FACE}"})})
    told = abc.model_copy(update={"name": abc.name.model_copy(update={"en": "Plan [U+2603] [U+1F600]"})})
    made = render_appraisal(odd, document, "pdf", "en", AS_OF)
    assert made == render_appraisal(told, document, "pdf", "en", AS_OF)
    assert made != render_appraisal(abc, document, "pdf", "en", AS_OF)


def test_the_font_covers_every_hangul_syllable() -> None:
    pytest.importorskip("typst")
    from roi_tracker.render.content_pdf import glyphs

    assert set(range(0xAC00, 0xD7A4)) <= glyphs()


@pytest.mark.parametrize("name", ["abc_manufacturing", "small_workshop", "chatbot_pilot", "small_press_line"])
def test_workbook_has_live_formulas_with_the_engines_values(name: str) -> None:
    pytest.importorskip("xlsxwriter")
    openpyxl = pytest.importorskip("openpyxl")
    case = example(name)
    found = appraisal_document(case, 1_000)
    content = render_appraisal(case, found, "xlsx", "en", AS_OF)
    values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    formulas = openpyxl.load_workbook(io.BytesIO(content))
    assert formulas["Summary"]["B4"].value.startswith("='Cash flows'!")
    shown = AppraisalWording(case, "en", found.unit).axis(found.scenarios["realistic"].npv)
    assert values["Summary"]["B4"].value == pytest.approx(shown)
    assert {"rate", "capital", "unit", "npv"} <= set(formulas.defined_names)
    live = [cell for sheet in formulas for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert len(live) > 300
    errors = [cell.coordinate for sheet in values for row in sheet.iter_rows() for cell in row if cell.data_type == "e"]
    assert errors == []


def test_npv_of_a_t0_outlay_discounts_from_the_first_year(abc: BusinessCase, document: AppraisalDocument) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(io.BytesIO(render_appraisal(abc, document, "xlsx", "en", AS_OF)))
    npvs = [row[1].value for row in book["Cash flows"].iter_rows() if row[0].value == "NPV"]
    assert len(npvs) == 4
    assert all(re.fullmatch(r"=\$B\$(\d+)\+NPV\(rate,\$C\$\1:\$G\$\1\)", formula) for formula in npvs)


def test_roi_divides_by_everything_paid_out(abc: BusinessCase, document: AppraisalDocument) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(io.BytesIO(render_appraisal(abc, document, "xlsx", "en", AS_OF)))
    rois = [row[1].value for row in book["Cash flows"].iter_rows() if row[0].value == "ROI"]
    cells = r"\$B\$\d+:\$[A-Z]+\$\d+"
    assert len(rois) == 4
    assert all(re.fullmatch(rf"=SUM\({cells}\)/\(SUM\({cells}\)\+SUM\({cells}\)\)", formula) for formula in rois)


def test_texts_never_turn_into_formulas(abc: BusinessCase, document: AppraisalDocument) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    name = abc.name.model_copy(update={"en": '=HYPERLINK("http://x","y")'})
    hostile = abc.model_copy(update={"name": name})
    content = render_appraisal(hostile, document, "xlsx", "en", AS_OF)
    cell = openpyxl.load_workbook(io.BytesIO(content))["Summary"]["A1"]
    assert (cell.data_type, cell.value) == ("s", '=HYPERLINK("http://x","y")')
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert not [part for part in package.namelist() if "externalLink" in part]


def test_empty_sections_are_left_out(abc: BusinessCase, document: AppraisalDocument) -> None:
    bare = abc.model_copy(update={"benchmarks": (), "data_sources": ()})
    shown: Content = appraisal_content(bare, document, "en", AS_OF)
    assert not {"benchmarks", "data", "findings"} & {section.id for section in shown.sections}
