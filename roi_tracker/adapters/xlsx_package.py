"""Workbooks from outside, opened only after their package was looked at: bombs, entities, links and macros refused."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from roi_tracker.errors import CaseError

MAX_FILE_BYTES = 5_000_000
MAX_UNPACKED_BYTES = 60_000_000
MAX_PARTS = 200
MAX_RATIO = 150
MAX_TAGS = 400_000
"""Of XML in all parts: what the parser's memory grows with."""
_NOT_ZIP = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)
_DAMAGE = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, SyntaxError, OSError, RecursionError, EOFError,
    zipfile.BadZipFile, zlib.error, InvalidFileException,
)  # fmt: skip
"""What the library raises on parts that are not as the standard says."""
_EXTERNAL = re.compile(rb"<[^<>]*TargetMode\s*=\s*[\"']External[\"'][^<>]*>")


def open_workbook(content: bytes) -> tuple[Any, Any]:
    """A workbook twice: with the values that its cells show, and with the formulas that are written in them.

    Raises:
        CaseError: no workbook, damaged, too large once unpacked, or with links, macros or entities in it.
    """
    check_package(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the library's remarks on styles and odd dates
            shown = openpyxl.load_workbook(io.BytesIO(content), data_only=True, read_only=False, keep_links=False)
            written = openpyxl.load_workbook(io.BytesIO(content), data_only=False, read_only=False, keep_links=False)
    except _DAMAGE as error:
        raise CaseError(
            f"the workbook is damaged: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            field="file", value="xlsx", hint="open it in Excel or LibreOffice and save it again",
        ) from error  # fmt: skip
    return shown, written


def check_package(content: bytes) -> None:
    """Refuse what is no workbook, or one that could harm, before anything is parsed.

    Raises:
        CaseError: says which part and why.
    """
    if len(content) > MAX_FILE_BYTES:
        raise CaseError(f"the workbook has more than {MAX_FILE_BYTES:,} bytes", field="file", hint="a case is small")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            _check_size(package.infolist())
            tags = 0
            for part in package.infolist():
                with package.open(part) as opened:
                    text = opened.read(part.file_size + 1)
                if len(text) > part.file_size:
                    raise _refused(part.filename, "is larger than the package says", "save it again in Excel")
                _check_part(part.filename, text)
                tags += text.count(b"<")
            if tags > MAX_TAGS:
                raise CaseError(
                    f"the workbook unpacks to {tags:,} XML elements: too much for a case",
                    field="file", value="xlsx", hint="delete rows, columns and formats outside the case",
                )  # fmt: skip
            if "xl/workbook.xml" not in package.namelist():
                raise CaseError("not an Excel workbook", field="file", value="xlsx", hint="save as .xlsx")
    except _NOT_ZIP as error:
        raise CaseError(
            "not an Excel workbook", field="file", value="xlsx", hint="save as .xlsx, without a password"
        ) from error


def _check_size(parts: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(part.file_size for part in parts)
    too_dense = any(part.file_size > MAX_RATIO * max(part.compress_size, 1_000) for part in parts)
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED_BYTES or too_dense:
        raise CaseError(
            f"the workbook unpacks to {unpacked:,} bytes in {len(parts)} parts: too much for a case",
            field="file", value="xlsx", hint="save the case in a new workbook",
        )  # fmt: skip


def _check_part(name: str, text: bytes) -> None:
    if name.startswith("/") or "\\" in name or ".." in name.split("/"):
        raise _refused(name, "lies outside the workbook", "save it again in Excel or LibreOffice")
    if name.lower().endswith("vbaproject.bin"):
        raise _refused(name, "is a macro", "save as .xlsx, which has no macros")
    if name.startswith("xl/externalLinks/"):
        raise _refused(name, "links to another file", "break the links (Data, Edit Links) and save again")
    if not name.endswith((".xml", ".rels")):
        return
    if b"\0" in text:
        raise _refused(name, "is not UTF-8 text, so the workbook is not what it says", "save it again in Excel")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise _refused(name, "defines entities, so the workbook is not what it says", "save it again in Excel")
    for link in _EXTERNAL.findall(text) if name.endswith(".rels") else ():
        if b"relationships/hyperlink" not in link:
            raise _refused(name, "links to another file", "break the links (Data, Edit Links) and save again")


def _refused(part: str, problem: str, hint: str) -> CaseError:
    return CaseError(f"the workbook's part {part} {problem}", field="file", value=part, hint=hint)
