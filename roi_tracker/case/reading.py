"""Reading a case from YAML or TOML text: exact decimals, and every mistake with its line, key and nearest name."""

from __future__ import annotations

import difflib
import re
import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ValidationError

from roi_tracker.case.fault_words import in_words
from roi_tracker.case.formula_check import broken_formula, located
from roi_tracker.case.plan import BusinessCase
from roi_tracker.case.section import FROM_FILE
from roi_tracker.case.toml_faults import check_toml, toml_fault
from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_CHARACTERS = 400_000
MAX_DEPTH = 30
_FLOAT = re.compile(r"^[-+]?(\d[\d_]*)(\.\d*)?([eE][-+]?\d+)?$|^[-+]?\.\d+$")
_INTEGER = re.compile(r"^[-+]?(0|[1-9][0-9]{0,99})$")
_DIGITS_HINT = "write plain decimal digits: 18000, 0.045"
_TAGS = frozenset({"number", "years"})
_Path = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Safe YAML without aliases (no document bombs), repeated keys and notations that read as another number."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call] # the library's stubs leave it untyped
        if isinstance(event, yaml.AliasEvent):
            raise _refused("aliases (*name) are not used in a case", event.start_mark, "write the value out")
        if self.depth > MAX_DEPTH:
            raise _refused(f"nested deeper than {MAX_DEPTH} levels", event.start_mark, "close brackets; indent evenly")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the library's signature
        seen: set[object] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a key is a list or a section", key.start_mark, "write a plain word before the colon")
            if key.value in seen:
                raise _refused(f"the key {key.value!r} stands here twice", key.start_mark, "remove one of the two")
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _refused(problem: str, mark: Any, hint: str) -> yaml.MarkedYAMLError:  # noqa: ANN401 - two kinds of mark, one untyped
    return yaml.MarkedYAMLError(None, None, problem, mark, hint)


def _decimal(loader: _Loader, node: yaml.ScalarNode) -> Decimal:
    text = str(loader.construct_scalar(node)).replace("_", "")
    if not _FLOAT.match(text):
        raise _refused(f"{text} is not a finite decimal number", node.start_mark, _DIGITS_HINT)
    try:
        return Decimal(text)
    except ArithmeticError as error:
        raise _refused(f"{text[:40]} is out of range", node.start_mark, _DIGITS_HINT) from error


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node)).replace("_", "")
    if not _INTEGER.match(text):
        problem = f"{text[:40]} would be read as an octal, binary, hexadecimal or clock number, or is endless"
        raise _refused(problem, node.start_mark, _DIGITS_HINT)
    return int(text)


def _day(loader: _Loader, node: yaml.ScalarNode) -> object:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError as error:
        raise _refused(
            f"{node.value} is no date: {error}", node.start_mark, "write a day that exists, 2025-04-01"
        ) from error


_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _day)


def parse_case(text: str, syntax: Literal["yaml", "toml"]) -> BusinessCase:
    """Read a case.

    Raises:
        CaseError: not YAML/TOML, a field is missing, unknown or out of bounds, or a formula cannot be computed; the
            first fault is named with its line.
    """
    if len(text) > MAX_CHARACTERS:
        raise CaseError(f"the case has {len(text)} characters, more than {MAX_CHARACTERS}", hint="split or trim it")
    document, lines = _document(text, syntax)
    try:
        case = BusinessCase.model_validate(document, context=FROM_FILE)
    except ValidationError as error:
        raise _explained(error, lines, syntax) from error
    broken = broken_formula(case)
    if broken is not None:
        path, fault = broken
        raise located(fault, f"line {_line(path, lines)}") from fault
    return case


def _document(text: str, syntax: Literal["yaml", "toml"]) -> tuple[object, dict[_Path, int]]:
    try:
        if syntax == "toml":
            check_toml(text)
            return tomllib.loads(text, parse_float=Decimal), dict(_toml_lines(text))
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            document = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except (yaml.YAMLError, tomllib.TOMLDecodeError, RecursionError, ValueError, ArithmeticError) as error:
        message, hint = _unreadable(error, text)
        raise CaseError(f"the case is not valid {syntax.upper()}: {message}", hint=hint) from error
    return document, dict(_yaml_lines(node, ())) if node is not None else {}


