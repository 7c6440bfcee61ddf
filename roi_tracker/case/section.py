"""What every section of a case shares: strict keys, names in both languages, identifiers, numbers by year."""

from __future__ import annotations

import functools
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Mapping

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=64)]
"""Id of a line, a product, a shift: also part of addresses, never of formulas."""

VariableId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=64)]
"""Id of an assumption or calculation as formulas write it, `defects.unit_cost`."""

Number = Annotated[Decimal, Field(allow_inf_nan=False)]


def _shape(value: object) -> str:
    return "years" if isinstance(value, list | tuple) else "number"


Numbers = Annotated[
    Annotated[Number, Tag("number")] | Annotated[tuple[Number, ...], Field(min_length=1), Tag("years")],
    Discriminator(_shape),
]
"""One number for every year, or one a year (of a monthly case: or one a month)."""


LARGEST_EXPONENT = 30
MOST_DIGITS = 60
FIRST_YEAR, LAST_YEAR = 1950, 2200
"""Beyond these a number or a date is a slip of the pen, and arithmetic would overflow or take forever."""


FROM_FILE = "file"
"""Validation context of readers: there a number in quotes is text; in code, text is how exact decimals are written."""


def misplaced(message: str, *path: str | int) -> PydanticCustomError:
    """A fault of the whole section that lies at one key of it, so that a reader is sent to its line or cell."""
    return PydanticCustomError("misplaced", "{message}", {"message": message, "path": path})


class Section(BaseModel):
    """A part of a case: unknown keys are refused, nothing changes after reading; numbers are numbers, not text."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: object, info: ValidationInfo) -> object:
        kind = _field_kind(cls, info.field_name or "")
        if kind == "other":
            return value
        text_is_fine = info.context != FROM_FILE
        for one in value if isinstance(value, list | tuple) else (value,):
            if text_is_fine and isinstance(one, str):
                continue
            message = _number_fault(one) if kind == "number" else _date_fault(one)
            if message is not None:
                raise PydanticCustomError(
                    "not_a_number" if kind == "number" else "not_a_date", "{message}", {"message": message}
                )
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _sane_dates(cls, value: object) -> object:
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, date) and not FIRST_YEAR <= one.year <= LAST_YEAR:
                message = f"{one} is not between {FIRST_YEAR} and {LAST_YEAR}"
                raise ValueError(message)
        return value

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields replaced, by their name or by the key that files use.

        Raises:
            KeyError: no such field; pydantic itself would take it silently and change nothing.
        """
        fields = type(self).model_fields
        names = {field.alias or name: name for name, field in fields.items()} | {name: name for name in fields}
        return super().model_copy(update={names[key]: value for key, value in (update or {}).items()}, deep=deep)


class Name(Section):
    """A name in both languages."""

    ko: str = Field(min_length=1)
    en: str = Field(min_length=1)


@functools.cache
def _field_kind(section: type[Section], name: str) -> Literal["number", "date", "other"]:
    """What a field holds: numbers alone, dates alone, or something else."""
    types = set(_types(section.model_fields[name].annotation))
    if types & {Decimal, int} and str not in types:
        return "number"
    return "date" if date in types else "other"


def _types(annotation: object) -> list[object]:
    parts = get_args(annotation)
    return [annotation] if not parts else [found for part in parts for found in _types(part)]


def _number_fault(value: object) -> str | None:
    if isinstance(value, str | bool):
        shown = str(value).lower() if isinstance(value, bool) else repr(value[:40])
        return f"{shown} stands where a number belongs"
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, int):
        return f"a number of {value.bit_length()} bits is out of range" if abs(value) >= 10**LARGEST_EXPONENT else None
    if isinstance(value, Decimal) and value.is_finite() and value:
        far = abs(value.adjusted()) > LARGEST_EXPONENT
        if far or len(value.as_tuple().digits) > MOST_DIGITS:
            return f"{str(value)[:20]} is out of range: at most {LARGEST_EXPONENT} places and {MOST_DIGITS} digits"
    return None


def _date_fault(value: object) -> str | None:
    if isinstance(value, int | float | Decimal):
        return f"{value} is a number where a date belongs; write it as 2025-04-01"
    return None
