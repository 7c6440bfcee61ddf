"""An appraisal or an audit as a workbook: live formulas with cached values, defined names, charts."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import xlsxwriter

from roi_tracker.appraisal.decision import LOW_RISK
from roi_tracker.appraisal.model import Model
from roi_tracker.appraisal.scenarios import scenario_table
from roi_tracker.render.appraisal_content import appraisal_content, figure_name
from roi_tracker.render.appraisal_wording import AppraisalWording
from roi_tracker.render.appraisal_workbook_audit import write_audit
from roi_tracker.render.appraisal_workbook_context import write_accounts, write_alternatives
from roi_tracker.render.appraisal_workbook_flows import NONE, FlowSheet, Indicators
from roi_tracker.render.appraisal_workbook_inputs import Inputs
from roi_tracker.render.appraisal_workbook_sensitivity import (
    Basis,
    p_negative_cell,
    write_break_even,
    write_sensitivity,
    write_simulation,
)
from roi_tracker.render.workbook_cells import ACCENT, BAD, MONEY, RATIO, YEARS, Book, dress

if TYPE_CHECKING:
    from datetime import date

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.documents import AppraisalDocument, ScenarioDocument
    from roi_tracker.money import Language
    from roi_tracker.render.appraisal_findings import AuditView
    from roi_tracker.render.appraisal_workbook_flows import Indicators
    from roi_tracker.render.content_blocks import Content
    from roi_tracker.render.workbook_cells import Sheet

_AS_TABLES = (
    "benefits",
    "costs",
    "assumptions",
    "scenarios",
    "flows",
    "sensitivity",
    "break-even",
    "monte-carlo",
    "alternatives",
    "accounts",
)
"""Sections of the content that have sheets of their own."""


def render_appraisal_workbook(
    case: BusinessCase, document: AppraisalDocument, language: Language, as_of: date, audit: AuditView | None = None
) -> bytes:
    """The workbook.

    Raises:
        CaseError: a formula of the case is too long for a cell.
    """
    w = AppraisalWording(case, language, document.unit)
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = Book(xlsxwriter.Workbook(target, options), w.name(case.name))
    created = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    book.raw.set_properties({"title": w.name(case.name), "created": created})
    summary = book.sheet(w.t("sheet.summary"))
    if audit is not None:
        write_audit(book, w, audit)
    scenarios = book.sheet(w.t("sheet.scenarios"))
    model = Model(case)
    inputs = Inputs(book, w, model)
    flows = FlowSheet(book, w, model, inputs)
    table = scenario_table(case, model)
    places = {
        name: flows.scenario(name, found, (scenarios.at(row, 1), scenarios.at(row, 2)))
        for row, (name, found) in enumerate(table.items(), 1)
    }
    _scenarios(book, w, scenarios, document, places)
    basis = Basis(w, document, inputs, places["realistic"])
    write_sensitivity(book, basis)
    write_break_even(book, basis)
    write_simulation(book, basis)
    verdict = _decision(book, w, document, places)
    _summary(summary, w, document, places["realistic"], verdict)
    write_alternatives(book, basis)
    write_accounts(book, basis)
    _texts(book, appraisal_content(case, document, language, as_of))
    book.close()
    return target.getvalue()


def _scenarios(
    book: Book,
    w: AppraisalWording,
    sheet: Sheet,
    document: AppraisalDocument,
    places: dict[str, Indicators],
) -> None:
    t = w.t
    labels = ("NPV", "IRR", "MIRR", t("head.payback"), t("scenario.discounted"), "ROI", t("scenario.pi"))
    sheet.heads(0, [t("scenario.name"), t("sheet.factor_benefits"), t("sheet.factor_costs"), *labels])
    looks = {
        "npv": MONEY,
        "irr": RATIO,
        "mirr": RATIO,
        "payback": YEARS,
        "discounted": YEARS,
        "roi": RATIO,
        "pi": YEARS,
    }
    for row, (name, place) in enumerate(places.items(), 1):
        factors, found = getattr(w.case.scenarios, name), document.scenarios[name]
        sheet.text(row, 0, t(f"scenario.{name}"))
        sheet.number(row, 1, factors.benefits, "0%")
        sheet.number(row, 2, factors.costs, "0%")
        cached = _cached(w, found)
        for column, (key, cell) in enumerate(place.cells.items(), 3):
            sheet.formula(row, column, cell, cached[key], looks[key])
    sheet.note(len(places) + 2, t("sheet.live"))
    chart = book.chart("column")
    last = len(places)
    chart.add_series(
        {
            "name": "NPV",
            "categories": [sheet.name, 1, 0, last, 0],
            "values": [sheet.name, 1, 3, last, 3],
            "fill": {"color": ACCENT},
            "invert_if_negative": True,
            "invert_if_negative_color": BAD,
            "data_labels": {"value": True, "num_format": "#,##0.0"},
        }
    )
    dress(chart, t("scenario.chart"), w.unit)
    sheet.raw.insert_chart(len(places) + 4, 0, chart)
    realistic = places["realistic"]
    line = book.chart("column")
    line.add_series(
        {
            "name": t("flow.net"),
            "categories": f"={realistic.times}",
            "values": f"={realistic.flows}",
            "fill": {"color": ACCENT},
        }
    )
    running = book.chart("line")
    running.add_series(
        {"name": t("flow.cumulative"), "categories": f"={realistic.times}", "values": f"={realistic.totals}"}
    )
    line.combine(running)
    dress(line, t("flow.chart"), w.unit)
    line.set_legend({"position": "bottom"})
    sheet.raw.insert_chart(len(places) + 4, 6, line)


def _cached(w: AppraisalWording, found: ScenarioDocument) -> dict[str, float | str]:
    """What stands in the cells of a scenario's indicators, by key; words where a figure does not exist."""
    given: dict[str, tuple[float | None, str]] = {
        "npv": (w.axis(found.npv), ""),
        "irr": (found.irr.value, w.irr(found.irr)),
        "mirr": (found.mirr, NONE),
        "payback": (found.payback_years, w.years(None, found.payback_reason)),
        "discounted": (found.discounted_payback_years, w.years(None, found.discounted_payback_reason)),
        "roi": (found.roi, NONE),
        "pi": (found.profitability_index, NONE),
    }
    return {key: words if value is None else value for key, (value, words) in given.items()}


