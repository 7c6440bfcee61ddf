"""What the commands share at the terminal: options, output, errors, exit codes."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import msgspec
import typer
from rich.console import Console

from roi_tracker.errors import IntakeError, TrackerError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.money import Language

NO, USAGE, UNREACHABLE = 1, 2, 3
_PIPE_WIDTH = 140

JsonOption = Annotated[bool, typer.Option("--json", help="one JSON document on standard output")]

errors = Console(stderr=True)


class PageLanguage(StrEnum):
    """Languages of what people read."""

    ko = "ko"
    en = "en"


LangOption = Annotated[
    PageLanguage | None,
    typer.Option("--lang", help="language of what is read; left out: the case's `language`, else the terminal's"),
]
_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


def language_of(
    lang: PageLanguage | None, case: BusinessCase | None = None, environment: Mapping[str, str] = os.environ
) -> Language:
    """The language of what a command says, by one rule for all: `--lang`, else the case's `language`, else the
    terminal's locale: Korean where that is Korean, English elsewhere.

    >>> language_of(None, None, {"LANG": "ko_KR.UTF-8"}), language_of(None, None, {"LC_ALL": "C", "LANG": "ko_KR"})
    ('ko', 'en')
    """
    if lang is not None:
        return lang.value
    if case is not None and case.language is not None:
        return case.language
    locale = next((environment[name] for name in _LOCALE_VARIABLES if environment.get(name)), "")
    return "ko" if locale.lower().startswith("ko") else "en"


def run(app: typer.Typer) -> None:
    """Run a command line: errors of this program end with a message and an exit code, never with a traceback."""
    try:
        app()
    except UnreachableError as error:
        _fail(error, UNREACHABLE)
    except TrackerError as error:
        _fail(error, USAGE)
    except ModuleNotFoundError as error:
        _missing(error)


def _fail(error: TrackerError, code: int) -> NoReturn:
    for line in error_lines(error, _spoken[-1]):
        errors.print(line, markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)


_spoken: list[Language] = ["en"]
"""The language in which an error that ends the command is told; commands that know more than English set it."""


def speak(language: Language) -> None:
    """From here on, what ends the command is told in this language, where its words are known in it."""
    _spoken.append(language)


def error_lines(error: TrackerError, language: Language) -> Iterator[str]:
    """An error as lines: what is wrong and how to fix it, then each row at fault."""
    if language == "ko" and isinstance(error, IntakeError) and error.message_ko:
        yield f"오류: {error.message_ko}. 조치: {error.hint_ko}"
    else:
        yield f"error: {error}"
    for row in error.rows if isinstance(error, IntakeError) else ():
        if language == "ko" and row.message_ko:
            yield f"  {row.source} {row.line}행: {row.message_ko}" + (f". 조치: {row.fix_ko}" if row.fix_ko else "")
        else:
            yield f"  {row.source}:{row.line}: {row.message}" + (f". Fix: {row.fix}" if row.fix else "")


def _missing(error: ModuleNotFoundError) -> NoReturn:
    """End with what to install; a file of our own that is missing is a broken install and keeps its traceback."""
    name = (error.name or "").partition(".")[0]
    if name in {"", "roi_tracker", "edge_agent"}:
        raise error
    errors.print(
        f"error: the library {name!r} is not installed. Fix: pip install 'lineproof[roi]', or in a checkout"
        " pip install --require-hashes -r requirements/server.txt",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    sys.exit(USAGE)


def table_console() -> Console:
    """Where tables go: as wide as the terminal, or wide enough for whole cells in a pipe or a file."""
    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, _PIPE_WIDTH))


def print_json(document: Any) -> None:  # noqa: ANN401 - whatever msgspec can write
    """One JSON document on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n")


def say(text: str) -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")
