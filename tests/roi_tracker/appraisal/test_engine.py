"""Conventions, tax, renewal and simulation on a case small enough to compute by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import roi_tracker
from roi_tracker.__main__ import app
from roi_tracker.appraisal import Change, Model, appraise, mirr, variants
from roi_tracker.appraisal.alternatives import alternatives
from roi_tracker.appraisal.break_even import break_evens
from roi_tracker.appraisal.cash_flows import schedule_of
from roi_tracker.appraisal.monte_carlo import simulate
from roi_tracker.appraisal.response import npv_response
from roi_tracker.appraisal.sensitivity import sensitivities
from roi_tracker.appraisal.statements import statements
from roi_tracker.business_case import BusinessCase, parse_case
from roi_tracker.errors import CaseError

EXAMPLES = Path(roi_tracker.__file__).parent / "examples"


def _number(value: object, unit: str = "USD", **more: object) -> dict[str, Any]:
    return {"value": value, "unit": unit, "source": "test", "owner": "test", **more}


def _case(**changes: Any) -> BusinessCase:
    document: dict[str, Any] = {
        "id": "tiny",
        "name": {"ko": "시험", "en": "test"},
        "currency": "USD",
        "display_unit": "1",
        "discount_rate": _number("0.10", "ratio"),
        "start_date": date(2025, 1, 1),
        "horizon_years": 2,
        "assumptions": {"units": _number(10, "parts/year"), "price": _number(11, "USD/part")},
        "capex": [{"id": "machine", "name": {"ko": "기계", "en": "machine"}, "amount": _number(100)}],
        "opex_per_year": [{"id": "run", "name": {"ko": "운영", "en": "run"}, "amount": _number(10), "growth": "0.1"}],
        "benefits": [
            {
                "id": "saving",
                "name": {"ko": "절감", "en": "saving"},
                "kpi": "cost",
                "class": "cashable",
                "axis": "cost",
                "formula": "units * price",
            }
        ],
    }
    document.update(changes)
    return BusinessCase.model_validate(document)


def _money(*amounts: Decimal | int | str) -> tuple[Decimal, ...]:
    return tuple(Decimal(amount) for amount in amounts)


def _tax(**more: object) -> dict[str, Any]:
    return {"rate": _number("0.25", "ratio"), "life_years": 2, **more}


def test_flows_by_hand() -> None:
    """-100; 110 - 10 = 100; 110 - 11 = 99."""
    found = appraise(case := _case(), case.scenarios.realistic)
    assert found.flows == _money(-100, 100, 99)
    assert found.npv == Decimal(-100) + Decimal(100) / Decimal("1.1") + Decimal(99) / Decimal("1.21")
    assert found.profitability_index == 1 + found.npv / 100
    assert found.roi == Decimal(99) / Decimal(121)
    assert found.payback_years == 1.0
    assert found.net_by_year == {"t0": -100, "2025": 100, "2026": 99}


def test_mid_year_and_monthly() -> None:
    case = _case(conventions={"operations": "mid_year"})
    found = appraise(case, case.scenarios.realistic)
    assert found.times == _money(0, Decimal("0.5"), Decimal("1.5"))
    monthly = _case(conventions={"period": "month"})
    found = appraise(monthly, monthly.scenarios.realistic)
    assert len(found.flows) == 25
    assert float(sum(found.flows)) == pytest.approx(99)
    by_hand = -100 + sum(100 / 12 / 1.1 ** (k / 12) for k in range(1, 13))
    by_hand += sum(99 / 12 / 1.1 ** (k / 12) for k in range(13, 25))
    assert float(found.npv) == pytest.approx(by_hand, rel=1e-12)


def test_dated_flows_use_calendar_days() -> None:
    phasing = {
        "value": [60, 40],
        "unit": "USD",
        "source": "t",
        "owner": "t",
        "dates": [date(2025, 1, 1), date(2025, 7, 1)],
    }
    case = _case(conventions={"capital": "dated", "operations": "dated"}, capex_phasing=phasing)
    found = appraise(case, case.scenarios.realistic)
    assert found.flows == _money(-60, -40, 100, 99)
    assert found.times == _money(0, Decimal(181) / 365, 1, 2)


def test_constant_prices_with_a_nominal_rate_are_inflated() -> None:
    own = {"discount_basis": "nominal", "inflation": _number(2, "%")}
    case = _case(conventions=own)
    found = appraise(case, case.scenarios.realistic)
    assert found.flows == _money(-100, 102, Decimal(99) * Decimal("1.0404"))
    # the Fisher relation: nominal flows at the nominal rate equal real flows at the real rate
    real = _case(discount_rate=_number(Decimal("1.10") / Decimal("1.02") - 1, "ratio"))
    assert float(found.npv) == pytest.approx(float(appraise(real, real.scenarios.realistic).npv), rel=1e-12)


def test_after_tax_by_hand() -> None:
    """Depreciation 50 a year: tax 0.25 x (100 - 50) and 0.25 x (99 - 50)."""
    case = _case(conventions={"tax": _tax(), "headline": "after_tax"})
    found = appraise(case, case.scenarios.realistic)
    assert found.flows == _money(-100, Decimal("87.5"), Decimal("86.75"))


def test_losses_are_carried_forward() -> None:
    """130 written off in year 1 against 100: the loss of 30 reduces the tax on 99."""
    case = _case(
        conventions={"tax": _tax(life_years=1, losses="carried_forward"), "headline": "after_tax"},
        capex=[{"id": "machine", "name": {"ko": "기계", "en": "machine"}, "amount": _number(130)}],
    )
    found = appraise(case, case.scenarios.realistic)
    assert found.flows == _money(-130, 100, Decimal(99) - Decimal("0.25") * (99 - 30))


def test_capital_of_a_period_is_written_off_from_the_next() -> None:
    """Paid in the middle of year 1, or at its end: 100 of depreciation in year 2, none in year 1."""
    for capital in ("mid_period", "end_of_period"):
        case = _case(
            conventions={"tax": _tax(life_years=1), "headline": "after_tax", "capital": capital},
            capex_phasing={"value": [1], "unit": "ratio", "source": "t", "owner": "t"},
        )
        found = appraise(case, case.scenarios.realistic)
        assert found.net_total == Decimal(-100) + 75 + (99 - Decimal("0.25") * -1)
        assert found.net_by_year["2026"] == Decimal("99.25")


def test_depreciation_in_real_terms_loses_the_inflation_since_payment() -> None:
    """100 of today's money paid at the end of year 1 is 110 then; 110 written off in year 2 is 100 / 1.1 of today's."""
    case = _case(
        conventions={
            "tax": _tax(life_years=1),
            "headline": "after_tax",
            "capital": "end_of_period",
            "discount_basis": "real",
            "inflation": _number(10, "%"),
        },
        capex_phasing={"value": [1], "unit": "ratio", "source": "t", "owner": "t"},
    )
    second = appraise(case, case.scenarios.realistic).net_by_year["2026"]
    assert float(second) == pytest.approx(99 - 0.25 * (99 - 100 / 1.1), rel=1e-12)


def test_a_carried_loss_loses_the_inflation() -> None:
    """Year 1, in its money: 110 - 132 written off = -22. Year 2: (99 x 1.21 - 22) x 0.25 is due, / 1.21 in today's."""
    case = _case(
        conventions={
            "tax": _tax(life_years=1, losses="carried_forward"),
            "headline": "after_tax",
            "discount_basis": "real",
            "inflation": _number(10, "%"),
        },
        capex=[{"id": "machine", "name": {"ko": "기계", "en": "machine"}, "amount": _number(132)}],
    )
    found = appraise(case, case.scenarios.realistic)
    assert float(found.flows[2]) == pytest.approx(99 - 0.25 * (99 * 1.21 - 22) / 1.21, rel=1e-12)


