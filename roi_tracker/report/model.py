"""What a report says, without a word of how it looks: figures, reasons, evidence, data quality, inputs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from roi_tracker import appraisal
from roi_tracker.baseline.detectability import Detectability
from roi_tracker.baseline.pilot import PilotReport
from roi_tracker.case.evaluation import Score
from roi_tracker.ledger.admission import ClaimState
from roi_tracker.ledger.entries import Claim
from roi_tracker.ledger.losses import JointLoss, LikelyCause
from roi_tracker.money import Unit
from roi_tracker.observations.quality import DataQuality
from roi_tracker.observations.rows import Origin
from roi_tracker.proof.proving import NotProven, Realized
from roi_tracker.realization.board import Board
from roi_tracker.realization.projection import PlannedCost
from roi_tracker.realization.realized import LineResult, Realization
from roi_tracker.report.harm_limits import HarmLimits

SCHEMA = "lineproof.report/2"
Gap = Literal["no_board", "no_sources", "no_benchmarks", "no_scores", "no_gates", "no_pilot", "no_ledger"]


class BothNames(msgspec.Struct, frozen=True):
    """A name in both languages."""

    ko: str
    en: str


class LineSection(msgspec.Struct, frozen=True):
    """A benefit line as the reader sees it: the plan's words beside the result.

    Attributes:
        unit: physical unit (`defect`, `h`, `kWh`).
        unit_value: money per unit as the case states it; `result.unit_value` is the one in force.
        frozen_at: when the baseline in force was frozen; None where none is.
        lines: production lines.
    """

    name: BothNames
    measure: str
    benefit_class: str
    unit: str
    unit_value: Decimal
    unit_value_source: str
    result: LineResult
    axis: str = ""
    lines: tuple[str, ...] = ()
    frozen_at: datetime | None = None


class ScenarioSection(msgspec.Struct, frozen=True):
    """The plan's own figures in one scenario."""

    scenario: str
    npv: Decimal
    irr: appraisal.Irr
    payback_years: float | None
    roi: Decimal | None
    payback_reason: str = "found"


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


class ClassTotal(msgspec.Struct, frozen=True):
    """Benefit lines of one class together, to date.

    Attributes:
        low, value, high: of the proven lines, after sharing; 0 where none is proven.
        counted: whether the class enters the headline.
        grades: evidence grades of the proven lines, the best first.
    """

    benefit_class: str
    counted: bool
    lines: int
    proven: int
    projected: Decimal
    low: Decimal
    value: Decimal
    high: Decimal
    grades: tuple[str, ...] = ()


class CauseCount(msgspec.Struct, frozen=True):
    """How many losses that several events tell of have one likely cause."""

    likely_cause: LikelyCause
    losses: int


class JointLosses(msgspec.Struct, frozen=True):
    """Losses since go-live that several events tell of: each is one loss, whatever reported it.

    Attributes:
        total: of all of them.
        events: events that tell of them.
        causes: by likely cause.
        newest: the newest of them; `roi-tracker ledger losses` has all.
    """

    total: int = 0
    events: int = 0
    causes: tuple[CauseCount, ...] = ()
    newest: tuple[JointLoss, ...] = ()


class SourceRow(msgspec.Struct, frozen=True):
    """Where data of a measure lies."""

    id: str
    what: BothNames
    where: str
    owner: str
    quality: Score | None
    gaps: str


class BenchmarkRow(msgspec.Struct, frozen=True):
    """A published figure beside the company's own."""

    id: str
    name: BothNames
    unit: str
    company: Decimal | None
    industry: Decimal | None
    leader: Decimal | None
    source: str
    published: date | None


class BaselineInput(msgspec.Struct, frozen=True):
    """A frozen baseline that a report rests on."""

    benefit_id: str
    sha256: str


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What a report was made from; the same inputs give the same bytes.

    Attributes:
        case_sha256: hash of the case's text; empty where the text is not known.
        case_format: how the text is read.
        fact_watermark: number of the last fact.
        facts: facts that held then.
        facts_head: hash of the newest seal over those facts; see `roi-tracker verify`.
        ledger_head: hash of the newest entry of the ledger.
        software: version that made it.
    """

    case_sha256: str
    case_format: Literal["yaml", "toml", "json"]
    fact_watermark: int
    facts: int
    baselines: tuple[BaselineInput, ...]
    ledger_head: str
    facts_head: str
    software: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report. Money in `currency`; `display_unit` is for pages.

    Attributes:
        generated_on: date of the document.
        origin: weakest origin of all data in it; `simulated` puts a banner on every page.
        facts: facts in the store.
        planned_costs: up to the last measured day.
        gaps: what the programme does not have yet; each has a page that teaches how to bring it.
        claim_states: every claim held against its events again, and whether an agent keeps them.
        joint: losses that several events tell of.
        harm_limits: 90 % interval of each row of harm, in its order, or why there is none.
        prospects: what each benefit line could show, from its baseline alone; empty where no baseline can be fitted.
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
    blackout_first: date
    blackout_last: date
    origin: Origin
    facts: int
    realization: Realization
    lines: tuple[LineSection, ...]
    plan: tuple[ScenarioSection, ...]
    costs: tuple[CostSection, ...]
    findings: tuple[FindingCount, ...]
    inputs: Inputs
    quality: DataQuality
    classes: tuple[ClassTotal, ...]
    planned_costs: tuple[PlannedCost, ...]
    board: Board
    claims: tuple[Claim, ...]
    sources: tuple[SourceRow, ...]
    benchmarks: tuple[BenchmarkRow, ...]
    gaps: tuple[Gap, ...]
    prospects: tuple[Detectability, ...] = ()
    pilot: PilotReport | None = None
    claim_states: tuple[ClaimState, ...] = ()
    joint: JointLosses = JointLosses()
    harm_limits: tuple[HarmLimits, ...] = ()

    @property
    def realized(self) -> tuple[LineSection, ...]:
        """Lines with a measured effect."""
        return tuple(line for line in self.lines if isinstance(line.result.proof, Realized))

    @property
    def not_proven(self) -> tuple[LineSection, ...]:
        """Lines that may not be claimed."""
        return tuple(line for line in self.lines if isinstance(line.result.proof, NotProven))
