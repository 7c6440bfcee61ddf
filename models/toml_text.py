"""Writes plain data as TOML 1.0, in the order given, so that the same data gives the same bytes."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def write_toml(data: Mapping[str, Any]) -> str:
    """Write nested mappings, sequences of mappings and scalars; None is left out.

    >>> print(write_toml({"name": "a", "part": {"x": 1.0}, "files": [{"path": "m"}]}), end="")
    name = "a"
    <BLANKLINE>
    [part]
    x = 1.0
    <BLANKLINE>
    [[files]]
    path = "m"
    """
    lines: list[str] = []
    _table(data, "", lines)
    return "\n".join(lines).lstrip("\n") + "\n"


def _table(data: Mapping[str, Any], prefix: str, lines: list[str]) -> None:
    nested = []
    for key, value in data.items():
        if value is None:
            continue
        if isinstance(value, dict) or _is_table_array(value):
            nested.append((key, value))
        else:
            lines.append(f"{_key(key)} = {_scalar(value)}")
    for key, value in nested:
        path = f"{prefix}{_key(key)}"
        for header, table in [(f"[{path}]", value)] if isinstance(value, dict) else [(f"[[{path}]]", v) for v in value]:
            lines.extend(["", header])
            _table(table, f"{path}.", lines)


def _is_table_array(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, dict) for item in value)


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _quoted(key)


def _quoted(text: str) -> str:
    # a JSON string is a TOML basic string, except for DEL, which TOML wants escaped
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan")
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_scalar(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} cannot be written as TOML")