def _summary(sheet: Sheet, w: AppraisalWording, document: AppraisalDocument, place: Indicators, verdict: str) -> None:
    t, found = w.t, document.scenarios["realistic"]
    sheet.text(0, 0, w.name(w.case.name), strong=True)
    sheet.formula(1, 0, verdict, t(f"verdict.{document.decision.verdict}"), "")
    sheet.note(2, t("head.realistic"))
    rows = [
        (f"{t('head.npv')} ({w.unit})", "npv", MONEY),
        (t("head.irr"), "irr", RATIO),
        (t("head.payback"), "payback", YEARS),
        (t("head.roi"), "roi", RATIO),
    ]
    cached = _cached(w, found)
    for row, (label, key, look) in enumerate(rows, 3):
        sheet.text(row, 0, label)
        sheet.formula(row, 1, place.cells[key], cached[key], look)
    sheet.define("npv", sheet.at(3, 1))
    sheet.note(8, t("sheet.live"))
    sheet.note(9, t("doc.footer"))


def _decision(
    book: Book,
    w: AppraisalWording,
    document: AppraisalDocument,
    places: dict[str, Indicators],
) -> str:
    """Write the rule and what to verify; returns the formula of the verdict."""
    t, sheet = w.t, book.sheet(w.t("decide.title"))
    sheet.heads(
        0, [t("decide.condition"), t("scenario.name"), "", t("decide.limit"), t("decide.actual"), t("decide.met")]
    )
    keys = {"payback_years": "payback", "discounted_payback_years": "discounted", "profitability_index": "pi"}
    met = {True: t("decide.yes"), False: t("decide.no"), None: t("decide.open")}
    row = 0
    for row, one in enumerate(document.decision.conditions, 1):
        key = keys.get(one.figure, one.figure)
        look = MONEY if key == "npv" else (YEARS if key in {"payback", "discounted", "pi"} else RATIO)
        cell = places[one.scenario].cells[key]
        sheet.text(row, 0, figure_name(w, one.figure))
        sheet.text(row, 1, t(f"scenario.{one.scenario}"))
        sheet.text(row, 2, one.operator)
        sheet.number(row, 3, w.axis(float(one.limit)) if key == "npv" else one.limit, look)
        sheet.formula(row, 4, cell, _cached(w, document.scenarios[one.scenario])[key], look)
        limit, actual = (sheet.at(row, column).rpartition("!")[2] for column in (3, 4))
        otherwise = f'IF({actual}="{t("figure.never")}","{met[False]}","{met[None]}")'
        compare = f'IF(ISNUMBER({actual}),IF({actual}{one.operator}{limit},"{met[True]}","{met[False]}"),{otherwise})'
        sheet.formula(row, 5, compare, met[one.passed], "")
    sheet.heads(row + 2, [t("decide.verify"), t("assume.owner"), t("assume.source"), t("decide.effect")])
    for row_verify, first in enumerate(document.decision.verify_first, row + 3):
        for column, text in enumerate((w.variable(first.variable), first.owner, first.source)):
            sheet.text(row_verify, column, text)
        sheet.fixed(row_verify, 3, w.axis(first.effect), MONEY)
    return _verdict(w, document, sheet.block(1, 5, row, 5) if row else "", places["worst"].cells["npv"])


def _verdict(w: AppraisalWording, document: AppraisalDocument, met: str, worst: str) -> str:
    """Formula of the verdict: as `decide` does, of the cells that say whether each condition is met."""
    words = {
        name: '"' + w.t(f"verdict.{name}").replace('"', '""') + '"'
        for name in ("approve", "approve_in_stages", "do_not_approve", "undecidable", "no_rule")
    }
    if not met:
        return words["no_rule"]
    risk, simulated = f"{worst}<0", document.decision.p_negative
    if simulated is not None:
        risk = f"OR({risk},{p_negative_cell(w)}>{LOW_RISK})"
    weighed = f"IF({risk},{words['approve_in_stages']},{words['approve']})"
    for name, answer in (("undecidable", "open"), ("do_not_approve", "no")):
        weighed = f'IF(COUNTIF({met},"{w.t(f"decide.{answer}")}")>0,{words[name]},{weighed})'
    return weighed


def _texts(book: Book, content: Content) -> None:
    """The remaining sections as the page shows them, one sheet each."""
    for section in content.sections:
        if section.id in {"head", "decision", *_AS_TABLES}:
            continue
        sheet = book.sheet(section.title)
        row = 0
        for text in (*section.texts, *section.notes):
            sheet.note(row, text)
            row += 1
        for table in section.tables:
            sheet.heads(row, [column.label for column in table.columns])
            for cells in table.rows:
                row += 1
                for column, cell in enumerate(cells):
                    sheet.text(row, column, cell, wrap=not table.columns[column].figures)
            row += 2
