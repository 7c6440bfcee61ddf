"""Rules as sentences: every figure in the unit it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from roi_tracker.baseline.rules import check
from roi_tracker.measurement.measures.energy_billing import FEWEST_MONTHS
from roi_tracker.measurement.measures.reviewers import FEWEST_REPEATS
from roi_tracker.render.catalogue import catalogue
from roi_tracker.render.rule_text import rule_sentence, term_words

if TYPE_CHECKING:
    from roi_tracker.money import Language


@pytest.mark.parametrize("language", ["ko", "en"])
def test_required_counts_are_counts_and_no_shares(language: Language) -> None:
    parts = check("reviewers_repeated", "reporting", passed=False, disqualifies=False, passed_parts=4, failed_parts=2,
                  required=FEWEST_REPEATS, false_alarm=0.01, miss=0.02)  # fmt: skip
    bills = check("bills_suffice", "baseline", passed=False, months=3, required=FEWEST_MONTHS, left=1)
    told = [rule_sentence(one, catalogue(language)) for one in (parts, bills)]
    assert {"ko": "각 30개", "en": "needed 30 each"}[language] in told[0]
    assert {"ko": "12건이 필요", "en": "needed are 12 months"}[language] in told[1]
    assert "3,000" not in told[0]
    assert "%" not in told[1]


def test_codes_are_words_of_the_reader() -> None:
    dropped = ("line", "season", "product=b", "units bracket", "degree_days")
    assert term_words(dropped, catalogue("ko")) == "라인, 계절, 품목=b, bracket 생산량, degree_days"
    assert term_words(dropped, catalogue("en")) == "line, season, product=b, units of bracket, degree_days"
    rule = check(
        "hours_accounted_for", "reporting", passed=False, benefit_class="redeployed", reference="-", since="2025-08-01"
    )
    assert "redeployed" not in rule_sentence(rule, catalogue("ko"))
