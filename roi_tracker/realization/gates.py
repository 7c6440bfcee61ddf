"""Stage gates: what was agreed to be looked at, when, and what the measured figures say of it."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.ledger.entries import GateDecision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_tracker.business_case import BusinessCase, StageGate
    from roi_tracker.case.evaluation import GateCondition

GateState = Literal["passed", "failed", "not_yet", "not_proven"]
GateReason = Literal["measured", "before_its_day", "day_unknown", "nothing_to_check", "interval_undecided", "no_figure"]
_OF_YEAR = re.compile(r"end of (?:year )?(\d{4})|(\d{4})년 ?말")
_AFTER = re.compile(r"(\d+) (day|week|month|year)s? after (?:start|go-?live)")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


class Measured(msgspec.Struct, frozen=True):
    """A figure with its 90 % interval; money in the display unit, the rest ratios."""

    value: float
    low: float
    high: float


class ConditionResult(msgspec.Struct, frozen=True):
    """One condition beside what was measured.

    Attributes:
        state: passed only where the whole interval meets it, failed only where none of it does.
        measured: None where nothing is proven.
    """

    figure: str
    benefit: str
    operator: str
    wanted: float
    state: GateState
    measured: Measured | None


class GateResult(msgspec.Struct, frozen=True):
    """One gate.

    Attributes:
        due: None where nobody could tell the day.
        decision: what people decided, from the ledger; the tool's own state stands beside it and is not changed by it.
    """

    name_ko: str
    name_en: str
    condition_ko: str
    condition_en: str
    when: str
    due: date | None
    state: GateState
    reason: GateReason
    conditions: tuple[ConditionResult, ...]
    decision: GateDecision | None = None


def due_on(gate: StageGate, go_live: date) -> date | None:
    """The day of a gate: as stated, or read from its words; None where they say nothing the tool understands.

    >>> from types import SimpleNamespace
    >>> due_on(SimpleNamespace(due=None, when="8 weeks after start"), date(2025, 7, 1))
    datetime.date(2025, 8, 26)
    >>> due_on(SimpleNamespace(due=None, when="end of 2025"), date(2025, 7, 1))
    datetime.date(2025, 12, 31)
    """
    if gate.due is not None:
        return gate.due
    text = gate.when.strip().lower()
    if _ISO.fullmatch(text):
        return date.fromisoformat(text)
    year = _OF_YEAR.fullmatch(text)
    if year:
        return date(int(year.group(1) or year.group(2)), 12, 31)
    after = _AFTER.fullmatch(text)
    if after is None:
        return None
    count, unit = int(after.group(1)), after.group(2)
    if unit in {"day", "week"}:
        return go_live + timedelta(days=count * (7 if unit == "week" else 1))
    month = go_live.month - 1 + count * (12 if unit == "year" else 1)
    ending, month = go_live.year + month // 12, month % 12 + 1
    return date(ending, month, min(go_live.day, calendar.monthrange(ending, month)[1]))


def evaluate(
    case: BusinessCase,
    as_of: date | None,
    figure: Callable[[GateCondition], Measured | None],
    decisions: Sequence[GateDecision] = (),
) -> tuple[GateResult, ...]:
    """Every gate of the case.

    Args:
        case: with the gates.
        as_of: last measured day.
        figure: what was measured of a condition's figure; None where nothing is proven.
        decisions: from the ledger, oldest first.
    """
    decided = {decision.gate: decision for decision in decisions}
    found: list[GateResult] = []
    for gate in case.stage_gates:
        due = due_on(gate, case.go_live)
        results = tuple(_condition(condition, figure(condition)) for condition in gate.conditions)
        state, reason = _state(due, as_of, results)
        found.append(
            GateResult(
                gate.name.ko,
                gate.name.en,
                gate.condition.ko,
                gate.condition.en,
                gate.when,
                due,
                state,
                reason,
                results,
                decided.get(gate.name.en),
            )
        )
    return tuple(found)


def _condition(condition: GateCondition, measured: Measured | None) -> ConditionResult:
    wanted = float(condition.value)
    state: GateState = "not_proven"
    if measured is not None:
        sure, possible = (measured.low, measured.high)
        if condition.operator == "<=":
            sure, possible, wanted_signed = -measured.high, -measured.low, -wanted
        else:
            wanted_signed = wanted
        if sure >= wanted_signed:
            state = "passed"
        elif possible < wanted_signed:
            state = "failed"
    return ConditionResult(condition.figure, condition.benefit or "", condition.operator, wanted, state, measured)


def _state(due: date | None, as_of: date | None, results: Sequence[ConditionResult]) -> tuple[GateState, GateReason]:
    """One failed condition fails the gate; it is passed when all are."""
    if due is None:
        return "not_yet", "day_unknown"
    if as_of is None or as_of < due:
        return "not_yet", "before_its_day"
    if not results:
        return "not_proven", "nothing_to_check"
    states = {result.state for result in results}
    if "failed" in states:
        return "failed", "measured"
    if states == {"passed"}:
        return "passed", "measured"
    missing = any(result.measured is None for result in results)
    return "not_proven", "no_figure" if missing else "interval_undecided"
