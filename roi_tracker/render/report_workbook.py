"""A report as a workbook: live formulas with cached values from quantity and unit value up to ROI and NPV to date."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import xlsxwriter

from roi_tracker.render.report_content import report_content
from roi_tracker.render.report_money import limits_text
from roi_tracker.render.report_wording import ReportWording
from roi_tracker.render.report_workbook_lines import LineSheets
from roi_tracker.render.report_workbook_observations import write_observations
from roi_tracker.render.sheet_names import sheet_name
from roi_tracker.render.workbook_cells import ACCENT, BAD, MONEY, RATIO, Book, dress, local

if TYPE_CHECKING:
    from roi_tracker.money import Language
    from roi_tracker.render.content_blocks import Content, Table
    from roi_tracker.render.workbook_cells import Sheet
    from roi_tracker.report.drilldown import Drill
    from roi_tracker.report.model import Report

_OWN_SHEETS = frozenset({"head", "curve", "lines", "lines-short", "bridge", "bridge-lines", "costs"})
"""Sections of the content that have sheets of their own."""
_FACTOR = "0.000000"


class _Cost(msgspec.Struct, frozen=True):
    """A cost row of the flows: where its amount stands."""

    day: date
    label: str
    reference: str
    amount: Decimal


def render_report_workbook(report: Report, language: Language, drill: Drill) -> bytes:
    """The workbook.

    Raises:
        CaseError: a formula is too long for a cell.
    """
    w = ReportWording(report, language)
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = Book(xlsxwriter.Workbook(target, options), w.name(report.name))
    on = report.generated_on
    book.raw.set_properties({"title": w.name(report.name), "created": datetime(on.year, on.month, on.day, tzinfo=UTC)})
    summary = book.sheet(w.t("sheet.summary"))
    lines = LineSheets(book, w, summary.at(_RATE_ROW + 2, 1))
    costs = _costs(book, w, summary.at(_RATE_ROW + 2, 1))
    npv = _flows(book, w, lines, costs, summary)
    _bridge(book, w)
    _summary(summary, w, lines, costs, npv)
    used = {sheet.casefold() for sheet in book.names}
    _texts(book, report_content(report, language), used)
    write_observations(book, w, drill, used)
    book.close()
    return target.getvalue()


_RATE_ROW = 10


def _summary(sheet: Sheet, w: ReportWording, lines: LineSheets, costs: list[_Cost], npv: str) -> None:
    t, real = w.t, w.report.realization
    sheet.text(0, 0, w.name(w.report.name), strong=True)
    banner = t("banner.both") if w.report.origin == "simulated" else t("sheet.live")
    sheet.note(1, banner)
    sheet.heads(2, ["", t("bridge.realized"), t("bridge.projected")])
    cost = "+".join(one.reference for one in costs) or "0"
    rows = [
        (f"{t('head.benefit')} ({w.unit})", lines.counted, real.realized.benefit, real.projected.benefit, MONEY),
        (f"{t('costs.total')} ({w.unit})", cost, real.realized.cost, real.projected.cost, MONEY),
    ]
    for row, (label, formula, done, planned, look) in enumerate(rows, 3):
        sheet.text(row, 0, label)
        sheet.formula(row, 1, formula, w.axis(done), look)
        sheet.fixed(row, 2, w.axis(planned), look)
    benefit, spent = (local(sheet.at(row, 1)) for row in (3, 4))
    sheet.text(5, 0, t("head.roi"))
    none = t("figure.none")
    roi = real.realized.roi
    sheet.formula(5, 1, f'IF({spent}=0,"{none}",({benefit}-{spent})/{spent})', none if roi is None else roi, RATIO)
    if real.projected.roi is not None:
        sheet.fixed(5, 2, real.projected.roi, RATIO)
    sheet.text(6, 0, f"{t('head.npv')} ({w.unit})")
    sheet.formula(6, 1, npv, w.axis(real.realized.npv), MONEY)
    sheet.fixed(6, 2, w.axis(real.projected.npv), MONEY)
    planned_cell = local(sheet.at(3, 2))
    achieved = none if real.achievement is None else real.achievement
    sheet.text(7, 0, t("head.achievement"))
    sheet.formula(7, 1, f'IF({planned_cell}=0,"{none}",{benefit}/{planned_cell})', achieved, RATIO)
    sheet.text(8, 0, t("head.payback"))
    sheet.text(8, 1, w.payback(real.realized.payback))
    sheet.text(8, 2, w.payback(real.projected.payback))
    sheet.text(_RATE_ROW, 0, t("sheet.rate"))
    sheet.number(_RATE_ROW, 1, w.report.discount_rate, "0.0##%")
    sheet.text(_RATE_ROW + 1, 0, t("sheet.t0"))
    sheet.day(_RATE_ROW + 1, 1, w.report.start_date)
    sheet.text(_RATE_ROW + 2, 0, t("sheet.unit", unit=w.unit))
    sheet.fixed(_RATE_ROW + 2, 1, w.factor, "#,##0")
    sheet.note(_RATE_ROW + 4, t("headline.lower_bound"))
    sheet.note(_RATE_ROW + 5, t("doc.footer", version=w.report.inputs.software))
    sheet.define("npv_to_date", sheet.at(6, 1))


def _costs(book: Book, w: ReportWording, unit: str) -> list[_Cost]:
    """The cost ledger; returns where each amount stands, in display units."""
    t, report = w.t, w.report
    sheet, found = book.sheet(t("sheet.costs")), []
    ledger = report.realization.costs
    sheet.heads(0, [t("costs.day"), t("costs.what"), t("costs.kind"), t("costs.source"), t("costs.amount"), w.unit])
    rows: list[tuple[date, str, str, str, Decimal]]
    if report.realization.cost_basis == "actual":
        rows = [(one.day, w.either(one.name_ko, one.name_en), one.kind, one.source, one.amount) for one in ledger.paid]
    else:
        rows = [(one.day, t("costs.none"), one.kind, "", one.amount) for one in report.planned_costs]
    row = 0
    for row, (day, label, kind, source, amount) in enumerate(rows, 1):
        sheet.day(row, 0, day)
        sheet.text(row, 1, label)
        sheet.text(row, 2, t(f"cost_kind.{kind}"))
        sheet.text(row, 3, source)
        sheet.number(row, 4, amount, "#,##0.##")
        sheet.formula(row, 5, f"{local(sheet.at(row, 4))}/{unit}", amount / w.factor)
        found.append(_Cost(day, label, sheet.at(row, 5), amount))
    row += 2
    sheet.heads(
        row,
        [t("costs.month"), t("costs.harm_row"), t("costs.line"), t("costs.quantity"), t("costs.unit_value"), w.unit],
        repeat=False,
    )
    for one, limits in zip(ledger.harm, report.harm_limits, strict=True):
        row += 1
        sheet.day(row, 0, one.day)
        sheet.text(row, 1, t(f"harm.{one.cause}"))
        sheet.text(row, 2, one.line)
        sheet.fixed(row, 3, one.quantity, "#,##0.0")
        sheet.number(row, 4, one.unit_value, "#,##0.##")
        quantity, price = (local(sheet.at(row, column)) for column in (3, 4))
        sheet.formula(row, 5, f"{quantity}*{price}/{unit}", one.amount / w.factor)
        if one.counted:
            found.append(_Cost(one.day, t(f"harm.{one.cause}"), sheet.at(row, 5), one.amount))
        else:
            sheet.text(row, 6, t("costs.covered", line=w.line(one.covered_by)))
        sheet.text(row, 7, limits_text(w, limits))
    return found


def _flows(book: Book, w: ReportWording, lines: LineSheets, costs: list[_Cost], summary: Sheet) -> str:
    """Every flow to date discounted to t0; returns the formula of their sum."""
    t, report = w.t, w.report
    sheet = book.sheet(t("sheet.flows"))
    heads = ("day", "source", "flow", "factor", "present")
    sheet.heads(0, [t("costs.day") if name == "day" else t(f"sheet.{name}") for name in heads])
    rate, start = summary.at(_RATE_ROW, 1), summary.at(_RATE_ROW + 1, 1)
    flows = [(cost.day, cost.label, f"-{cost.reference}", -cost.amount) for cost in costs]
    flows += [(day, t("head.benefit"), formula, amount) for day, formula, amount in lines.increments]
    row = 0
    for row, (day, label, formula, amount) in enumerate(sorted(flows, key=lambda one: one[0]), 1):
        sheet.day(row, 0, day)
        sheet.text(row, 1, label)
        sheet.formula(row, 2, formula, amount / w.factor)
        years = Decimal((day - report.start_date).days) / Decimal("365.25")
        factor = (1 + report.discount_rate) ** -years
        when, flow, weight = (local(sheet.at(row, column)) for column in (0, 2, 3))
        sheet.formula(row, 3, f"(1+{rate})^(-({when}-{start})/365.25)", factor, _FACTOR)
        sheet.formula(row, 4, f"{flow}*{weight}", amount / w.factor * factor)
    sheet.raw.freeze_panes(1, 0)
    return f"SUM({sheet.block(1, 4, max(row, 1), 4)})"


def _bridge(book: Book, w: ReportWording) -> None:
    found = w.report.realization.bridge
    if found is None:
        return
    t, sheet = w.t, book.sheet(w.t("sheet.bridge"))
    factors = [one.factor for one in found.effects]
    sheet.heads(
        0,
        [
            t("bridge.line"),
            t("bridge.projected"),
            *(t(f"factor.{one}") for one in factors),
            t("bridge.realized"),
            t("sheet.check"),
        ],
    )
    last = len(factors) + 2
    every = [*((w.line(one.benefit_id), one.projected, one.effects, one.realized) for one in found.lines)]
    every.append((t("sheet.sum"), found.projected, found.effects, found.realized))
    for row, (label, projected, effects, realized) in enumerate(every, 1):
        sheet.text(row, 0, label, strong=row == len(every))
        sheet.fixed(row, 1, w.axis(projected), MONEY)
        for column, effect in enumerate(effects, 2):
            sheet.fixed(row, column, w.axis(effect.amount), MONEY)
        sheet.fixed(row, last, w.axis(realized), MONEY)
        start, end = local(sheet.at(row, 1)), local(sheet.at(row, last))
        parts = local(sheet.across(row, 2, last - 1))
        sheet.formula(row, last + 1, f"ROUND({end}-{start}-SUM({parts}),6)", 0.0, "0.00")
    foot = len(every) + 3
    sheet.heads(foot, [t("bridge.title"), w.unit], repeat=False)
    shown = [(t("bridge.projected"), found.projected), *((t(f"factor.{e.factor}"), e.amount) for e in found.effects)]
    shown.append((t("bridge.realized"), found.realized))
    for row, (label, amount) in enumerate(shown, foot + 1):
        sheet.text(row, 0, label)
        sheet.fixed(row, 1, w.axis(amount), MONEY)
    chart = book.chart("column")
    chart.add_series(
        {
            "categories": [sheet.name, foot + 1, 0, foot + len(shown), 0],
            "values": [sheet.name, foot + 1, 1, foot + len(shown), 1],
            "fill": {"color": ACCENT},
            "invert_if_negative": True,
            "invert_if_negative_color": BAD,
            "data_labels": {"value": True, "num_format": "#,##0.0"},
        }
    )
    dress(chart, t("bridge.title"), w.unit)
    sheet.raw.insert_chart(foot, 3, chart)


def _texts(book: Book, content: Content, used: set[str]) -> None:
    """The remaining sections as the page shows them, one sheet each."""
    for section in content.sections:
        if section.id in _OWN_SHEETS:
            continue
        sheet = book.sheet(sheet_name(section.title, used))
        row = 0
        for text in (*section.texts, *section.notes):
            sheet.note(row, text)
            row += 1
        for fact in section.facts:
            for column, text in enumerate((fact.label, fact.value, fact.note)):
                sheet.text(row, column, text)
            row += 1
        for table in section.tables:
            row = _table(sheet, row + bool(row), table)


def _table(sheet: Sheet, row: int, table: Table) -> int:
    """A table of finished texts; returns the first free row below it."""
    if table.caption:
        sheet.text(row, 0, table.caption, strong=True)
        row += 1
    labels = [column.label for column in table.columns]
    width = len(labels)
    sheet.heads(row, [*labels, ""] if table.details else labels)
    for index, cells in enumerate(table.rows):
        row += 1
        for column, cell in enumerate(cells):
            sheet.text(row, column, cell, wrap=not table.columns[column].figures)
        if table.details:
            sheet.text(row, width, table.details[index], wrap=True)
    return row + 1