def _unreadable(error: Exception, text: str) -> tuple[str, str]:
    """What is wrong with the text, its line, and what to do."""
    hint = "check indentation, brackets and quotes"
    if isinstance(error, tomllib.TOMLDecodeError):
        return toml_fault(str(error), text)
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}", error.note or hint
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f"line {line}: the character U+{int(error.character):04X} is not allowed", "delete it"
    if isinstance(error, RecursionError):
        return "it is nested too deeply", hint
    return str(error), hint


def _yaml_lines(node: yaml.Node, path: _Path) -> Iterator[tuple[_Path, int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            yield from _yaml_lines(value, inner)
            yield inner, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _yaml_lines(value, (*path, index))


def _toml_lines(text: str) -> Iterator[tuple[_Path, int]]:
    """Lines of tables and plain keys; a key inside an inline table is found at its table's line."""
    table: _Path = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"^\s*(\[{1,2})\s*([^\]]+?)\s*\]", line)
        if header:
            name = header.group(2)
            table = tuple(part.strip().strip("\"'") for part in re.split(r"\.(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", name))
            if header.group(1) == "[[":
                counts[name] = counts.get(name, -1) + 1
                table = (*table, counts[name])
            yield table, number
            continue
        key = re.match(r"^\s*([\"']?)([^\"'=#]+?)\1\s*=", line)
        if key:
            yield (*table, key.group(2)), number


def _explained(error: ValidationError, lines: dict[_Path, int], syntax: str) -> CaseError:
    errors = error.errors(include_url=False)
    # a mistyped key makes the right one missing and its list too short: the cause goes first
    first = min(
        errors,
        key=lambda one: (one["type"] == "too_short", one["type"] != "extra_forbidden", _line(one["loc"], lines) or 0),
    )
    location = (*(part for part in first["loc"] if part not in _TAGS), *first.get("ctx", {}).get("path", ()))
    line = _line(location, lines)
    message = in_words(first)
    value: object = first["input"] if isinstance(first["input"], str | int | float | Decimal) else "as written"
    if first["type"] == "extra_forbidden":
        name = str(location[-1])
        near = difflib.get_close_matches(name, _keys_at(location[:-1]), n=1, cutoff=0.5)
        message = f"unknown key {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    elif first["type"] == "missing":
        message, value = f"{location[-1]!r} is missing", "nothing"
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    where = f"line {line}: " if line is not None else ""
    return CaseError(
        f"the case cannot be used: {where}{message}{more}",
        field=".".join(str(part) for part in location) or f"case ({syntax})",
        value=value,
        hint=hint_for(first["type"]),
    )


def hint_for(kind: str) -> str:
    """What to do about a fault of pydantic's or our own kind."""
    if kind.startswith(("decimal", "int", "finite", "not_a_number")):
        return "write the number alone, without quotes or commas, 18000 or 0.045, and its unit under unit"
    if kind.startswith(("date", "not_a_date")):
        return "write a day that exists, 2025-04-01"
    if kind == "missing":
        return "add it; docs/reference/business_case.md shows each section"
    return "docs/reference/business_case.md lists every key and its bounds"


def _line(location: Sequence[str | int], lines: dict[_Path, int]) -> int | None:
    path = tuple(part for part in location if part not in _TAGS)
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return lines.get(())


def _keys_at(location: Sequence[str | int]) -> list[str]:
    """Keys allowed where an unknown one stands, found by walking the schema."""
    model: type[BaseModel] | None = BusinessCase
    for part in location:
        if isinstance(part, int) or model is None:
            continue
        for name, field in model.model_fields.items():
            if part in (name, field.alias):
                model = next(_models(field.annotation), None)
                break
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models(argument)
