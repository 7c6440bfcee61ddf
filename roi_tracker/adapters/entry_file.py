"""Entries for the ledger as people write them: a TOML or JSON file with a list `entry`, each with its `kind`."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from roi_tracker.errors import IntakeError, RowError
from roi_tracker.ledger.entries import Body

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 4_000_000


def read_entries(path: Path) -> tuple[Body, ...]:
    """Bodies of a file, all or nothing.

    Raises:
        IntakeError: the file cannot be read, or an entry is not one; every wrong entry is named.
    """
    content = _content(path)
    rows = content.get("entry") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not rows or set(content) != {"entry"}:
        raise IntakeError(
            f"{path.name} holds no list of entries",
            hint="write [[entry]] with kind = 'cost', 'claim', 'adjustment', 'decision' or 'unit_value'",
        )
    found: list[Body] = []
    errors: list[RowError] = []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(msgspec.convert(row, Body))
        except msgspec.ValidationError as error:
            errors.append(RowError(path.name, number, str(error)))
    if errors:
        raise IntakeError(
            f"{len(errors)} entries of {path.name} cannot be used; nothing was written",
            rows=tuple(errors),
            hint="correct the entries named; docs/reference/ledger.md has every field",
        )
    return tuple(found)


def _content(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        if path.stat().st_size > MAX_BYTES:
            raise IntakeError(f"{path.name} is larger than {MAX_BYTES:,} bytes", hint="split it")
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".json":
            return json.loads(text, parse_float=Decimal)
        return tomllib.loads(text, parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise IntakeError(f"{path.name} cannot be read: {error}", hint="give a TOML or JSON text file") from error
