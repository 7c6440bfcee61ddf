"""A payback in years and in months have one reason, told in a sentence of either language."""

from __future__ import annotations

import pytest

from roi_tracker.appraisal.figures import figures
from roi_tracker.audit import audit
from roi_tracker.business_case import BusinessCase, parse_case

CASE = """
id: t
name: {{ko: 시험, en: Test}}
currency: KRW
display_unit: 만원
discount_rate: {{value: 0.08, unit: ratio, source: s, owner: o}}
start_date: 2025-01-01
horizon_years: 3
assumptions:
  q: {{value: 100, unit: parts/year, source: s, owner: o}}
  p: {{value: 5000, unit: KRW/part, source: s, owner: o}}
capex:
- id: hw
  name: {{ko: 장비, en: Hardware}}
  category: hardware
  amount: {{value: {capital}, unit: KRW, source: s, owner: o}}
benefits:
- {{id: d, name: {{ko: 불량, en: Defects}}, measure: defects, class: cashable, axis: cost, formula: q*p}}
stated:
- {{id: scenarios.realistic.payback_years, value: {years}}}
- {{id: scenarios.realistic.payback_months, value: {months}}}
"""


def plan(capital: int, years: int, months: int) -> BusinessCase:
    return parse_case(CASE.format(capital=capital, years=years, months=months), "yaml")


@pytest.mark.parametrize(
    ("capital", "reason", "korean", "english"),
    [
        (
            0,
            "no_outlay",
            "입력값으로는 해당 없음(회수할 유출이 없음)입니다.",
            "the inputs give no payback: there is no outlay to pay back.",
        ),
        (
            9_000_000,
            "never",
            "입력값으로는 회수 불가(유출이 끝까지 회수되지 않음)입니다.",
            "the inputs give no payback: the outlay is never recovered.",
        ),
    ],
)
def test_years_and_months_say_the_same(capital: int, reason: str, korean: str, english: str) -> None:
    case = plan(capital, 1, 12)
    computed = figures(case)
    for kind in ("payback", "discounted_payback"):
        for unit in ("years", "months"):
            found = computed[f"scenarios.realistic.{kind}_{unit}"]
            assert (found.value, found.reason) == (None, reason)
    told = {one.id.rpartition("_")[2]: one.explanation for one in audit(case).findings}
    assert set(told) == {"years", "months"}
    for one in told.values():
        assert one.ko.endswith(korean)
        assert one.en.endswith(english)
    assert told["years"].en.startswith("A payback of 1 year does not")


def test_nothing_to_pay_back_printed_as_zero_is_no_finding() -> None:
    assert [one.id for one in audit(plan(0, 0, 0)).findings] == []
