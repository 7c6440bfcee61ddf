"""Reading a case from YAML or TOML text: exact decimals, and every mistake with its line, key and nearest name."""

from __future__ import annotations

import difflib
import re
import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ValidationError

from roi_tracker.case.plan import BusinessCase
from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_CHARACTERS = 2_000_000
_FLOAT = re.compile(r"^[-+]?(\d[\d_]*)(\.\d*)?([eE][-+]?\d+)?$|^[-+]?\.\d+$")
_TAGS = frozenset({"number", "years"})
_Path = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Safe YAML without aliases (no document bombs) and without repeated keys; decimals keep their printed digits."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call] # the library's stubs leave it untyped
            raise yaml.MarkedYAMLError(None, None, "aliases (*name) are not used in a case", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the library's signature
        seen: set[object] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(None, None, f"the key {key.value!r} stands here twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _decimal(loader: _Loader, node: yaml.ScalarNode) -> Decimal:
    text = str(loader.construct_scalar(node)).replace("_", "")
    if not _FLOAT.match(text):
        raise yaml.MarkedYAMLError(None, None, f"{text} is not a finite decimal number", node.start_mark)
    return Decimal(text)


_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)


def parse_case(text: str, syntax: Literal["yaml", "toml"]) -> BusinessCase:
    """Read a case.

    Raises:
        CaseError: not YAML/TOML, or a field is missing, unknown or out of bounds; the first one is named with its line.
    """
    if len(text) > MAX_CHARACTERS:
        raise CaseError(f"the case has {len(text)} characters, more than {MAX_CHARACTERS}", hint="split or trim it")
    document, lines = _document(text, syntax)
    try:
        return BusinessCase.model_validate(document)
    except ValidationError as error:
        raise _explained(error, lines, syntax) from error


def _document(text: str, syntax: Literal["yaml", "toml"]) -> tuple[object, dict[_Path, int]]:
    try:
        if syntax == "toml":
            return tomllib.loads(text, parse_float=Decimal), dict(_toml_lines(text))
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            document = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except (yaml.YAMLError, tomllib.TOMLDecodeError, RecursionError, ValueError, ArithmeticError) as error:
        raise CaseError(
            f"the case is not valid {syntax.upper()}: {error}", hint="check indentation and quotes"
        ) from error
    return document, dict(_yaml_lines(node, ())) if node is not None else {}


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
    location = tuple(part for part in first["loc"] if part not in _TAGS)
    line = _line(location, lines)
    message = first["msg"].removeprefix("Value error, ")
    hint = "docs/reference/business_case.md lists every key"
    if first["type"] == "extra_forbidden":
        name = str(location[-1])
        near = difflib.get_close_matches(name, _keys_at(location[:-1]), n=1, cutoff=0.5)
        message = f"unknown key {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    elif first["type"] == "missing":
        message = f"{location[-1]!r} is missing"
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    where = f"line {line}: " if line is not None else ""
    value = first["input"]
    return CaseError(
        f"the case cannot be used: {where}{message}{more}",
        field=".".join(str(part) for part in location) or f"case ({syntax})",
        value=value if isinstance(value, str | int | float | Decimal) else type(value).__name__,
        hint=hint,
    )


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
