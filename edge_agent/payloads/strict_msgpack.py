"""MessagePack into a value, more strictly than the format asks, so that nothing is guessed: pure, safe on any bytes.

Source: MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from edge_agent.errors import PoisonMessageError
from edge_agent.payloads.strict_json import COMPRESSED_HEADS

MSGPACK_REASONS: Final = {"not_msgpack": "the payload is not MessagePack"}
DEEPEST = 64

_NIL_OR_BOOL = frozenset({0xC0, 0xC2, 0xC3})
_FIXED = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_FIXED |= {0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17}  # extensions: a type byte and 1 to 16 bytes
_COUNTED = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENSIONS = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_ARRAYS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}
_TEXTS = frozenset({0xD9, 0xDA, 0xDB})
_LARGEST_FIXINT = 0x7F
_LARGEST_FIXMAP = 0x8F
_LARGEST_FIXARRAY = 0x9F
_LARGEST_FIXSTR = 0xBF
_LEAST_NEGATIVE_FIXINT = 0xE0


def read_msgpack(payload: bytes, max_bytes: int) -> Any:  # noqa: ANN401 - such a value has no narrower type
    """The value of a MessagePack payload.

    Refused beyond what is not MessagePack: keys that are no text, a key given twice (which of the two holds?), NUL
    characters, nesting deeper than `DEEPEST`. NaN is left to the reader of numbers.

    Raises:
        PoisonMessageError: its `reason` is a key of `MSGPACK_REASONS` or of `strict_json.TEXT_REASONS`.

    >>> read_msgpack(bytes.fromhex("81a474656d70cb4035800000000000"), 100)
    {'temp': 21.5}
    >>> read_msgpack(bytes.fromhex("82a161 01 a161 02"), 100)
    Traceback (most recent call last):
    edge_agent.errors.PoisonMessageError: a key is given twice [field = 'a']
    """
    if len(payload) > max_bytes:
        raise PoisonMessageError("too_large", f"{len(payload)} bytes; at most {max_bytes} are allowed")
    if not payload:
        raise PoisonMessageError("empty", "the payload is empty")
    if payload.startswith(COMPRESSED_HEADS):
        raise PoisonMessageError("compressed", "the payload is compressed; publish plain MessagePack")
    end = _skip(payload, 0, 0)  # msgspec keeps the last of two equal keys and does not tell
    if end != len(payload):
        raise PoisonMessageError("not_msgpack", f"{len(payload) - end} bytes follow the value")
    try:
        return msgspec.msgpack.decode(payload)
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
        raise PoisonMessageError("not_msgpack", str(error)) from None


def _skip(data: bytes, at: int, depth: int) -> int:
    """Where the object at `at` ends; texts and maps are checked on the way."""
    if depth > DEEPEST:
        raise PoisonMessageError("too_deep", "the payload is nested too deeply")
    head, at = _number(data, at, 1), at + 1
    if head <= _LARGEST_FIXINT or head >= _LEAST_NEGATIVE_FIXINT or head in _NIL_OR_BOOL:
        return at
    if head in _FIXED:
        return _within(data, at + _FIXED[head])
    if head in _EXTENSIONS:
        width = _EXTENSIONS[head]
        return _within(data, at + width + 1 + _number(data, at, width))
    if head <= _LARGEST_FIXMAP or head in _MAPS:
        count, at = (head & 0x0F, at) if head <= _LARGEST_FIXMAP else _count(data, at, _MAPS[head])
        return _skip_map(data, at, count, depth)
    if head <= _LARGEST_FIXARRAY or head in _ARRAYS:
        count, at = (head & 0x0F, at) if head <= _LARGEST_FIXARRAY else _count(data, at, _ARRAYS[head])
        for _ in range(count):
            at = _skip(data, at, depth + 1)
        return at
    if head <= _LARGEST_FIXSTR or head in _COUNTED:
        length, at = (head & 0x1F, at) if head <= _LARGEST_FIXSTR else _count(data, at, _COUNTED[head])
        end = _within(data, at + length)
        if (head <= _LARGEST_FIXSTR or head in _TEXTS) and b"\0" in data[at:end]:
            raise PoisonMessageError("nul", "the payload holds a NUL character")
        return end
    raise PoisonMessageError("not_msgpack", f"no object begins with {head:#04x}")


def _skip_map(data: bytes, at: int, count: int, depth: int) -> int:
    keys: set[bytes] = set()
    for _ in range(count):
        head = _number(data, at, 1)
        if _LARGEST_FIXARRAY < head <= _LARGEST_FIXSTR:
            begin = at + 1
        elif head in _TEXTS:
            begin = at + 1 + _COUNTED[head]
        else:
            raise PoisonMessageError("wrong_type", "a key of a map is a text", field="key")
        at = _skip(data, at, depth + 1)
        key = data[begin:at]
        if key in keys:
            shown = key[:80].decode("utf-8", "replace")
            raise PoisonMessageError("duplicate_field", "a key is given twice", field="field", value=shown)
        keys.add(key)
        at = _skip(data, at, depth + 1)
    return at


def _count(data: bytes, at: int, width: int) -> tuple[int, int]:
    return _number(data, at, width), at + width


def _number(data: bytes, at: int, width: int) -> int:
    return int.from_bytes(data[at : _within(data, at + width)], "big")


def _within(data: bytes, end: int) -> int:
    if end > len(data):
        raise PoisonMessageError("not_msgpack", "the payload ends too early")
    return end
