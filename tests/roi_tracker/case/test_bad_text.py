"""Bad input in YAML and TOML: a clear error with file, line and fix; exit code 2; memory bounded."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from roi_tracker.business_case import parse_case
from tests.roi_tracker.case.refusals import YAML, refusal

if TYPE_CHECKING:
    from pathlib import Path

TOML = """id = "t"
name = {ko = "시험", en = "test"}
currency = "EUR"
display_unit = "1"
start_date = 2025-01-01
horizon_years = 2
discount_rate = {value = 0.10, unit = "ratio", source = "s", owner = "o"}
[assumptions.hours]
value = 40
unit = "h/month"
source = "s"
owner = "o"
[calculations]
"hours.year" = {formula = "hours * 12", unit = "h/year"}
[[capex]]
id = "machine"
name = {ko = "기계", en = "machine"}
amount = {value = 100.5, unit = "EUR", source = "s", owner = "o"}
[[benefits]]
id = "saving"
name = {ko = "절감", en = "saving"}
kpi = "cost"
class = "cashable"
axis = "cost"
formula = "hours.year * 2"
"""


def test_the_good_texts_are_good_and_alike() -> None:
    assert parse_case(YAML, "yaml") == parse_case(TOML, "toml")


TEXTS = [
    # what; YAML old, new, line; TOML old, new, line; what is said
    ("missing unit", "value: 40, unit: h/month,", "value: 40,", 9, 'unit = "h/month"\n', "", 8, "'unit' is missing"),
    ("negative rate", "0.10", "-0.10", 7, "0.10", "-0.10", 7, "discount_rate -0.10 is negative"),
    ("rate in percent", "0.10", "10", 7, "0.10", "10", 7, "discount_rate 10 is not a ratio"),
    ("circle", "hours * 12", "hours.year * 12", 11, "hours * 12", "hours.year * 12", 14, "in a circle: hours.year"),
    ("text", "value: 40", "value: about 40", 9, "= 40", '= "about 40"', 9, "'about 40' stands where a number belongs"),
    ("quoted", "value: 40", 'value: "40"', 9, "= 40", '= "40"', 9, "'40' stands where a number belongs"),
    ("boolean", "value: 40", "value: true", 9, "= 40", "= true", 9, "true stands where a number belongs"),
    ("far away", "value: 40", "value: 1.0e+400", 9, "= 40", "= 1e400", 9, "is out of range"),
    (
        "absurd",
        "value: 40",
        "value: 1.0e+99999999999999999999",
        9,
        "= 40",
        "= 1e99999999999999999999",
        9,
        "plain decimal",
    ),
    ("digits", "value: 40", f"value: {'9' * 9000}", 9, "= 40", f"= {'9' * 9000}", 9, "plain decimal digits"),
    ("date", "2025-01-01", "2025-13-15", 5, "2025-01-01", "2025-13-15", 5, "2025-13-15 is no date: month must be"),
    ("year", "2025-01-01", "9999-12-31", 5, "2025-01-01", "9999-12-31", 5, "not between 1950 and 2200"),
    ("number as date", "2025-01-01", "20250101", 5, "2025-01-01", "20250101", 5, "a number where a date belongs"),
    (
        "code",
        "hours.year * 2",
        "\"=cmd|' /C calc'!A0\"",
        15,
        "hours.year * 2",
        "=cmd|' /C calc'!A0",
        25,
        "cannot be read",
    ),
    (
        "import",
        "hours.year * 2",
        "\"__import__('os')\"",
        15,
        "hours.year * 2",
        "__import__('os')",
        25,
        "not arithmetic",
    ),
    ("huge constant", "hours.year * 2", "9" * 90, 15, "hours.year * 2", "9" * 90, 25, ""),
    (
        "foreign money",
        "unit: EUR",
        "unit: USD",
        13,
        'unit = "EUR"',
        'unit = "USD"',
        18,
        "a unit in USD in a case in EUR",
    ),
    ("unknown key", "axis: cost", "axes: cost", 15, "axis =", "axes =", 24, "unknown key 'axes'; did you mean 'axis'?"),
]


@pytest.mark.parametrize("row", TEXTS, ids=[row[0] for row in TEXTS])
def test_a_mistake_in_text_names_file_line_and_fix(row: tuple[Any, ...], tmp_path: Path) -> None:
    _, old, new, line, toml_old, toml_new, toml_line, message = row
    assert old in YAML
    assert toml_old in TOML
    for text, ending, wanted in (
        (YAML.replace(old, new, 1), "yaml", line),
        (TOML.replace(toml_old, toml_new, 1), "toml", toml_line),
    ):
        said = refusal(tmp_path, text, ending)
        assert message in said
        assert f"line {wanted}:" in said


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value: 40", "value: .nan", "line 9: .nan is not a finite"),
        ("value: 40", "value: -.inf", "line 9: -.inf is not a finite"),
        ("value: 40", "value: 017", "line 9: 017 would be read as an octal"),
        ("value: 40", "value: 0x28", "line 9: 0x28 would be read as"),
        ("value: 40", "value: 12:30", "line 9: 12:30 would be read as"),
        ("id: t\n", "id: t\nid: again\n", "line 2: the key 'id' stands here twice"),
        ("id: t\n", "id: t\n? [a]\n: 1\n", "line 2: a key is a list or a section"),
        ("id: t\n", "id: &a t\nnote: *a\n", "line 2: aliases"),
        ("id: t\n", "id: t\nx: !!python/name:os.system\n", "line 2: could not determine"),
        ("id: t\n", "id: t\n---\n", "line 2:"),
        ("ko: 시험", "ko: 시\0험", "line 2: the character U+0000"),
        ("value: 40", "value: " + "[" * 200 + "]" * 200, "line 9: nested deeper than 30 levels"),
    ],
)
def test_what_yaml_would_read_as_something_else_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert message in refusal(tmp_path, YAML.replace(old, new, 1), "yaml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("= 40", "= nan", "line 9: this is no finite number"),
        ("= 40", "= -inf", "line 9: this is no finite number"),
        ('id = "t"', 'id = "t"\nid = "u"', "line 2: Cannot overwrite a value"),
        ("[calculations]", "[assumptions.hours]\n[calculations]", "line 13: Cannot declare"),
        ('id = "t"', ".".join("a" * 40) + " = 1", "line 1: a key of 30 levels or more"),
        ("= 40", "= " + "[" * 3000, "nested too deeply"),
    ],
)
def test_what_toml_would_choke_on_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert message in refusal(tmp_path, TOML.replace(old, new, 1), "toml")


def test_laughs_and_endless_files_are_refused(tmp_path: Path) -> None:
    laughs = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "line 2: aliases" in refusal(tmp_path, laughs, "yaml")
    assert "characters, more than" in refusal(tmp_path, "#" * 400_001, "yaml")
    many = "".join(f"  y{n}: {{formula: y{n + 1} + 1, unit: x}}\n" for n in range(400))
    assert "line 10: " in refusal(tmp_path, YAML.replace("calculations:\n", f"calculations:\n{many}", 1), "yaml")


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-16", "the text is not UTF-8 but UTF-16"),
        ("euc-kr", "the text is not UTF-8, it may be Korean EUC-KR (CP949)"),
    ],
)
def test_text_in_another_encoding_says_which_and_how_to_save_it(encoding: str, message: str, tmp_path: Path) -> None:
    for ending, text in (("yaml", YAML), ("toml", TOML)):
        said = refusal(tmp_path, text.encode(encoding), ending)
        assert message in said
        assert "Fix: save it as UTF-8" in said


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: t\n", "id: ../etc\n", "line 1: this is no id: small letters, digits"),
        ("id: t\n", f"id: {'t' * 65}\n", "line 1: this text is longer than 64 characters"),
        ("id: t\n", "id: 7\n", "line 1: a number, a list or a section stands where text belongs"),
        ("ko: 시험", 'ko: ""', "line 2: this text is empty"),
        ("assumptions:\n", "decision_rule: {conditions: [], source: s}\nassumptions:\n", "at least 1, it has 0"),
        ("horizon_years: 2", "horizon_years: 0", "line 6: this must be at least 1"),
        ("axis: cost", "axis: money", "line 15: this must be 'cost', 'productivity', 'revenue' or 'risk'"),
        ("assumptions:\n", "capex_phasing: 3\nassumptions:\n", "line 8: a section with keys belongs here"),
        ("assumptions:\n", "analysis_years: 3\nassumptions:\n", "line 8: a list belongs here"),
    ],
)
def test_the_schema_speaks_in_words(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in YAML
    said = refusal(tmp_path, YAML.replace(old, new, 1), "yaml")
    assert message in said
    assert not re.search("should|pydantic|Tuple|Decimal|String|Input", said)


@pytest.mark.parametrize(
    ("ending", "text"), [("toml", ".".join("a" * 190_000) + " = 1"), ("yaml", "a: " + "[" * 390_000)]
)
def test_a_bomb_in_text_ends_within_bounded_memory(ending: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / f"bomb.{ending}"
    path.write_text(text, encoding="utf-8")
    limited = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 * 1024**3, 2 * 1024**3)); "
    code = f"{limited}from roi_tracker.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "audit", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"bomb.{ending}" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_ends_with_2_and_one_clear_sentence(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(YAML.replace("value: 40", "value: forty", 1), encoding="utf-8")
    command = [sys.executable, "-m", "roi_tracker", "appraise", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "plan.yaml: the case cannot be used: line 9: 'forty' stands where a number belongs" in done.stderr.replace(
        "\n", " "
    )
    assert "Traceback" not in done.stderr
