"""Cells of the workbook: texts that never turn into formulas, live formulas with cached values, defined names."""

from __future__ import annotations

import ast
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from xlsxwriter.utility import xl_cell_to_rowcol, xl_rowcol_to_cell

from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from decimal import Decimal

    from roi_tracker.formulas import Formula

_LONGEST_FORMULA = 8_000
_OPERATORS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "^"}
_A4 = 9
_LINE = 15
"""Height of a line, in points."""
_LONGEST_NAME = 31
"""Characters that a sheet's name may have."""
_LONGEST_FOOTER = 200
_NARROWEST, _WIDEST = 10, 56
"""Widths of columns, in characters."""
MONEY, RATIO, NUMBER, YEARS = "#,##0.0;[Red]-#,##0.0", "0.0%", "#,##0.0#####", "0.00"


def _width(text: str) -> int:
    """Characters a text is wide, of which Korean ones count double."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


ACCENT, BAD = "#0B5A8C", "#A3262A"


class Book:
    """A workbook whose sheets look and print alike."""

    def __init__(self, workbook: Any, title: str) -> None:  # noqa: ANN401 - the library has no types
        self.raw = workbook
        self._title = title
        self._sheets: list[Sheet] = []

    def sheet(self, name: str) -> Sheet:
        """A new sheet, landscape A4, as wide as the page, pages numbered."""
        made = Sheet(self.raw, name[:_LONGEST_NAME], self._title)
        self._sheets.append(made)
        return made

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sheets so far."""
        return tuple(sheet.name for sheet in self._sheets)

    def chart(self, kind: str, subtype: str | None = None) -> Any:  # noqa: ANN401 - the library has no types
        """A new chart."""
        return self.raw.add_chart({"type": kind} | ({} if subtype is None else {"subtype": subtype}))

    def close(self) -> None:
        """Fit the columns and write everything."""
        for sheet in self._sheets:
            sheet.fit()
        self.raw.close()


