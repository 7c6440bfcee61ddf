"""What a plan is weighed with beside its own flows: alternatives, benchmarks, rule, qualitative scores, gates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from roi_tracker.case.assumptions import Assumption
from roi_tracker.case.section import Identifier, Name, Number, Section

RuleFigure = Literal["npv", "irr", "mirr", "payback_years", "discounted_payback_years", "roi", "profitability_index"]
ScenarioName = Literal["conservative", "realistic", "optimistic", "worst"]
GateFigure = Literal["benefit", "npv", "roi", "achievement", "forecast_npv", "probability_npv_positive", "reduction"]
Score = Literal["very_low", "low", "medium", "high", "very_high"]


class Scenario(Section):
    """A scenario multiplies all benefits and all costs."""

    benefits: Annotated[Decimal, Field(ge=0)]
    costs: Annotated[Decimal, Field(ge=0)] = Decimal(1)


class Scenarios(Section):
    """The usual four; all configurable."""

    conservative: Scenario = Scenario(benefits=Decimal("0.7"))
    realistic: Scenario = Scenario(benefits=Decimal(1))
    optimistic: Scenario = Scenario(benefits=Decimal("1.3"))
    worst: Scenario = Scenario(benefits=Decimal("0.4"), costs=Decimal("1.2"))


class Condition(Section):
    """One condition of the decision rule, `npv > 0`; money in the display unit, rates as ratios, times in years."""

    figure: RuleFigure
    operator: Literal[">", ">=", "<", "<="]
    value: Number
    scenario: ScenarioName = "realistic"


class DecisionRule(Section):
    """What must hold for approval: every condition."""

    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)]
    source: str = Field(min_length=1)


class GateCondition(Section):
    """One condition of a gate that the tool checks on measured figures, `achievement >= 0.7`.

    Attributes:
        figure: to date: `benefit`, `npv` (money in the display unit), `roi`, `achievement`; of the forecast:
            `forecast_npv`, `probability_npv_positive`; of one benefit line: `reduction`, the share avoided.
        benefit: id of the line; left out, the whole programme (`reduction` always needs one).
    """

    figure: GateFigure
    operator: Literal[">=", "<="]
    value: Number
    benefit: Identifier | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.figure == "reduction" and self.benefit is None:
            message = "a reduction is that of one benefit line: say which (benefit)"
            raise ValueError(message)
        if self.benefit is not None and self.figure not in {"benefit", "achievement", "reduction"}:
            message = f"{self.figure} belongs to the whole programme, not to {self.benefit!r}"
            raise ValueError(message)
        return self


class StageGate(Section):
    """A point at which the programme goes on, changes or stops.

    Attributes:
        when: in words; `end of 2025`, `8 weeks after start` and a date are understood, anything else needs `due`.
        due: the day on which it is evaluated.
        conditions: what the tool checks; without them only people can say, and the ledger keeps what they decided.
    """

    name: Name
    when: str = Field(min_length=1)
    condition: Name
    due: date | None = None
    conditions: tuple[GateCondition, ...] = ()

    @field_validator("when", mode="before")
    @classmethod
    def _day_as_written(cls, value: object) -> object:
        """YAML and TOML make a day of a bare 2025-12-31: it is the same word."""
        return value.isoformat() if type(value) is date else value


class Alternative(Section):
    """Another way to the same end, or doing nothing.

    Attributes:
        this: True for the case itself; its figures come from the appraisal.
        flows: net flow at t0 and each year end, in `unit`; or
        capex, opex_per_year, benefit_per_year: from which flows are made. None of both: its figures cannot be checked.
    """

    id: Identifier
    name: Name
    this: bool = False
    flows: tuple[Number, ...] = ()
    unit: str | None = None
    capex: Assumption | None = None
    opex_per_year: Assumption | None = None
    benefit_per_year: Assumption | None = None
    risk: Score | None = None
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.flows and self.unit is None:
            message = f"alternative {self.id!r}: flows need a unit"
            raise ValueError(message)
        if self.flows and (self.capex or self.opex_per_year or self.benefit_per_year):
            message = f"alternative {self.id!r}: state flows, or capex with opex and benefit"
            raise ValueError(message)
        return self


class Benchmark(Section):
    """A published or industry figure beside the company's own.

    Attributes:
        company: what the plan states for itself.
        figure: address of the company's figure in the case, where one corresponds (`scenarios.realistic.irr`).
    """

    id: Identifier
    name: Name
    unit: str = Field(min_length=1)
    company: Number | None = None
    industry: Number | None = None
    leader: Number | None = None
    figure: str | None = None
    source: str = Field(min_length=1)
    published: date | None = None


class DataSource(Section):
    """Where data of a measure lies."""

    id: Identifier
    what: Name
    where: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    quality: Score | None = None
    gaps: str = ""


class RiskResponse(Section):
    """A risk and what is prepared against it."""

    risk: Name
    response: Name
    owner: str = Field(min_length=1)


class QualitativeScore(Section):
    """A judgement that is shown and never turned into money."""

    score: Score
    reason: Name
    by: str = Field(min_length=1)


class Qualitative(Section):
    """Scores beside the money."""

    technical: QualitativeScore | None = None
    strategic: QualitativeScore | None = None
    organisational: QualitativeScore | None = None
    risks: tuple[RiskResponse, ...] = ()


class Financials(Section):
    """The company's accounts before the programme, in the year before it starts, for statements and ratios."""

    sales: Assumption
    cost_of_sales: Assumption
    operating_expense: Assumption
    total_assets: Assumption | None = None
    equity: Assumption | None = None
