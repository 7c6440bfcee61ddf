"""A business case as a controller writes it: assumptions with source and owner, costs, benefit lines, periods.

The file is YAML or TOML text; unknown keys are refused. Nothing here opens files or computes results.
"""

from __future__ import annotations

import tomllib
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from roi_tracker.errors import CaseError
from roi_tracker.money import Unit

Measure = Literal["defects", "downtime", "energy", "labour"]
BenefitClass = Literal["cashable", "redeployed", "released", "indirect"]
Axis = Literal["cost", "productivity", "revenue", "risk"]
COUNTED_CLASSES: frozenset[BenefitClass] = frozenset({"cashable", "redeployed"})
"""Classes whose money counts in the headline; released time and indirect benefits are shown beside it."""

PHYSICAL_UNITS: dict[Measure, str] = {"defects": "defect", "downtime": "h", "energy": "kWh", "labour": "h"}
"""What one unit of a measure is; a unit value is stated per this."""

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=64)]
DAYS_PER_YEAR = Decimal("365.25")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Section):
    """A name in both languages."""

    ko: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Assumption(_Section):
    """A number somebody answers for.

    Attributes:
        value: the number.
        source: where it comes from (document, contract, measurement).
        owner: the role that answers for it.
    """

    value: Decimal = Field(allow_inf_nan=False)
    source: str = Field(min_length=1)
    owner: str = Field(min_length=1)


class UnitValue(_Section):
    """What one avoided unit is worth, locked before go-live.

    Attributes:
        amount: money per unit in the case's currency.
        per: the physical unit (`defect`, `h`, `kWh`).
        valid_from, valid_to: first and last day on which it may be used.
        locked: False refuses the line's money: a value still under discussion proves nothing.
    """

    amount: Decimal = Field(ge=0, allow_inf_nan=False)
    per: Literal["defect", "h", "kWh"]
    source: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    valid_from: date
    valid_to: date
    locked: bool = False


class CostLine(_Section):
    """A planned cost: capital at t0, or running cost a year."""

    id: Identifier
    name: Name
    amount: Assumption

    @model_validator(mode="after")
    def _not_negative(self) -> Self:
        if self.amount.value < 0:
            message = f"cost {self.id!r} is negative; write costs as positive numbers"
            raise ValueError(message)
        return self


class BenefitLine(_Section):
    """One projected benefit, bound to the measure that will prove or disprove it.

    Attributes:
        lines: production lines it concerns.
        baseline_quantity_per_year: physical units a year without the programme.
        reduction_ratio: share of that which is to disappear, 0 to 1.
        quantity_per_year: physical units avoided a year, where no ratio is stated.
        ramp_up: share of the full benefit reached in year 1, 2, ...; the last holds.
    """

    id: Identifier
    name: Name
    measure: Measure
    lines: tuple[str, ...] = Field(min_length=1)
    benefit_class: BenefitClass = Field(alias="class")
    axis: Axis
    unit_value: UnitValue
    baseline_quantity_per_year: Assumption | None = None
    reduction_ratio: Assumption | None = None
    quantity_per_year: Assumption | None = None
    ramp_up: tuple[Annotated[Decimal, Field(ge=0, le=2)], ...] = (Decimal(1),)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        by_ratio = self.baseline_quantity_per_year is not None and self.reduction_ratio is not None
        if by_ratio == (self.quantity_per_year is not None):
            message = "state either quantity_per_year, or baseline_quantity_per_year with reduction_ratio"
            raise ValueError(message)
        if self.reduction_ratio is not None and not 0 <= self.reduction_ratio.value <= 1:
            message = f"reduction_ratio {self.reduction_ratio.value} is not between 0 and 1 (30 % is 0.30)"
            raise ValueError(message)
        if self.unit_value.per != PHYSICAL_UNITS[self.measure]:
            message = (
                f"a {self.measure} line is valued per {PHYSICAL_UNITS[self.measure]}, not per {self.unit_value.per}"
            )
            raise ValueError(message)
        if not self.ramp_up:
            message = "ramp_up is empty; leave it out for the full benefit from the first day"
            raise ValueError(message)
        return self

    @property
    def projected_units_per_year(self) -> Decimal:
        """Physical units avoided a year at full effect."""
        if self.quantity_per_year is not None:
            return self.quantity_per_year.value
        baseline, ratio = self.baseline_quantity_per_year, self.reduction_ratio
        return baseline.value * ratio.value if baseline is not None and ratio is not None else Decimal(0)

    def ramp(self, year_index: int) -> Decimal:
        """Share of the full benefit in a year, counted from 0."""
        return self.ramp_up[min(year_index, len(self.ramp_up) - 1)]


