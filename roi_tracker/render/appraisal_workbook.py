"""An appraisal or an audit as a workbook: live formulas with cached values, defined names, charts."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import xlsxwriter

from roi_tracker.appraisal.model import Model
from roi_tracker.appraisal.scenarios import scenario_table
from roi_tracker.render.appraisal_content import appraisal_content
from roi_tracker.render.appraisal_wording import AppraisalWording
from roi_tracker.render.appraisal_workbook_flows import NONE, FlowSheet, Indicators
from roi_tracker.render.appraisal_workbook_inputs import Inputs
from roi_tracker.render.workbook_cells import MONEY, NUMBER, RATIO, YEARS, Sheet

if TYPE_CHECKING:
    from datetime import date

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.documents import AppraisalDocument, ScenarioDocument
    from roi_tracker.money import Language
    from roi_tracker.render.appraisal_findings import AuditView

_ACCENT, _BAD = "#0B5A8C", "#A3262A"
_AS_TABLES = ("benefits", "costs", "assumptions", "scenarios", "flows", "sensitivity", "break-even", "monte-carlo")
"""Sections of the content that have sheets of their own."""
_LONGEST_NAME = 31


def render_appraisal_workbook(
    case: BusinessCase, document: AppraisalDocument, language: Language, as_of: date, audit: AuditView | None = None
) -> bytes:
    """The workbook.

    Raises:
        CaseError: a formula of the case is too long for a cell.
    """
    w = AppraisalWording(case, language, 1.0)
    target = io.BytesIO()
    workbook = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    workbook.set_properties(
        {"title": w.name(case.name), "created": datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)}
    )
    summary = Sheet(workbook, w.t("sheet.summary"))
    scenarios = Sheet(workbook, w.t("sheet.scenarios"))
    model = Model(case)
    inputs = Inputs(workbook, w, model)
    flows = FlowSheet(workbook, w, model, inputs)
    table = scenario_table(case, model)
    places = {
        name: flows.scenario(name, found, (scenarios.at(row, 1), scenarios.at(row, 2)))
        for row, (name, found) in enumerate(table.items(), 1)
    }
    _scenarios(workbook, w, scenarios, document, places)
    _sensitivity(workbook, w, document)
    _break_even(workbook, w, document)
    _simulation(workbook, w, document)
    _summary(summary, w, document, places["realistic"])
    _decision(workbook, w, document, places)
    _texts(workbook, case, document, language, as_of, audit)
    workbook.close()
    return target.getvalue()


def _scenarios(
    workbook: Any,  # noqa: ANN401 - the library has no types
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
    sheet.text(len(places) + 2, 0, t("sheet.live"))
    chart = workbook.add_chart({"type": "column"})
    last = len(places)
    chart.add_series(
        {
            "name": "NPV",
            "categories": [sheet.name, 1, 0, last, 0],
            "values": [sheet.name, 1, 3, last, 3],
            "fill": {"color": _ACCENT},
            "invert_if_negative": True,
            "invert_if_negative_color": _BAD,
            "data_labels": {"value": True, "num_format": "#,##0.0"},
        }
    )
    _dress(chart, t("scenario.chart"), w.case.display_unit)
    sheet.raw.insert_chart(len(places) + 4, 0, chart)
    realistic = places["realistic"]
    line = workbook.add_chart({"type": "column"})
    line.add_series(
        {
            "name": t("flow.net"),
            "categories": f"={realistic.times}",
            "values": f"={realistic.flows}",
            "fill": {"color": _ACCENT},
        }
    )
    running = workbook.add_chart({"type": "line"})
    running.add_series(
        {"name": t("flow.cumulative"), "categories": f"={realistic.times}", "values": f"={realistic.totals}"}
    )
    line.combine(running)
    _dress(line, t("flow.chart"), w.case.display_unit)
    line.set_legend({"position": "bottom"})
    sheet.raw.insert_chart(len(places) + 4, 6, line)


def _cached(w: AppraisalWording, found: ScenarioDocument) -> dict[str, float | str]:
    """What stands in the cells of a scenario's indicators, by key; words where a figure does not exist."""
    given: dict[str, tuple[float | None, str]] = {
        "npv": (found.npv, ""),
        "irr": (found.irr.value, w.irr(found.irr)),
        "mirr": (found.mirr, NONE),
        "payback": (found.payback_years, w.years(None, found.payback_reason)),
        "discounted": (found.discounted_payback_years, w.years(None, found.discounted_payback_reason)),
        "roi": (found.roi, NONE),
        "pi": (found.profitability_index, NONE),
    }
    return {key: words if value is None else value for key, (value, words) in given.items()}


