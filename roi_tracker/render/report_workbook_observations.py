"""Sheets of the observations behind each benefit line, with their sums by period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.render.sheet_names import sheet_name
from roi_tracker.render.workbook_cells import NUMBER, local

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_tracker.render.report_wording import ReportWording
    from roi_tracker.render.workbook_cells import Book, Sheet
    from roi_tracker.report.drilldown import Drill, DrillRow

MOST_ROWS = 40_000
"""Rows of observations in a workbook, shared by its lines: more make a file that opens in minutes."""
FEWEST_ROWS = 1_000
_SUMS = ("baseline", "reporting")
_FIGURES: dict[str, Callable[[DrillRow], float | None]] = {
    "produced": lambda row: row.produced,
    "inspected": lambda row: row.inspected,
    "rejected": lambda row: row.rejected,
    "escapes": lambda row: row.escapes,
    "audited": lambda row: row.audited,
    "audit_defects": lambda row: row.audit_defects,
    "busy_h": lambda row: row.busy_h,
    "stops": lambda row: row.stops,
    "stop_h": lambda row: row.stop_h,
    "planned_stop_h": lambda row: row.planned_stop_h,
    "energy": lambda row: row.energy_kwh,
    "labour": lambda row: row.labour_h,
}
_TEXTS = ("day", "production_line", "shift", "product", "period", "inspector", "origin")


def write_observations(book: Book, w: ReportWording, drill: Drill, used: set[str]) -> None:
    """One sheet a benefit line; the newest rows where there are too many, and how to get the others."""
    room = max(FEWEST_ROWS, MOST_ROWS // max(len(w.report.lines), 1))
    for line in w.report.lines:
        rows = drill.rows(line.result.benefit_id)
        if rows:
            name = sheet_name(w.t("sheet.observations", line=line.result.benefit_id), used)
            _write(book.sheet(name), w, rows, room, line.result.benefit_id)


def _write(sheet: Sheet, w: ReportWording, rows: Sequence[DrillRow], room: int, benefit_id: str) -> None:
    t, shown = w.t, rows[-room:]
    figures = {name: read for name, read in _FIGURES.items() if any(read(row) is not None for row in shown)}
    head = len(_SUMS) + 1
    if len(rows) > room:
        sheet.note(0, t("sheet.more", left=f"{len(rows) - room:,}", line=benefit_id))
    sheet.heads(head, [*(t(f"drill.{name}") for name in _TEXTS), *(t(f"drill.{name}") for name in figures)])
    first, last = head + 1, head + len(shown)
    for number, row in enumerate(shown, first):
        sheet.day(number, 0, row.day)
        texts = (row.line, row.shift, row.product, row.period, row.inspector or "none", row.origin)
        for column, (name, text) in enumerate(zip(_TEXTS[1:], texts, strict=True), 1):
            sheet.text(number, column, _word(w, name, text))
        for column, read in enumerate(figures.values(), len(_TEXTS)):
            sheet.fixed(number, column, read(row), NUMBER)
    periods = local(sheet.block(first, 4, last, 4))
    for number, period in enumerate(_SUMS, 1):
        word = t(f"drill_period.{period}")
        sheet.text(number, 4, word, strong=True)
        for column, read in enumerate(figures.values(), len(_TEXTS)):
            cells = local(sheet.block(first, column, last, column))
            total = sum(float(read(row) or 0) for row in shown if row.period == period)
            sheet.formula(number, column, f'SUMIF({periods},"{word}",{cells})', total, NUMBER)
    sheet.filter(head, len(_TEXTS) + len(figures) - 1, last)
    sheet.raw.freeze_panes(head + 1, 1)


def _word(w: ReportWording, name: str, text: str) -> str:
    groups = {"period": "drill_period", "inspector": "inspector", "origin": "origin"}
    return w.t(f"{groups[name]}.{text}") if name in groups else text
