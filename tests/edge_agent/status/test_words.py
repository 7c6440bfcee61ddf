from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

import edge_agent
from edge_agent.events import MachineStateName, Mode, VerdictName
from edge_agent.inspection.image_headers.header import REFUSAL_REASONS
from edge_agent.status.line_state import BLOCKING_PROBLEMS, StateName
from edge_agent.status.pages import REGIONS
from edge_agent.status.words import LANGUAGES, Language, Words, catalogue

PACKAGE = Path(edge_agent.__file__).parent
REASON_CALLS = {"Decision": 1, "HealthAssessment": 2, "ImageRefusedError": 0, "Interlock": 2, "LineState": 1}
"""Where the reason code stands among the arguments of what is made with one."""
ASSIGNING_FILES = {"stations.py", "condition.py", "inspecting.py", "monitoring.py"}
"""Files that put a reason code into a variable first."""
NEVER_SHOWN = {"not_an_anomaly_map", "picture_not_drawn", ""}
"""Codes of a refused preview: they reach an HTTP client, not the page."""


def reason_codes_in_source() -> set[str]:
    codes: set[str] = set(REFUSAL_REASONS) | BLOCKING_PROBLEMS
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for value in values_of_reasons(node, assigned=file.name in ASSIGNING_FILES):
                codes |= possible_strings(value)
    codes |= {f"machine_{state}" for state in get_args(MachineStateName) if state.endswith("_stop")}
    return {code for code in codes if re.fullmatch(r"[a-z][a-z0-9_]*", code) and code != "machine_"} - NEVER_SHOWN


def values_of_reasons(node: ast.AST, *, assigned: bool) -> list[ast.expr]:
    """The expressions that give a reason code: an argument of a call in `REASON_CALLS`, or what is assigned to one."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REASON_CALLS:
        return node.args[REASON_CALLS[node.func.id] : REASON_CALLS[node.func.id] + 1]
    if assigned and isinstance(node, ast.Assign):
        target = node.targets[0]
        if isinstance(target, ast.Subscript) and ast.unparse(target.value) == "problems":
            return [node.value]
        if ast.unparse(target) in {"reason", "problem"}:
            return [node.value]
    return []


def possible_strings(value: ast.expr) -> set[str]:
    """The strings an expression can be, both ways of a condition included, its test not."""
    if isinstance(value, ast.IfExp):
        return possible_strings(value.body) | possible_strings(value.orelse)
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return {value.value}
    return set()


def holes(word: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(word) if name is not None}


def test_both_languages_have_the_same_words_with_the_same_holes() -> None:
    korean, english = catalogue("ko"), catalogue("en")

    assert sorted(korean) == sorted(english)
    different = {key for key in english if holes(korean[key]) != holes(english[key])}
    assert different == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_code_has_a_sentence(language: Language) -> None:
    codes = reason_codes_in_source()

    assert {
        "model_failed",
        "stale_channel",
        "provider_fallback",
        "reject_undelivered",
        "image_blank",
        "all_well",
    } <= codes
    assert {code for code in codes if f"reason.{code}" not in catalogue(language)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_name_on_the_wire_has_a_word(language: Language) -> None:
    words = catalogue(language)
    names = [
        *(f"verdict.{name}" for name in get_args(VerdictName)),
        *(f"state.{name}" for name in get_args(StateName)),
        *(f"machine.{name}" for name in get_args(MachineStateName)),
        *(f"mode.{name}" for name in get_args(Mode)),
        *(f"region.{name}" for name in REGIONS if name != "band"),
    ]

    assert [name for name in names if name not in words] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_a_template_asks_for_exists(language: Language) -> None:
    asked = {
        key
        for file in (PACKAGE / "status" / "templates").glob("*.html")
        for key in re.findall(r"""\bt\(\s*['"]([\w.]+)['"]""", file.read_text(encoding="utf-8"))
    }

    assert len(asked) > 40
    assert asked - set(catalogue(language)) == set()


def test_an_unknown_code_shows_itself_in_both_languages() -> None:
    assert Words("en", "UTC").reason("flux_inverted") == "flux_inverted (no explanation in this language)"
    assert Words("ko", "UTC").reason("flux_inverted") == "flux_inverted (한국어 설명 없음)"


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0.4, "just now", "방금"),
        (2, "2 s ago", "2초 전"),
        (59.9, "59 s ago", "59초 전"),
        (60, "1 min ago", "1분 전"),
        (3_599, "59 min ago", "59분 전"),
        (3_600, "1 h ago", "1시간 전"),
        (86_400, "1 d ago", "1일 전"),
    ],
)
def test_ages(seconds: float, english: str, korean: str) -> None:
    assert Words("en", "UTC").age(seconds) == english
    assert Words("ko", "UTC").age(seconds) == korean


def test_times_are_the_plants() -> None:
    words = Words("ko", "Asia/Seoul")
    moment = datetime(2026, 1, 5, 20, 30, 9, tzinfo=UTC)

    assert words.clock(moment) == "05:30:09"
    assert words.when(moment, moment) == "05:30:09"
    assert words.when(moment, datetime(2026, 1, 6, 15, 0, tzinfo=UTC)) == "2026-01-06 05:30"


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.8421, "0.842"), (81.34, "81.3"), (1240.4, "1,240"), (-2.5, "-2.5")]
)
def test_measures(value: float, text: str) -> None:
    assert Words.measure(value) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (1_023, "1023 B"), (1_536, "1.5 KiB"), (3 * 1024**4, "3.0 TiB")]
)
def test_sizes(number: int, text: str) -> None:
    assert Words.size(number) == text
