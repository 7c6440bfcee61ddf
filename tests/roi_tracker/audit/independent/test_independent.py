"""The audit on plans and errors of a generator written without sight of its rules; figures in docs/report/audit.md."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from roi_tracker.appraisal.figures import figures as engine_figures
from roi_tracker.audit import audit
from roi_tracker.business_case import parse_case, unit_meaning
from tests.roi_tracker.audit.independent.errors import MAKERS, THROUGHOUT
from tests.roi_tracker.audit.independent.grading import grade
from tests.roi_tracker.audit.independent.plan import figures
from tests.roi_tracker.audit.independent.printing import as_toml, as_yaml, document, printed, text_of
from tests.roi_tracker.audit.independent.shapes import D, clean_plan
from tests.roi_tracker.audit.independent.spoiling import clean, spoilt

HERE = Path(__file__).parent
GENERATOR = ("plan", "shapes", "printing", "draft", "misprints", "miscounts", "errors", "spoiling")
KINDS = len(MAKERS) + len(THROUGHOUT)
SEED = 4_400_000


@pytest.mark.parametrize("name", GENERATOR)
def test_the_generator_knows_nothing_of_the_product(name: str) -> None:
    tree = ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))
    froms = [one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)]
    plain = [alias.name for one in ast.walk(tree) if isinstance(one, ast.Import) for alias in one.names]
    assert not [one for one in (*froms, *plain) if one.startswith("roi_tracker")]


@pytest.mark.parametrize("seed", range(8))
def test_both_computations_agree_on_every_figure(seed: int) -> None:
    rng = random.Random(seed)
    plan = clean_plan(rng)
    computed = engine_figures(parse_case(as_yaml(document(plan, [], {})), "yaml"))
    own = figures(plan)
    assert len(own) > 50
    for address, value in own.items():
        found = computed[address]
        assert found.value is not None, address
        unit = found.unit if address.split("[", maxsplit=1)[0] in plan.steps else None
        factor = unit_meaning(unit, plan.currency).factor if unit else D(1)
        assert float(found.value / factor) == pytest.approx(float(value), rel=1e-7, abs=1e-9), address


def test_both_file_formats_say_the_same() -> None:
    rng = random.Random(11)
    plan = clean_plan(rng)
    tree = document(plan, [(one, one.numbers) for one in printed(plan, rng)], {})
    assert parse_case(as_yaml(tree), "yaml") == parse_case(as_toml(tree), "toml")


@pytest.mark.parametrize(
    ("number", "text"),
    [("1.2E+3", "0.12e+4"), ("-5E+2", "-0.5e+3"), ("31.0", "31.0"), ("120", "120"), ("0E+2", "0.0e+3")],
)
def test_printed_digits_survive_the_file(number: str, text: str) -> None:
    assert text_of(D(number)) == text
    assert D(text).as_tuple().exponent == D(number).as_tuple().exponent


def test_clean_plans_of_many_shapes_have_no_findings() -> None:
    found = grade(clean(SEED + number) for number in range(12))
    assert (found.alarms, found.crashes) == ([], [])


def test_every_kind_of_error_is_found_and_nothing_else() -> None:
    found = grade(spoilt(SEED, KINDS))
    assert (found.alarms, found.crashes) == ([], [])
    exact = found.total(kind for kind in found.rows if kind != "rounded_the_wrong_way")
    assert exact.planted >= KINDS - 1
    assert exact.found == exact.planted, found.missed
    assert exact.sharp >= 15
    assert exact.sharp_named / exact.sharp >= 0.9, found.misnamed
    assert found.carried.figures_found == found.carried.figures > 0


MONTHLY = """
id: monthly
name: {ko: 월별, en: monthly}
currency: KRW
display_unit: 만원
discount_rate: {value: 0.08, unit: ratio, source: s, owner: o}
start_date: 2025-01-01
horizon_years: 2
conventions: {capital: t0, operations: year_end, period: month, prices: constant}
assumptions:
  calls: {value: [500, 800], unit: calls/month, source: s, owner: o}
  cost: {value: 1, unit: 만원/call, source: s, owner: o}
calculations:
  calls.cost: {formula: "calls * 12 * cost", unit: 만원/year}
capex:
  - {id: machine, name: {ko: 기계, en: machine}, amount: {value: 3000, unit: 만원, source: s, owner: o}}
opex_per_year:
  - {id: licence, name: {ko: 사용료, en: licence}, amount: {value: 1200, unit: 만원/year, source: s, owner: o}}
benefits:
  - {id: calls-saved, name: {ko: 통화, en: calls}, kpi: calls, class: cashable, axis: cost, formula: calls.cost}
stated:
  - {id: benefits.calls-saved.saving, value: [60000, 96000]}
  - {id: benefits.direct, value: [60000, 96000]}
  - {id: benefits.direct.total, value: 156000}
  - {id: benefits.calls-saved.pv, value: 142844.7}
  - {id: scenarios.realistic.net_flow, value: [58800, 94800]}
"""


def test_an_error_of_a_monthly_plan_is_followed_to_where_it_begins() -> None:
    """600 calls a year cost 6,000: ten times is printed, and every later figure carries it."""
    found = {one.id: one for one in audit(parse_case(MONTHLY, "yaml")).findings}
    for year, right in ((2025, 6000.0), (2026, 9600.0)):
        assert found[f"benefits.calls-saved.saving[{year}]"].cause == "unit_slip_x10"
        assert found[f"benefits.calls-saved.saving[{year}]"].recomputed == pytest.approx(right)
        assert found[f"benefits.calls-saved.saving[{year}]"].npv_effect is not None
        carried = found[f"scenarios.realistic.net_flow[{year}]"]
        assert carried.cause == "carried_forward"
        assert carried.follows_from == (f"benefits.calls-saved.saving[{year}]",) or "benefits.direct" in str(
            carried.follows_from
        )
    assert found["benefits.direct.total"].follows_from
    assert found["benefits.calls-saved.pv"].follows_from


def test_a_rightly_printed_monthly_plan_is_consistent() -> None:
    text = MONTHLY
    for wrong, right in (
        ("60000, 96000", "6000, 9600"),
        ("156000", "15600"),
        ("142844.7", "14284.5"),
        ("58800, 94800", "4800, 8400"),
    ):
        text = text.replace(wrong, right)
    assert audit(parse_case(text, "yaml")).findings == ()


@pytest.mark.parametrize(
    "address",
    [
        "scenarios", "scenarios.realistic", "scenarios.realistic.cumulative", "scenarios.nobody.npv",
        "scenarios.realistic.net_flow[soon]", "scenarios.realistic.net_flow[1999]",
        "scenarios.realistic.cumulative[1999]", "capex.phased[1999]", "conventions.nothing",
        "benefits", "benefits.calls-saved", "benefits.calls-saved.saving", "benefits.nobody.saving[2025]", "opex",
        "alternatives.calls", "benchmarks.calls", "sensitivity.calls", "break_even", "capex.phased", "statements.sales",
        "cash_flow.operating", "ratios.asset_turnover", "investment", "nothing.at.all[2025]",
    ],
)  # fmt: skip
def test_an_address_that_names_no_figure_cannot_be_checked(address: str) -> None:
    text = MONTHLY.split("stated:", maxsplit=1)[0] + f'stated:\n  - {{id: "{address}", value: 3}}\n'
    found = audit(parse_case(text, "yaml"))
    assert [one.id for one in found.cannot_check] == [address]
    assert found.findings == ()
