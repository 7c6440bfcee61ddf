from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from roi_tracker.business_case import Name, StageGate
from roi_tracker.case.evaluation import GateCondition
from roi_tracker.ledger.entries import GateDecision
from roi_tracker.realization.gates import GateResult, Measured, due_on, evaluate

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase

LIVE = date(2025, 7, 15)
WORDS = Name(ko="확대 결정", en="Expansion")


def gate(*conditions: GateCondition, when: str = "2025-12-31") -> StageGate:
    return StageGate(name=WORDS, when=when, condition=WORDS, conditions=conditions)


def at_least(value: str, operator: str = ">=") -> GateCondition:
    return GateCondition.model_validate({"figure": "roi", "operator": operator, "value": Decimal(value)})


def result(case: BusinessCase, one: StageGate, measured: Measured | None, as_of: date | None) -> GateResult:
    (found,) = evaluate(case.model_copy(update={"stage_gates": (one,)}), as_of, lambda _: measured)
    return found


@pytest.mark.parametrize(
    ("when", "due"),
    [
        ("end of 2025", date(2025, 12, 31)),
        ("End of year 2026", date(2026, 12, 31)),
        ("2025년말", date(2025, 12, 31)),
        ("2026-03-01", date(2026, 3, 1)),
        ("8 weeks after start", date(2025, 9, 9)),
        ("1 month after go-live", date(2025, 8, 15)),
        ("1 year after start", date(2026, 7, 15)),
        ("when the board meets", None),
    ],
)
def test_the_day_is_read_from_its_words(when: str, due: date | None) -> None:
    assert due_on(gate(when=when), LIVE) == due


def test_a_month_end_is_kept() -> None:
    assert due_on(gate(when="1 month after start"), date(2025, 1, 31)) == date(2025, 2, 28)


@pytest.mark.parametrize(
    ("measured", "state", "reason"),
    [
        (Measured(1.2, 1.0, 1.4), "passed", "measured"),
        (Measured(0.8, 0.7, 0.99), "failed", "measured"),
        (Measured(1.1, 0.9, 1.3), "not_proven", "interval_undecided"),
        (None, "not_proven", "no_figure"),
    ],
)
def test_the_whole_interval_decides(case: BusinessCase, measured: Measured | None, state: str, reason: str) -> None:
    found = result(case, gate(at_least("1")), measured, date(2025, 12, 31))
    assert (found.state, found.reason) == (state, reason)


def test_at_most_is_turned_round(case: BusinessCase) -> None:
    day = date(2026, 1, 1)
    assert result(case, gate(at_least("1", "<=")), Measured(0.8, 0.7, 1.0), day).state == "passed"
    assert result(case, gate(at_least("1", "<=")), Measured(1.4, 1.01, 1.5), day).state == "failed"


def test_one_failed_condition_fails_the_gate(case: BusinessCase) -> None:
    found = result(case, gate(at_least("1"), at_least("3")), Measured(1.5, 1.2, 1.8), date(2026, 1, 1))
    assert [one.state for one in found.conditions] == ["passed", "failed"]
    assert found.state == "failed"


def test_before_its_day_and_without_anything_to_check(case: BusinessCase) -> None:
    early = result(case, gate(at_least("1")), Measured(2, 2, 2), date(2025, 12, 30))
    assert (early.state, early.reason, early.conditions[0].state) == ("not_yet", "before_its_day", "passed")
    assert result(case, gate(at_least("1")), None, None).reason == "before_its_day"
    assert result(case, gate(), None, date(2026, 1, 1)).reason == "nothing_to_check"
    assert result(case, gate(when="some day"), None, date(2026, 1, 1)).reason == "day_unknown"


def test_what_people_decided_stands_beside_and_changes_nothing(case: BusinessCase) -> None:
    decision = GateDecision(gate="Expansion", answer="go_on", reason="strategic", decided_by="board")
    (found,) = evaluate(
        case.model_copy(update={"stage_gates": (gate(at_least("1")),)}), date(2026, 1, 1), lambda _: None, [decision]
    )
    assert (found.decision, found.state) == (decision, "not_proven")


@pytest.mark.parametrize(
    "condition",
    [
        {"figure": "reduction", "operator": ">=", "value": 0.15},
        {"figure": "npv", "operator": ">=", "value": 0, "benefit": "scrap"},
    ],
)
def test_a_condition_says_of_what(condition: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"benefit line|whole programme"):
        GateCondition.model_validate(condition)
