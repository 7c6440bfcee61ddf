"""Conventions: when flows happen, in which prices, taxed how. Stated once, so that figures can be compared."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from roi_tracker.case.assumptions import Assumption
from roi_tracker.case.section import Number, Section, misplaced

CapitalTiming = Literal["t0", "start_of_period", "mid_period", "end_of_period", "dated"]
OperatingTiming = Literal["year_end", "mid_year", "dated"]
BenefitClass = Literal["cashable", "redeployed", "released", "indirect"]
Ratio = Annotated[Decimal, Field(ge=0, le=1)]


class Tax(Section):
    """Profit tax on the programme's own result.

    Attributes:
        rate: share of the taxable result.
        depreciation: straight line, declining balance (switching to straight line when that is faster), or sum of
            the years' digits.
        life_years: over which capital is written off, from the year after it is spent.
        losses: carried forward within the programme, or set off at once against the company's other profits.
    """

    rate: Assumption
    depreciation: Literal["straight_line", "declining_balance", "sum_of_years"] = "straight_line"
    life_years: Annotated[int, Field(ge=1, le=40)]
    declining_factor: Annotated[Decimal, Field(gt=0, le=4)] = Decimal(2)
    salvage: Ratio = Decimal(0)
    losses: Literal["carried_forward", "set_off"] = "set_off"

    @model_validator(mode="after")
    def _rate(self) -> Self:
        if self.rate.unit not in {"ratio", "%"}:
            message = f"the tax rate's unit is {self.rate.unit!r}; write ratio or %"
            raise ValueError(message)
        if not 0 <= self.rate.amount * (Decimal("0.01") if self.rate.unit == "%" else 1) <= 1:
            message = f"the tax rate {self.rate.amount} {self.rate.unit} is not between 0 and 100 % (22 % is 0.22)"
            raise misplaced(message, "rate", "value")
        return self


class Reinvestment(Section):
    """Renewal at the end of the technology's life, when the horizon is longer.

    Attributes:
        share: of the first capital that must be spent again.
        residual: what a renewed asset not worn out at the horizon is worth: its straight-line share, or nothing.
    """

    technology_life_years: Annotated[int, Field(ge=1, le=40)]
    share: Annotated[Decimal, Field(ge=0, le=2)] = Decimal(1)
    residual: Literal["straight_line", "none"] = "straight_line"


class OptimismBias(Section):
    """Adjustment for the known optimism of plans (HM Treasury Green Book, supplementary guidance), as its own row."""

    benefits: Annotated[Decimal, Field(ge=-1, le=0)] = Decimal(0)
    capex: Annotated[Decimal, Field(ge=0, le=5)] = Decimal(0)
    opex: Annotated[Decimal, Field(ge=0, le=5)] = Decimal(0)
    source: str = Field(min_length=1)


class Conventions(Section):
    """How the case is counted.

    Attributes:
        capital: when capital is spent: all at t0; or as phased, at the start, middle or end of its period; or dated.
        operations: when benefits and running costs fall: end or middle of each period, or on calendar dates (XIRR).
        period: a flow a year or a month; yearly amounts are spread evenly over months.
        prices: the amounts in the file are in constant prices of the base year, or in the prices of each year.
        discount_basis: what the discount rate contains. `nominal` inflates constant amounts, `real` deflates current
            ones; left out, the rate is used on the amounts as they stand.
        counted: benefit classes in the headline; the others are shown beside it.
    """

    capital: CapitalTiming = "t0"
    operations: OperatingTiming = "year_end"
    period: Literal["year", "month"] = "year"
    prices: Literal["constant", "current"] = "constant"
    base_year: int | None = None
    inflation: Assumption | None = None
    discount_basis: Literal["real", "nominal"] | None = None
    counted: tuple[BenefitClass, ...] = ("cashable", "redeployed")
    tax: Tax | None = None
    headline: Literal["before_tax", "after_tax"] = "before_tax"
    reinvestment: Reinvestment | None = None
    optimism_bias: OptimismBias | None = None
    finance_rate: Number | None = None
    reinvestment_rate: Number | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        converts = (self.prices, self.discount_basis) in {("constant", "nominal"), ("current", "real")}
        if converts and self.inflation is None:
            message = f"{self.prices} prices with a {self.discount_basis} discount rate need an inflation rate"
            raise ValueError(message)
        if self.headline == "after_tax" and self.tax is None:
            message = "an after-tax headline needs the section tax"
            raise ValueError(message)
        if (self.capital == "dated") != (self.operations == "dated"):
            message = "dated flows need both capital and operations dated"
            raise ValueError(message)
        return self
