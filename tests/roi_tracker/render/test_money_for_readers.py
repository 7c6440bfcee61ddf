"""The same small case in every display unit: Korean readers see 원, 만원, 억원, English ones three digits."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from roi_tracker.appraisal.monte_carlo import HistogramBin
from roi_tracker.business_case import BusinessCase, parse_case
from roi_tracker.case.unit_words import bare_text, figure_text, shown_value, unit_text
from roi_tracker.documents import appraisal_document
from roi_tracker.money import fitting_unit, unit_factor, unit_label
from roi_tracker.render.appraisal_content import appraisal_content
from roi_tracker.render.content_charts import PAGE, svg
from roi_tracker.render.content_page import render_content_page

if TYPE_CHECKING:
    from roi_tracker.money import Language, Unit

SMALL = """
id: t
name: {{ko: 시험, en: Test}}
currency: KRW
display_unit: "{unit}"
discount_rate: {{value: 0.08, unit: ratio, source: s, owner: o}}
start_date: 2025-01-01
horizon_years: 3
assumptions:
  q: {{value: 100, unit: parts/year, source: s, owner: o}}
  p: {{value: {price}, unit: KRW/part, source: s, owner: o}}
capex:
- id: hw
  name: {{ko: 장비, en: Hardware}}
  category: hardware
  amount: {{value: {capital}, unit: KRW, source: s, owner: o}}
opex_per_year:
- id: mt
  name: {{ko: 유지, en: Maintenance}}
  category: maintenance
  amount: {{value: {running}, unit: KRW/year, source: s, owner: o}}
