"""What is wrong with a configuration, told plainly: line, key, value, reason and fix for each fault."""

from __future__ import annotations

import difflib
import json
import math
import operator
import types
import typing
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as time_of_day
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from edge_agent.settings.config import Settings
from edge_agent.settings.toml_lines import KeyPath, nearest_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_MS_PER_S = 1_000
_MIB = 1_048_576
_SHOWN = 60
_WORDS = {
    "string_type": "is not text; write it in quotes",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "bool_type": "is neither true nor false",
    "tuple_type": "is not a list; write [..., ...]",
    "dict_type": "is not a table; write { name = value }",
    "model_type": "is not a table",
    "model_attributes_type": "is not a table",
    "string_pattern_mismatch": "has characters that cannot be used here",
}
_BOUNDS = {
    "greater_than_equal": ("must be at least {}", "ge"),
    "greater_than": ("must be more than {}", "gt"),
    "less_than_equal": ("must be at most {}", "le"),
    "less_than": ("must be less than {}", "lt"),
    "string_too_short": ("must have at least {} characters", "min_length"),
    "string_too_long": ("must have at most {} characters", "max_length"),
    "too_short": ("must have at least {} entries", "min_length"),
}
_KEEPS = {"at least": operator.ge, "more than": operator.gt, "at most": operator.le, "less than": operator.lt}
_COMPARISONS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a configuration file.

    Attributes:
        key: dotted name, list entries counted from 1: `stations[1].folder.path`; empty for the whole file.
        value: the value as text, shortened, never a secret; empty when nothing is there.
        reason: what is wrong.
        fix: what to do.
        line: line of the file, or None when there is none.
    """

    key: str
    value: str
    reason: str
    fix: str
    line: int | None = None

    def text(self, file: str) -> str:
        """`file:line: key = value: reason. Fix: fix`, as compilers write it.

        >>> Problem("broker.port", "0", "must be at least 1", "write 1883", 7).text("lineproof.toml")
        'lineproof.toml:7: broker.port = 0: must be at least 1. Fix: write 1883'
        """
        where = file if self.line is None else f"{file}:{self.line}"
        what = f"{self.key} = {self.value}" if self.value else self.key
        return f"{where}: {what + ': ' if what else ''}{self.reason}. Fix: {self.fix}"


def dotted(key: KeyPath) -> str:
    """A key for people.

    >>> dotted(("stations", 0, "folder", "path"))
    'stations[1].folder.path'
    """
    text = ""
    for part in key:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def strange_values(data: Mapping[str, object]) -> Iterator[tuple[KeyPath, str, str]]:
    """Values that TOML allows and no setting is: dates, infinities, not-a-number; key, value as text, fix."""
    waiting: list[tuple[KeyPath, object]] = [((), data)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*key, name), inner) for name, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*key, number), inner) for number, inner in enumerate(value)]
        elif isinstance(value, date | datetime | time_of_day):
            yield key, value.isoformat(), "write it in quotes"
        elif isinstance(value, float) and not math.isfinite(value):
            yield key, str(value), "write a finite number"


def explain(error: ValidationError, data: Mapping[str, object], lines: dict[KeyPath, int]) -> list[Problem]:
    """Turn pydantic's findings into problems, in the order of the file."""
    found = [
        problem
        for details in error.errors(include_url=False, include_context=True)
        for problem in _explained(details, data, lines)
    ]
    return sorted(found, key=lambda problem: problem.line or 0)


def field_at(root: type[BaseModel], key: KeyPath) -> FieldInfo | None:
    """The setting that a key names, None for anything else (an entry of a table of names, an unknown key)."""
    section: type[BaseModel] | None = root
    found: FieldInfo | None = None
    for part in key:
        if isinstance(part, int):
            continue
        found = section.model_fields.get(part) if section is not None else None
        section = section_of(found.annotation) if found is not None else None
    return found


