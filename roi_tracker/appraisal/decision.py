"""The decision: the rule's conditions against the figures, what must be true, what to verify first, the gates."""

from __future__ import annotations

import operator
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.money import UNIT_FACTORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from roi_tracker.appraisal.break_even import BreakEvens
    from roi_tracker.appraisal.model import Model
    from roi_tracker.appraisal.monte_carlo import Simulation
    from roi_tracker.appraisal.scenarios import Appraisal
    from roi_tracker.appraisal.sensitivity import Sensitivity
    from roi_tracker.case.evaluation import Condition
    from roi_tracker.case.plan import BusinessCase

_OPERATORS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_FIRST = 3
LOW_RISK = 0.05


class ConditionResult(msgspec.Struct, frozen=True):
    """One condition of the rule.

    Attributes:
        actual: the figure, money in the display unit; None when it does not exist.
        passed: None when the figure does not exist, so that the condition can be neither met nor missed.
    """

    figure: str
    scenario: str
    operator: str
    limit: Decimal
    actual: Decimal | None
    passed: bool | None


class ToVerify(msgspec.Struct, frozen=True):
    """An assumption to verify before deciding: effect on NPV times its uncertainty.

    Attributes:
        effect: change of NPV in the currency across its stated range, or for 10 % where no range is stated.
        range_stated: False says that even its uncertainty is unknown.
        break_even_change: how far it may miss the plan before NPV is zero; None when never.
    """

    variable: str
    source: str
    owner: str
    effect: float
    range_stated: bool
    break_even_change: float | None


class GateResult(msgspec.Struct, frozen=True):
    """A stage gate as the case states it."""

    when: str
    condition_ko: str
    condition_en: str


class Decision(msgspec.Struct, frozen=True):
    """Recommendation.

    Attributes:
        verdict: `approve` when the rule holds in the realistic and in the worst scenario and NPV < 0 is unlikely;
            `approve_in_stages` when the rule holds but not there; `do_not_approve` when a condition fails;
            `no_rule` when the case states none; `undecidable` when a figure of the rule does not exist.
        required_achievement: share of all benefits that must come true for NPV 0.
    """

    verdict: Literal["approve", "approve_in_stages", "do_not_approve", "undecidable", "no_rule"]
    conditions: tuple[ConditionResult, ...]
    worst_npv: Decimal
    p_negative: float | None
    required_achievement: float | None
    verify_first: tuple[ToVerify, ...]
    gates: tuple[GateResult, ...]


def decide(
    model: Model,
    scenarios: Mapping[str, Appraisal],
    sensitivities: Sequence[Sensitivity],
    break_evens: BreakEvens,
    simulation: Simulation,
) -> Decision:
    """Weigh the case against its own rule."""
    case = model.case
    rule = case.decision_rule
    results = tuple(_check(case, one, scenarios[one.scenario]) for one in rule.conditions) if rule is not None else ()
    worst = scenarios["worst"].npv
    return Decision(
        verdict=_verdict(results, worst, simulation.p_negative),
        conditions=results,
        worst_npv=worst,
        p_negative=simulation.p_negative,
        required_achievement=break_evens.overall_achievement,
        verify_first=_verify_first(model, sensitivities, break_evens),
        gates=tuple(GateResult(gate.when, gate.condition.ko, gate.condition.en) for gate in case.stage_gates),
    )


def _check(case: BusinessCase, condition: Condition, found: Appraisal) -> ConditionResult:
    value: Decimal | float | None = found.irr.value if condition.figure == "irr" else getattr(found, condition.figure)
    actual = Decimal(repr(value)) if isinstance(value, float) else value
    if actual is not None and condition.figure == "npv":
        actual /= UNIT_FACTORS[case.display_unit]
    never = condition.figure.endswith("payback_years") and _reason(condition.figure, found) == "never"
    passed = False if never else None
    if actual is not None:
        passed = _OPERATORS[condition.operator](actual, condition.value)
    return ConditionResult(condition.figure, condition.scenario, condition.operator, condition.value, actual, passed)


def _reason(figure: str, found: Appraisal) -> str:
    return found.discounted_payback_reason if figure.startswith("discounted") else found.payback_reason


def _verdict(
    results: Sequence[ConditionResult], worst: Decimal, p_negative: float | None
) -> Literal["approve", "approve_in_stages", "do_not_approve", "undecidable", "no_rule"]:
    if not results:
        return "no_rule"
    if any(one.passed is False for one in results):
        return "do_not_approve"
    if any(one.passed is None for one in results):
        return "undecidable"
    safe = worst >= 0 and (p_negative is None or p_negative <= LOW_RISK)
    return "approve" if safe else "approve_in_stages"


def _verify_first(model: Model, found: Sequence[Sensitivity], break_evens: BreakEvens) -> tuple[ToVerify, ...]:
    changes = {one.variable: one.change for one in break_evens.variables}
    candidates: list[ToVerify] = []
    for one in found:
        stated = model.inputs.get(one.variable)
        if stated is None:
            continue
        ranged = one.at_low is not None and one.at_high is not None
        effect = max(abs(one.at_low or 0.0), abs(one.at_high or 0.0)) if ranged else one.swing
        assumption = stated.assumption
        candidates.append(
            ToVerify(one.variable, assumption.source, assumption.owner, effect, ranged, changes.get(one.variable))
        )
    return tuple(sorted(candidates, key=lambda one: -one.effect)[:_FIRST])
