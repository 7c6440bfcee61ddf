"""Break-even: how far each variable may go before NPV is zero, everything else as planned."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from roi_tracker.appraisal.response import npv_response
from roi_tracker.appraisal.root_finding import root_between
from roi_tracker.appraisal.variables import VariableKind, scaled, variables

if TYPE_CHECKING:
    from roi_tracker.appraisal.model import Model
    from roi_tracker.appraisal.variables import Variable

LARGEST = 1000.0
"""Factor beyond which nobody plans."""
_GRID = np.concatenate(([0.0], np.geomspace(0.001, LARGEST, 240)))
_BENEFITS = "benefits"


class BreakEven(msgspec.Struct, frozen=True):
    """Where NPV is zero along one variable.

    Attributes:
        factor: of the planned values, nearest to 1; None when no factor from 0 to 1000 does it.
        values: the variable there, in its own unit, one or one a period; empty for lines and groups.
        change: factor - 1: how far the plan may be missed, -0.6 is 60 % less.
        reason: `found`, or `never`: NPV keeps its sign however far the variable goes.
    """

    variable: str
    kind: VariableKind
    factor: float | None
    values: tuple[float, ...]
    unit: str
    change: float | None
    reason: Literal["found", "never"]


class BreakEvens(msgspec.Struct, frozen=True):
    """All of them.

    Attributes:
        overall_achievement: share of all benefits together at which NPV is zero; None when never.
    """

    overall_achievement: float | None
    variables: tuple[BreakEven, ...]


def break_evens(model: Model) -> BreakEvens:
    """Break-even of every variable, the tightest first."""
    found = [_one(model, variable) for variable in variables(model)]
    overall = next((one.factor for one in found if one.variable == _BENEFITS), None)
    ordered = sorted(found, key=lambda one: (math.inf if one.change is None else abs(one.change), one.variable))
    return BreakEvens(overall, tuple(ordered))


def _one(model: Model, variable: Variable) -> BreakEven:
    values = npv_response(model, scaled(variable, _GRID))
    signs = np.sign(values)
    crossings = np.flatnonzero(signs[1:] * signs[:-1] < 0)
    zeros = [float(_GRID[index]) for index in np.flatnonzero(signs == 0)]
    nothing_moves = bool(np.all(values == values[0]))
    roots = [] if nothing_moves else zeros + [_root(model, variable, int(index)) for index in crossings]
    if not roots:
        return BreakEven(variable.id, variable.kind, None, (), variable.unit, None, "never")
    factor = min(roots, key=lambda root: abs(root - 1))
    shown = tuple(value * factor / variable.factor for value in variable.base)
    return BreakEven(variable.id, variable.kind, factor, shown, variable.unit, factor - 1, "found")


def _root(model: Model, variable: Variable, index: int) -> float:
    def value(factor: float) -> float:
        return float(npv_response(model, scaled(variable, [factor]))[0])

    return root_between(value, float(_GRID[index]), float(_GRID[index + 1]))