def section_of(annotation: object) -> type[BaseModel] | None:
    """The section behind a setting's type: itself, optional, or a list of it; None for plain values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = typing.get_origin(annotation)
    if origin in {typing.Union, types.UnionType, tuple}:
        for argument in typing.get_args(annotation):
            section = section_of(argument)
            if section is not None:
                return section
    return None


def _explained(details: ErrorDetails, data: Mapping[str, object], lines: dict[KeyPath, int]) -> list[Problem]:
    key: KeyPath = details["loc"]
    kind, context = details["type"], details.get("ctx", {})
    if kind == "value_error":
        reasons = str(context.get("error", details["msg"])).split("; ")
        return [_of_validator(reason, key, data, lines) for reason in reasons]
    line = nearest_line(lines, key)
    name, value = dotted(key), _shown(key, details["input"])
    field = field_at(Settings, key)
    purpose = (field.description or "").rstrip(".") if field is not None else ""
    if kind == "missing":
        return [Problem(name, "", "is missing", f"add {key[-1]} = ... ({purpose})", line)]
    if kind == "extra_forbidden":
        around = field_at(Settings, key[:-1])
        section = Settings if len(key) == 1 else section_of(around.annotation) if around is not None else None
        return [Problem(name, value, "is not a setting", _nearest(str(key[-1]), section), line)]
    if kind == "literal_error":
        allowed = str(context["expected"])
        return [Problem(name, value, f"must be one of {allowed}", f"choose one of {allowed}", line)]
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        reason = words.format(context[bound])
        return [Problem(name, value, reason, _in_bounds(key, details["input"], field) or purpose, line)]
    reason = _WORDS.get(kind, details["msg"])
    fix = _in_bounds(key, details["input"], field) or purpose
    if kind in {"int_type", "float_type", "bool_type"} and isinstance(details["input"], str):
        fix = "write it without quotes"
    if kind == "string_pattern_mismatch":
        fix = "use up to 64 letters, digits, '_', '.' and '-', beginning with a letter or digit"
        if "hosts" in key:
            fix = "write the name alone, without http:// and port"
    return [Problem(name, value, reason, fix, line)]


def _of_validator(reason: str, key: KeyPath, data: Mapping[str, object], lines: dict[KeyPath, int]) -> Problem:
    """A rule between settings; it stands at the setting that it begins with, else at the last value that it quotes."""
    reason, _, told = reason.partition(". Fix: ")
    fix = told or "change one of the settings that contradict each other"
    named = (*key, *reason.split(" ", 1)[0].split("."))
    if field_at(Settings, named) is not None:
        return Problem(dotted(named), "", reason, fix, nearest_line(lines, named))
    at = next((place for word in reason.split("'")[1::2] for place in reversed(list(_places(data, key, word)))), key)
    return Problem(dotted(at), "", reason, fix, nearest_line(lines, at))


def _places(data: object, under: KeyPath, wanted: str) -> Iterator[KeyPath]:
    """Where below `under` a value stands."""
    value = data
    for part in under:
        value = value[part] if isinstance(value, dict | list) else None  # type: ignore[index] # str for dict, int for list
    waiting: list[tuple[KeyPath, object]] = [(under, value)]
    while waiting:
        key, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting += [((*key, name), inner) for name, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*key, number), inner) for number, inner in enumerate(value)]
        elif value == wanted or (isinstance(value, str) and wanted.endswith(f"/{value}")):
            yield key


def _nearest(name: str, section: type[BaseModel] | None) -> str:
    known: Sequence[str] = sorted(section.model_fields) if section is not None else ()
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"remove it; known here: {', '.join(known)}" if known else "remove it"


def _in_bounds(key: KeyPath, value: Any, field: FieldInfo | None) -> str:  # noqa: ANN401 - whatever stood in the file
    """A value in the wrong unit, put right; else the range; empty when there is neither."""
    if field is None or isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    slips = {
        "_ratio": (value / 100, f"this is a ratio from 0 to 1; {value} % is {value / 100:g}"),
        "_s": (value / _MS_PER_S, f"this is in seconds; {value} ms is {value / _MS_PER_S:g}"),
        "_ms": (value * _MS_PER_S, f"this is in milliseconds; {value} s is {value * _MS_PER_S:g}"),
        "_bytes": (value * _MIB, f"this is in bytes; {value} MiB is {value * _MIB:.0f}"),
    }
    for suffix, (meant, hint) in slips.items():
        if str(key[-1]).endswith(suffix) and value > 0 and _within(meant, field):
            return hint
    bounds = [f"{word} {limit}" for word, limit in _limits(field)]
    return f"write a value {' and '.join(bounds)}" if bounds else ""


def _within(value: float, field: FieldInfo) -> bool:
    return all(_KEEPS[word](value, limit) for word, limit in _limits(field))


def _limits(field: FieldInfo) -> Iterator[tuple[str, Any]]:
    for rule in field.metadata:
        for bound, word in _COMPARISONS.items():
            limit = getattr(rule, bound, None)
            if limit is not None:
                yield word, limit


def _shown(key: KeyPath, value: object) -> str:
    if any("password" in str(part) and not str(part).endswith("_file") for part in key):
        return "(hidden)"
    if isinstance(value, dict | list):
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
