"""What can be varied: assumptions, calculations, lines and groups, each by a factor, and the discount rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from roi_tracker.appraisal.model import Change
from roi_tracker.case.units import unit_meaning

if TYPE_CHECKING:
    from roi_tracker.appraisal.model import Model

VariableKind = Literal["input", "calculation", "line", "group", "rate"]
DISCOUNT_RATE = "discount_rate"


class Variable(msgspec.Struct, frozen=True):
    """Something whose effect on NPV is asked for.

    Attributes:
        base: its planned values in base units (currency, ratio, quantity), one or one a period; empty for lines and
            groups, which vary by a factor only.
        unit: as the case writes it; the currency for lines and groups.
        factor: from that unit to the base.
        is_ratio: whether steps of one percentage point make sense.
    """

    id: str
    kind: VariableKind
    base: tuple[float, ...]
    unit: str
    factor: float
    is_ratio: bool


def variables(model: Model) -> tuple[Variable, ...]:
    """Everything in the case that reaches its NPV, inputs first; what is unused is left out."""
    case, used = model.case, model.used()
    rate = Variable(DISCOUNT_RATE, "rate", (float(case.rate),), case.discount_rate.unit, 1.0, is_ratio=True)
    found = [rate]
    for name, one in model.inputs.items():
        if name in case.assumptions and name not in used:
            continue
        base = tuple(float(value) for value in one.values)
        found.append(Variable(name, "input", base, one.assumption.unit, float(one.factor), one.kind == "ratio"))
    amounts = model.exact()
    for name, calculation in case.calculations.items():
        if name in used:
            meaning = unit_meaning(calculation.unit, case.currency)
            base = tuple(float(value) for value in np.atleast_1d(amounts.quantities[name]))
            found.append(
                Variable(name, "calculation", base, calculation.unit, float(meaning.factor), meaning.kind == "ratio")
            )
    counted = {line.id for line in case.benefits if line.benefit_class in case.conventions.counted}
    lines = [f"benefits.{name}" for name in amounts.benefits if name in counted]
    lines += [f"opex.{line}" for line in amounts.opex if f"opex.{line}" not in model.inputs]
    lines += [
        f"capex.{line}" for line in amounts.capex if f"capex.{line}" not in model.inputs and line != "contingency"
    ]
    found.extend(Variable(name, "line", (), case.currency, 1.0, is_ratio=False) for name in lines)
    groups = ["benefits", "capex", *(["opex"] if amounts.opex else [])]
    found.extend(Variable(name, "group", (), case.currency, 1.0, is_ratio=False) for name in groups)
    return tuple(found)


def scaled(variable: Variable, factors: Any) -> Change:  # noqa: ANN401 - a number or an array of draws
    """The plan with a variable multiplied; an array gives one draw a factor."""
    by = np.asarray(factors, dtype=np.float64)
    if variable.kind == "rate":
        return Change(rate=variable.base[0] * by)
    return Change(factors={variable.id: by[..., np.newaxis]})


def shifted(variable: Variable, steps: Any) -> Change:  # noqa: ANN401 - a number or an array of draws
    """The plan with a ratio moved by so much in every year (0.01 is one percentage point)."""
    by = np.asarray(steps, dtype=np.float64)
    if variable.kind == "rate":
        return Change(rate=variable.base[0] + by)
    return Change(values={variable.id: np.array(variable.base) + by[..., np.newaxis]})