def test_renewal_and_residual_value() -> None:
    """Horizon 3, life 2, renewal at year 2 for half; it has one of two years left at the end."""
    case = _case(horizon_years=3, conventions={"reinvestment": {"technology_life_years": 2, "share": "0.5"}})
    slots = schedule_of(case, case.conventions).capital
    assert [(slot.time, slot.share) for slot in slots] == [_money(0, 1), _money(2, "0.5"), _money(3, "-0.25")]
    assert appraise(case, case.scenarios.realistic).flows[2] == 99 - 50


def test_contingency_on_top_and_phasing() -> None:
    case = _case(
        contingency={"ratio": _number(10, "%"), "included": False},
        capex_phasing={"value": [1, 1], "unit": "ratio", "source": "t", "owner": "t"},
        conventions={"capital": "start_of_period"},
    )
    found = appraise(case, case.scenarios.realistic)
    assert found.flows == _money(-55, 45, 99)
    assert found.net_by_year == {"2025": 45, "2026": 44}


def test_floats_and_decimals_agree_on_every_example() -> None:
    for path in sorted(EXAMPLES.glob("*.yaml")):
        case = parse_case(path.read_text(encoding="utf-8"), "yaml")
        exact = appraise(case, case.scenarios.realistic).npv
        assert float(npv_response(Model(case), Change())[0]) == pytest.approx(float(exact), rel=1e-12), path.name


