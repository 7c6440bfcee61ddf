"""A case made ready to compute: inputs in base units, formulas in order, one evaluation for decimals and floats."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from roi_tracker.case.assumptions import Assumption, numbers
from roi_tracker.case.units import UnitKind, unit_meaning
from roi_tracker.errors import CaseError
from roi_tracker.formulas import Formula, Values, evaluate, in_order, parse_formula

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from roi_tracker.case.benefits import BenefitLine
    from roi_tracker.case.plan import BusinessCase


class Input(msgspec.Struct, frozen=True):
    """A number of the case that can be varied.

    Attributes:
        id: as formulas and addresses name it.
        values: in base units, one, or one a period.
        factor: from the unit as written to the base.
    """

    id: str
    values: tuple[Decimal, ...]
    factor: Decimal
    kind: UnitKind
    assumption: Assumption


@dataclass(frozen=True)
class Change:
    """What differs from the plan in one evaluation, or in each of many at once.

    Attributes:
        values: replaces inputs, by id; shape (periods,) or (draws, 1) or (draws, periods).
        factors: multiplies inputs, calculations, lines (`benefits.x`, `capex.y`) or the groups `benefits`, `capex`,
            `opex`.
        rate: replaces the discount rate.
    """

    values: Mapping[str, Values] = field(default_factory=dict)
    factors: Mapping[str, Any] = field(default_factory=dict)
    rate: Any = None


@dataclass(frozen=True)
class Amounts:
    """Money of one evaluation, in the currency: benefits and running cost a period by line, capital by line.

    Capital arrays have one column: the total, whenever it is spent. `quantities` are inputs and calculations.
    """

    benefits: Mapping[str, Values]
    opex: Mapping[str, Values]
    capex: Mapping[str, Values]
    quantities: Mapping[str, Values]


@dataclass(frozen=True)
class _Rows:
    """What no change touches, on the period grid, by id; computed once for each kind of number and never written to."""

    inputs: Mapping[str, Values]
    ramps: Mapping[str, Values]
    growths: Mapping[str, Values]


class Model:
    """A case compiled once; evaluated as often as needed.

    Raises:
        CaseError: a formula is not arithmetic, uses an unknown name, or runs in a circle; or a unit is foreign.
    """

    def __init__(self, case: BusinessCase) -> None:
        self.case = case
        self.inputs = {one.id: one for one in _inputs(case)}
        calculations = {
            name: parse_formula(one.formula, f"calculations.{name}") for name, one in case.calculations.items()
        }
        self.order = in_order(calculations)
        self.calculations = {name: calculations[name] for name in self.order}
        self.lines: dict[str, Formula] = {}
        for group, lines in (("benefits", case.benefits), ("opex", case.opex_per_year), ("capex", case.capex)):
            for line in lines:
                if line.formula is not None:
                    self.lines[f"{group}.{line.id}"] = parse_formula(line.formula, f"{group}.{line.id}.formula")
        self._check_names()
        self._known_rows: dict[Any, _Rows] = {}

    def _check_names(self) -> None:
        known = {*self.case.assumptions, *self.calculations}
        for owner, formula in (*self.calculations.items(), *self.lines.items()):
            for name in formula.names:
                if name not in known:
                    near = _nearest(name, known)
                    raise CaseError(
                        f"the formula of {owner!r} uses {name!r}, which is no assumption or calculation{near}",
                        field=owner,
                        value=formula.text,
                        hint="state it under assumptions or calculations",
                    )

    def used(self) -> frozenset[str]:
        """Ids of assumptions and calculations that reach a benefit or a cost."""
        reached: set[str] = set()
        waiting = [name for formula in self.lines.values() for name in formula.names]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                if name in self.calculations:
                    waiting.extend(self.calculations[name].names)
        return frozenset(reached)

    def unused(self) -> tuple[str, ...]:
        """Ids of assumptions that reach no benefit, no cost and no calculation, and are stated for nothing else."""
        named = {name for formula in self.calculations.values() for name in formula.names}
        reached = self.used() | named
        return tuple(
            name for name, one in self.case.assumptions.items() if name not in reached and one.used_for is None
        )

    def exact(self, change: Change | None = None) -> Amounts:
        """Amounts in decimals."""
        return self._evaluate(change or Change(), Decimal, object)

    def floats(self, change: Change) -> Amounts:
        """Amounts in float64, for one change or for many draws at once."""
        return self._evaluate(change, float, np.float64)

    def _evaluate(self, change: Change, number: Callable[[Any], Any], dtype: Any) -> Amounts:  # noqa: ANN401 - a numpy dtype
        rows = self._rows(number, dtype)

        def own(name: str) -> Values:
            given = change.values.get(name)
            if given is not None and given.shape[-1] not in (1, self.case.period_count):
                given = self.on_grid(given)  # one a year, of a monthly case
            base = rows.inputs[name] if given is None else given
            is_line = name.startswith(("capex.", "opex."))  # its factor is applied with the line's, once
            return np.asarray(base * change.factors[name] if name in change.factors and not is_line else base)

        quantities = {name: own(name) for name in self.case.assumptions}
        for name, formula in self.calculations.items():
            value = evaluate(formula, quantities, number, name)
            quantities[name] = np.asarray(value * change.factors[name] if name in change.factors else value)
        per_period = number(1) / number(self.case.periods_per_year)

        def line_money(address: str, money: Values) -> Values:
            group = address.split(".", maxsplit=1)[0]
            for key in (address, group):
                if key in change.factors:
                    money = np.asarray(money * change.factors[key])
            return money

        def stated(address: str) -> Values:
            formula = self.lines.get(address)
            return own(address) if formula is None else evaluate(formula, quantities, number, address)

        benefits: dict[str, Values] = {}
        for benefit in self.case.benefits:
            address = f"benefits.{benefit.id}"
            yearly = stated(address) if benefit.formula is not None else self._quantity_money(benefit, own)
            benefits[benefit.id] = line_money(address, np.asarray(yearly * rows.ramps[benefit.id] * per_period))
        opex: dict[str, Values] = {}
        for line in self.case.opex_per_year:
            address = f"opex.{line.id}"
            opex[line.id] = line_money(address, np.asarray(stated(address) * rows.growths[line.id] * per_period))
        capex = {
            line.id: line_money(f"capex.{line.id}", stated(f"capex.{line.id}")[..., :1]) for line in self.case.capex
        }
        return Amounts(benefits, opex, self._with_reserve(capex, number), quantities)

    def _with_reserve(self, capex: dict[str, Values], number: Callable[[Any], Any]) -> dict[str, Values]:
        reserve = self.case.contingency
        if reserve is None or reserve.included is not False:
            return capex
        share = number(reserve.ratio.amount * unit_meaning(reserve.ratio.unit, "").factor)
        return capex | {"contingency": np.asarray(sum(capex.values())) * share}

    def _quantity_money(self, line: BenefitLine, own: Callable[[str], Values]) -> Values:
        money = own(f"benefits.{line.id}.unit_value")
        parts = ("quantity",) if line.quantity_per_year is not None else ("baseline_quantity", "reduction_ratio")
        for part in parts:
            money = np.asarray(money * own(f"benefits.{line.id}.{part}"))
        return money

    def on_grid(self, values: Values) -> Values:
        """An array with one column, one a year or one a period, with one a period."""
        columns = values.shape[-1]
        if columns == self.case.period_count:
            return values
        return np.asarray(values[..., self._year_of_period() if columns > 1 else [0] * self.case.period_count])

    def _year_of_period(self) -> list[int]:
        return [period // self.case.periods_per_year for period in range(self.case.period_count)]

    def _rows(self, number: Callable[[Any], Any], dtype: Any) -> _Rows:  # noqa: ANN401 - a numpy dtype
        if number not in self._known_rows:
            years = self._year_of_period()

            def row(values: tuple[Decimal, ...]) -> Values:
                made = self._row(values, number, dtype)
                made.flags.writeable = False
                return made

            self._known_rows[number] = _Rows(
                {name: row(one.values) for name, one in self.inputs.items()},
                {line.id: row(tuple(line.ramp(year) for year in years)) for line in self.case.benefits},
                {line.id: row(tuple((1 + line.growth) ** year for year in years)) for line in self.case.opex_per_year},
            )
        return self._known_rows[number]

    def _row(self, values: tuple[Decimal, ...], number: Callable[[Any], Any], dtype: Any) -> Values:  # noqa: ANN401 - a numpy dtype
        """A value on the period grid: one holds throughout, one a year holds within its year."""
        count, years = self.case.period_count, self.case.horizon_years
        if len(values) == 1:
            spread = values * count
        elif len(values) == years:
            spread = tuple(values[year] for year in self._year_of_period())
        else:
            spread = values
        return np.array([number(value) for value in spread], dtype=dtype)


def _inputs(case: BusinessCase) -> list[Input]:
    found = [_input(name, assumption, case.currency) for name, assumption in case.assumptions.items()]
    for group, lines in (("capex", case.capex), ("opex", case.opex_per_year)):
        found.extend(
            _input(f"{group}.{line.id}", line.planned, case.currency) for line in lines if line.planned is not None
        )
    for benefit in case.benefits:
        if benefit.formula is not None or benefit.stated_unit_value is None:
            continue
        value = benefit.stated_unit_value
        parts = {
            "quantity": benefit.quantity_per_year,
            "baseline_quantity": benefit.baseline_quantity_per_year,
            "reduction_ratio": benefit.reduction_ratio,
        }
        named = [(part, one) for part, one in parts.items() if one is not None]
        found.extend(_input(f"benefits.{benefit.id}.{part}", one, case.currency) for part, one in named)
        unit = Assumption(
            value=value.amount, unit=f"{case.currency}/{value.per}", source=value.source, owner=value.owner
        )
        found.append(_input(f"benefits.{benefit.id}.unit_value", unit, case.currency))
    return found


def _input(name: str, assumption: Assumption, currency: str) -> Input:
    meaning = unit_meaning(assumption.unit, currency)
    values = tuple(value * meaning.factor for value in numbers(assumption.value))
    return Input(name, values, meaning.factor, meaning.kind, assumption)


def _nearest(name: str, known: set[str]) -> str:
    import difflib  # noqa: PLC0415 - only for a message

    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
