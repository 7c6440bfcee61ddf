"""What the READMEs and guides tell people to type must exist; the pictures they show must be there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "README.ko.md",
    *sorted((ROOT / "docs").glob("*/README.md")),
    ROOT / "docs" / "reference" / "commands.md",
    ROOT / "deploy" / "README.md",
]
MODULES = {"edge-agent": "edge_agent", "edge-model": "models", "roi-tracker": "roi_tracker"}


def commands(page: Path) -> list[list[str]]:
    """The lines of indented blocks that call one of our commands, without comments."""
    found = []
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("    ") and any(f"{name} " in line for name in MODULES):
            words = shlex.split(line.split("  #")[0].split("   //")[0], comments=True)
            while words and Path(words[0]).name not in MODULES:
                words.pop(0)
            if words:
                found.append([Path(words[0]).name, *words[1:]])
    return found


@cache
def help_text(*words: str) -> str:
    """What a command says of itself; empty when there is no such command."""
    call = [sys.executable, "-m", MODULES[words[0]], *words[1:], "--help"]
    asked = subprocess.run(
        call, check=False, capture_output=True, text=True, env={"COLUMNS": "200", "PATH": "/usr/bin"}
    )
    return asked.stdout if asked.returncode == 0 else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_exists_with_its_options(page: Path) -> None:
    for words in commands(page):
        plain = [word for word in words[1:] if not word.startswith("-")]
        told = help_text(words[0], *plain[:2]) if len(plain) > 1 and help_text(words[0], *plain[:2]) else ""
        told = told or help_text(words[0], *plain[:1])
        assert told, f"{page.name}: no such command: {' '.join(words)}"
        for word in words[1:]:
            if word.startswith("--"):
                assert word.split("=")[0] in told, f"{page.name}: {' '.join(words)}: no option {word}"


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]), ids=lambda p: p.name)
def test_every_link_and_picture_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} points to {target}"


def test_the_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make (\w[\w-]*)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    for record in sorted((ROOT / "docs" / "decisions").glob("0*.md")):
        assert f"({record.name})" in index, f"{record.name} is not in docs/decisions/README.md"
