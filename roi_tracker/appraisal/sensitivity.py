"""Sensitivity: what NPV does when one variable moves by 10 %, by one percentage point, or across its stated range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from roi_tracker.appraisal.model import Change
from roi_tracker.appraisal.response import npv_response
from roi_tracker.appraisal.variables import VariableKind, scaled, shifted, variables
from roi_tracker.case.assumptions import numbers

if TYPE_CHECKING:
    from roi_tracker.appraisal.model import Input, Model
    from roi_tracker.appraisal.variables import Variable

STEP = 0.1
POINT = 0.01


class Sensitivity(msgspec.Struct, frozen=True):
    """Effect of one variable, everything else as planned. Changes of NPV in the currency.

    Attributes:
        swing: the larger effect of the two 10 % steps, by which the tornado is ordered.
        share_of_npv: swing over the planned NPV; None where that is zero.
        plus_1pp, minus_1pp: for ratios only.
        at_low, at_high: across the stated range; None where none is stated.
    """

    variable: str
    kind: VariableKind
    plus_10pct: float
    minus_10pct: float
    swing: float
    share_of_npv: float | None
    plus_1pp: float | None
    minus_1pp: float | None
    at_low: float | None
    at_high: float | None


def sensitivities(model: Model) -> tuple[Sensitivity, ...]:
    """Every variable, the most influential first."""
    base = float(npv_response(model, Change())[0])
    found = [_effect(model, variable, base) for variable in variables(model)]
    return tuple(sorted(found, key=lambda one: (-one.swing, one.variable)))


def _effect(model: Model, variable: Variable, base: float) -> Sensitivity:
    plus, minus = npv_response(model, scaled(variable, [1 + STEP, 1 - STEP])) - base
    points: tuple[float | None, float | None] = (None, None)
    if variable.is_ratio and variable.kind in ("input", "rate"):
        up, down = npv_response(model, shifted(variable, [POINT, -POINT])) - base
        points = (float(up), float(down))
    at_low, at_high = _range_effect(model, model.inputs.get(variable.id), base)
    swing = max(abs(float(plus)), abs(float(minus)))
    return Sensitivity(
        variable=variable.id,
        kind=variable.kind,
        plus_10pct=float(plus),
        minus_10pct=float(minus),
        swing=swing,
        share_of_npv=swing / abs(base) if base else None,
        plus_1pp=points[0],
        minus_1pp=points[1],
        at_low=at_low,
        at_high=at_high,
    )


def _range_effect(model: Model, one: Input | None, base: float) -> tuple[float | None, float | None]:
    if one is None or one.assumption.low is None or one.assumption.high is None:
        return None, None
    effects: list[float] = []
    for bound in (one.assumption.low, one.assumption.high):
        values = np.array([float(value * one.factor) for value in numbers(bound)])
        effects.append(float(npv_response(model, Change(values={one.id: model.on_grid(values)}))[0]) - base)
    return effects[0], effects[1]