class Sheet:
    """One worksheet; rows and columns count from 0."""

    def __init__(self, workbook: Any, name: str, title: str) -> None:  # noqa: ANN401 - the library has no types
        self.name = name
        self._book = workbook
        self._sheet = workbook.add_worksheet(name)
        self._formats: dict[_Look, Any] = {}
        self._widths: dict[int, int] = {}
        self._lines: dict[int, int] = {}
        self._limits: dict[int, int] = {}
        self._breaks: list[int] = []
        self._heads: dict[tuple[int, int], str] = {}
        self._figures: set[tuple[int, int]] = set()
        self._repeated = False
        self._sheet.hide_gridlines(2)
        self._sheet.set_landscape()
        self._sheet.set_paper(_A4)
        self._sheet.fit_to_pages(1, 0)
        self._sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        shown = f"{title} - {name}".replace("&", "&&")
        self._sheet.set_footer(f"&L&8{shown[:_LONGEST_FOOTER]}&R&8&P / &N")

    @property
    def raw(self) -> Any:  # noqa: ANN401 - the library has no types
        """The library's own sheet, for charts and panes."""
        return self._sheet

    def text(self, row: int, column: int, text: str, *, strong: bool = False, wrap: bool = False) -> None:
        """A text, also where it begins with = + - or @."""
        look = _Look("@" if text[:1] in set("=+-@") else "", strong=strong, wrap=wrap, indent=int(column > 0))
        self._sheet.write_string(row, column, text, self._format(look))
        self._measure(column, text)
        if wrap:  # a row grows with its text only where its height is said
            self._lines[row] = max(self._lines.get(row, 1), -(-_width(text) // (self._limits.get(column, _WIDEST) - 2)))

    def note(self, row: int, text: str, column: int = 0) -> None:
        """A remark that may run over the cells to its right."""
        self._sheet.write_string(row, column, text, self._format(_Look("", dim=True)))

    def heads(self, row: int, labels: Sequence[str], start: int = 0, *, repeat: bool = True) -> None:
        """A row of column heads, to the right over figures; the first one stands again on every printed page."""
        for index, label in enumerate(labels):
            self._heads[row, start + index] = label
            self._measure(start + index, label)
        if repeat and not self._repeated:
            self._sheet.repeat_rows(row)
            self._repeated = True

    def filter(self, head: int, last_column: int, last_row: int) -> None:
        """Let people filter a table by the heads in a row."""
        self._sheet.autofilter(head, 0, last_row, last_column)

    def narrow(self, column: int, widest: int) -> None:
        """Hold a column of wrapped texts to so many characters."""
        self._limits[column] = widest

    def break_before(self, row: int) -> None:
        """Begin a new printed page."""
        self._breaks.append(row)
        self._sheet.set_h_pagebreaks(self._breaks)

    def fit(self) -> None:
        """Write the heads; make columns as wide as what stands in them, between a least and a most."""
        for (row, column), label in self._heads.items():
            over_figures = (row + 1, column) in self._figures
            self._sheet.write_string(row, column, label, self._format(_Look("", head=True, right=over_figures)))
        for row, lines in self._lines.items():
            self._sheet.set_row(row, _LINE * lines)
        last = max(self._widths, default=0)
        for column in range(last + 1):
            widest = self._limits.get(column, _WIDEST)
            self._sheet.set_column(column, column, min(max(self._widths.get(column, 0) + 2, _NARROWEST), widest))

    def _figure(self, row: int, column: int, value: float | Decimal, number_format: str) -> str:
        """Room for a figure, and its format: a plain number shows decimals only where it has any."""
        self._figures.add((row, column))
        shown = number_format
        if number_format == NUMBER:
            shown = "#,##0" if float(value).is_integer() else "#,##0.0#####"
        digits = f"{float(value):,.6f}".rstrip("0") if number_format == NUMBER else f"{float(value):,.1f}"
        self._measure(column, digits if shown != "yyyy-mm-dd" else shown)
        return shown

    def _measure(self, column: int, text: str) -> None:
        self._widths[column] = max(self._widths.get(column, 0), _width(text))

    def number(self, row: int, column: int, value: Decimal | float, number_format: str = NUMBER) -> None:
        """A number that people may change."""
        look = self._figure(row, column, value, number_format)
        self._sheet.write_number(row, column, float(value), self._format(_Look(look, changeable=True)))

    def fixed(self, row: int, column: int, value: float | Decimal | None, number_format: str = NUMBER) -> None:
        """A number the engine computed; nothing where there is none."""
        if value is not None:
            look = self._figure(row, column, value, number_format)
            self._sheet.write_number(row, column, float(value), self._format(_Look(look)))

    def day(self, row: int, column: int, day: date) -> None:
        """A calendar day that formulas can count with."""
        moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a cell has no time zone
        self._measure(column, "yyyy-mm-dd")
        self._sheet.write_datetime(row, column, moment, self._format(_Look("yyyy-mm-dd")))

    def formula(
        self, row: int, column: int, formula: str, cached: Decimal | float | str, number_format: str = MONEY
    ) -> None:
        """A live formula and the value that stands there until it is recalculated."""
        value = cached if isinstance(cached, str) else float(cached)
        if len(formula) > _LONGEST_FORMULA:
            raise CaseError("a formula is too long for a workbook", field=self.name, hint="use --format html or pdf")
        look = number_format if isinstance(value, str) else self._figure(row, column, value, number_format)
        text = isinstance(value, str) and number_format != ""
        self._sheet.write_formula(row, column, f"={formula}", self._format(_Look(look, right=text)), value)

    def at(self, row: int, column: int, *, absolute: bool = True) -> str:
        """Reference to a cell from any sheet."""
        return f"{self._quoted}!{xl_rowcol_to_cell(row, column, row_abs=absolute, col_abs=absolute)}"

    def across(self, row: int, first: int, last: int) -> str:
        """Reference to a part of a row."""
        return self.block(row, first, row, last)

    def block(self, row: int, first: int, last_row: int, last: int) -> str:
        """Reference to a rectangle."""
        start, end = xl_rowcol_to_cell(row, first, True, True), xl_rowcol_to_cell(last_row, last, True, True)
        return f"{self._quoted}!{start}:{end}"

    def define(self, name: str, reference: str) -> None:
        """Give a reference a name."""
        self._book.define_name(name, f"={reference}")

    @property
    def _quoted(self) -> str:
        return "'" + self.name.replace("'", "''") + "'"

    def _format(self, look: _Look) -> Any:  # noqa: ANN401 - the library has no types
        if look not in self._formats:
            self._formats[look] = self._book.add_format(look.properties())
        return self._formats[look]


class _Look(msgspec.Struct, frozen=True):
    """How a cell looks."""

    number_format: str
    strong: bool = False
    head: bool = False
    changeable: bool = False
    wrap: bool = False
    dim: bool = False
    right: bool = False
    indent: int = 0

    def properties(self) -> dict[str, Any]:
        """As the library takes it."""
        look: dict[str, Any] = {"font_name": "Noto Sans KR", "font_size": 10, "valign": "top"}
        if self.number_format:
            look["num_format"] = self.number_format
        if self.strong:
            look["bold"] = True
        if self.head:
            look |= {"bold": True, "bg_color": "#EEF0F3", "bottom": 1, "bottom_color": "#9AA4AF", "text_wrap": True}
        if self.changeable:
            look |= {"font_color": "#0B5A8C", "bg_color": "#EEF5FA"}
        if self.wrap:
            look["text_wrap"] = True
        if self.right:
            look["align"] = "right"
        if self.indent:
            look["indent"] = self.indent
        if self.dim:
            look |= {"font_color": "#55616E", "italic": True}
        return look


def dress(chart: Any, title: str, unit: str) -> None:  # noqa: ANN401 - the library has no types
    """Title, axes and grid that every chart of a workbook has."""
    chart.set_title({"name": title, "name_font": {"size": 11}})
    chart.set_legend({"none": True})
    chart.set_y_axis({"name": unit, "major_gridlines": {"visible": True, "line": {"color": "#D5DAE0"}}})
    chart.set_x_axis({"label_position": "low"})


def excel_formula(formula: Formula, period: int, cell: Callable[[str, int], str]) -> str:
    """A formula of the case as Excel writes it, for one period.

    Args:
        formula: parsed.
        period: from 0.
        cell: reference of a named quantity in a period.

    >>> from roi_tracker.formulas import parse_formula
    >>> excel_formula(parse_formula("-a ** 2 + lag(b, 1)"), 1, lambda name, period: f"{name.upper()}{period}")
    '((0-(A1^2))+B0)'
    """
    return _excel(formula.tree, period, cell)


def _excel(node: ast.expr, period: int, cell: Callable[[str, int], str]) -> str:  # noqa: PLR0911 - one a node
    name = _dotted(node)
    if name is not None:
        return cell(name, period)
    match node:
        case ast.Constant(value=value):
            return repr(value)
        case ast.UnaryOp(op=op, operand=operand):
            inner = _excel(operand, period, cell)
            return f"(0-{inner})" if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right):
            return f"({_excel(left, period, cell)}{_OPERATORS[type(op)]}{_excel(right, period, cell)})"
        case ast.Call(func=ast.Name(id="lag"), args=[series, ast.Constant(value=int(steps))]):
            is_series = not isinstance(series, ast.Constant) and period >= steps
            return _excel(series, period - steps, cell) if is_series else "0"
        case ast.Call(func=ast.Name(id="cumulative"), args=[series]):
            return "(" + "+".join(_excel(series, before, cell) for before in range(period + 1)) + ")"
        case ast.Call(func=ast.Name(id=called), args=arguments):
            return f"{called.upper()}({','.join(_excel(one, period, cell) for one in arguments)})"
        case _:  # pragma: no cover - parse_formula admits nothing else
            raise CaseError("the formula contains what is not arithmetic", value=ast.unparse(node))


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        parent = _dotted(node.value)
        return None if parent is None else f"{parent}.{node.attr}"
    return None


def excel_name(name: str) -> str:
    """An id as a defined name: never one that reads as a cell.

    >>> excel_name("q1"), excel_name("capex.line-2")
    ('in_q1', 'in_capex.line_2')
    """
    return "in_" + name.replace("-", "_")


def part_of_row(reference: str, first: int, last: int) -> str:
    """Some cells of a row's reference, counted from 0.

    >>> part_of_row("'Cash flows'!$B$4:$M$4", 2, 3)
    "'Cash flows'!$D$4:$E$4"
    """
    sheet, _, cells = reference.rpartition("!")
    row, column = xl_cell_to_rowcol(cells.partition(":")[0])
    start, end = (xl_rowcol_to_cell(row, column + one, True, True) for one in (first, last))
    return f"{sheet}!{start}:{end}"


def local(reference: str) -> str:
    """A cell's reference without its sheet, for formulas on the same sheet.

    >>> local("'Cash flows'!$B$4")
    '$B$4'
    """
    cell = reference.rpartition("!")[2]
    xl_cell_to_rowcol(cell.partition(":")[0])
    return cell