def test_after_tax_simulation_agrees_too() -> None:
    case = _case(conventions={"tax": _tax(losses="carried_forward"), "headline": "after_tax"})
    exact = appraise(case, case.scenarios.realistic).npv
    many = npv_response(Model(case), Change(factors={"capex": np.ones((3, 1))}))
    assert many == pytest.approx([float(exact)] * 3, rel=1e-12)


def test_a_factor_reaches_a_line_once() -> None:
    found = {one.variable: one for one in sensitivities(Model(_case()))}
    assert found["capex.machine"].plus_10pct == pytest.approx(-10)
    assert found["capex"].plus_10pct == pytest.approx(-10)
    assert found["units"].plus_10pct == pytest.approx(11 / 1.1 + 11 / 1.21)
    assert found["units"].plus_1pp is None
    assert found["discount_rate"].plus_1pp == pytest.approx(100 / 1.11 + 99 / 1.11**2 - 100 / 1.1 - 99 / 1.21)


def test_break_even_makes_npv_zero() -> None:
    model = Model(case := _case())
    found = break_evens(model)
    for one in found.variables:
        if one.factor is None or one.variable == "discount_rate":
            continue
        change = Change(factors={one.variable: np.array([[one.factor]])})
        assert npv_response(model, change)[0] == pytest.approx(0, abs=1e-8), one.variable
    rate = next(one for one in found.variables if one.variable == "discount_rate")
    assert rate.values[0] == pytest.approx(appraise(case, case.scenarios.realistic).irr.value)
    costs = 100 + 10 / 1.1 + 11 / 1.21
    assert found.overall_achievement == pytest.approx(costs / (110 / 1.1 + 110 / 1.21))


def test_monte_carlo_of_a_linear_case_is_what_theory_says() -> None:
    """NPV is linear in a uniform price 5 to 17: mean at 11, P(NPV < 0) the uniform's own share."""
    case = _case(
        assumptions={
            "units": _number(10, "parts/year"),
            "price": _number(11, "USD/part", low=5, high=17, distribution="uniform"),
        }
    )
    found = simulate(Model(case), 100_000, 7)
    slope = 10 / 1.1 + 10 / 1.21
    costs = 100 + 10 / 1.1 + 11 / 1.21
    assert found.mean == pytest.approx(11 * slope - costs, rel=0.01)
    assert found.p10 == pytest.approx(6.2 * slope - costs, abs=0.6)
    assert found.p_negative == pytest.approx((costs / slope - 5) / 12, abs=0.006)
    assert simulate(Model(case), 1000, 7) == simulate(Model(case), 1000, 7)


