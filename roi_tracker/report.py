"""What a report says, without a word of how it looks: figures, reasons, evidence, data quality."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from roi_tracker import appraisal
from roi_tracker.money import Unit
from roi_tracker.observations.rows import Observations, Origin, weakest_origin
from roi_tracker.proof.proving import NotProven, Realized
from roi_tracker.realization.realized import LineResult, Realization

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.business_case import BenefitLine, BusinessCase

SCHEMA = "lineproof.report/1"


class BothNames(msgspec.Struct, frozen=True):
    """A name in both languages."""

    ko: str
    en: str


class LineSection(msgspec.Struct, frozen=True):
    """A benefit line as the reader sees it: the plan's words beside the result.

    Attributes:
        unit: physical unit (`defect`, `h`, `kWh`).
        unit_value: money per unit.
    """

    name: BothNames
    measure: str
    benefit_class: str
    unit: str
    unit_value: Decimal
    unit_value_source: str
    result: LineResult


class ScenarioSection(msgspec.Struct, frozen=True):
    """The plan's own figures in one scenario."""

    scenario: str
    npv: Decimal
    irr: appraisal.Irr
    payback_years: float | None
    roi: Decimal | None


class CostSection(msgspec.Struct, frozen=True):
    """One entry of the cost ledger."""

    day: date
    name: BothNames
    amount: Decimal
    kind: str
    source: str


class FindingCount(msgspec.Struct, frozen=True):
    """How often something was wrong with the data."""

    name: str
    count: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report. Money in `currency`; `display_unit` is for pages.

    Attributes:
        generated_on: the day it was made.
        origin: weakest origin of all data in it; `simulated` puts a banner on every page.
        facts: facts in the store.
    """

    schema: str = SCHEMA
    case_id: str
    name: BothNames
    currency: str
    display_unit: Unit
    discount_rate: Decimal
    generated_on: date
    start_date: date
    go_live: date
    baseline_first: date
    baseline_last: date
    origin: Origin
    facts: int
    realization: Realization
    lines: tuple[LineSection, ...]
    plan: tuple[ScenarioSection, ...]
    costs: tuple[CostSection, ...]
    findings: tuple[FindingCount, ...]

    @property
    def realized(self) -> tuple[LineSection, ...]:
        """Lines with a measured effect."""
        return tuple(line for line in self.lines if isinstance(line.result.proof, Realized))

    @property
    def not_proven(self) -> tuple[LineSection, ...]:
        """Lines that may not be claimed."""
        return tuple(line for line in self.lines if isinstance(line.result.proof, NotProven))


class Circumstances(msgspec.Struct, frozen=True):
    """What a report needs beside case and realization."""

    generated_on: date
    facts: int
    observations: Observations


def compose(case: BusinessCase, realization: Realization, circumstances: Circumstances) -> Report:
    """Put a report together."""
    observations = circumstances.observations
    every: Sequence[Origin] = [row.origin for row in observations.products]
    origins = weakest_origin([*every, *(row.origin for row in observations.line_shifts)])
    counts = Counter(finding.name for finding in observations.findings)
    return Report(
        case_id=case.id,
        name=BothNames(case.name.ko, case.name.en),
        currency=case.currency,
        display_unit=case.display_unit,
        discount_rate=case.rate,
        generated_on=circumstances.generated_on,
        start_date=case.start_date,
        go_live=case.go_live,
        baseline_first=case.periods.baseline.first,
        baseline_last=case.periods.baseline.last,
        origin=origins,
        facts=circumstances.facts,
        realization=realization,
        lines=tuple(_line_section(line, result) for line, result in zip(case.benefits, realization.lines, strict=True)),
        plan=tuple(_scenario_section(case, name) for name in ("conservative", "realistic", "optimistic", "worst")),
        costs=tuple(
            CostSection(entry.day, BothNames(entry.name.ko, entry.name.en), entry.amount, entry.kind, entry.source)
            for entry in case.costs_actual
        ),
        findings=tuple(FindingCount(name, count) for name, count in sorted(counts.items())),
    )


def _line_section(line: BenefitLine, result: LineResult) -> LineSection:
    return LineSection(
        name=BothNames(line.name.ko, line.name.en),
        measure=line.measure,
        benefit_class=line.benefit_class,
        unit=line.unit_value.per,
        unit_value=line.unit_value.amount,
        unit_value_source=line.unit_value.source,
        result=result,
    )


def _scenario_section(case: BusinessCase, name: str) -> ScenarioSection:
    found = appraisal.appraise(case, getattr(case.scenarios, name))
    return ScenarioSection(name, found.npv, found.irr, found.payback_years, found.roi)
