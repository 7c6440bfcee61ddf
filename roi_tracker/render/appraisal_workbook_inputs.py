"""Sheets of inputs: assumptions with their calculations, benefit lines, costs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from roi_tracker.case.units import unit_meaning
from roi_tracker.render.workbook_cells import MONEY, NUMBER, RATIO, excel_formula, excel_name

if TYPE_CHECKING:
    from roi_tracker.appraisal.model import Input, Model
    from roi_tracker.case.conventions import BenefitClass
    from roi_tracker.formulas import Formula
    from roi_tracker.render.appraisal_wording import AppraisalWording
    from roi_tracker.render.workbook_cells import Book

_FIRST_STATED = 7


class Inputs:
    """The three sheets and where everything on them stands."""

    def __init__(self, book: Book, w: AppraisalWording, model: Model) -> None:
        self._w, self._model, self._case = w, model, model.case
        self._count = self._case.period_count
        self._amounts = model.exact()
        self._unit = w.factor
        self.labels = [
            str(year) if self._case.periods_per_year == 1 else f"{year}-{month + 1:02}"
            for year in self._case.years
            for month in range(self._case.periods_per_year)
        ]
        self.assumptions = book.sheet(w.t("sheet.assumptions"))
        self.benefits = book.sheet(w.t("sheet.benefits"))
        self.costs = book.sheet(w.t("sheet.costs"))
        self._rows: dict[str, int] = {}
        self._first_base = _FIRST_STATED + max((len(one.assumption_values) for one in self._stated()), default=1)
        self._write_assumptions()
        self._benefit_row: dict[str, int] = {}
        self._write_benefits()
        self._capex_row: dict[str, int] = {}
        self._opex_row: dict[str, int] = {}
        self._write_costs()

    def cell(self, name: str, period: int) -> str:
        """A quantity of the case in a period, in its base unit."""
        return self.assumptions.at(self._rows[name], self._first_base + period)

    def counted(self, classes: tuple[BenefitClass, ...], period: int) -> str:
        """Sum of the benefit lines of some classes in a period."""
        lines = [line.id for line in self._case.benefits if line.benefit_class in classes]
        return "+".join(self.benefits.at(self._benefit_row[line], 3 + period) for line in lines) or "0"

    def opex(self, period: int) -> str:
        """Running cost of a period."""
        return self.costs.at(self._opex_total, 3 + period)

    def line(self, address: str) -> str | None:
        """Reference to a line's money: one cell of capital, one cell a period else; None where it is no line."""
        group, _, name = address.partition(".")
        if group == "benefits" and name in self._benefit_row:
            return self.benefits.across(self._benefit_row[name], 3, 2 + self._count)
        if group == "opex" and name in self._opex_row:
            return self.costs.across(self._opex_row[name], 3, 2 + self._count)
        return self.costs.at(self._capex_row[name], 2) if group == "capex" and name in self._capex_row else None

    @property
    def capital_lines(self) -> str:
        """Reference to the capital lines, contingency apart."""
        rows = self._capex_row.values()
        return self.costs.block(min(rows), 2, max(rows), 2)

    def _stated(self) -> list[_Stated]:
        return [_Stated(one) for one in self._model.inputs.values()]

    def _write_assumptions(self) -> None:
        sheet, t = self.assumptions, self._w.t
        sheet.text(0, 0, t("assume.title"), strong=True)
        sheet.note(0, t("sheet.live"), 1)
        special: list[tuple[str, str, Decimal]] = [
            ("rate", t("conv.discount"), self._case.rate),
            ("finance_rate", "MIRR (finance)", self._or_rate(self._case.conventions.finance_rate)),
            ("reinvestment_rate", "MIRR (reinvestment)", self._or_rate(self._case.conventions.reinvestment_rate)),
        ]
        inflation = self._case.conventions.inflation
        if inflation is not None:
            special.append(("inflation", "inflation", self._case.money(inflation)))
        for row, (name, label, value) in enumerate(special, 1):
            sheet.text(row, 0, label)
            sheet.number(row, 1, value, "0.0##%")
            sheet.define(name, sheet.at(row, 1))
        row = len(special) + 1
        sheet.text(row, 0, t("conv.title") + f": 1 {self._w.unit} =")
        sheet.fixed(row, 1, self._unit, "#,##0")
        sheet.define("unit", sheet.at(row, 1))
        row += 2
        sheet.heads(row, [t(f"assume.{key}") for key in ("id", "unit", "source", "owner")])
        sheet.heads(row, [t(f"sheet.{key}") for key in ("factor", "low", "high")], 4)
        sheet.heads(row, [t("assume.value")], _FIRST_STATED)
        sheet.heads(row, self.labels, self._first_base)
        sheet.note(row - 1, t("sheet.base"), self._first_base)
        sheet.raw.freeze_panes(row + 1, 1)
        for stated in self._stated():
            row += 1
            self._write_input(row, stated)
        for name, formula in self._model.calculations.items():
            row += 1
            self._rows[name] = row
            calculation = self._case.calculations[name]
            sheet.text(row, 0, self._shown(name))
            sheet.text(row, 1, calculation.unit)
            sheet.text(row, 2, calculation.formula)
            for period, value in enumerate(self._series(self._amounts.quantities[name])):
                sheet.formula(row, self._first_base + period, self._excel(formula, period), value, NUMBER)
            sheet.define(excel_name(name), sheet.across(row, self._first_base, self._first_base + self._count - 1))

    def _write_input(self, row: int, stated: _Stated) -> None:
        sheet, one = self.assumptions, stated.input
        self._rows[one.id] = row
        for column, text in enumerate(
            (self._shown(one.id), one.assumption.unit, one.assumption.source, one.assumption.owner)
        ):
            sheet.text(row, column, text)
        sheet.fixed(row, 4, one.factor)
        for column, bound in ((5, one.assumption.low), (6, one.assumption.high)):
            if bound is not None:
                sheet.fixed(row, column, bound if isinstance(bound, Decimal) else bound[0])
        for index, value in enumerate(stated.assumption_values):
            sheet.number(row, _FIRST_STATED + index, value)
        for period, value in enumerate(self._spread(one)):
            source = sheet.at(row, _FIRST_STATED + self._column_of(one, period)).rpartition("!")[2]
            factor = sheet.at(row, 4).rpartition("!")[2]
            sheet.formula(row, self._first_base + period, f"{source}*{factor}", value, NUMBER)
        sheet.define(excel_name(one.id), sheet.across(row, self._first_base, self._first_base + self._count - 1))

    def _shown(self, name: str) -> str:
        """A name with the id that formulas use."""
        shown = self._w.variable(name)
        return shown if shown == name else f"{shown} ({name})"

    def _column_of(self, one: Input, period: int) -> int:
        count = len(one.values)
        if count == 1:
            return 0
        return period if count == self._count else period // self._case.periods_per_year

    def _spread(self, one: Input) -> list[Decimal]:
        return [one.values[self._column_of(one, period)] for period in range(self._count)]

    def _series(self, values: Any) -> list[Decimal]:  # noqa: ANN401 - an array of decimals, or one
        flat = list(values.reshape(-1)) if values.ndim else [values.item()]
        return flat * self._count if len(flat) == 1 else flat

    def _or_rate(self, given: Decimal | None) -> Decimal:
        return self._case.rate if given is None else given

    def _excel(self, formula: Formula, period: int) -> str:
        return excel_formula(formula, period, self.cell)

    def _per_unit(self) -> str:
        return f"/{self._case.periods_per_year}/unit" if self._case.periods_per_year > 1 else "/unit"

    def _write_benefits(self) -> None:
        sheet, t, lines = self.benefits, self._w.t, self._case.benefits
        sheet.heads(0, [f"{t('benefit.title')} ({self._w.unit})", t("benefit.class"), "", *self.labels])
        ramp_row = len(lines) + 4
        sheet.heads(ramp_row, [t("sheet.ramp"), "", "", *self.labels])
        for index, line in enumerate(lines):
            row, ramp = index + 1, ramp_row + 1 + index
            self._benefit_row[line.id] = row
            sheet.text(row, 0, self._w.name(line.name))
            sheet.text(ramp, 0, self._w.name(line.name))
            sheet.text(row, 1, f"{t(f'class.{line.benefit_class}')} · {t(f'axis.{line.axis}')}")
            sheet.text(row, 2, line.formula or "")
            for period, value in enumerate(self._amounts.benefits[line.id]):
                sheet.number(ramp, 3 + period, line.ramp(period // self._case.periods_per_year), "0%")
                reached = sheet.at(ramp, 3 + period).rpartition("!")[2]
                yearly = self._line(f"benefits.{line.id}", period)
                sheet.formula(row, 3 + period, f"({yearly})*{reached}{self._per_unit()}", value / self._unit)
            sheet.define(f"benefit_{line.id.replace('-', '_')}", sheet.across(row, 3, 2 + self._count))
        total = len(lines) + 1
        sheet.text(total, 0, t("benefit.total"), strong=True)
        sheet.text(total + 1, 0, t("benefit.counted"), strong=True)
        counted = [
            self._amounts.benefits[one.id] for one in lines if one.benefit_class in self._case.conventions.counted
        ]
        for period in range(self._count):
            everything = sum((self._amounts.benefits[one.id][period] for one in lines), Decimal(0))
            column = sheet.block(1, 3 + period, len(lines), 3 + period).rpartition("!")[2]
            sheet.formula(total, 3 + period, f"SUM({column})", everything / self._unit)
            chosen = sum((values[period] for values in counted), Decimal(0))
            formula = self.counted(self._case.conventions.counted, period)
            sheet.formula(total + 1, 3 + period, formula, chosen / self._unit)
        sheet.raw.freeze_panes(1, 1)

    def _line(self, address: str, period: int) -> str:
        formula = self._model.lines.get(address)
        if formula is not None:
            return self._excel(formula, period)
        if not address.startswith("benefits."):
            return self.cell(address, period)
        parts = ("unit_value", "quantity", "baseline_quantity", "reduction_ratio")
        return "*".join(self.cell(f"{address}.{part}", period) for part in parts if f"{address}.{part}" in self._rows)

    def _write_costs(self) -> None:
        sheet, t = self.costs, self._w.t
        sheet.heads(0, [f"{t('cost.capex')} ({self._w.unit})", t("cost.category"), t("cost.amount")])
        row = 0
        for row, line in enumerate(self._case.capex, 1):
            sheet.text(row, 0, self._w.name(line.name))
            sheet.text(row, 1, t(f"category.{line.category}"))
            self._capex_row[line.id] = row
            value = self._amounts.capex[line.id][0] / self._unit
            sheet.formula(row, 2, f"({self._line(f'capex.{line.id}', 0)})/unit", value)
        reserve = self._case.contingency
        if "contingency" in self._amounts.capex and reserve is not None:
            lines_sum = sheet.block(1, 2, row, 2).rpartition("!")[2]
            row += 1
            ratio = reserve.ratio.amount * unit_meaning(reserve.ratio.unit, "").factor
            sheet.text(row, 0, t("cost.contingency"))
            sheet.number(row, 1, ratio, RATIO)
            cached = self._amounts.capex["contingency"][0] / self._unit
            sheet.formula(row, 2, f"SUM({lines_sum})*{sheet.at(row, 1).rpartition('!')[2]}", cached)
        total = sum((money[0] for money in self._amounts.capex.values()), Decimal(0)) / self._unit
        lines_sum = sheet.block(1, 2, row, 2).rpartition("!")[2]
        row += 1
        sheet.text(row, 0, t("cost.total"), strong=True)
        sheet.formula(row, 2, f"SUM({lines_sum})", total, MONEY)
        sheet.define("capital", sheet.at(row, 2))
        row += 2
        sheet.heads(row, [f"{t('cost.opex')} ({self._w.unit})", t("cost.category"), t("sheet.growth")])
        sheet.heads(row, self.labels, 3)
        first = row + 1
        for line in self._case.opex_per_year:
            row += 1
            sheet.text(row, 0, self._w.name(line.name))
            sheet.text(row, 1, t(f"category.{line.category}"))
            self._opex_row[line.id] = row
            sheet.number(row, 2, line.growth, RATIO)
            growth = sheet.at(row, 2).rpartition("!")[2]
            for period, value in enumerate(self._amounts.opex[line.id]):
                raised = f"(1+{growth})^{period // self._case.periods_per_year}"
                yearly = self._line(f"opex.{line.id}", period)
                sheet.formula(row, 3 + period, f"({yearly})*{raised}{self._per_unit()}", value / self._unit)
        self._opex_total = row + 1
        sheet.text(self._opex_total, 0, t("cost.total"), strong=True)
        for period in range(self._count):
            cached = sum((money[period] for money in self._amounts.opex.values()), Decimal(0)) / self._unit
            lines = sheet.block(first, 3 + period, row, 3 + period).rpartition("!")[2] if row >= first else "0"
            sheet.formula(self._opex_total, 3 + period, f"SUM({lines})", cached)


class _Stated:
    """An input with its values as written."""

    def __init__(self, one: Input) -> None:
        value = one.assumption.value
        self.input = one
        self.assumption_values = value if isinstance(value, tuple) else (value,)