def test_correlated_inputs_widen_or_narrow() -> None:
    def spread(coefficient: str) -> float:
        case = _case(
            assumptions={
                "units": _number(10, "parts/year", low=8, high=12, distribution="normal"),
                "price": _number(11, "USD/part", low=9, high=13, distribution="normal"),
            },
            correlations=[{"between": ["units", "price"], "coefficient": coefficient, "source": "t"}],
        )
        found = simulate(Model(case), 20_000, 3)
        assert found.standard_deviation is not None
        return found.standard_deviation

    assert spread("-0.9") < spread("0") < spread("0.9")


def test_every_input_with_a_range_varies() -> None:
    case = parse_case((EXAMPLES / "small_workshop.yaml").read_text(encoding="utf-8"), "yaml")
    found = simulate(Model(case), 10_000)
    assert len(found.uncertain) == len(found.drivers) == 10
    assert sum(one.share for one in found.histogram) == pytest.approx(1.0)


def test_no_range_no_simulation() -> None:
    found = simulate(Model(_case()), 100)
    assert (found.p50, found.reason) == (None, "no assumption states low and high")


def test_incremental_irr() -> None:
    """250 in, 170 twice, against -100, 100, 99: the extra 150 returns 70 and 71."""
    names = {"ko": "다른 길", "en": "other"}
    other = {"id": "big", "name": names, "flows": [-250, 170, 170], "unit": "USD", "source": "t"}
    own = {"id": "own", "name": names, "this": True, "source": "t"}
    case = _case(alternatives=[other, own, {"id": "none", "name": names, "source": "t"}])
    big, this, none = alternatives(case, appraise(case, case.scenarios.realistic))
    assert (big.against, this.against, none.reason) == ("own", None, "no_flows")
    assert big.incremental_irr is not None
    assert big.incremental_irr.value == pytest.approx(-0.0401, abs=1e-3)


def test_statements_reconcile_under_tax_and_inflation() -> None:
    own = {"tax": _tax(), "discount_basis": "nominal", "inflation": _number(3, "%")}
    found = statements(Model(_case(conventions=own)))
    assert abs(found.effects.difference) < Decimal("1e-20")
    assert found.effects.depreciation == _money(50, 50)


def test_optimism_bias_is_its_own_row() -> None:
    case = _case(conventions={"optimism_bias": {"benefits": "-0.5", "capex": "0.1", "source": "t"}})
    found = {one.id: one.appraisal for one in variants(case)}
    assert found["optimism_bias"].flows == _money(-110, 45, 44)


def test_mirr_as_spreadsheets_have_it() -> None:
    """The example of Excel's help: 12.61 %."""
    flows = [Decimal(flow) for flow in (-120000, 39000, 30000, 21000, 37000, 46000)]
    found = mirr(flows, (Decimal("0.10"), Decimal("0.12")))
    assert found is not None
    assert f"{found:.4f}" == "0.1261"


def test_a_zero_divisor_is_explained() -> None:
    case = _case(calculations={"share": {"formula": "price / (units - 10)", "unit": "ratio"}})
    with pytest.raises(CaseError, match=r"share cannot be computed.*divisor is zero"):
        appraise(case, case.scenarios.realistic)


def test_the_command_prints_the_whole_document() -> None:
    result = CliRunner().invoke(app, ["appraise", str(EXAMPLES / "chatbot_pilot.yaml"), "--json", "--draws", "500"])
    assert result.exit_code == 0
    document = yaml.safe_load(result.stdout)
    assert set(document) >= {"currency", "unit", "conventions", "scenarios", "sensitivity", "break_even",
                             "monte_carlo", "alternatives", "decision"}  # fmt: skip
    assert document["scenarios"]["realistic"]["payback_years"] == pytest.approx(2 / 12)


def test_the_command_prints_tables() -> None:
    result = CliRunner().invoke(app, ["appraise", str(EXAMPLES / "small_workshop.yaml"), "--draws", "500"])
    assert result.exit_code == 0
    for part in ("Scenarios", "Sensitivity", "Break-even", "Monte Carlo", "Alternatives", "do not approve"):
        assert part in result.stdout
