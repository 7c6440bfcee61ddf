"""What every section of a case shares: strict keys, names in both languages, identifiers, numbers by year."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

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


class Section(BaseModel):
    """A part of a case: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

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
