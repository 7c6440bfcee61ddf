"""JSON text into a value, more strictly than JSON asks, so that nothing is guessed: pure and safe on any bytes."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

from edge_agent.errors import PoisonMessageError

TEXT_REASONS: Final = {
    "bad_utf8": "the payload is not UTF-8",
    "compressed": "the payload is compressed",
    "decimal_comma": "a number is written with a comma",
    "duplicate_field": "an object names a field twice",
    "empty": "there is nothing in the payload",
    "not_finite": "NaN or Infinity",
    "not_json": "the payload is not JSON",
    "nul": "the payload holds a NUL character",
    "number_out_of_range": "a number is too large to be held",
    "too_deep": "the payload is nested too deeply",
    "too_large": "the payload is larger than allowed",
}

COMPRESSED_HEADS = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # gzip (RFC 1952), Zstandard (RFC 8878)
SHOWN_CHARACTERS = 80

_NOT_FINITE = re.compile(rb"(?<![\w\"])-?(nan|inf(inity)?)(?![\w\"])", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(rb"\s*[-+]?\d+,\d+\s*")


def read_json(payload: bytes, max_bytes: int) -> Any:  # noqa: ANN401 - the value of a JSON text has no narrower type
    """The value of a JSON text.

    Refused beyond what is not JSON: duplicate fields (which of the two holds?), numbers that no double holds, NUL
    characters, and nesting deeper than the interpreter's stack.

    Raises:
        PoisonMessageError: its `reason` is a key of `TEXT_REASONS`.

    >>> read_json(b'{"temp": 21.5}', 100)
    {'temp': 21.5}
    >>> read_json(b'{"temp": 1, "temp": 2}', 100)
    Traceback (most recent call last):
    edge_agent.errors.PoisonMessageError: a field is named twice [field = 'temp']
    """
    text = read_text(payload, max_bytes)
    try:
        value = msgspec.json.decode(payload)
        if not _names_each_field_once(value, payload):
            json.loads(text, object_pairs_hook=_refuse_duplicates)  # msgspec keeps the last and does not tell
    except RecursionError:
        raise PoisonMessageError("too_deep", "the payload is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise PoisonMessageError("number_out_of_range", str(error)) from None
    except (msgspec.DecodeError, ValueError) as error:
        shown = text[:SHOWN_CHARACTERS]
        if _DECIMAL_COMMA.fullmatch(payload):
            raise PoisonMessageError("decimal_comma", "write 3.14, not 3,14", field="payload", value=shown) from None
        if _NOT_FINITE.search(payload):
            raise PoisonMessageError("not_finite", "NaN and Infinity are not values") from None
        raise PoisonMessageError("not_json", str(error), field="payload", value=shown) from None
    return value


def _names_each_field_once(value: object, payload: bytes) -> bool:
    """True when it is plain to see: every colon of the payload parts one kept field from its value, or is in a text.

    msgspec keeps the last of two equal fields; the colon of the other is then too many. Where values are nested, or
    texts hold escapes, the answer is False, which means that a closer look is needed.

    >>> _names_each_field_once({"a": 1, "b": "x:y"}, b'{"a": 1, "b": "x:y"}')
    True
    >>> _names_each_field_once({"a": 2}, b'{"a": 1, "a": 2}')
    False
    """
    colons = payload.count(b":")
    if colons <= 1:  # an object with one field repeats none
        return True
    if not isinstance(value, dict) or b"\\" in payload:
        return False
    kept = len(value)
    for name, field in value.items():
        kept += name.count(":")
        if isinstance(field, str):
            kept += field.count(":")
        elif isinstance(field, dict | list):
            return False
    return kept == colons


def read_text(payload: bytes, max_bytes: int) -> str:
    """The text of a payload, refused where it is too large, empty, compressed or not UTF-8, or holds a NUL.

    Raises:
        PoisonMessageError: its `reason` is a key of `TEXT_REASONS`.
    """
    if len(payload) > max_bytes:
        raise PoisonMessageError("too_large", f"{len(payload)} bytes; at most {max_bytes} are allowed")
    if not payload.strip():
        raise PoisonMessageError("empty", "the payload is empty")
    if payload.startswith(COMPRESSED_HEADS):
        raise PoisonMessageError("compressed", "the payload is compressed; publish plain JSON")
    if b"\0" in payload or b"\\u0000" in payload:
        raise PoisonMessageError("nul", "the payload holds a NUL character")
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PoisonMessageError("bad_utf8", f"not UTF-8 at byte {error.start}") from None


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise PoisonMessageError(
                "duplicate_field", "a field is named twice", field="field", value=name[:SHOWN_CHARACTERS]
            )
        names.add(name)
