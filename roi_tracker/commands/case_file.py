"""Business cases as files on disk: read in any of their formats; what is made of them, written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from roi_tracker.commands.console import say
from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase

CaseArgument = Annotated[Path, typer.Argument(help="business case: YAML, TOML or XLSX")]
CaseOption = Annotated[Path, typer.Option("--case", help="business case: YAML, TOML or XLSX")]


def load_case(path: Path) -> BusinessCase:
    """A case from its file.

    Raises:
        CaseError: the file cannot be read, or is not a case; names the file.
    """
    try:
        return _case(path)
    except CaseError as error:
        message = f"{path.name}: {error.args[0]}"
        raise CaseError(message, field=error.field, value=error.value, hint=error.hint) from error


def _case(path: Path) -> BusinessCase:
    if path.suffix.lower() == ".xlsx":
        from roi_tracker.adapters.xlsx_case import read_xlsx_case

        return read_xlsx_case(_read(path))
    from roi_tracker.business_case import parse_case

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CaseError(
            f"the case cannot be read: {error}", field="case", value=path, hint="give a YAML or TOML text file"
        ) from error
    except UnicodeDecodeError as error:
        raise CaseError(
            f"the text is not UTF-8{_encoding_of(path)}: {error.reason} at byte {error.start}",
            field="case",
            value=path,
            hint="save it as UTF-8 (in the editor: Save as, encoding UTF-8)",
        ) from error
    return parse_case(text, "toml" if path.suffix == ".toml" else "yaml")


def _encoding_of(path: Path) -> str:
    """What the text is in most likely, where that can be told."""
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return " but UTF-16"
    try:
        content.decode("cp949")
    except UnicodeDecodeError:
        return ""
    return ", it may be Korean EUC-KR (CP949)"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CaseError(
            f"the case cannot be read: {error}", field="case", value=path, hint="give a YAML, TOML or XLSX file"
        ) from error


def make_folder(folder: Path) -> None:
    """Make a folder that is not there.

    Raises:
        CaseError: it cannot be made, or a file stands in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CaseError(
            f"no folder can be made here: {error}", field="--out", value=folder, hint="choose another folder"
        ) from error


def write_file(out: Path, content: bytes) -> None:
    """Write a file and say so.

    Raises:
        CaseError: it cannot be written.
    """
    try:
        out.write_bytes(content)
    except OSError as error:
        raise CaseError(
            f"cannot be written: {error}", field="--out", value=out, hint="choose another folder"
        ) from error
    say(f"{out}: {len(content):,} bytes")
