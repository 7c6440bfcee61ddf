"""Cells of the workbook: texts that never turn into formulas, live formulas with cached values, defined names."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_cell_to_rowcol, xl_rowcol_to_cell

from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from roi_tracker.formulas import Formula

_LONGEST_FORMULA = 8_000
_OPERATORS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "^"}
MONEY, RATIO, NUMBER, YEARS = "#,##0.0;[Red]-#,##0.0", "0.0%", "#,##0.######", "0.00"


class Sheet:
    """One worksheet; rows and columns count from 0."""

    def __init__(self, workbook: Any, name: str) -> None:  # noqa: ANN401 - the library has no types
        self.name = name
        self._book = workbook
        self._sheet = workbook.add_worksheet(name)
        self._formats: dict[tuple[str, bool, bool], Any] = {}
        self._sheet.hide_gridlines(2)
        self._sheet.set_column(0, 0, 34)
        self._sheet.set_column(1, 60, 13)

    @property
    def raw(self) -> Any:  # noqa: ANN401 - the library has no types
        """The library's own sheet, for charts and panes."""
        return self._sheet

    def text(self, row: int, column: int, text: str, *, strong: bool = False) -> None:
        """A text, also where it begins with = + - or @."""
        self._sheet.write_string(row, column, text, self._format("@" if text[:1] in set("=+-@") else "", strong=strong))

    def heads(self, row: int, labels: Sequence[str], start: int = 0) -> None:
        """A row of column heads."""
        for index, label in enumerate(labels):
            self.text(row, start + index, label, strong=True)

    def number(self, row: int, column: int, value: Decimal | float, number_format: str = NUMBER) -> None:
        """A number that people may change."""
        self._sheet.write_number(row, column, float(value), self._format(number_format, changeable=True))

    def fixed(self, row: int, column: int, value: float | Decimal | None, number_format: str = NUMBER) -> None:
        """A number the engine computed; nothing where there is none."""
        if value is not None:
            self._sheet.write_number(row, column, float(value), self._format(number_format))

    def formula(
        self, row: int, column: int, formula: str, cached: Decimal | float | str, number_format: str = MONEY
    ) -> None:
        """A live formula and the value that stands there until it is recalculated."""
        value = cached if isinstance(cached, str) else float(cached)
        if len(formula) > _LONGEST_FORMULA:
            raise CaseError("a formula is too long for a workbook", field=self.name, hint="use --format html or pdf")
        self._sheet.write_formula(row, column, f"={formula}", self._format(number_format), value)

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

    def _format(self, number_format: str, *, strong: bool = False, changeable: bool = False) -> Any:  # noqa: ANN401 - the library has no types
        key = (number_format, strong, changeable)
        if key not in self._formats:
            look: dict[str, Any] = {"font_name": "Noto Sans KR", "font_size": 10}
            if number_format:
                look["num_format"] = number_format
            if strong:
                look |= {"bold": True, "bottom": 1, "bottom_color": "#D5DAE0"}
            if changeable:
                look |= {"font_color": "#0B5A8C", "bg_color": "#EEF5FA"}
            self._formats[key] = self._book.add_format(look)
        return self._formats[key]


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


def local(reference: str) -> str:
    """A cell's reference without its sheet, for formulas on the same sheet.

    >>> local("'Cash flows'!$B$4")
    '$B$4'
    """
    cell = reference.rpartition("!")[2]
    xl_cell_to_rowcol(cell.partition(":")[0])
    return cell
