"""The plan as printed, in base units, beside the plan as computed."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.appraisal.cash_flows import schedule_of
from roi_tracker.appraisal.figures import Figure, figures
from roi_tracker.appraisal.model import Model
from roi_tracker.case.assumptions import numbers
from roi_tracker.case.stated import StatedFigure, split_address
from roi_tracker.case.units import unit_meaning
from roi_tracker.errors import CaseError
from roi_tracker.money import UNIT_FACTORS

if TYPE_CHECKING:
    from roi_tracker.case.conventions import Conventions
    from roi_tracker.case.plan import BusinessCase

_SLACK = 1e-9
_TIMES = frozenset({"x", "times", "배", "회"})
"""Of ratios told as multiples: 1.5 x."""
_YEARS, _MONTHS = frozenset({"years", "year", "년"}), frozenset({"months", "month", "개월"})


class Statement(msgspec.Struct, frozen=True):
    """One printed figure.

    Attributes:
        value: in base units.
        tolerance: half a unit of the last printed digit, in base units.
        factor: from the printed unit to the base.
        unit: as printed.
    """

    address: str
    value: float
    tolerance: float
    factor: float
    unit: str
    source: StatedFigure

    @property
    def digits(self) -> float:
        """Relative precision of what is printed: 0.05 / 31.0 = 0.0016."""
        return self.tolerance / abs(self.value) if self.value else 1.0

    def matches(self, value: float, tolerance: float = 0.0) -> bool:
        """Whether a value, itself known to a tolerance, rounds to what is printed."""
        return abs(self.value - value) <= self.tolerance + tolerance + _SLACK * max(abs(self.value), abs(value))


class Book:
    """Statements by address and the engine's figures, under the case's conventions and under others."""

    def __init__(self, case: BusinessCase) -> None:
        self.case = case
        self.model = Model(case)
        self.computed = figures(case)
        self.unknown: list[StatedFigure] = []
        self.statements: dict[str, list[Statement]] = {}
        self._variants: dict[str, dict[str, Figure]] = {}
        for figure in case.stated:
            for one in figure.by_year(case.years):
                self._enter(one)

    @cached_property
    def amounts(self) -> dict[str, list[float]]:
        """Assumptions and calculations by year, in base units; of a monthly case those of each year's first month."""
        found = {}
        for name, values in self.model.exact().quantities.items():
            row = values.reshape(-1).tolist() if values.ndim else [values.item()]
            every = row * self.case.period_count if len(row) == 1 else row
            found[name] = [float(value) for value in every[:: self.case.periods_per_year]]
        return found

    @cached_property
    def even(self) -> bool:
        """Whether every month of a year has the same flow, so that a formula or a discount holds for years at once."""
        if self.yearly:
            return True
        months, case = self.case.period_count, self.case
        given = [*case.assumptions.values(), *(line.planned for line in case.opex_per_year if line.planned is not None)]
        formulas = (*self.model.calculations.values(), *self.model.lines.values())
        return not any(len(numbers(one.value)) == months for one in given) and not any(
            word in one.text for one in formulas for word in ("lag(", "cumulative(")
        )

    @cached_property
    def weights(self) -> tuple[float, ...]:
        """Present value of one unit of money a year, evenly spread over its periods, by year."""
        rate, per_year = 1 + float(self.case.rate), self.case.periods_per_year
        each = [rate ** -float(time) for time in schedule_of(self.case, self.case.conventions).operations]
        return tuple(sum(each[at : at + per_year]) / per_year for at in range(0, len(each), per_year))

    @property
    def yearly(self) -> bool:
        """Whether one period is one year, so that rates and paybacks follow from the flows by year."""
        return self.case.periods_per_year == 1

    @property
    def money_unit(self) -> str:
        """The display unit as people read it: 억원, USD, thousand USD."""
        unit, currency = self.case.display_unit, self.case.currency
        return currency if unit == "1" else unit if unit.endswith("원") else f"{unit} {currency}"

    def reason(self, address: str) -> str:
        """Why the inputs give no value; empty where they do, or where nothing is known."""
        figure = self.computed.get(address)
        if figure is None or figure.value is not None:
            return ""
        return figure.reason or ("never" if "payback" in address else "")

    def value(self, address: str) -> float | None:
        """What the inputs give."""
        figure = self.computed.get(address)
        return None if figure is None or figure.value is None else float(figure.value)

    def variant(self, name: str, conventions: Conventions) -> dict[str, Figure]:
        """Figures under other conventions, sensitivity and break-even left out; computed once."""
        if name not in self._variants:
            self._variants[name] = figures(self.case, conventions, variations=False)
        return self._variants[name]

    def without_growth(self) -> dict[str, Figure]:
        """Figures with every running cost flat at its first year's amount; computed once."""
        if "without_growth" not in self._variants:
            flat = tuple(line.model_copy(update={"growth": Decimal(0)}) for line in self.case.opex_per_year)
            case = self.case.model_copy(update={"opex_per_year": flat})
            self._variants["without_growth"] = figures(case, variations=False)
        return self._variants["without_growth"]

    def _enter(self, one: StatedFigure) -> None:
        if one.value is None:
            self.unknown.append(one)
            return
        unit, factor = self._unit(one)
        value = numbers(one.value)[0]
        statement = Statement(one.id, float(value) * factor, float(one.rounding) * factor, factor, unit, one)
        self.statements.setdefault(one.id, []).append(statement)

    def _unit(self, one: StatedFigure) -> tuple[str, float]:
        """Unit of a statement and its factor: its own, else the figure's, else display unit, ratio or years."""
        figure = self.computed.get(one.id)
        unit = one.unit or (figure.unit if figure is not None else None)
        if figure is not None and one.unit is not None:
            _check_kind(one, figure, self.case.currency)
        if unit is not None:
            return unit, float(unit_meaning(unit, self.case.currency).factor)
        kind = figure.kind if figure is not None else _guessed_kind(one.id)
        if kind == "money":
            return self.money_unit, float(UNIT_FACTORS[self.case.display_unit])
        return ("years" if kind == "years" else "ratio" if kind == "ratio" else ""), 1.0


def _check_kind(one: StatedFigure, figure: Figure, currency: str) -> None:
    """Refuse a printed unit that the figure cannot have; read all the same, it would make an error of its own."""
    unit = one.unit or ""
    kind = unit_meaning(unit, currency).kind
    head = unit.split("/", maxsplit=1)[0].strip()
    months = one.id.endswith("payback_months")
    fits = {
        "money": kind == "money",
        "ratio": kind == "ratio" or head in _TIMES,
        "years": head in _YEARS,
        "quantity": head in _MONTHS if months else kind == "quantity" if figure.unit is not None else kind != "money",
    }
    if not fits[figure.kind]:
        wanted = {"money": f"{currency} or a multiple of it", "ratio": "ratio or %"}
        time = "months" if months else figure.unit or "years"
        raise CaseError(
            f"{one.id} is stated in {unit!r}, which it cannot have",
            field=f"stated.{one.id}.unit",
            value=unit,
            hint=f"write {wanted.get(figure.kind, time)}, or leave the unit out",
        )


def _guessed_kind(address: str) -> str:
    """Kind of a figure that the engine does not know, by the last word of its address."""
    last = split_address(address)[0].rsplit(".", maxsplit=1)[-1]
    if last in {"irr", "mirr", "roi"} or address.startswith("ratios."):
        return "ratio"
    return "years" if last.endswith("payback_years") else "quantity" if address.startswith("break_even.") else "money"
