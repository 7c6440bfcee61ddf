"""A pilot of four to eight weeks: what must hold before it starts, what ends it early, and the tool's answer.

A stop criterion is shown to be broken when the whole one-sided 95 % bound lies beyond its limit. A limit that nobody
measures protects nobody: after a week without a measurement the pilot is to be stopped as well.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.baseline.detectability import Detectability
from roi_tracker.baseline.rules import Evidence
from roi_tracker.baseline.sufficiency import MINIMUM_VALID_SHARE
from roi_tracker.measurement.estimation import CONFIDENCE, IntervalKind
from roi_tracker.measurement.panels.readings import MINIMUM_DAY_COVERAGE
from roi_tracker.measurement.ruler import ruler_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from decimal import Decimal

    from roi_tracker.business_case import Pilot
    from roi_tracker.observations.rows import Observation, Observations

Criterion = Literal[
    "baseline_frozen",
    "effect_detectable",
    "audits_sufficient",
    "unit_values_locked",
    "feed_complete",
    "max_overkill_ratio",
    "max_escape_ratio",
    "max_bypass_ratio",
]
CriterionState = Literal["met", "not_met", "undecided", "not_measured"]
PilotPhase = Literal["before", "running", "over"]
PilotAnswer = Literal["start", "do_not_start_yet", "continue", "stop"]
FEED_DAYS = 14
"""Working days before the check of which the feed must have arrived."""
FEED_SHARE = 0.9
GRACE_DAYS = 7
"""Days of the pilot after which a limit that is not measured ends it."""


class CriterionResult(msgspec.Struct, frozen=True):
    """One criterion with what it was judged by."""

    criterion: Criterion
    state: CriterionState
    evidence: tuple[Evidence, ...] = ()


class LineStanding(msgspec.Struct, frozen=True):
    """Where one measurable benefit line stands.

    Attributes:
        frozen_sha256: of the baseline in force, empty where none is.
        current_sha256: of what would be frozen now; another one means that data or plan have changed.
        refused: disqualifying rules that the baseline fails.
        unit_value_locked: locked, and valid all through the pilot.
        reads: interval that holds on the pilot's last day.
        detectability: None where nothing can be fitted.
    """

    benefit_id: str
    frozen_sha256: str
    current_sha256: str
    refused: tuple[str, ...]
    unit_value_locked: bool
    reads: IntervalKind
    detectability: Detectability | None


class PilotReport(msgspec.Struct, frozen=True):
    """Plan and standing of a pilot.

    Attributes:
        first, last: days of the pilot.
        as_of: day of the check; its own data is not complete yet.
        start: start criteria in the order of the case.
        stop: stop criteria whose limit the case states; empty before the pilot runs.
        lines: what each benefit line can show.
    """

    case_id: str
    weeks: int
    first: date
    last: date
    as_of: date
    phase: PilotPhase
    answer: PilotAnswer
    start: tuple[CriterionResult, ...]
    stop: tuple[CriterionResult, ...]
    lines: tuple[LineStanding, ...]


def phase_of(first: date, last: date, as_of: date, *, begun: bool) -> PilotPhase:
    """Where a pilot is in time; it begins when its first day has come and something was produced.

    >>> phase_of(date(2025, 7, 15), date(2025, 9, 8), date(2025, 7, 20), begun=True)
    'running'
    """
    if as_of > last and begun:
        return "over"
    return "running" if as_of > first and begun else "before"


def answer_of(
    phase: PilotPhase, start: Sequence[CriterionResult], stop: Sequence[CriterionResult], days: int
) -> PilotAnswer:
    """Start, wait, go on or stop.

    Args:
        phase: before the pilot only the start criteria decide, afterwards only the stop criteria.
        start: start criteria.
        stop: stop criteria.
        days: calendar days of the pilot so far.
    """
    if phase == "before":
        return "start" if all(one.state == "met" for one in start) else "do_not_start_yet"
    broken = any(one.state == "not_met" for one in stop)
    blind = days > GRACE_DAYS and any(one.state == "not_measured" for one in stop)
    return "stop" if broken or blind else "continue"


def baseline_frozen(lines: Sequence[LineStanding]) -> CriterionResult:
    """Every line has a baseline that is frozen, unchanged and not refused."""
    missing = [one.benefit_id for one in lines if not one.frozen_sha256]
    changed = [one.benefit_id for one in lines if one.frozen_sha256 and one.frozen_sha256 != one.current_sha256]
    refused = [f"{one.benefit_id} ({', '.join(one.refused)})" for one in lines if one.refused]
    return _result(
        "baseline_frozen",
        bool(lines) and not missing and not changed and not refused,
        lines=len(lines),
        missing=", ".join(missing) or "-",
        changed=", ".join(changed) or "-",
        refused=", ".join(refused) or "-",
    )


def effect_detectable(lines: Sequence[LineStanding], weeks: int) -> CriterionResult:
    """Every line's projected effect would be found four times in five by the pilot's last day."""
    cannot: list[str] = []
    for one in lines:
        found = one.detectability
        if found is None or not found.pilot.shows(one.reads):
            needed = None if found is None else (found.weeks_closing if one.reads == "closing" else found.weeks_anytime)
            cannot.append(f"{one.benefit_id} ({needed or '-'})")
    return _result(
        "effect_detectable",
        bool(lines) and not cannot,
        weeks=weeks,
        lines=len(lines),
        cannot=", ".join(cannot) or "-",
    )


def audits_sufficient(lines: Sequence[LineStanding]) -> CriterionResult:
    """The planned audits of every stratum suffice to show the projected effect."""
    needs = [need for one in lines if one.detectability is not None for need in one.detectability.audits]
    short = [
        f"{need.product} {need.stratum} {need.planned_per_week:.0f}/"
        + ("-" if need.needed_per_week is None else f"{need.needed_per_week:.0f}")
        for need in needs
        if not need.enough
    ]
    unknown = [one.benefit_id for one in lines if one.detectability is None]
    return _result(
        "audits_sufficient",
        not short and not unknown,
        strata=len(needs),
        short="; ".join([*short, *unknown]) or "-",
    )


def unit_values_locked(lines: Sequence[LineStanding]) -> CriterionResult:
    """Every unit value is locked and valid to the pilot's last day."""
    loose = [one.benefit_id for one in lines if not one.unit_value_locked]
    return _result("unit_values_locked", bool(lines) and not loose, lines=len(lines), loose=", ".join(loose) or "-")


