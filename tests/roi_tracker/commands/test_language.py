"""One rule for the language of every command: `--lang`, the case's `language`, the terminal's locale."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

import roi_tracker
from roi_tracker.__main__ import app
from roi_tracker.business_case import parse_case
from roi_tracker.commands.console import PageLanguage, language_of

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(roi_tracker.__file__).parent / "examples/small_press_line.yaml"
WITHOUT = {"template": "the workbook is in both languages"}
"""Commands that say both languages at once."""


def commands(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield prefix + name, command


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_command_follows_the_rule(name: str) -> None:
    options = {option.name: option for option in ALL[name].params}
    if name in WITHOUT:
        assert "lang" not in options
    else:
        assert options["lang"].default is None


def test_the_exceptions_are_commands() -> None:
    assert set(WITHOUT) < set(ALL)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LC_ALL": "", "LC_MESSAGES": "ko_KR", "LANG": "en_US.UTF-8"}, "ko"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_option_then_the_case_then_the_terminal(environment: dict[str, str], language: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    silent = parse_case(text, "yaml").model_copy(update={"language": None})
    korean, english = (parse_case(f"language: {name}\n{text}", "yaml") for name in ("ko", "en"))
    assert language_of(None, silent, environment) == language
    assert language_of(None, None, environment) == language
    assert [language_of(None, one, environment) for one in (korean, english)] == ["ko", "en"]
    assert language_of(PageLanguage.en, korean, environment) == "en"


@pytest.mark.parametrize(("locale", "name"), [("ko_KR.UTF-8", "ko"), ("C.UTF-8", "en")])
def test_a_command_speaks_the_language_of_the_terminal(
    locale: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LANG", locale)
    case = tmp_path / "case.yaml"
    case.write_bytes(EXAMPLE.read_bytes())
    done = CliRunner().invoke(
        app, ["appraise", os.fspath(case), "--format", "all", "--out", os.fspath(tmp_path / "out")]
    )
    assert done.exit_code == 0
    assert {file.stem for file in (tmp_path / "out").iterdir()} == {f"case-appraisal-{name}"}
