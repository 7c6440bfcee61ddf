from __future__ import annotations

import io
import string
import tomllib
from datetime import date, timedelta
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest
from rich.console import Console

from roi_tracker.appraisal.model import Model
from roi_tracker.audit import Audit, Finding, audit, corrected_case
from roi_tracker.audit.document import audit_document
from roi_tracker.audit.tables import print_audit
from roi_tracker.business_case import BusinessCase, parse_case
from roi_tracker.case.stated import StatedFigure
from roi_tracker.errors import CaseError
from tests.roi_tracker.audit.plans import clean_plan
from tests.roi_tracker.audit.score import score
from tests.roi_tracker.case.refusals import YAML as MONEY_YAML

EXAMPLES = resources.files("roi_tracker.examples")
ABC = EXAMPLES.joinpath("abc_manufacturing.yaml")
CASES = Path(__file__).parent / "cases"


@pytest.fixture(scope="module")
def abc() -> BusinessCase:
    return parse_case(ABC.read_text(encoding="utf-8"), "yaml")


@pytest.fixture(scope="module")
def small() -> BusinessCase:
    return parse_case(EXAMPLES.joinpath("small_workshop.yaml").read_text(encoding="utf-8"), "yaml")


@pytest.fixture(scope="module")
def found(abc: BusinessCase) -> Audit:
    return audit(abc)


def _one(found: Audit, address: str, stated: float | None = None, kind: str = "recomputable_error") -> Finding:
    hits = [one for one in found.findings if one.id == address and one.kind == kind]
    hits = [one for one in hits if stated is None or one.stated == pytest.approx(stated)]
    assert len(hits) >= 1, f"no {kind} at {address}"
    return hits[0]


@pytest.mark.parametrize(
    ("address", "stated", "recomputed", "cause"),
    [
        ("defects.units_avoided[2025]", 1_920_000, 192_000, "unit_slip_x10"),
        ("benefits.defects.saving[2025]", 28.8, 2.88, "unit_slip_x10"),
        ("benefits.defects.saving[2029]", 108.0, 10.8, "unit_slip_x10"),
        ("downtime.opportunity_saving[2025]", 25.2, 5.04, "unstated_multiplier_x5"),
        ("benefits.direct.pv", 781.2, 230.8, "double_count"),
        ("benefits.indirect.pv", 111.0, 106.76, "mixed_timing"),
        ("benefits.direct.total", 978.5, 301.16, "label_mismatch"),
        ("scenarios.realistic.npv", 844.4, 289.8, "carried_forward"),
        ("scenarios.realistic.npv", 626.0, 289.8, "unexplained"),
        ("scenarios.realistic.irr", 4.45, 1.55, "irr_cannot_exist"),
        ("scenarios.realistic.payback_years", 0.6, 1.027, "payback_against_flows"),
        ("scenarios.realistic.net_flow[2025]", 70.8, 29.22, "mixed_timing"),
        ("benchmarks.ai_roi.company", 4.45, 7.46, "label_mismatch"),
        ("sensitivity.capex.minus_10pct", 31, 3.1, "unit_slip_x10"),
        ("defects.points[2029]", -3.8, -3.0, "unexplained"),
        ("maintenance.by_rule", 0.8, 3.425, "unexplained"),
    ],
)
def test_abc_errors(found: Audit, address: str, stated: float, recomputed: float, cause: str) -> None:
    one = _one(found, address, stated)
    assert one.recomputed == pytest.approx(recomputed, rel=2e-3)
    assert one.cause == cause


def test_abc_error_is_followed_to_where_it_begins(found: Audit) -> None:
    assert _one(found, "defects.units_avoided[2025]").follows_from == ()
    assert _one(found, "benefits.defects.saving[2025]").follows_from == ("defects.units_avoided[2025]",)
    assert "benefits.direct.pv" in _one(found, "benefits.all.pv").follows_from


def test_abc_effects_on_npv(found: Audit) -> None:
    # ten times 2.88 instead of 2.88, a year end away: 25.92 / 1.08
    assert _one(found, "benefits.defects.saving[2025]").npv_effect == pytest.approx(24.0)
    assert _one(found, "scenarios.realistic.npv", 844.4).npv_effect == pytest.approx(844.4 - 289.796, abs=1e-3)
    assert _one(found, "scenarios.realistic.irr").npv_effect is None


