"""Lines of comma-separated values into samples, strictly: pure, safe on any bytes.

Source: RFC 4180, with the separators that plants use, and without a header's names being trusted.
"""

from __future__ import annotations

import csv
import io
import math
import re
from typing import TYPE_CHECKING, Final

from edge_agent.errors import PoisonMessageError
from edge_agent.payloads.strict_json import SHOWN_CHARACTERS, read_text

if TYPE_CHECKING:
    from collections.abc import Sequence

CSV_REASONS: Final = {
    "not_csv": "the payload is not lines of separated values",
    "wrong_columns": "a line has another number of columns than configured",
}
TEXT_COLUMNS = frozenset({"ts", "epoch", "source", "line"})

_INTEGER = re.compile(r"[+-]?\d{1,400}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def read_csv(
    payload: bytes, columns: Sequence[str], wanted: frozenset[str], delimiter: str, max_bytes: int
) -> list[dict[str, object]]:
    r"""One sample a line: column to number, text, or None for an empty field.

    Args:
        payload: the lines; a first line that repeats the column names is passed over.
        columns: names of the columns, in order.
        wanted: columns that are read; the others may hold anything.
        delimiter: what separates columns.
        max_bytes: largest payload.

    Raises:
        PoisonMessageError: its `reason` is a key of `CSV_REASONS` or of `strict_json.TEXT_REASONS`, or `wrong_type`.

    >>> read_csv(b"17,21.5\n", ("ts", "temp"), frozenset({"ts", "temp"}), ",", 100)
    [{'ts': 17, 'temp': 21.5}]
    """
    text = read_text(payload, max_bytes).removeprefix("\ufeff")
    samples: list[dict[str, object]] = []
    try:
        for number, fields in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)):
            if not fields or (number == 0 and [field.strip() for field in fields] == list(columns)):
                continue
            if len(fields) != len(columns):
                detail = f"line {number + 1} has {len(fields)} columns, {len(columns)} are configured"
                raise PoisonMessageError("wrong_columns", detail, value=fields[0][:SHOWN_CHARACTERS])
            samples.append(
                {
                    name: _value(name, field.strip(), number)
                    for name, field in zip(columns, fields, strict=True)
                    if name in wanted
                }
            )
    except csv.Error as error:
        raise PoisonMessageError("not_csv", str(error)) from None
    if not samples:
        raise PoisonMessageError("empty", "the payload holds no line of values")
    return samples


def _value(name: str, field: str, line: int) -> object:
    if not field:
        return None
    if name in {"epoch", "source", "line"}:
        return field
    if _INTEGER.fullmatch(field):
        return int(field)
    if _NUMBER.fullmatch(field):
        value = float(field)
        if not math.isfinite(value):
            raise PoisonMessageError("number_out_of_range", f"line {line + 1}: larger than a double holds", field=name)
        return value
    if name in TEXT_COLUMNS:
        return field
    shown = field[:SHOWN_CHARACTERS]
    if _NOT_FINITE.fullmatch(field):
        raise PoisonMessageError("not_finite", "NaN and Infinity are not values", field=name, value=shown)
    if _DECIMAL_COMMA.fullmatch(field):
        raise PoisonMessageError("decimal_comma", "write 3.14, not 3,14", field=name, value=shown)
    raise PoisonMessageError("wrong_type", f"line {line + 1}: a number is expected", field=name, value=shown)