class Period(_Section):
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            message = f"period ends {self.last} before it starts {self.first}"
            raise ValueError(message)
        return self

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last


class Periods(_Section):
    """Before, commissioning, after. Commissioning is blacked out: it counts in neither."""

    baseline: Period
    blackout: Period
    reporting: Period

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.baseline.last < self.blackout.first <= self.blackout.last < self.reporting.first:
            message = "baseline, blackout and reporting must follow one another without overlap"
            raise ValueError(message)
        if self.reporting.first - self.blackout.last != timedelta(days=1):
            message = "reporting must begin the day after the blackout ends"
            raise ValueError(message)
        return self


class Shift(_Section):
    """A shift of the plant's day; one that runs over midnight belongs to the day it starts."""

    label: Identifier
    start: time
    end: time


_THREE_SHIFTS = (
    Shift(label="day", start=time(6), end=time(14)),
    Shift(label="evening", start=time(14), end=time(22)),
    Shift(label="night", start=time(22), end=time(6)),
)


class Plant(_Section):
    """Local time and calendar of the plant.

    Attributes:
        time_zone: IANA name.
        working_weekdays: days on which production is expected, Monday is 0.
        closed_days: holidays and shut-downs; not counted as missing.
    """

    time_zone: str
    shifts: tuple[Shift, ...] = _THREE_SHIFTS
    working_weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4, 5, 6)
    closed_days: tuple[date, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = f"{value!r} is no IANA time zone, for example Asia/Seoul"
            raise ValueError(message) from error
        return value


class CostEntry(_Section):
    """Money really spent."""

    day: date
    name: Name
    amount: Annotated[Decimal, Field(ge=0)]
    kind: Literal["capital", "running"]
    source: str = Field(min_length=1)


class Scenario(_Section):
    """A scenario multiplies all benefits and all costs."""

    benefits: Annotated[Decimal, Field(ge=0)]
    costs: Annotated[Decimal, Field(ge=0)] = Decimal(1)


class Scenarios(_Section):
    """The usual four; all configurable."""

    conservative: Scenario = Scenario(benefits=Decimal("0.7"))
    realistic: Scenario = Scenario(benefits=Decimal(1))
    optimistic: Scenario = Scenario(benefits=Decimal("1.3"))
    worst: Scenario = Scenario(benefits=Decimal("0.4"), costs=Decimal("1.2"))


class BusinessCase(_Section):
    """A whole case. Flows: capital at `start_date` (t0), everything else at the end of each year after it.

    Attributes:
        costs_actual: ledger of money really spent; while it is empty, realized figures use the planned cost and say so.
    """

    id: Identifier
    name: Name
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "KRW"
    display_unit: Unit = "만원"
    discount_rate: Assumption
    start_date: date
    go_live: date
    horizon_years: Annotated[int, Field(ge=1, le=40)]
    plant: Plant
    periods: Periods
    capex: tuple[CostLine, ...] = Field(min_length=1)
    opex_per_year: tuple[CostLine, ...] = ()
    benefits: tuple[BenefitLine, ...] = Field(min_length=1)
    costs_actual: tuple[CostEntry, ...] = ()
    scenarios: Scenarios = Scenarios()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if not -1 < self.discount_rate.value < 1:
            message = f"discount_rate {self.discount_rate.value} is not a ratio (8 % is 0.08)"
            raise ValueError(message)
        if self.go_live != self.periods.reporting.first:
            message = f"go_live {self.go_live} is not the first day of reporting {self.periods.reporting.first}"
            raise ValueError(message)
        costs = (*self.capex, *self.opex_per_year)
        ids = [*(line.id for line in costs), *(line.id for line in self.benefits)]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            message = f"ids used twice: {', '.join(twice)}"
            raise ValueError(message)
        return self


def parse_case(text: str, syntax: Literal["yaml", "toml"]) -> BusinessCase:
    """Read a case.

    Raises:
        CaseError: not YAML/TOML, or a field is missing, unknown or out of bounds; the first one is named.
    """
    try:
        document = yaml.safe_load(text) if syntax == "yaml" else tomllib.loads(text)
    except (yaml.YAMLError, tomllib.TOMLDecodeError) as error:
        raise CaseError(
            f"the case is not valid {syntax.upper()}: {error}", hint="check indentation and quotes"
        ) from error
    try:
        return BusinessCase.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise CaseError(
            f"the case cannot be used: {first['msg']}{more}",
            field=".".join(str(part) for part in first["loc"]) or "case",
            value=first["input"] if isinstance(first["input"], str | int | float) else type(first["input"]).__name__,
            hint="see roi_tracker/examples/small_press_line.yaml for every key",
        ) from error
