"""Every mistake in a file is a message with its line, its key and what to do."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import roi_tracker
from roi_tracker.appraisal import Model
from roi_tracker.business_case import parse_case, unit_meaning
from roi_tracker.case.stated import StatedFigure
from roi_tracker.errors import CaseError

EXAMPLES = Path(roi_tracker.__file__).parent / "examples"
ABC = (EXAMPLES / "abc_manufacturing.yaml").read_text(encoding="utf-8")


def _line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("capex_phasing:", "capex_phasin:", "unknown key 'capex_phasin'; did you mean 'capex_phasing'?"),
        ("value: 1500, unit: KRW/part", "value: 1500, unti: KRW/part", "'unti'"),
        ("value: 0.08, unit: ratio", "value: -0.08, unit: ratio", "discount_rate -0.08 is negative"),
        ("value: 28, unit: h/month,", "value: 28,", "'unit' is missing"),
        ("value: 28, unit", "value: twenty-eight, unit", "stands where a number belongs"),
        ("value: 28, unit", "value: .inf, unit", "not a finite decimal"),
        ("value: 28, unit", "value: .nan, unit", "not a finite decimal"),
        ("value: [3, 8, 12, 15, 18]", "value: [3, 8, 12]", "labour.redeployed has 3 values for 5 years"),
        ("value: 1.0, low: 0.7, high: 1.3", "value: 1.0, low: 1.1, high: 1.3", "must be in this order"),
        ("value: 12.7, unit: 억원", "value: [12.7", "not valid YAML"),
        ("kpi: new orders won", "note: nothing", "measure or a kpi"),
        ("capital: t0", "capital: dated", "both capital and operations dated"),
        ("value: [7.2, 17.3", "value: [17.3", "has 4 values for 5 years"),
    ],
)
def test_mistakes_name_line_and_key(old: str, new: str, message: str) -> None:
    assert old in ABC
    with pytest.raises(CaseError) as caught:
        parse_case(ABC.replace(old, new, 1), "yaml")
    assert message in str(caught.value)
    assert "line " in str(caught.value)


def test_the_line_is_the_right_one() -> None:
    text = ABC.replace("owner: HR, used_for", "ownr: HR, used_for", 1)
    with pytest.raises(CaseError, match=rf"line {_line_of(text, 'ownr')}: unknown key 'ownr'; did you mean 'owner'"):
        parse_case(text, "yaml")


def test_repeated_keys_and_aliases_are_refused() -> None:
    with pytest.raises(CaseError, match="'id' stands here twice"):
        parse_case(ABC.replace("currency: KRW", "currency: KRW\nid: again", 1), "yaml")
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    with pytest.raises(CaseError, match="aliases"):
        parse_case(bomb, "yaml")
    with pytest.raises(CaseError, match="characters"):
        parse_case("#" * 2_000_001, "yaml")
    with pytest.raises(CaseError):
        parse_case("[" * 5000, "yaml")
    with pytest.raises(CaseError):
        parse_case("", "yaml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"-defects.points * production', '"-defects.pionts * production', "did you mean 'defects.points'"),
        ('"labour.redeployed * labour.salary"', "\"__import__('os')\"", "not arithmetic"),
        ('"energy.cost * energy.reduction"', '"energy.cost.__class__"', "no assumption or calculation"),
        ('"defects.target_rate - defects.baseline_rate"', '"defects.units_avoided / 2"', "in a circle: defects.points"),
        ("unit: KRW/part", "unit: USD/part", "a unit in USD in a case in KRW"),
    ],
)
def test_formulas_and_units_are_checked(old: str, new: str, message: str) -> None:
    assert old in ABC
    with pytest.raises(CaseError) as caught:
        Model(parse_case(ABC.replace(old, new, 1), "yaml"))
    assert message in str(caught.value)


def test_toml_reads_alike_and_names_lines() -> None:
    text = """
id = "t"
currency = "EUR"
display_unit = "1"
start_date = 2025-01-01
horizon_years = 2
name = {ko = "시험", en = "test"}
discount_rate = {value = 0.10, unit = "ratio", source = "s", owner = "o"}
[[capex]]
id = "machine"
name = {ko = "기계", en = "machine"}
amount = {value = 100.0, unit = "EUR", source = "s", owner = "o"}
[[benefits]]
id = "saving"
name = {ko = "절감", en = "saving"}
kpi = "cost"
class = "cashable"
axis = "cost"
formula = "60"
"""
    case = parse_case(text, "toml")
    assert case.capex[0].amount.value == Decimal("100.0")
    wrong = text.replace("axis =", "axes =")
    with pytest.raises(CaseError, match=f"line {_line_of(wrong, 'axes')}: unknown key 'axes'; did you mean 'axis'"):
        parse_case(wrong, "toml")


def test_every_example_reads() -> None:
    for path in EXAMPLES.glob("*.yaml"):
        assert Model(parse_case(path.read_text(encoding="utf-8"), "yaml")).case.id


def test_printed_decimals_set_the_rounding() -> None:
    case = parse_case(ABC, "yaml")
    stated = {one.id: one for one in case.stated}
    assert stated["benefits.direct.pv"].rounding == Decimal("0.05")
    assert stated["sensitivity.benefits.defects.plus_10pct"].rounding == Decimal("0.5")
    years = list(stated["benefits.defects.saving"].by_year(case.years))
    assert (years[4].id, years[4].value) == ("benefits.defects.saving[2029]", Decimal("108.0"))
    assert StatedFigure(id="capex.total", value=None).value is None


def test_units_mean_their_multiples() -> None:
    assert unit_meaning("만원/h", "KRW").factor == 10_000
    assert unit_meaning("million USD", "USD").factor == 1_000_000
    assert unit_meaning("kWh", "USD").kind == "quantity"
    assert unit_meaning("pp", "KRW").factor == Decimal("0.01")


def test_an_appraised_case_cannot_be_measured() -> None:
    case = parse_case(ABC, "yaml")
    with pytest.raises(CaseError, match="no section periods"):
        _ = case.periods
    with pytest.raises(CaseError, match="no unit value"):
        _ = case.benefits[0].unit_value
    assert not case.benefits[0].measurable