@pytest.mark.parametrize(
    ("address", "kind", "cause"),
    [
        ("benefits.direct.total", "contradiction", "said_twice"),
        ("scenarios.realistic.npv", "contradiction", "said_twice"),
        ("sensitivity.capex.minus_10pct", "contradiction", "said_twice"),
        ("break_even.overall_achievement", "contradiction", "contradicts_scenario"),
        ("opex.maintenance", "contradiction", "contradicts_rule"),
        ("indirect.decisions[2025]", "contradiction", "contradicts_input"),
        ("conventions.base_year", "contradiction", "wrong_base_year"),
        ("production_growth", "declared_unused", "unused"),
        ("other_cost_growth", "declared_unused", "unused"),
        ("contingency", "declared_unused", "contingency_open"),
    ],
)
def test_abc_contradictions_and_unused(found: Audit, address: str, kind: str, cause: str) -> None:
    assert _one(found, address, kind=kind).cause == cause


def test_abc_figures_without_inputs_are_listed_as_such(found: Audit) -> None:
    assert {one.id for one in found.cannot_check} >= {"alternatives.automation.npv", "break_even.availability"}


def test_abc_right_figures_are_left_alone(found: Audit) -> None:
    right = {one.id for one in found.consistent}
    assert {
        "capex.total",
        "opex.pv",
        "investment.pv",
        "benefits.energy.saving[2027]",
        "benefits.indirect.total",
    } <= right


def test_corrected_abc_has_contradictions_only(abc: BusinessCase) -> None:
    again = audit(corrected_case(abc))
    assert again.of_kind("recomputable_error") == ()
    assert {one.cause for one in again.of_kind("contradiction")} == {
        "contradicts_input",
        "contradicts_rule",
        "wrong_base_year",
    }


def test_corrected_appraisal_stands_beside(abc: BusinessCase, found: Audit) -> None:
    document = audit_document(abc, found)
    realistic = document.corrected.scenarios["realistic"]
    assert realistic.npv == pytest.approx(289.8, abs=0.05)
    beside = {one.id: (one.stated, one.corrected) for one in document.beside}
    stated, corrected = beside["scenarios.realistic.npv"]
    assert stated == pytest.approx(844.4)
    assert corrected == pytest.approx(289.8, abs=0.05)


@pytest.mark.parametrize("seed", [1, 2, 3, 6])
def test_clean_plans_have_no_findings(seed: int) -> None:
    found = audit(clean_plan(seed).case())
    assert (found.findings, found.cannot_check) == ((), ())
    assert len(found.consistent) > 90


def test_mutants_are_found_and_named() -> None:
    table = score(seed=7, cases=2)
    assert len(table) >= 15
    for kind, row in table.items():
        assert row.alarms == 0, (kind, row.missed)
        if kind != "clean":
            assert row.found == row.planted, (kind, row.missed)


@pytest.mark.parametrize(
    ("name", "months", "net"), [("support_chatbot_once", 2.0, 40_000), ("support_chatbot_monthly", None, -48_000)]
)
def test_chatbot_fails_on_both_readings(name: str, months: float | None, net: float) -> None:
    found = audit(_case(name))
    back = _one(found, "scenarios.realistic.payback_months")
    total = _one(found, "scenarios.realistic.net_total")
    assert (back.stated, total.stated) == (6, 18_000)
    assert total.recomputed == pytest.approx(net)
    assert back.recomputed == (None if months is None else pytest.approx(months))
    assert {one.id for one in found.of_kind("declared_unused")} == {
        "enquiries",
        "minutes",
        "automated_share",
        "labour_saving",
    }


def test_content_drafting_states_a_sum_its_inputs_do_not_give() -> None:
    found = audit(_case("content_drafting"))
    assert [one.id for one in found.consistent] == ["opex.tool-cost[2025]"]
    total = _one(found, "scenarios.realistic.net_total")
    assert (total.stated, total.cause) == (52_000, "unexplained")
    assert total.recomputed == pytest.approx(14_000)


def test_explanations_have_the_same_places_in_both_languages() -> None:
    text = resources.files("roi_tracker.audit").joinpath("explanations.toml").read_text(encoding="utf-8")
    for family, entry in tomllib.loads(text).items():
        places = {
            language: {field for _, field, _, _ in string.Formatter().parse(entry[language]) if field}
            for language in ("ko", "en")
        }
        assert places["ko"] == places["en"], family


def _case(name: str) -> BusinessCase:
    return parse_case((CASES / f"{name}.yaml").read_text(encoding="utf-8"), "yaml")


