"""The published plan: its inputs give the figures that were worked out by hand, to the printed digits."""

from __future__ import annotations

from pathlib import Path

import pytest

import roi_tracker
from roi_tracker.appraisal import Model, appraise, scenario_table, variants
from roi_tracker.appraisal.figures import figures
from roi_tracker.business_case import BusinessCase, parse_case, unit_meaning
from roi_tracker.documents import appraisal_document

EXAMPLE = Path(roi_tracker.__file__).parent / "examples" / "abc_manufacturing.yaml"
CORRECTED = Path(__file__).parents[1] / "case/data/abc_corrected.yaml"
HUNDRED_MILLION = 10**8


@pytest.fixture(scope="module")
def abc() -> BusinessCase:
    return parse_case(EXAMPLE.read_text(encoding="utf-8"), "yaml")


def test_corrected_figures_to_the_printed_digits(abc: BusinessCase) -> None:
    found = scenario_table(abc)["realistic"]
    assert f"{found.npv / HUNDRED_MILLION:.1f}" == "289.8"
    assert found.irr.value is not None
    assert f"{found.irr.value:.0%}" == "155%"
    assert f"{found.payback_years:.2f}" == "1.03"


def test_direct_benefits_only(abc: BusinessCase) -> None:
    found = {one.id: one.appraisal for one in variants(abc)}["direct_only"]
    assert f"{found.npv / HUNDRED_MILLION:.1f}" == "183.0"
    assert found.irr.value is not None
    assert f"{found.irr.value:.0%}" == "111%"
    assert f"{found.payback_years:.2f}" == "1.27"


def test_capital_as_phased_has_no_irr(abc: BusinessCase) -> None:
    found = {one.id: one.appraisal for one in variants(abc)}["as_phased"]
    assert f"{found.npv / HUNDRED_MILLION:.1f}" == "295.0"
    assert (found.irr.value, found.irr.exists, found.irr.reason) == (None, False, "no_sign_change")


def test_defects_and_downtime_are_what_the_inputs_give(abc: BusinessCase) -> None:
    """2,000,000 x 12 x 0.008 x 1,500 = 2.88 and 28 x 12 x 0.3 x 5,000,000 + 6.5 = 11.54, in 억원."""
    found = figures(abc)
    assert found["benefits.defects.saving[2025]"].value == 288_000_000
    assert found["benefits.downtime.saving[2025]"].value == 1_154_000_000
    assert found["defects.units_avoided[2029]"].value == 720_000
    assert found["scenarios.realistic.irr"].value is not None
    assert found["break_even.defects.points"].value is None


def test_worst_case_by_hand(abc: BusinessCase) -> None:
    """40 % of benefits worth 337.565, 120 % of costs worth 47.769."""
    found = appraise(abc, abc.scenarios.worst)
    assert float(found.npv / HUNDRED_MILLION) == pytest.approx(0.4 * 337.5651 - 1.2 * 47.7694, abs=2e-3)


def test_every_statement_of_the_corrected_plan_is_reproduced() -> None:
    """All but the three contradictions between inputs, which no recomputation can settle."""
    case = parse_case(CORRECTED.read_text(encoding="utf-8"), "yaml")
    found = figures(case)
    apart = {"maintenance.by_rule", "indirect.decisions", "conventions.base_year"}
    compared = 0
    for several in case.stated:
        if several.id in apart:
            continue
        for one in several.by_year(case.years):
            figure = found[one.id]
            assert figure.value is not None
            unit = one.unit or figure.unit
            factor = unit_meaning(unit, "KRW").factor if unit else HUNDRED_MILLION if figure.kind == "money" else 1
            assert abs(figure.value / factor - one.value) <= one.rounding * (1 + one.rounding / 10**6), one.id  # type: ignore[operator] # a single year holds a single number
            compared += 1
    assert compared > 110


def test_unused_assumptions_are_named(abc: BusinessCase) -> None:
    assert Model(abc).unused() == ("production_growth", "other_cost_growth")


def test_accounts_reconcile_with_the_benefit_lines(abc: BusinessCase) -> None:
    document = appraisal_document(abc, draws=200)
    assert document.statements.difference == 0
    assert document.scenarios["realistic"].net_by_year["t0"] == -31.0
    assert document.alternatives[1].reason == "no_flows"
    assert document.not_stated.contingency
    assert [one.passed for one in document.decision.conditions] == [True, True, True]
