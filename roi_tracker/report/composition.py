"""A report put together from the case, its realization and what surrounds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, get_args

import msgspec

from roi_tracker import appraisal
from roi_tracker.baseline.detectability import Detectability
from roi_tracker.baseline.pilot import PilotReport
from roi_tracker.business_case import COUNTED_CLASSES
from roi_tracker.ledger.admission import ClaimState
from roi_tracker.ledger.books import Books
from roi_tracker.ledger.losses import JointLoss, LikelyCause
from roi_tracker.observations.quality import DataQuality
from roi_tracker.observations.rows import Observations, Origin, weakest_origin
from roi_tracker.realization.board import Board
from roi_tracker.realization.projection import PlannedCost
from roi_tracker.report.harm_limits import limits_of
from roi_tracker.report.model import (
    BenchmarkRow,
    BothNames,
    CauseCount,
    ClassTotal,
    CostSection,
    FindingCount,
    Gap,
    Inputs,
    JointLosses,
    LineSection,
    Report,
    ScenarioSection,
    SourceRow,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.business_case import BenefitLine, BusinessCase
    from roi_tracker.case.section import Name
    from roi_tracker.realization.realized import LineResult, Realization

SCENARIOS = ("conservative", "realistic", "optimistic", "worst")
_ZERO = Decimal(0)
_NEWEST = 12
"""Joint losses that a report shows whole."""


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What a report needs beside case and realization.

    Attributes:
        generated_on: date of the document.
        frozen_at: when the baseline in force of each benefit line was frozen.
    """

    generated_on: date
    observations: Observations
    inputs: Inputs
    quality: DataQuality
    board: Board
    books: Books
    planned_costs: tuple[PlannedCost, ...]
    frozen_at: Mapping[str, datetime]
    prospects: tuple[Detectability, ...] = ()
    pilot: PilotReport | None = None
    joint: tuple[JointLoss, ...] = ()
    claim_states: tuple[ClaimState, ...] = ()


def compose(case: BusinessCase, realization: Realization, around: Circumstances) -> Report:
    """Put a report together."""
    observations = around.observations
    every: Sequence[Origin] = [row.origin for row in observations.products]
    origins = weakest_origin([*every, *(row.origin for row in observations.line_shifts)])
    counts = Counter(finding.name for finding in observations.findings)
    lines = tuple(
        _line_section(line, result, around.frozen_at.get(line.id))
        for line, result in zip(case.benefits, realization.lines, strict=True)
    )
    return Report(
        case_id=case.id,
        name=_names(case.name),
        currency=case.currency,
        display_unit=case.display_unit,
        discount_rate=case.rate,
        generated_on=around.generated_on,
        start_date=case.start_date,
        go_live=case.go_live,
        baseline_first=case.periods.baseline.first,
        baseline_last=case.periods.baseline.last,
        blackout_first=case.periods.blackout.first,
        blackout_last=case.periods.blackout.last,
        origin=origins,
        facts=around.inputs.facts,
        realization=realization,
        lines=lines,
        plan=tuple(_scenario_section(case, name) for name in SCENARIOS),
        costs=tuple(
            CostSection(row.day, BothNames(row.name_ko, row.name_en), row.amount, row.kind, row.source)
            for row in realization.costs.paid
        ),
        findings=tuple(FindingCount(name, count) for name, count in sorted(counts.items())),
        inputs=around.inputs,
        quality=around.quality,
        classes=class_totals(lines),
        planned_costs=around.planned_costs,
        board=around.board,
        claims=around.books.claims,
        sources=tuple(
            SourceRow(one.id, _names(one.what), one.where, one.owner, one.quality, one.gaps)
            for one in case.data_sources
        ),
        benchmarks=tuple(
            BenchmarkRow(
                one.id, _names(one.name), one.unit, one.company, one.industry, one.leader, one.source, one.published
            )
            for one in case.benchmarks
        ),
        gaps=_gaps(case, around),
        prospects=around.prospects,
        pilot=around.pilot,
        joint=joint_of(around.joint),
        claim_states=around.claim_states,
        harm_limits=tuple(limits_of(row) for row in realization.costs.harm),
    )


def joint_of(losses: Sequence[JointLoss]) -> JointLosses:
    """Losses that several events tell of, counted by likely cause; the newest of them whole."""
    counts = Counter(one.likely_cause for one in losses)
    return JointLosses(
        total=len(losses),
        events=sum(len(one.keys) for one in losses),
        causes=tuple(CauseCount(cause, counts[cause]) for cause in get_args(LikelyCause) if counts[cause]),
        newest=tuple(losses[-_NEWEST:][::-1]),
    )


def class_totals(lines: Sequence[LineSection]) -> tuple[ClassTotal, ...]:
    """Every class that the case has, cashable first; lines add their bounds."""
    found: list[ClassTotal] = []
    for name in ("cashable", "redeployed", "released", "indirect"):
        own = [line for line in lines if line.benefit_class == name]
        if not own:
            continue
        parts = [part for line in own if (part := line.result.shared or line.result.realized) is not None]
        found.append(
            ClassTotal(
                benefit_class=name,
                counted=name in COUNTED_CLASSES,
                lines=len(own),
                proven=len(parts),
                projected=sum((line.result.projected for line in own), _ZERO),
                low=sum((part.low for part in parts), _ZERO),
                value=sum((part.value for part in parts), _ZERO),
                high=sum((part.high for part in parts), _ZERO),
                grades=tuple(sorted({grade for line in own if (grade := _grade(line))})),
            )
        )
    return tuple(found)


def _grade(line: LineSection) -> str:
    """Evidence grade of a line that has money, empty for others."""
    basis = line.result.proof.basis
    return "" if line.result.realized is None or basis is None else basis.grade


def _gaps(case: BusinessCase, around: Circumstances) -> tuple[Gap, ...]:
    missing: dict[Gap, bool] = {
        "no_board": not case.kpi_board,
        "no_sources": not case.data_sources,
        "no_benchmarks": not case.benchmarks,
        "no_scores": not around.board.scores,
        "no_gates": not case.stage_gates,
        "no_pilot": case.pilot is None,
        "no_ledger": not (around.books.costs or case.costs_actual),
    }
    return tuple(name for name, absent in missing.items() if absent)


def _names(name: Name) -> BothNames:
    return BothNames(name.ko, name.en)


def _line_section(line: BenefitLine, result: LineResult, frozen_at: datetime | None) -> LineSection:
    value = line.stated_unit_value
    return LineSection(
        name=_names(line.name),
        measure=line.proven_by or "",
        benefit_class=line.benefit_class,
        unit=value.per if value is not None else "",
        unit_value=value.amount if value is not None else _ZERO,
        unit_value_source=_value_source(line, result),
        result=result,
        axis=line.axis,
        lines=line.lines,
        frozen_at=frozen_at,
    )


def _value_source(line: BenefitLine, result: LineResult) -> str:
    """Source of the value in force; of the case's where the line is not valued."""
    if result.price is not None:
        return result.price.source
    return line.stated_unit_value.source if line.stated_unit_value is not None else ""


def _scenario_section(case: BusinessCase, name: str) -> ScenarioSection:
    found = appraisal.appraise(case, getattr(case.scenarios, name))
    return ScenarioSection(name, found.npv, found.irr, found.payback_years, found.roi, found.payback_reason)