def test_command_prints_json_and_check_says_no() -> None:
    import json

    from typer.testing import CliRunner

    from roi_tracker.__main__ import app

    result = CliRunner().invoke(app, ["audit", str(CASES / "content_drafting.yaml"), "--json", "--check"])
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {"findings", "consistent", "cannot_check", "corrected"} <= document.keys()
    assert document["findings"][0].keys() >= {
        "id",
        "stated",
        "recomputed",
        "ratio",
        "cause",
        "npv_effect",
        "explanation",
    }


def test_a_printed_zero_has_no_ratio(small: BusinessCase) -> None:
    wrong = StatedFigure(id="capex.total", value=Decimal(0))
    one = _one(audit(small.model_copy(update={"stated": (wrong,)})), "capex.total")
    assert (one.stated, one.cause, one.also, one.ratio) == (0.0, "unexplained", (), 0.0)


def test_what_was_valid_before_the_plan_only_is_a_contradiction(small: BusinessCase) -> None:
    name = next(iter(Model(small).used() & small.assumptions.keys()))
    start = small.start_date

    def until(day: date) -> Audit:
        changed = small.assumptions[name].model_copy(update={"valid_to": day})
        rate = small.discount_rate.model_copy(update={"valid_to": day})
        inputs = dict(small.assumptions) | {name: changed}
        return audit(small.model_copy(update={"assumptions": inputs, "discount_rate": rate, "stated": ()}))

    assert [one for one in until(start).findings if one.cause == "outdated"] == []
    found = until(start - timedelta(days=1))
    own = _one(found, name, kind="contradiction")
    assert (own.cause, own.detail) == ("outdated", f"{start - timedelta(days=1)} < {start}")
    assert own.stated == float(small.assumptions[name].amount)
    assert own.unit == small.assumptions[name].unit
    assert "before the plan begins" in own.explanation.en
    rate = _one(found, "discount_rate", kind="contradiction")
    assert rate.stated == pytest.approx(float(small.rate))


def test_a_unit_value_that_ran_out_is_a_contradiction() -> None:
    press = EXAMPLES.joinpath("small_press_line.yaml")
    case = parse_case(press.read_text(encoding="utf-8"), "yaml")
    last = case.start_date - timedelta(days=1)
    line = next(one for one in case.benefits if one.stated_unit_value is not None and one.formula is None)
    value = line.unit_value.model_copy(update={"valid_from": last, "valid_to": last})
    lines = tuple(one.model_copy(update={"unit_value": value}) if one.id == line.id else one for one in case.benefits)
    found = audit(case.model_copy(update={"benefits": lines}))
    outdated = [one for one in found.findings if one.cause == "outdated"]
    assert [(one.id, one.stated, one.unit) for one in outdated] == [
        (f"benefits.{line.id}.unit_value", float(value.amount), f"{case.currency}/{value.per}")
    ]


def test_without_a_terminal_each_finding_is_a_block_of_whole_lines(found: Audit) -> None:
    out = io.StringIO()
    print_audit(found, Console(file=out, width=80), "en")
    text = out.getvalue()
    rows = text.splitlines()
    assert not set("│┃━…") & set(text)
    at = rows.index("scenarios.realistic.irr")
    assert rows[at + 1] == "  stated: 4.45; recomputed: 1.551; cause: irr_cannot_exist"
    assert rows[at + 2] == f"  {_one(found, 'scenarios.realistic.irr').explanation.en}"
    assert f"Recomputable errors ({len(found.of_kind('recomputable_error'))})" in rows


@pytest.mark.parametrize(
    ("address", "unit", "hint"),
    [
        ("capex.total", "years", "write EUR or a multiple of it"),
        ("scenarios.realistic.irr", "EUR", "write ratio or %"),
        ("scenarios.realistic.payback_years", "months", "write years"),
        ("scenarios.realistic.payback_months", "years", "write months"),
        ("hours.year", "EUR", "write h/year"),
    ],
)
def test_a_unit_that_a_figure_cannot_have_is_refused(address: str, unit: str, hint: str) -> None:
    case = parse_case(MONEY_YAML, "yaml")
    wrong = StatedFigure(id=address, value=Decimal(3), unit=unit)
    with pytest.raises(CaseError) as caught:
        audit(case.model_copy(update={"stated": (wrong,)}))
    assert (caught.value.field, caught.value.value) == (f"stated.{address}.unit", unit)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("address", "unit"),
    [("capex.total", "thousand EUR"), ("scenarios.realistic.profitability_index", "x"), ("hours.year", "hours")],
)
def test_other_units_of_the_same_kind_are_read(address: str, unit: str) -> None:
    case = parse_case(MONEY_YAML, "yaml")
    audit(case.model_copy(update={"stated": (StatedFigure(id=address, value=Decimal(3), unit=unit),)}))