def feed_complete(
    observations: Observations, lines: Sequence[str], expected: Callable[[date], bool], as_of: date
) -> CriterionResult:
    """The feed arrived on the last working days before the check, on every production line."""
    days: list[date] = []
    day = as_of - timedelta(days=1)
    while len(days) < FEED_DAYS and (as_of - day).days <= 10 * FEED_DAYS:
        days += [day] if expected(day) else []
        day -= timedelta(days=1)
    wanted = set(days)
    came = {
        (row.line, row.day)
        for row in observations.products
        if row.day in wanted and row.line in lines and (row.coverage is None or row.coverage >= MINIMUM_DAY_COVERAGE)
    }
    share = len(came) / (len(days) * len(lines)) if days and lines else 0.0
    return _result(
        "feed_complete",
        share >= FEED_SHARE,
        first=min(days, default=as_of).isoformat(),
        last=max(days, default=as_of).isoformat(),
        share=share,
        required=FEED_SHARE,
    )


def stop_criteria(
    pilot: Pilot, observations: Observations, lines: Sequence[str], first: date, last: date
) -> tuple[CriterionResult, ...]:
    """Limits that the case states, against what the pilot has measured so far.

    Args:
        pilot: with its limits.
        observations: everything derived.
        lines: production lines of the pilot.
        first: first day of the pilot.
        last: last day that counts.
    """
    found: list[CriterionResult] = []
    rows = [
        row
        for row in observations.products
        if row.line in lines
        and first <= row.day <= last
        and row.inspector != "previous"
        and row.inspected is not None
        and row.rejected is not None
    ]
    if pilot.max_overkill_ratio is not None:
        found.append(_audited("max_overkill_ratio", rows, pilot.max_overkill_ratio))
    if pilot.max_escape_ratio is not None:
        found.append(_audited("max_escape_ratio", rows, pilot.max_escape_ratio))
    if pilot.max_bypass_ratio is not None:
        found.append(_bypass(observations, lines, first, last, pilot.max_bypass_ratio))
    return tuple(found)