def _dress(chart: Any, title: str, unit: str) -> None:  # noqa: ANN401 - the library has no types
    chart.set_title({"name": title, "name_font": {"size": 11}})
    chart.set_legend({"none": True})
    chart.set_y_axis({"name": unit, "major_gridlines": {"visible": True, "line": {"color": "#D5DAE0"}}})
    chart.set_x_axis({"label_position": "low"})


def _sensitivity(workbook: Any, w: AppraisalWording, document: AppraisalDocument) -> None:  # noqa: ANN401 - the library has no types
    t, sheet = w.t, Sheet(workbook, w.t("sense.title"))
    sheet.text(0, 0, f"{t('sheet.static')} ({w.case.display_unit})")
    heads = [t("sense.variable"), t("sense.plus"), t("sense.minus"), "+1 pp", "-1 pp", t("sheet.low"), t("sheet.high")]
    sheet.heads(1, heads)
    for row, one in enumerate(document.sensitivity, 2):
        sheet.text(row, 0, w.variable(one.variable))
        values = (one.plus_10pct, one.minus_10pct, one.plus_1pp, one.minus_1pp, one.at_low, one.at_high)
        for column, value in enumerate(values, 1):
            sheet.fixed(row, column, value, MONEY)
    last = min(13, len(document.sensitivity) + 1)
    chart = workbook.add_chart({"type": "bar", "subtype": "stacked"})
    for column, colour in ((1, _ACCENT), (2, _BAD)):
        chart.add_series(
            {
                "name": [sheet.name, 1, column],
                "categories": [sheet.name, 2, 0, last, 0],
                "values": [sheet.name, 2, column, last, column],
                "fill": {"color": colour},
                "gap": 40,
            }
        )
    _dress(chart, t("sense.chart"), "")
    chart.set_y_axis({"reverse": True, "label_position": "low"})
    chart.set_size({"width": 760, "height": 420})
    sheet.raw.insert_chart(1, 8, chart)


def _break_even(workbook: Any, w: AppraisalWording, document: AppraisalDocument) -> None:  # noqa: ANN401 - the library has no types
    t, sheet = w.t, Sheet(workbook, w.t("even.title"))
    sheet.text(0, 0, t("sheet.static"))
    sheet.heads(1, [t("even.variable"), t("even.change"), t("assume.unit"), t("even.value")])
    overall = document.break_even.overall_achievement
    sheet.text(2, 0, t("benefit.title"))
    sheet.fixed(2, 1, None if overall is None else overall - 1, RATIO)
    found = [one for one in document.break_even.variables if one.variable != "benefits"]
    for row, one in enumerate(found, 3):
        sheet.text(row, 0, w.variable(one.variable))
        if one.change is None:
            sheet.text(row, 1, t("figure.none"))
        sheet.fixed(row, 1, one.change, RATIO)
        sheet.text(row, 2, one.unit)
        for column, value in enumerate(one.values, 3):
            sheet.fixed(row, column, value, NUMBER)


def _simulation(workbook: Any, w: AppraisalWording, document: AppraisalDocument) -> None:  # noqa: ANN401 - the library has no types
    t, found, sheet = w.t, document.monte_carlo, Sheet(workbook, w.t("monte.title"))
    sheet.text(0, 0, t("sheet.static") if found.p50 is not None else t("monte.none"))
    rows = {"P10": found.p10, "P50": found.p50, "P90": found.p90}
    for row, (label, value) in enumerate(rows.items(), 1):
        sheet.text(row, 0, f"NPV {label} ({w.case.display_unit})")
        sheet.fixed(row, 1, value, MONEY)
    sheet.text(4, 0, t("monte.p_negative"))
    sheet.fixed(4, 1, found.p_negative, RATIO)
    sheet.text(5, 0, t("sheet.draws"))
    sheet.fixed(5, 1, found.draws, "#,##0")
    sheet.heads(7, [t("sheet.from"), t("sheet.to"), t("monte.share")])
    for row, one in enumerate(found.histogram, 8):
        sheet.fixed(row, 0, one.low, MONEY)
        sheet.fixed(row, 1, one.high, MONEY)
        sheet.fixed(row, 2, one.share, RATIO)
    if found.histogram:
        last = 7 + len(found.histogram)
        chart = workbook.add_chart({"type": "column"})
        chart.add_series(
            {
                "categories": [sheet.name, 8, 0, last, 0],
                "values": [sheet.name, 8, 2, last, 2],
                "fill": {"color": _ACCENT},
                "gap": 4,
            }
        )
        _dress(chart, t("monte.chart"), "")
        sheet.raw.insert_chart(1, 4, chart)


