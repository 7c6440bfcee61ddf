"""The weekly KPI board: at most six headline indicators on four value axes, and a review page every four weeks.

Target, actual, action and owner stand in one row. A review sets the hypothesis beside what was done and what is shown;
only a proven benefit line can support a hypothesis, a moved indicator alone cannot. Survey scores stand apart and are
never turned into money.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from roi_tracker.proof.proving import NotProven, Proof, Realized
from roi_tracker.realization.indicators import Days, IndicatorBasis, Indicators
from roi_tracker.realization.trend import Trend, trend
from roi_tracker.realization.weeks import WEEK, BaselineWeek, IndicatorWeeks, LineReach, WeekPoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.business_case import BenefitLine, BusinessCase, KpiTarget
    from roi_tracker.realization.activity import Activity

BoardAxis = Literal["cost", "productivity", "revenue", "risk"]
KpiState = Literal["on_target", "off_target", "not_measured", "unknown_source"]
Movement = Literal["better", "worse", "unchanged", "not_comparable"]
Support = Literal["proven", "not_proven", "harm_proven", "no_benefit_line"]
AXES: tuple[BoardAxis, ...] = get_args(BoardAxis)
WEEKS_OF_TREND = 8
WEEKS_OF_REVIEW = 4
_BETTER_BY = 0.02
"""Share by which four weeks must differ from the four before to be called better or worse; it proves nothing."""


class BoardEntry(msgspec.Struct, frozen=True):
    """One indicator.

    Attributes:
        actual: of the last whole week measured, `week`. A week is whole where every line of the indicator reported to
            its end.
        before: what a week of the baseline period gave; what it is stands in it.
        behind: lines a week or more behind the plant.
        trend: of the last eight whole weeks; `better` says which direction is good.
        action: what is being done, None where nobody has said.
    """

    id: str
    name_ko: str
    name_en: str
    axis: BoardAxis
    unit: str
    target: float
    better: Literal["lower", "higher"]
    owner: str
    action_ko: str | None
    action_en: str | None
    basis: IndicatorBasis
    state: KpiState
    week: date | None
    actual: float | None
    before: BaselineWeek
    behind: tuple[LineReach, ...]
    trend: Trend
    weeks: tuple[WeekPoint, ...]


class MeasuredLine(msgspec.Struct, frozen=True):
    """What the measurement says of one benefit line over all measured days; None without an estimate."""

    benefit_id: str
    name_ko: str
    name_en: str
    proven: bool
    avoided: float | None = None
    low: float | None = None
    high: float | None = None


class ReviewEvidence(msgspec.Struct, frozen=True):
    """What is shown for a hypothesis after four weeks.

    Attributes:
        value, previous: the indicator over these four weeks, and over the four before; for the first four weeks, over
            as many weeks of the baseline.
        movement: the indicator's, which is no proof.
        support: what the measurement says of the benefit lines bound to the same source.
        benefits: ids of these lines.
        measured: the same lines with the quantity avoided and its 90 % interval.
    """

    value: float | None
    previous: float | None
    movement: Movement
    support: Support
    benefits: tuple[str, ...]
    measured: tuple[MeasuredLine, ...] = ()


class ReviewRow(msgspec.Struct, frozen=True):
    """Hypothesis, action, evidence of one indicator."""

    kpi_id: str
    hypothesis_ko: str | None
    hypothesis_en: str | None
    action_ko: str | None
    action_en: str | None
    owner: str
    evidence: ReviewEvidence


class ReviewPage(msgspec.Struct, frozen=True):
    """Four whole weeks since go-live."""

    number: int
    first: date
    last: date
    rows: tuple[ReviewRow, ...]


class SurveyScore(msgspec.Struct, frozen=True):
    """A judgement by people, shown apart."""

    subject: Literal["technical", "strategic", "organisational"]
    score: str
    reason_ko: str
    reason_en: str
    by: str


class Board(msgspec.Struct, frozen=True):
    """The whole board.

    Attributes:
        as_of: last day observed.
        empty_axes: value axes that no indicator watches.
    """

    as_of: date | None
    entries: tuple[BoardEntry, ...]
    empty_axes: tuple[BoardAxis, ...]
    reviews: tuple[ReviewPage, ...]
    scores: tuple[SurveyScore, ...]


def board(case: BusinessCase, activity: Activity, proofs: Sequence[Proof]) -> Board:
    """The board of a case as of the last day observed."""
    span = activity.span
    as_of = span[1] if span else None
    entries = tuple(_entry(case, target, activity, span) for target in case.kpi_board)
    watched = {entry.axis for entry in entries}
    return Board(
        as_of=as_of,
        entries=entries,
        empty_axes=tuple(axis for axis in AXES if axis not in watched),
        reviews=tuple(_reviews(case, activity, proofs, as_of)),
        scores=_scores(case),
    )


def _entry(case: BusinessCase, target: KpiTarget, activity: Activity, span: tuple[date, date] | None) -> BoardEntry:
    indicators = Indicators(target, activity)
    known = IndicatorWeeks(indicators, span)
    weeks = known.shown()
    last = next((point for point in reversed(weeks) if point.value is not None), None)
    actual = last.value if last is not None else None
    measured = [point.value for point in weeks[-WEEKS_OF_TREND:] if point.value is not None]
    return BoardEntry(
        id=target.id,
        name_ko=target.name.ko,
        name_en=target.name.en,
        axis=target.axis,
        unit=target.unit,
        target=float(target.target),
        better=target.better,
        owner=target.owner,
        action_ko=target.action.ko if target.action else None,
        action_en=target.action.en if target.action else None,
        basis=indicators.basis,
        state=_state(target, actual, known=indicators.known),
        week=last.monday if last is not None else None,
        actual=actual,
        before=known.of_baseline(_baseline(case)),
        behind=known.behind(),
        trend=trend(measured),
        weeks=weeks,
    )


def _state(target: KpiTarget, actual: float | None, *, known: bool) -> KpiState:
    if not known:
        return "unknown_source"
    if actual is None:
        return "not_measured"
    met = actual <= float(target.target) if target.better == "lower" else actual >= float(target.target)
    return "on_target" if met else "off_target"


def _baseline(case: BusinessCase) -> Days:
    return Days(case.periods.baseline.first, case.periods.baseline.last)


def _reviews(case: BusinessCase, activity: Activity, proofs: Sequence[Proof], as_of: date | None) -> list[ReviewPage]:
    pages: list[ReviewPage] = []
    first = case.go_live + timedelta(days=(7 - case.go_live.weekday()) % 7)
    before: Days | None = None
    while as_of is not None and first + WEEKS_OF_REVIEW * WEEK - timedelta(days=1) <= as_of:
        days = Days(first, first + WEEKS_OF_REVIEW * WEEK - timedelta(days=1))
        rows = tuple(
            _review(case, target, Indicators(target, activity), (days, before), proofs) for target in case.kpi_board
        )
        pages.append(ReviewPage(len(pages) + 1, days.first, days.last, rows))
        first, before = days.last + timedelta(days=1), days
    return pages


def _review(
    case: BusinessCase,
    target: KpiTarget,
    indicators: Indicators,
    spans: tuple[Days, Days | None],
    proofs: Sequence[Proof],
) -> ReviewRow:
    value, previous = _compared(case, indicators, spans)
    bound = [
        (line, proof)
        for line, proof in zip(case.benefits, proofs, strict=True)
        if _follows(target, line.proven_by, line.measurement.kpi.id if line.measurement.kpi else None)
        and (not target.lines or not line.lines or set(target.lines) & set(line.lines))
    ]
    evidence = ReviewEvidence(
        value,
        previous,
        _movement(target, value, previous),
        _support([proof for _, proof in bound]),
        tuple(line.id for line, _ in bound),
        tuple(_measured(line, proof) for line, proof in bound),
    )
    return ReviewRow(
        kpi_id=target.id,
        hypothesis_ko=target.hypothesis.ko if target.hypothesis else None,
        hypothesis_en=target.hypothesis.en if target.hypothesis else None,
        action_ko=target.action.ko if target.action else None,
        action_en=target.action.en if target.action else None,
        owner=target.owner,
        evidence=evidence,
    )


def _compared(
    case: BusinessCase, indicators: Indicators, spans: tuple[Days, Days | None]
) -> tuple[float | None, float | None]:
    """The indicator over four weeks, and over the four before; the first four stand beside four weeks of the baseline.
    None while a line waited for has not reached their end.
    """
    days, previous = spans
    known = IndicatorWeeks(indicators, indicators.span)
    if not known.reaches(days.last):
        return None, None
    if previous is not None:
        return indicators.value(days), indicators.value(previous)
    week = known.of_baseline(_baseline(case)).value
    return indicators.value(days), week * WEEKS_OF_REVIEW if indicators.adds_up and week is not None else week


def _follows(target: KpiTarget, measure: str | None, kpi: str | None) -> bool:
    return target.source in {measure, kpi} or (target.source == "availability" and measure == "downtime")


def _movement(target: KpiTarget, value: float | None, previous: float | None) -> Movement:
    if value is None or previous is None:
        return "not_comparable"
    if abs(value - previous) <= _BETTER_BY * abs(previous):
        return "unchanged"
    return "better" if (value < previous) == (target.better == "lower") else "worse"


def _measured(line: BenefitLine, proof: Proof) -> MeasuredLine:
    found, proven = proof.estimate, isinstance(proof, Realized)
    if found is None:
        return MeasuredLine(line.id, line.name.ko, line.name.en, proven)
    return MeasuredLine(line.id, line.name.ko, line.name.en, proven, found.avoided, found.low, found.high)


def _support(proofs: Sequence[Proof]) -> Support:
    if not proofs:
        return "no_benefit_line"
    if any(isinstance(proof, Realized) and proof.estimate.avoided < 0 for proof in proofs):
        return "harm_proven"
    return "not_proven" if any(isinstance(proof, NotProven) for proof in proofs) else "proven"


def _scores(case: BusinessCase) -> tuple[SurveyScore, ...]:
    subjects: tuple[Literal["technical", "strategic", "organisational"], ...] = (
        "technical",
        "strategic",
        "organisational",
    )
    found = ((name, getattr(case.qualitative, name)) for name in subjects)
    return tuple(
        SurveyScore(name, one.score, one.reason.ko, one.reason.en, one.by) for name, one in found if one is not None
    )
