"""Names that files are written under: an ending that contradicts the format, or a file in the way, is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Collection

STANDARD_OUTPUT = Path("-")
"""What `--out -` names."""
_TEXT = frozenset({"csv", "json", "html"})
_ALIKE = {"htm": "html"}


def ending_of(out: Path) -> str:
    """A name's ending as a format, in small letters and without the point; `htm` is html."""
    ending = out.suffix.lower().removeprefix(".")
    return _ALIKE.get(ending, ending)


def check_ending(out: Path, output: str, formats: Collection[str]) -> None:
    """Refuse a name that says another format than the one written; an ending that is no format at all is free.

    Raises:
        CaseError: they contradict each other.
    """
    ending = ending_of(out)
    if ending in formats and ending != output:
        raise CaseError(
            f"the name says {ending}, --format says {output}",
            field="--out",
            value=out,
            hint=f"end the name .{output}, or write --format {ending}",
        )


def check_standard_output(output: str | None) -> None:
    """Refuse to write to standard output what is no text, or what nobody gave a format for.

    Raises:
        CaseError: the format is missing, a folder, or no text.
    """
    if output is None:
        raise CaseError(
            "standard output has no ending that says the format", field="--out", value="-", hint="add --format json"
        )
    if output not in _TEXT:
        raise CaseError(
            f"--format {output} is not written to standard output",
            field="--out",
            value="-",
            hint="name a file or folder, or choose csv, json or html",
        )


def write_standard_output(content: bytes) -> None:
    """Write a text format to standard output, as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def check_workbook_name(out: Path, *, force: bool) -> None:
    """Refuse a template's name that is no workbook's, and one that is taken.

    Raises:
        CaseError: either.
    """
    if out.suffix.lower() != ".xlsx":
        raise CaseError(
            "a template is a workbook",
            field="OUT",
            value=out,
            hint=f"end the name .xlsx; to fill it with a case: roi-tracker template case.xlsx --case {out.name}",
        )
    if out.exists() and not force:
        raise CaseError(
            "the file is there already; it may hold somebody's work",
            field="OUT",
            value=out,
            hint="choose another name, or add --force to replace it",
        )