def _audited(
    criterion: Literal["max_overkill_ratio", "max_escape_ratio"], rows: Sequence[Observation], limit: Decimal
) -> CriterionResult:
    """False rejects among FAIL, or defects among PASS and among rejects that came after the gate, over parts judged."""
    ruler = ruler_of(rows, "ai")
    stratum = "FAIL" if criterion == "max_overkill_ratio" else "PASS"
    strata = [one for one in ruler.strata if one.key.stratum == stratum and one.key.inspector == "ai"]
    judged = sum(one.population for one in ruler.strata if one.key.inspector == "ai")
    audited = sum(one.audited for one in strata)
    throughout = all(one.share >= MINIMUM_VALID_SHARE for one in ruler.reaches if one.stratum == stratum)
    if not judged or not throughout or not all(one.sufficient for one in strata):
        return _limit(criterion, "not_measured", limit, None, (None, None), audited)
    down, up = zip(*(one.margins(CONFIDENCE) for one in strata), strict=True)
    below, above = sum(value**2 for value in down) ** 0.5, sum(value**2 for value in up) ** 0.5
    defects = sum(one.population * one.rate for one in strata)
    if criterion == "max_overkill_ratio":
        count, below, above = sum(one.population for one in strata) - defects, above, below
    else:
        count = defects + sum(row.late_rejects * ruler.rate(row.product, "ai", "FAIL", row.line) for row in rows)
    ratio, low, high = count / judged, max(0.0, count - below) / judged, (count + above) / judged
    state: CriterionState = "not_met" if low > limit else "met" if high <= limit else "undecided"
    return _limit(criterion, state, limit, ratio, (low, high), audited)


def _bypass(
    observations: Observations, lines: Sequence[str], first: date, last: date, limit: Decimal
) -> CriterionResult:
    """Share of the time in which the inspection was off or only watched; counted, so without an interval."""
    live = passed = 0.0
    for row in observations.line_shifts:
        if row.line in lines and first <= row.day <= last and row.live_s is not None:
            live += row.live_s
            passed += (row.shadow_s or 0.0) + (row.off_s or 0.0)
    if not live + passed:
        return _limit("max_bypass_ratio", "not_measured", limit, None, (None, None), 0)
    ratio = passed / (live + passed)
    state: CriterionState = "not_met" if ratio > limit else "met"
    return _limit("max_bypass_ratio", state, limit, ratio, (ratio, ratio), 0)


def _limit(
    criterion: Criterion,
    state: CriterionState,
    limit: Decimal,
    ratio: float | None,
    bounds: tuple[float | None, float | None],
    audited: int,
) -> CriterionResult:
    evidence = (
        ("ratio", ratio),
        ("low", bounds[0]),
        ("high", bounds[1]),
        ("limit", float(limit)),
        ("audited", audited),
    )
    return CriterionResult(criterion, state, tuple(Evidence(name, "-" if v is None else v) for name, v in evidence))


def _result(criterion: Criterion, met: bool, **evidence: float | str) -> CriterionResult:  # noqa: FBT001 - the answer itself
    return CriterionResult(
        criterion, "met" if met else "not_met", tuple(Evidence(name, value) for name, value in evidence.items())
    )


def lines_of(benefits: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Production lines of a pilot, each once, in order."""
    return tuple(dict.fromkeys(name for lines in benefits for name in lines))