def _summary(sheet: Sheet, w: AppraisalWording, document: AppraisalDocument, place: Indicators) -> None:
    t, found = w.t, document.scenarios["realistic"]
    sheet.text(0, 0, w.name(w.case.name), strong=True)
    sheet.text(1, 0, t(f"verdict.{document.decision.verdict}"))
    sheet.text(2, 0, t("head.realistic"))
    rows = [
        (f"{t('head.npv')} ({w.case.display_unit})", "npv", MONEY),
        (t("head.irr"), "irr", RATIO),
        (t("head.payback"), "payback", YEARS),
        (t("head.roi"), "roi", RATIO),
    ]
    cached = _cached(w, found)
    for row, (label, key, look) in enumerate(rows, 3):
        sheet.text(row, 0, label)
        sheet.formula(row, 1, place.cells[key], cached[key], look)
    sheet.define("npv", sheet.at(3, 1))
    sheet.text(8, 0, t("sheet.live"))
    sheet.text(9, 0, t("doc.footer"))


def _decision(
    workbook: Any,  # noqa: ANN401 - the library has no types
    w: AppraisalWording,
    document: AppraisalDocument,
    places: dict[str, Indicators],
) -> None:
    t, sheet = w.t, Sheet(workbook, w.t("decide.title"))
    sheet.heads(
        0, [t("decide.condition"), t("scenario.name"), "", t("sheet.high"), t("decide.actual"), t("decide.met")]
    )
    keys = {"payback_years": "payback", "discounted_payback_years": "discounted", "profitability_index": "pi"}
    met = {True: t("decide.yes"), False: t("decide.no"), None: t("decide.open")}
    row = 0
    for row, one in enumerate(document.decision.conditions, 1):
        key = keys.get(one.figure, one.figure)
        look = MONEY if key == "npv" else (YEARS if key in {"payback", "discounted", "pi"} else RATIO)
        cell = places[one.scenario].cells[key]
        sheet.text(row, 0, one.figure)
        sheet.text(row, 1, t(f"scenario.{one.scenario}"))
        sheet.text(row, 2, one.operator)
        sheet.number(row, 3, one.limit, look)
        sheet.formula(row, 4, cell, _cached(w, document.scenarios[one.scenario])[key], look)
        limit, actual = (sheet.at(row, column).rpartition("!")[2] for column in (3, 4))
        otherwise = f'IF({actual}="{t("figure.never")}","{met[False]}","{met[None]}")'
        compare = f'IF(ISNUMBER({actual}),IF({actual}{one.operator}{limit},"{met[True]}","{met[False]}"),{otherwise})'
        sheet.formula(row, 5, compare, met[one.passed], "")
    sheet.heads(row + 2, [t("decide.verify"), t("assume.owner"), t("assume.source"), t("decide.effect")])
    for row_verify, first in enumerate(document.decision.verify_first, row + 3):
        for column, text in enumerate((w.variable(first.variable), first.owner, first.source)):
            sheet.text(row_verify, column, text)
        sheet.fixed(row_verify, 3, first.effect, MONEY)


def _texts(
    workbook: Any,  # noqa: ANN401 - the library has no types
    case: BusinessCase,
    document: AppraisalDocument,
    language: Language,
    as_of: date,
    audit: AuditView | None,
) -> None:
    """The remaining sections as the page shows them, one sheet each."""
    content = appraisal_content(case, document, language, as_of, audit)
    for section in content.sections:
        if section.id in {"head", "decision", *_AS_TABLES}:
            continue
        sheet = Sheet(workbook, section.title[:_LONGEST_NAME])
        row = 0
        for text in (*section.texts, *section.notes):
            sheet.text(row, 0, text)
            row += 1
        for table in section.tables:
            sheet.heads(row, [column.label for column in table.columns])
            for cells in table.rows:
                row += 1
                for column, cell in enumerate(cells):
                    sheet.text(row, column, cell)
            row += 2
