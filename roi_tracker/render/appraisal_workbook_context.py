"""Sheets of what the plan does to the accounts, live, and of its alternatives, of which the plan itself is live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from roi_tracker.appraisal.statements import statement_line
from roi_tracker.render.workbook_cells import MONEY, NUMBER, RATIO, YEARS, local, part_of_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.appraisal.rates import Irr
    from roi_tracker.documents import AlternativeDocument
    from roi_tracker.render.appraisal_workbook_sensitivity import Basis
    from roi_tracker.render.workbook_cells import Book, Sheet

_KINDS = ("sales", "cost_of_sales", "operating_expense")


def write_accounts(book: Book, basis: Basis) -> None:
    """The change of every account by year, as formulas of the realistic cash flows."""
    w, found = basis.w, basis.document.statements
    sheet = book.sheet(w.t("account.title"))
    years = [str(year) for year in found.years]
    sheet.heads(0, [f"{w.t('account.line')} ({w.unit})", *years, w.t("sheet.by")])
    sheet.raw.freeze_panes(1, 1)
    rows = {name: row for row, name in enumerate(found.effects, 1)}
    shares = len(rows) + 2
    accounts = _Accounts(basis, sheet, rows, shares)
    for name, values in found.effects.items():
        sheet.text(rows[name], 0, w.t(f"account.{name}"))
        live = name != "tax" or bool(basis.place.tax) or not any(values)
        for year, value in enumerate(values):
            if live:
                sheet.formula(rows[name], 1 + year, accounts.formula(name, year), w.axis(value), MONEY)
            else:  # flows before tax, tax stated: no sheet computes it
                sheet.fixed(rows[name], 1 + year, w.axis(value), MONEY)
        sheet.text(rows[name], 1 + len(years), w.t("sheet.by_formula" if live else "sheet.by_engine"))
    if not basis.place.depreciation:
        capital = sum(basis.capital_paid)
        sheet.text(shares, 0, w.t("sheet.weights"))
        for year, value in enumerate(found.effects["depreciation"]):
            sheet.fixed(shares, 1 + year, w.axis(value) / capital if capital else 0.0, NUMBER)
    basis.say_whether_stale(sheet, shares + 2)


@dataclass(frozen=True)
class _Accounts:
    """Formulas of the accounts of a year.

    Attributes:
        rows: of the accounts on the sheet.
        shares: row of the share of capital that is written off in each year, where the cash flows do not say.
    """

    basis: Basis
    sheet: Sheet
    rows: dict[str, int]
    shares: int

    def formula(self, name: str, year: int) -> str:  # noqa: PLR0911 - one an account
        """An account in a year, from 0."""
        place = self.basis.place
        match name:
            case "sales":
                return self._benefits("sales", year) or "0"
            case "cost_of_sales":
                return f"0-({self._benefits('cost_of_sales', year) or '0'})"
            case "operating_expense":
                saved = self._benefits("operating_expense", year) or "0"
                return f"SUM({self._year(place.opex, year)})+{self._cell('depreciation', year)}-({saved})"
            case "depreciation":
                if place.depreciation:
                    return f"SUM({self._year(place.depreciation, year)})"
                return f"SUM({place.capital})*{local(self.sheet.at(self.shares, 1 + year))}"
            case "operating_profit":
                return "-".join(self._cell(one, year) for one in _KINDS)
            case "tax":
                return f"SUM({self._year(place.tax, year)})" if place.tax else "0"
            case _:
                profit, written, tax = (self._cell(one, year) for one in ("operating_profit", "depreciation", "tax"))
                return f"{profit}+{written}-{tax}"

    def _cell(self, name: str, year: int) -> str:
        return local(self.sheet.at(self.rows[name], 1 + year))

    def _year(self, row: str, year: int) -> str:
        each = self.basis.w.case.periods_per_year
        return part_of_row(row, year * each, (year + 1) * each - 1)

    def _benefits(self, kind: str, year: int) -> str:
        case, place = self.basis.w.case, self.basis.place
        chosen = [
            self.basis.inputs.line(f"benefits.{one.id}")
            for one in case.benefits
            if statement_line(one) == kind and one.benefit_class in case.conventions.counted
        ]
        prices = self._year(place.prices, year)
        sums = (f"SUMPRODUCT({self._year(one, year)}*{prices})" for one in chosen if one is not None)
        total = "+".join(sums)
        return f"({total})*{place.factors[0]}" if total else ""


def write_alternatives(book: Book, basis: Basis) -> None:
    """A row an alternative, figures as numbers: of this plan live, of the others the engine's."""
    w, t, found = basis.w, basis.w.t, basis.document.alternatives
    if not found:
        return
    sheet = book.sheet(t("alt.title"))
    basis.say_whether_stale(sheet, 0)
    heads = (t("alt.name"), f"NPV ({w.unit})", "IRR", t("head.payback"), t("alt.extra"), t("sheet.over"), t("alt.risk"))
    sheet.heads(2, [*heads, t("sheet.by")])
    sheet.raw.freeze_panes(3, 1)
    for row, one in enumerate(found, 3):
        sheet.text(row, 0, w.variable(one.id))
        sheet.text(row, 5, "" if one.against is None else w.variable(one.against))
        sheet.text(row, 6, t("figure.none") if one.risk is None else t(f"score.{one.risk}"))
        if one.npv is None or one.irr is None:
            sheet.text(row, 1, t("alt.none"))
            continue
        never = w.years(None, one.payback_reason or "never")
        figures = (
            ("npv", w.axis(one.npv), "", MONEY),
            ("irr", one.irr.value, w.irr(one.irr), RATIO),
            ("payback", one.payback_years, never, YEARS),
        )
        _figures(basis, sheet, row, one, figures)
        if one.incremental_irr is not None:
            _rate(basis, sheet, row, one.incremental_irr)
        sheet.text(row, 7, t("sheet.by_formula" if one.this else "sheet.by_engine"))


def _figures(
    basis: Basis,
    sheet: Sheet,
    row: int,
    one: AlternativeDocument,
    figures: Iterable[tuple[str, float | None, str, str]],
) -> None:
    for column, (key, value, words, look) in enumerate(figures, 1):
        if one.this:
            sheet.formula(row, column, basis.place.cells[key], words if value is None else value, look)
        elif value is None:
            sheet.text(row, column, words)
        else:
            sheet.fixed(row, column, value, look)


def _rate(basis: Basis, sheet: Sheet, row: int, extra: Irr) -> None:
    if extra.value is None:
        sheet.text(row, 4, basis.w.irr(extra))
    else:
        sheet.fixed(row, 4, extra.value, RATIO)
