"""Sheets of benefit lines: quantity x unit value, and the same month by month, cumulative."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from roi_tracker.render.workbook_cells import ACCENT, MONEY, NUMBER, dress, local

if TYPE_CHECKING:
    from datetime import date

    from roi_tracker.realization.intervals import MoneyInterval
    from roi_tracker.render.report_wording import ReportWording
    from roi_tracker.render.workbook_cells import Book
    from roi_tracker.report.model import LineSection

_QUANTITIES = 4
_ADJUSTED, _PRICE, _MONEY, _HELD, _COUNTS, _COUNTED = 7, 8, 9, 12, 13, 14
_BOUNDS = ("low", "value", "high")
_ZERO = Decimal(0)


class LineSheets:
    """Both sheets.

    Attributes:
        counted: formula of the benefit that counts, in display units.
        increments: day, formula and amount of what each month added to it.
    """

    def __init__(self, book: Book, w: ReportWording, unit: str) -> None:
        self._w, self._unit, self._report = w, unit, w.report
        self._lines = book.sheet(w.t("sheet.lines"))
        self._months = book.sheet(w.t("sheet.months"))
        self._row = {line.result.benefit_id: row for row, line in enumerate(self._report.lines, 1)}
        self._write_lines()
        last = len(self._report.lines)
        self.counted = f"SUM({self._lines.block(1, _COUNTED, max(last, 1), _COUNTED)})"
        self.increments: list[tuple[date, str, Decimal]] = []
        self._write_months(book)

    def _write_lines(self) -> None:
        sheet, t, w = self._lines, self._w.t, self._w
        sheet.heads(
            0,
            [
                t("lines.line"),
                t("classes.class"),
                t("lines.grade"),
                t("detail.projected"),
                t("sheet.quantity_low"),
                t("sheet.quantity"),
                t("sheet.quantity_high"),
                t("sheet.adjusted"),
                t("sheet.price"),
                *(f"{t(f'sheet.{name}')} ({w.unit})" for name in ("low", "value", "high", "held")),
                t("sheet.class_counts"),
                f"{t('sheet.counted')} ({w.unit})",
                f"{t('lines.projected')} ({w.unit})",
            ],
        )
        for line in self._report.lines:
            self._write_line(self._row[line.result.benefit_id], line)
        total = len(self._report.lines) + 1
        sheet.text(total, 0, t("sheet.sum"), strong=True)
        counted = sum((line.result.counted for line in self._report.lines), _ZERO)
        column = local(sheet.block(1, _COUNTED, total - 1, _COUNTED))
        sheet.formula(total, _COUNTED, f"SUM({column})", w.axis(counted))
        sheet.note(total + 2, t("lines.note"))
        sheet.note(total + 3, t("sheet.live"))
        sheet.raw.freeze_panes(1, 1)

    def _write_line(self, row: int, line: LineSection) -> None:
        sheet, t, w, result = self._lines, self._w.t, self._w, line.result
        sheet.text(row, 0, w.name(line.name))
        sheet.text(row, 1, t(f"class.{line.benefit_class}"))
        sheet.text(
            row, 2, result.proof.basis.grade if result.realized and result.proof.basis else t("lines.not_proven")
        )
        sheet.fixed(row, 3, result.projected_units, "#,##0.0")
        sheet.fixed(row, _COUNTED + 1, w.axis(result.projected), MONEY)
        found, money = result.proof.estimate, result.realized
        if found is None or money is None:
            return
        for column, value in enumerate((found.low, found.avoided, found.high), _QUANTITIES):
            sheet.fixed(row, column, value, "#,##0.0")
        added = result.adjusted / result.unit_value if result.unit_value else _ZERO
        sheet.fixed(row, _ADJUSTED, added, "#,##0.0")
        sheet.number(row, _PRICE, result.unit_value, NUMBER)
        extra, price = local(sheet.at(row, _ADJUSTED)), local(sheet.at(row, _PRICE))
        for offset, name in enumerate(_BOUNDS):
            quantity = local(sheet.at(row, _QUANTITIES + offset))
            cached = w.axis(getattr(money, name))
            sheet.formula(row, _MONEY + offset, f"({quantity}+{extra})*{price}/{self._unit}", cached)
        held = result.shared or money
        if held.low == money.low:
            sheet.formula(row, _HELD, local(sheet.at(row, _MONEY)), w.axis(held.low))
        else:  # what lines that overlap leave one another depends on all of them: no formula of one row
            sheet.fixed(row, _HELD, w.axis(held.low), MONEY)
        sheet.fixed(row, _COUNTS, int(result.counts), "0")
        kept, counts = local(sheet.at(row, _HELD)), local(sheet.at(row, _COUNTS))
        sheet.formula(row, _COUNTED, f"{kept}*{counts}", w.axis(result.counted))

    def _write_months(self, book: Book) -> None:
        sheet, t, w = self._months, self._w.t, self._w
        heads = ("month", "projected", "low", "value", "high")
        sheet.heads(0, [t("lines.line"), *(t(f"detail.{name}") for name in heads)])
        row, lows = 0, dict[str, list[str]]()
        for line in self._report.lines:
            lows[line.result.benefit_id] = []
            for month in line.result.months:
                row += 1
                sheet.text(row, 0, w.name(line.name))
                sheet.day(row, 1, month.day)
                sheet.fixed(row, 2, w.axis(month.projected), MONEY)
                held = month.shared or month.measured
                if held is not None:
                    self._money(row, line, held, shared=held != month.measured)
                    lows[line.result.benefit_id].append(sheet.at(row, 3))
        first = row + 2
        sheet.heads(first, [t("sheet.sum"), *(t(f"detail.{name}") for name in heads)], repeat=False)
        before, last_cell = _ZERO, ""
        counted = [line.result.benefit_id for line in self._report.lines if line.result.counts]
        for number, point in enumerate(self._report.realization.curve):
            row = first + 1 + number
            sheet.text(row, 0, t("sheet.counted"))
            sheet.day(row, 1, point.day)
            sheet.fixed(row, 2, w.axis(point.projected), MONEY)
            parts = [lows[name][number] for name in counted if len(lows[name]) > number]
            sheet.formula(row, 3, "+".join(map(local, parts)) or "0", w.axis(point.low))
            sheet.fixed(row, 4, w.axis(point.value), MONEY)
            sheet.fixed(row, 5, w.axis(point.high), MONEY)
            here = sheet.at(row, 3)
            self.increments.append((point.day, f"{here}-{last_cell}" if last_cell else here, point.low - before))
            before, last_cell = point.low, here
        sheet.raw.freeze_panes(1, 0)
        if self._report.realization.curve:
            self._chart(book, first + 1, row)

    def _money(self, row: int, line: LineSection, held: MoneyInterval, *, shared: bool) -> None:
        sheet, w, price = self._months, self._w, line.result.unit_value
        for column, name in enumerate(_BOUNDS, 3):
            amount: Decimal = getattr(held, name)
            if shared or not price:
                sheet.fixed(row, column, w.axis(amount), MONEY)
                continue
            cell = self._lines.at(self._row[line.result.benefit_id], _PRICE)
            sheet.formula(row, column, f"{float(amount / price)!r}*{cell}/{self._unit}", w.axis(amount))

    def _chart(self, book: Book, first: int, last: int) -> None:
        t, sheet = self._w.t, self._months
        chart = book.chart("line")
        for column, look in ((2, "dash"), (3, "solid"), (5, "round_dot")):
            names = {2: t("curve.projected"), 3: t("curve.low"), 5: t("detail.high")}
            chart.add_series(
                {
                    "name": names[column],
                    "categories": [sheet.name, first, 1, last, 1],
                    "values": [sheet.name, first, column, last, column],
                    "line": {"color": ACCENT, "dash_type": look},
                }
            )
        dress(chart, t("curve.title"), self._w.unit)
        chart.set_x_axis({"label_position": "low", "num_format": "yyyy-mm-dd", "text_axis": True})
        chart.set_legend({"position": "bottom"})
        sheet.raw.insert_chart(1, 7, chart)
