"""The whole business case."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeVar

from pydantic import Field, model_validator

from roi_tracker.case.assumptions import Assumption, Calculation, Correlation
from roi_tracker.case.benefits import BenefitLine
from roi_tracker.case.coherence import incoherence
from roi_tracker.case.conventions import Conventions
from roi_tracker.case.costs import Contingency, CostLine, Phasing
from roi_tracker.case.evaluation import (
    Alternative,
    Benchmark,
    DataSource,
    DecisionRule,
    Financials,
    Qualitative,
    Scenarios,
    StageGate,
)
from roi_tracker.case.measuring import KpiTarget, Pilot, SharedClaim
from roi_tracker.case.plant import CostEntry, Periods, Plant
from roi_tracker.case.section import Identifier, Name, Section, VariableId, misplaced
from roi_tracker.case.stated import StatedFigure
from roi_tracker.case.units import unit_meaning
from roi_tracker.errors import CaseError
from roi_tracker.money import Unit

if TYPE_CHECKING:
    from decimal import Decimal

_T = TypeVar("_T")


SOME, MANY = 300, 1_000
"""Most entries of a list: far beyond any plan that people read, and few enough to be appraised in seconds."""


class BusinessCase(Section):
    """A whole case; flows are counted as `conventions` says, by default capital at t0 and the rest at year ends.

    Attributes:
        start_date: t0.
        horizon_years: years of analysis, counted from t0.
        analysis_years: their labels; left out, calendar years from `start_date`.
        assumptions: numbers by id, the only names formulas may use, beside `calculations`.
        achievement: how far all benefits together may miss or beat the plan, for the simulation.
        stated: figures the plan prints, for the audit; appraisals never read them.
        plant, periods, go_live: needed to measure what was realized, not to appraise.
        costs_actual: ledger of money really spent; while it is empty, realized figures use the planned cost and say so.
        shared_claims: benefit lines that may not count the same change twice.
        kpi_board: at most six headline indicators, followed weekly.
        pilot: how long the trial runs and what starts or stops it.
    """

    id: Identifier
    name: Name
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "KRW"
    display_unit: Unit = "만원"
    language: Literal["ko", "en"] | None = None
    discount_rate: Assumption
    start_date: date
    horizon_years: Annotated[int, Field(ge=1, le=40)]
    analysis_years: tuple[int, ...] = ()
    conventions: Conventions = Conventions()
    assumptions: dict[VariableId, Assumption] = Field(default_factory=dict, max_length=MANY)
    calculations: dict[VariableId, Calculation] = Field(default_factory=dict, max_length=SOME)
    capex: Annotated[tuple[CostLine, ...], Field(min_length=1, max_length=SOME)]
    capex_phasing: Phasing | None = None
    contingency: Contingency | None = None
    opex_per_year: Annotated[tuple[CostLine, ...], Field(max_length=SOME)] = ()
    benefits: Annotated[tuple[BenefitLine, ...], Field(min_length=1, max_length=SOME)]
    achievement: Assumption | None = None
    correlations: Annotated[tuple[Correlation, ...], Field(max_length=SOME)] = ()
    scenarios: Scenarios = Scenarios()
    alternatives: Annotated[tuple[Alternative, ...], Field(max_length=SOME)] = ()
    benchmarks: tuple[Benchmark, ...] = ()
    decision_rule: DecisionRule | None = None
    stage_gates: tuple[StageGate, ...] = ()
    qualitative: Qualitative = Qualitative()
    data_sources: tuple[DataSource, ...] = ()
    financials: Financials | None = None
    stated: Annotated[tuple[StatedFigure, ...], Field(max_length=MANY)] = ()
    measured_plant: Plant | None = Field(default=None, alias="plant")
    measured_periods: Periods | None = Field(default=None, alias="periods")
    planned_go_live: date | None = Field(default=None, alias="go_live")
    costs_actual: tuple[CostEntry, ...] = ()
    shared_claims: tuple[SharedClaim, ...] = ()
    kpi_board: Annotated[tuple[KpiTarget, ...], Field(max_length=6)] = ()
    pilot: Pilot | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        fault = incoherence(self)
        if fault is not None:
            raise misplaced(fault.message, *fault.path)
        return self

    @property
    def rate(self) -> Decimal:
        """Discount rate a year, a ratio."""
        return self.discount_rate.amount * unit_meaning(self.discount_rate.unit, self.currency).factor

    @property
    def years(self) -> tuple[int, ...]:
        """Labels of the years of analysis."""
        return self.analysis_years or tuple(self.start_date.year + number for number in range(self.horizon_years))

    @property
    def periods_per_year(self) -> int:
        """1, or 12 for a monthly case."""
        return 12 if self.conventions.period == "month" else 1

    @property
    def period_count(self) -> int:
        """Number of flows after t0."""
        return self.horizon_years * self.periods_per_year

    def money(self, assumption: Assumption) -> Decimal:
        """An assumption's single amount in the currency itself (or as a ratio), its unit's multiple applied."""
        return assumption.amount * unit_meaning(assumption.unit, self.currency).factor

    @property
    def plant(self) -> Plant:
        """The plant's calendar.

        Raises:
            CaseError: the case states none; it can be appraised, not measured.
        """
        return _needed(self.measured_plant, "plant")

    @property
    def periods(self) -> Periods:
        """Baseline, blackout and reporting.

        Raises:
            CaseError: the case states none; it can be appraised, not measured.
        """
        return _needed(self.measured_periods, "periods")

    @property
    def go_live(self) -> date:
        """First day after commissioning; a case without one is taken to go live at t0."""
        return self.planned_go_live or self.start_date


def _needed(value: _T | None, field: str) -> _T:
    if value is None:
        raise CaseError(
            f"the case has no section {field}: it can be appraised, not measured",
            field=field,
            hint="add it; roi_tracker/examples/small_press_line.yaml shows how",
        )
    return value
