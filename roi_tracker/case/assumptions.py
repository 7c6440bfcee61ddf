"""Assumptions: numbers that somebody answers for, and how sure they are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from roi_tracker.case.section import Name, Numbers, Section, VariableId

Distribution = Literal["triangular", "pert", "uniform", "normal", "lognormal"]


class Assumption(Section):
    """A number somebody answers for.

    Attributes:
        value: one number, or one a year.
        unit: `KRW/h`, `억원`, `%`, `pp`, `ratio`, `parts/month`; money and percentages enter formulas in the currency
            itself and as ratios.
        source: where it comes from (document, contract, measurement).
        owner: the role that answers for it.
        low, high: range it may really have, in the same unit and shape; both or neither.
        distribution: how it lies between them; normal and lognormal take them as the 5 % and 95 % points.
        used_for: where it counts though no formula names it (a check, a statement); else it is reported as unused.
    """

    value: Numbers
    unit: str = Field(min_length=1, max_length=40)
    source: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    name: Name | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    low: Numbers | None = None
    high: Numbers | None = None
    distribution: Distribution = "triangular"
    used_for: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            message = f"valid_to {self.valid_to} lies before valid_from {self.valid_from}"
            raise ValueError(message)
        if (self.low is None) != (self.high is None):
            message = "state low and high together, or neither"
            raise ValueError(message)
        if self.low is not None and self.high is not None:
            lows, values, highs = numbers(self.low), numbers(self.value), numbers(self.high)
            if not len(lows) == len(values) == len(highs):
                message = "low and high have as many numbers as value"
                raise ValueError(message)
            if not all(low <= value <= high for low, value, high in zip(lows, values, highs, strict=True)):
                message = "low, value and high must be in this order"
                raise ValueError(message)
            if self.distribution == "lognormal" and min(lows) <= 0:
                message = "a lognormal range must be above zero"
                raise ValueError(message)
        return self

    @property
    def amount(self) -> Decimal:
        """The number where there is only one; for a yearly one, the first."""
        return numbers(self.value)[0]


class Correlation(Section):
    """Rank correlation of two uncertain assumptions in the simulation (Gaussian copula)."""

    between: tuple[VariableId, VariableId]
    coefficient: Annotated[Decimal, Field(ge=-1, le=1)]
    source: str = Field(min_length=1)


class Calculation(Section):
    """A quantity on the way to a benefit, computed from assumptions and other calculations.

    Attributes:
        formula: arithmetic over ids; see `roi_tracker.formulas`.
        unit: of the result. Statements of it are read in this unit, the formula gives its base (currency, ratio).
    """

    formula: str = Field(min_length=1, max_length=500)
    unit: str = Field(min_length=1, max_length=40)
    name: Name | None = None
    note: str | None = None


def numbers(value: Decimal | tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """A value as a tuple, one number or several."""
    return value if isinstance(value, tuple) else (value,)