benefits:
- {{id: d, name: {{ko: 불량, en: Defects}}, measure: defects, class: cashable, axis: cost, formula: q*p}}
"""


def small(unit: str, times: int = 1) -> BusinessCase:
    """Capital of 1,000,000, benefits of 500,000 and cost of 10,000 a year: NPV 262,777.53."""
    text = SMALL.format(unit=unit, price=5_000 * times, capital=1_000_000 * times, running=10_000 * times)
    return parse_case(text, "yaml")


def headline(case: BusinessCase, language: Language) -> tuple[str, str]:
    """NPV as the head prints it, and the unit as the subtitle says it."""
    content = appraisal_content(case, appraisal_document(case, 10), language, date(2025, 3, 1))
    unit = re.search(r"(?:금액 단위|money in) ([^·]+) ·", content.subtitle)
    assert unit is not None
    return content.sections[0].facts[0].value, unit.group(1)


@pytest.mark.parametrize(
    ("unit", "korean", "english"),
    [
        ("1", ("262,778원", "원"), ("KRW 262,778", "KRW")),
        ("원", ("262,778원", "원"), ("KRW 262,778", "KRW")),
        ("million", ("262,778원", "원"), ("KRW 262.8 thousand", "KRW thousand")),
        ("만원", ("26.3만원", "만원"), ("KRW 262.8 thousand", "KRW thousand")),
    ],
)
def test_a_small_case_in_every_unit(unit: str, korean: tuple[str, str], english: tuple[str, str]) -> None:
    assert (headline(small(unit), "ko"), headline(small(unit), "en")) == (korean, english)


@pytest.mark.parametrize(
    ("times", "korean", "english"),
    [
        (10, ("262.8만원", "만원"), ("KRW 2,628 thousand", "KRW thousand")),
        (1_000, ("26,278만원", "만원"), ("KRW 262.8 million", "KRW million")),
        (100_000, ("262.8억원", "억원"), ("KRW 26,278 million", "KRW million")),
    ],
)
def test_the_unit_follows_the_size(times: int, korean: tuple[str, str], english: tuple[str, str]) -> None:
    assert headline(small("million", times), "ko") == korean
    assert headline(small("million", times), "en") == english


@pytest.mark.parametrize("unit", ["1", "thousand", "million", "billion"])
def test_no_english_unit_on_a_korean_page(unit: str) -> None:
    case = small(unit)
    page = render_content_page(appraisal_content(case, appraisal_document(case, 10), "ko", date(2025, 3, 1)))
    words = re.sub(r"<style.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert not re.search(r"thousand|million|billion|금액 단위 1\b|[\d,]{4,}1만원", words)


@pytest.mark.parametrize(
    ("currency", "unit", "label", "factor"),
    [
        ("KRW", "1", "원", 1),
        ("KRW", "thousand", "천원", 1_000),
        ("KRW", "million", "백만원", 1_000_000),
        ("KRW", "billion", "억원", 100_000_000),
        ("USD", "billion", "USD billion", 1_000_000_000),
    ],
)
def test_label_and_factor_of_a_unit_belong_together(currency: str, unit: Unit, label: str, factor: int) -> None:
    assert (unit_label(currency, unit, "ko"), unit_factor(currency, unit, "ko")) == (label, factor)


def test_zero_says_nothing_about_a_unit() -> None:
    assert fitting_unit("KRW", "만원", "en", Decimal(0)) == "million"


def test_figures_of_an_audit_keep_their_digits() -> None:
    assert figure_text(0.3, "million KRW", "ko") == "30만원"
    assert figure_text(3, "억원", "ko") == "3억원"
    assert figure_text(26.28, "만원/year", "en") == "KRW 262.8 thousand/year"
    assert (unit_text("만원", "en"), bare_text(26.28, "만원", "en")) == ("KRW thousand", "262.8")
    assert shown_value(26.28, "만원", "en") == 262.8
    assert (unit_text("billion KRW", "ko"), bare_text(0.3, "billion KRW", "ko")) == ("억원", "3")
    assert shown_value(0.3, "billion KRW", "ko") == 3.0


def test_axes_of_the_simulation_say_what_they_are() -> None:
    text = SMALL.format(unit="만원", price=5_000, capital=1_000_000, running=10_000)
    ranged = text.replace("unit: KRW/part,", "unit: KRW/part, low: 3000, high: 7000,")
    case = parse_case(ranged, "yaml")
    content = appraisal_content(case, appraisal_document(case, 200), "en", date(2025, 3, 1))
    chart = next(one for one in content.sections if one.id == "monte-carlo").charts[0]
    assert (chart.unit, chart.across) == ("Share of draws (%)", "NPV (KRW thousand)")
    drawn = svg(chart, PAGE)
    assert chart.unit in drawn
    assert chart.across in drawn
    labels = re.findall(r'<text x="([\d.]+)" y="251"[^>]*text-anchor="(\w+)">([^<]*)<', drawn)
    assert len(labels) > 2
    assert float(labels[-1][0]) <= 760
    assert [anchor for _, anchor, _ in labels] == ["middle"] * (len(labels) - 1) + ["end"]


def test_a_table_of_many_years_says_which_it_shows() -> None:
    text = SMALL.format(unit="만원", price=5_000, capital=1_000_000, running=10_000)
    case = parse_case(text.replace("horizon_years: 3", "horizon_years: 40"), "yaml")
    content = appraisal_content(case, appraisal_document(case, 10), "en", date(2025, 3, 1))
    notes = {one.id: one.notes for one in content.sections}
    said = "Shown: 2025, 2029, 2034, 2039, 2044, 2049, 2054, 2059, 2064; 31 more years are in the workbook."
    for section in ("benefits", "costs", "accounts"):
        assert any(note.startswith(said) for note in notes[section])
    short = appraisal_content(small("만원"), appraisal_document(small("만원"), 10), "en", date(2025, 3, 1))
    assert not any("more years" in note for one in short.sections for note in one.notes)


def test_correlations_that_were_moved_are_told() -> None:
    case = small("만원")
    document = appraisal_document(case, 10)
    simulated = msgspec.structs.replace(
        document.monte_carlo,
        p10=1.0,
        p50=2.0,
        p90=3.0,
        p_negative=0.0,
        histogram=(HistogramBin(0.0, 4.0, 1.0),),
        correlations_adjusted=True,
    )
    moved = msgspec.structs.replace(document, monte_carlo=simulated)
    said: tuple[tuple[Language, str], ...] = (("ko", "가장 가까운 가능한 값"), ("en", "nearest possible"))
    for language, words in said:
        content = appraisal_content(case, moved, language, date(2025, 3, 1))
        notes = next(one.notes for one in content.sections if one.id == "monte-carlo")
        assert words in notes[1]
