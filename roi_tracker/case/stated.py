"""Figures that a plan prints, each under the address of what it claims to be; the audit's material."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from roi_tracker.case.assumptions import numbers
from roi_tracker.case.section import Numbers, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Address = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*(\[[^\]]{1,40}\])?$", max_length=120)]
"""`capex.total`, `scenarios.realistic.npv`, `benefits.defects.saving[2025]`; see docs/reference/business_case.md."""


class StatedFigure(Section):
    """What a plan prints in one place; the same address may be stated again elsewhere.

    Attributes:
        id: address. With several values, of a figure by year: one value a year of analysis.
        unit: left out: the case's display unit for money, ratios as ratios (4.45 is 445 %), times in years.
        label: what the plan calls it; audited against the content.
        where: table, page or sheet of the plan.
    """

    id: Address
    value: Numbers | None
    unit: str | None = None
    label: str | None = None
    where: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _one_index(self) -> Self:
        if isinstance(self.value, tuple) and "[" in self.id:
            message = f"{self.id!r} is one year, but several values are given"
            raise ValueError(message)
        return self

    def by_year(self, years: Sequence[int]) -> Iterator[StatedFigure]:
        """One figure an address: several values become `id[year]`.

        Raises:
            ValueError: another number of values than years.
        """
        if not isinstance(self.value, tuple):
            yield self
            return
        if len(self.value) != len(years):
            message = f"{self.id!r} has {len(self.value)} values for {len(years)} years"
            raise ValueError(message)
        for year, value in zip(years, self.value, strict=True):
            yield self.model_copy(update={"id": f"{self.id}[{year}]", "value": value})

    @property
    def rounding(self) -> Decimal:
        """Half a unit of the last printed digit: how far a correctly rounded figure may lie from the exact one.

        >>> StatedFigure(id="capex.total", value=Decimal("31.0")).rounding
        Decimal('0.05')
        """
        value = numbers(self.value)[0] if self.value is not None else Decimal(0)
        exponent = value.as_tuple().exponent
        return Decimal(5).scaleb((exponent if isinstance(exponent, int) else 0) - 1)


def split_address(address: str) -> tuple[str, str | None]:
    """An address without its index, and the index.

    >>> split_address("benefits.defects.saving[2025]")
    ('benefits.defects.saving', '2025')
    """
    match = re.fullmatch(r"([^\[]+)(?:\[(.+)\])?", address)
    return (match.group(1), match.group(2)) if match else (address, None)
