"""Costs: capital with phasing and contingency, running cost with growth, both by category of the full cost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from roi_tracker.case.assumptions import Assumption, numbers
from roi_tracker.case.section import Identifier, Name, Number, Section, misplaced

CostCategory = Literal[
    "licence",
    "hardware",
    "integration",
    "set_up",
    "training",
    "data_migration",
    "staff",
    "maintenance",
    "energy",
    "network",
    "compliance",
    "other",
]
FULL_COST: tuple[CostCategory, ...] = (
    "licence",
    "hardware",
    "integration",
    "set_up",
    "training",
    "data_migration",
    "staff",
    "maintenance",
    "energy",
    "network",
    "compliance",
)
"""What the full cost of an AI programme consists of; a category without a line is listed as not stated."""


class CostLine(Section):
    """A planned cost: capital, or running cost a year.

    Attributes:
        amount: money, or one amount a year for running cost.
        formula: instead of `amount`: arithmetic over assumption ids, `hardware_price * maintenance_share`.
        growth: yearly rise of a running cost, a ratio; the first year is not raised.
    """

    id: Identifier
    name: Name
    category: CostCategory = "other"
    planned: Assumption | None = Field(default=None, alias="amount")
    formula: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    growth: Annotated[Decimal, Field(gt=-1, lt=1)] = Decimal(0)
    note: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.planned is None) == (self.formula is None):
            message = f"cost {self.id!r}: state either amount or formula"
            raise ValueError(message)
        if self.planned is not None and min(numbers(self.planned.value)) < 0:
            message = f"cost {self.id!r} is negative; write costs as positive numbers"
            raise ValueError(message)
        return self

    @property
    def amount(self) -> Assumption:
        """The stated amount.

        Raises:
            ValueError: the cost is a formula; ask the appraisal for its money.
        """
        if self.planned is None:
            message = f"cost {self.id!r} is computed by a formula"
            raise ValueError(message)
        return self.planned


class Phasing(Section):
    """When capital is spent, for all capital together.

    Attributes:
        value: money or shares, one a period of analysis; only their proportions count, their sum is audited.
        dates: days of payment instead of periods, for dated flows.
    """

    value: Annotated[tuple[Annotated[Number, Field(ge=0)], ...], Field(min_length=1)]
    unit: str = Field(min_length=1)
    source: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    dates: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _some(self) -> Self:
        if sum(self.value) <= 0:
            message = "phasing adds up to nothing"
            raise ValueError(message)
        if self.dates and len(self.dates) != len(self.value):
            message = f"{len(self.value)} payments but {len(self.dates)} dates"
            raise ValueError(message)
        return self


class Contingency(Section):
    """Reserve on capital.

    Attributes:
        included: True when the capital lines contain it, False when it comes on top; left out, nobody said: it is
            not added, and listed as not stated.
    """

    ratio: Assumption
    included: bool | None = None

    @model_validator(mode="after")
    def _ratio(self) -> Self:
        share = self.ratio.amount * (Decimal("0.01") if self.ratio.unit == "%" else 1)
        if self.ratio.unit not in {"ratio", "%"} or not 0 <= share <= 2:  # noqa: PLR2004 - twice the capital
            message = (
                f"contingency {self.ratio.amount} {self.ratio.unit} is no share of the capital (10 % is 0.10 ratio)"
            )
            raise misplaced(message, "ratio", "value")
        return self
