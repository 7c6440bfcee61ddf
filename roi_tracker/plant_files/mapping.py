"""How a file is to be read: stated in a TOML mapping, or guessed from its headers."""

from __future__ import annotations

import tomllib
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from roi_tracker.plant_files.fault_words import file_fault
from roi_tracker.plant_files.kinds import (
    SPECS,
    Kind,
    KindSpec,
    plain,
    spec_of,
    unit_of,
)
from roi_tracker.plant_files.kinds import Field as FieldSpec


class Mapping(BaseModel):
    """A mapping file. All of it may be left out where headers speak for themselves.

    Attributes:
        kind: what the rows are.
        sheet: name of the sheet of a workbook; the first one where left out.
        header_row: row number of the headers, from 1.
        encoding, delimiter: of a CSV file; found out where left out.
        decimal: sign of the decimal point; found out where left out.
        time_zone: IANA zone of times without an offset; the case's plant where left out.
        date_format: `strptime` format of times or days that are not ISO 8601.
        ambiguous_hour: which one is meant when the clock is put back and an hour comes twice.
        columns: field to header.
        units: field to unit (`min`, `h`, `s`, `kWh`, `MWh`, `MJ`).
        constants: field to a value that holds for all rows.
        values: field to renamings of its values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind | None = None
    sheet: str | None = None
    header_row: int = Field(default=1, ge=1, le=1000)
    encoding: str | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    decimal: Literal[".", ","] | None = None
    time_zone: str | None = None
    date_format: str | None = None
    ambiguous_hour: Literal["refuse", "first", "second"] = "refuse"
    columns: dict[str, str] = Field(default_factory=dict)
    units: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError) as error:
                message = f"{value!r} is no IANA time zone, for example Asia/Seoul"
                raise ValueError(message) from error
        return value


def read_mapping(text: str) -> Mapping:
    """A mapping from its TOML text.

    Raises:
        IntakeError: it is no TOML, or says something unknown.
    """
    try:
        return Mapping.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise file_fault("mapping", why=error) from error


class BoundColumn(msgspec.Struct, frozen=True):
    """A field and where its value comes from.

    Attributes:
        index: position in the row; -1 for a constant.
        unit: unit of the column, empty for none.
    """

    field: FieldSpec
    index: int
    header: str
    unit: str
    constant: str = ""


class Binding(msgspec.Struct, frozen=True):
    """The kind of a file, its columns, and headers that are not used."""

    spec: KindSpec
    columns: tuple[BoundColumn, ...]
    unused: tuple[str, ...]


def bind(headers: list[str], mapping: Mapping, source: str) -> Binding:
    """Find the kind of a file and the column of each field.

    Raises:
        IntakeError: the kind cannot be told, a column is missing, named twice, or two headers mean one field.
    """
    named = [header.strip() for header in headers]
    twice = sorted({header for header in named if header and named.count(header) > 1})
    if twice:
        raise file_fault("headers_twice", source=source, headers=", ".join(twice))
    spec = spec_of(mapping.kind) if mapping.kind else _guess(named, mapping, source)
    known = {field.name for field in spec.fields}
    unknown = sorted({*mapping.columns, *mapping.constants, *mapping.units, *mapping.values} - known)
    if unknown:
        fields, rest = ", ".join(unknown), ", ".join(sorted(known))
        raise file_fault("fields_unknown", source=source, fields=fields, kind=spec.kind, known=rest)
    columns = tuple(column for field in spec.fields if (column := _column(field, named, mapping, source)) is not None)
    bound = {column.field.name for column in columns}
    missing = [field for field in spec.fields if field.required and field.name not in bound]
    if missing:
        names = ", ".join(f"{field.name} ({' / '.join(field.headers[:3])})" for field in missing)
        raise file_fault("columns_missing", source=source, kind=spec.kind, fields=names, headers=", ".join(named))
    used = {column.index for column in columns}
    return Binding(spec, columns, tuple(h for number, h in enumerate(named) if h and number not in used))


def _candidates(field: FieldSpec, headers: list[str]) -> list[int]:
    names = {plain(name) for name in (*field.headers, field.name)}
    return [number for number, header in enumerate(headers) if header and plain(header) in names]


def _guess(headers: list[str], mapping: Mapping, source: str) -> KindSpec:
    def has(name: str, spec: KindSpec) -> bool:
        field = next(field for field in spec.fields if field.name == name)
        return name in mapping.columns or name in mapping.constants or bool(_candidates(field, headers))

    for spec in SPECS:
        required = [field.name for field in spec.fields if field.required and field.name != "line"]
        if any(has(name, spec) for name in spec.telling) and all(has(name, spec) for name in required):
            return spec
    kinds = ", ".join(spec.kind for spec in SPECS)
    raise file_fault("kind_unknown", source=source, headers=", ".join(headers), known=kinds)


def _column(field: FieldSpec, headers: list[str], mapping: Mapping, source: str) -> BoundColumn | None:
    stated = mapping.columns.get(field.name)
    unit = mapping.units.get(field.name, "").casefold()
    if stated is not None:
        if stated not in headers:
            rest = ", ".join(headers)
            raise file_fault("column_absent", source=source, column=stated, field=field.name, headers=rest)
        return BoundColumn(field, headers.index(stated), stated, unit or unit_in(stated, field))
    if field.name in mapping.constants:
        return BoundColumn(field, -1, field.name, unit or field.unit, mapping.constants[field.name])
    found = _candidates(field, headers)
    if len(found) > 1:
        names = ", ".join(headers[number] for number in found)
        raise file_fault("columns_rival", source=source, columns=names, field=field.name)
    if not found:
        return None
    header = headers[found[0]]
    return BoundColumn(field, found[0], header, unit or unit_in(header, field))


def unit_in(header: str, field: FieldSpec) -> str:
    """The unit that a header states, or the field's usual one."""
    return (unit_of(header) or field.unit) if field.unit else ""
