"""Benefit lines: formulas of assumptions, each bound to what will prove or disprove it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from roi_tracker.case.assumptions import Assumption
from roi_tracker.case.conventions import BenefitClass
from roi_tracker.case.measuring import LabourEvidence, MeasurementPlan
from roi_tracker.case.section import Identifier, Name, Section
from roi_tracker.errors import CaseError

Measure = Literal["defects", "inspection", "downtime", "maintenance", "energy", "labour", "kpi"]
Axis = Literal["cost", "productivity", "revenue", "risk"]
StatementLine = Literal["sales", "cost_of_sales", "operating_expense"]

PHYSICAL_UNITS: dict[Measure, str] = {
    "defects": "defect",
    "inspection": "money",
    "downtime": "h",
    "maintenance": "h",
    "energy": "kWh",
    "labour": "h",
    "kpi": "unit",
}
"""What one unit of a measure is; a unit value is stated per this. The cost of quality is money already."""


class UnitValue(Section):
    """What one avoided unit is worth, locked before go-live.

    Attributes:
        amount: money per unit in the case's currency.
        per: the physical unit (`defect`, `h`, `kWh`, `unit`), or `money` for a measure that is money already.
        valid_from, valid_to: first and last day on which it may be used.
        locked: False refuses the line's money: a value still under discussion proves nothing.
    """

    amount: Decimal = Field(ge=0, allow_inf_nan=False)
    per: Literal["defect", "h", "kWh", "money", "unit"]
    source: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    valid_from: date
    valid_to: date
    locked: bool = False


class BenefitLine(Section):
    """One projected benefit: a formula, or a measured quantity at a unit value.

    Attributes:
        measure: what is measured on the line, or
        kpi: the indicator that follows it, where no measure does; measured where `measurement.kpi` defines it.
        formula: money a year in the currency, over ids of assumptions and calculations; or the quantity form:
        lines: production lines it concerns.
        measurement: how it will be measured, registered before go-live.
        unit_value: money per unit avoided.
        baseline_quantity_per_year: physical units a year without the programme.
        reduction_ratio: share of that which is to disappear, 0 to 1.
        quantity_per_year: physical units avoided a year, where no ratio is stated.
        ramp_up: share of the full benefit reached in year 1, 2, ...; the last holds.
        statement: line of the profit and loss account that it moves; left out, sales for the revenue axis, else cost.
        labour_evidence: what became of the hours saved; comes after go-live, so it is no part of the baseline's hash.
    """

    id: Identifier
    name: Name
    benefit_class: BenefitClass = Field(alias="class")
    axis: Axis
    bound_measure: Measure | None = Field(default=None, alias="measure")
    kpi: str | None = None
    formula: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    lines: tuple[str, ...] = ()
    stated_unit_value: UnitValue | None = Field(default=None, alias="unit_value")
    baseline_quantity_per_year: Assumption | None = None
    reduction_ratio: Assumption | None = None
    quantity_per_year: Assumption | None = None
    ramp_up: tuple[Annotated[Decimal, Field(ge=0, le=2)], ...] = (Decimal(1),)
    statement: StatementLine | None = None
    measurement: MeasurementPlan = MeasurementPlan()
    note: str | None = None
    labour_evidence: LabourEvidence | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        message = self._fault()
        if message is not None:
            raise ValueError(message)
        return self

    def _fault(self) -> str | None:
        by_ratio = self.baseline_quantity_per_year is not None and self.reduction_ratio is not None
        quantified = by_ratio or self.quantity_per_year is not None
        begun = (self.baseline_quantity_per_year, self.reduction_ratio, self.quantity_per_year) != (None, None, None)
        ratio = self.reduction_ratio
        share = None if ratio is None else ratio.amount * (Decimal("0.01") if ratio.unit == "%" else 1)
        value = self.stated_unit_value
        physical = PHYSICAL_UNITS.get(self.proven_by) if self.proven_by is not None else None
        defined = self.measurement.kpi
        faults = {
            "a benefit needs a measure or a kpi: what will prove it?": self.bound_measure is None and self.kpi is None,
            "ramp_up is empty; leave it out for the full benefit from the first day": not self.ramp_up,
            "state either quantity_per_year, or baseline_quantity_per_year with reduction_ratio": begun
            and by_ratio == (self.quantity_per_year is not None),
            "state a formula, or quantity_per_year, or baseline_quantity_per_year with reduction_ratio": not quantified
            and self.formula is None,
            "a quantity needs a unit_value": quantified and value is None,
            "a line with a unit value names the production lines it concerns": value is not None and not self.lines,
            f"reduction_ratio {share} is not between 0 and 1 (30 % is 0.30)": share is not None and not 0 <= share <= 1,
            f"kpi {self.kpi!r}, but measurement.kpi {defined.id if defined else None!r}; give both the same id": (
                self.bound_measure is None and self.kpi is not None and defined is not None and defined.id != self.kpi
            ),
            f"a {self.proven_by} line is valued per {physical}, not per {value.per if value else None}": value
            is not None
            and physical is not None
            and value.per != physical,
        }
        return next((message for message, wrong in faults.items() if wrong), None)

    @property
    def measurable(self) -> bool:
        """Whether the line can be measured: bound to a measure, at a unit value, on named production lines."""
        return self.proven_by is not None and self.stated_unit_value is not None and bool(self.lines)

    @property
    def proven_by(self) -> Measure | None:
        """What is measured, None where nothing is: a `kpi` that `measurement.kpi` defines is the measure `kpi`."""
        if self.bound_measure is None and self.kpi is not None and self.measurement.kpi is not None:
            return "kpi"
        return self.bound_measure

    @property
    def measure(self) -> Measure:
        """What is measured.

        Raises:
            CaseError: the line is followed by an indicator that nobody defined.
        """
        if self.proven_by is None:
            raise CaseError(
                f"benefit {self.id!r} has no measure", field="measure", hint="bind it, or define measurement.kpi"
            )
        return self.proven_by

    @property
    def unit_value(self) -> UnitValue:
        """What one unit is worth.

        Raises:
            CaseError: none is stated.
        """
        if self.stated_unit_value is None:
            raise CaseError(
                f"benefit {self.id!r} has no unit value", field="unit_value", hint="lock one before measuring"
            )
        return self.stated_unit_value

    @property
    def projected_units_per_year(self) -> Decimal:
        """Physical units avoided a year at full effect."""
        if self.quantity_per_year is not None:
            return self.quantity_per_year.amount
        baseline, ratio = self.baseline_quantity_per_year, self.reduction_ratio
        if baseline is None or ratio is None:
            return Decimal(0)
        return baseline.amount * ratio.amount * (Decimal("0.01") if ratio.unit == "%" else 1)

    def ramp(self, year_index: int) -> Decimal:
        """Share of the full benefit in a year, counted from 0."""
        return self.ramp_up[min(year_index, len(self.ramp_up) - 1)]
