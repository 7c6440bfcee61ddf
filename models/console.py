"""What the commands share at the terminal: output, progress, exit codes."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.errors import ContractError, FolderRefusedError, ManifestError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DONE, NO, USAGE, UNREACHABLE = 0, 1, 2, 3

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, messages on stderr.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def entry_point(app: typer.Typer) -> int:
    """Run a command line and return its exit code.

    A model that is not sound is the answer "no" (1); any other error of ours is bad input (2).
    """
    try:
        app()
    except (FolderRefusedError, ManifestError, ContractError) as error:
        err.print(f"refused: {error}", markup=False)
        return NO
    except ModelError as error:
        err.print(f"error: {error}", markup=False)
        return USAGE
    except OSError as error:
        err.print(f"error: {error.strerror or error}: {error.filename or ''}", markup=False)
        return UNREACHABLE
    return DONE


def print_json(document: dict[str, Any], *, compact: bool = False) -> None:
    """One JSON document on stdout; not a number is written as null by the callers, never as NaN."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=None if compact else 2)
    sys.stdout.write(text + "\n")


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """A function (stage, done, total) that shows bars on stderr while it is a terminal, and nothing otherwise."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield show
