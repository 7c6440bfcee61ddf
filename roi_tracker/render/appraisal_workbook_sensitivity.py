"""Sheets of what could go otherwise: sensitivity and break-even, live where NPV is linear; Monte Carlo as simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from roi_tracker.appraisal.break_even import LARGEST
from roi_tracker.render.workbook_cells import ACCENT, BAD, MONEY, NUMBER, RATIO, dress

if TYPE_CHECKING:
    from roi_tracker.documents import AppraisalDocument
    from roi_tracker.render.appraisal_wording import AppraisalWording
    from roi_tracker.render.appraisal_workbook_flows import Indicators
    from roi_tracker.render.appraisal_workbook_inputs import Inputs
    from roi_tracker.render.workbook_cells import Book, Sheet

_SHOWN = 12
_BELOW = 26
"""Row of the heads below the tornado."""
_RATE = "discount_rate"
_NONE = '"\N{EN DASH}"'


@dataclass(frozen=True)
class Basis:
    """What the sheets stand on: the document, and where its realistic scenario stands in the workbook."""

    w: AppraisalWording
    document: AppraisalDocument
    inputs: Inputs
    place: Indicators

    @property
    def linear(self) -> bool:
        """Whether NPV moves in proportion to lines: not after tax, whose losses may be carried."""
        own = self.w.case.conventions
        return own.headline != "after_tax" or own.tax is None

    @property
    def capital_paid(self) -> tuple[float, ...]:
        """Payments of capital in the realistic scenario, in the unit of the workbook."""
        return self.place.capital_paid

    def say_whether_stale(self, sheet: Sheet, row: int) -> None:
        """Say in a row whether the engine's figures still belong to what stands in the workbook."""
        _staleness(sheet, self, row)

    def value(self, variable: str) -> str | None:
        """Formula of what a line or group adds to NPV; None where NPV is not linear in the variable."""
        if not self.linear:
            return None
        place = self.place
        groups = {
            "benefits": _present(place.benefits, place.periods),
            "opex": f"(0-{_present(place.opex, place.periods)})",
            "capex": f"(0-{_present(place.capital, place.capital_times)})",
        }
        return groups.get(variable) or self._line_value(variable, groups["capex"])

    def _line_value(self, variable: str, capital: str) -> str | None:
        place, group, line = self.place, variable.partition(".")[0], self.inputs.line(variable)
        if line is None:
            return None
        if group == "capex":
            return f"{capital}*{line}/SUM({self.inputs.capital_lines})"
        factor = place.factors[0 if group == "benefits" else 1]
        present = f"SUMPRODUCT({line}*{place.prices}/(1+rate)^{place.periods})*{factor}"
        return present if group == "benefits" else f"(0-{present})"

    def at_rate(self, rate: str) -> str:
        """Formula of the change of NPV at another discount rate."""
        flows, times = self.place.flows, self.place.times
        return f"SUMPRODUCT({flows}/(1+{rate})^{times})-SUMPRODUCT({flows}/(1+rate)^{times})"


def write_sensitivity(book: Book, basis: Basis) -> None:
    """One row a variable, the tornado's order as appraised, and the tornado."""
    w, t, found = basis.w, basis.w.t, basis.document.sensitivity
    sheet = book.sheet(t("sense.title"))
    _standing(sheet, basis, f"{t('sense.chart')} ({w.unit}). ")
    heads = (
        "sense.variable",
        "sense.plus",
        "sense.minus",
        "sense.plus_pp",
        "sense.minus_pp",
        "sheet.low",
        "sheet.high",
    )
    sheet.heads(_BELOW, [*(t(key) for key in heads), t("sheet.by")])
    for row, one in enumerate(found, _BELOW + 1):
        sheet.text(row, 0, w.variable(one.variable))
        value = basis.value(one.variable)
        if value is not None:
            sheet.formula(row, 1, f"0.1*{value}", w.axis(one.plus_10pct))
            sheet.formula(row, 2, f"(0-0.1)*{value}", w.axis(one.minus_10pct))
        elif one.variable == _RATE:
            steps = (("rate*1.1", one.plus_10pct), ("rate*0.9", one.minus_10pct))
            points = (("(rate+0.01)", one.plus_1pp), ("(rate-0.01)", one.minus_1pp))
            for column, (rate, cached) in enumerate((*steps, *points), 1):
                sheet.formula(row, column, basis.at_rate(rate), 0.0 if cached is None else w.axis(cached))
        else:
            for column, amount in enumerate((one.plus_10pct, one.minus_10pct, one.plus_1pp, one.minus_1pp), 1):
                sheet.fixed(row, column, _shown(w, amount), MONEY)
        for column, amount in enumerate((one.at_low, one.at_high), 5):
            sheet.fixed(row, column, _shown(w, amount), MONEY)
        sheet.text(row, 7, t("sheet.by_formula" if value is not None or one.variable == _RATE else "sheet.by_engine"))
    last = _BELOW + min(_SHOWN, len(found))
    chart = book.chart("bar", "stacked")
    for column, colour in ((1, ACCENT), (2, BAD)):
        chart.add_series(
            {
                "name": [sheet.name, _BELOW, column],
                "categories": [sheet.name, _BELOW + 1, 0, last, 0],
                "values": [sheet.name, _BELOW + 1, column, last, column],
                "fill": {"color": colour},
                "gap": 40,
            }
        )
    dress(chart, t("sense.chart"), "")
    chart.set_legend({"position": "bottom"})
    chart.set_y_axis({"reverse": True, "label_position": "low"})
    chart.set_x_axis({"num_format": "#,##0", "major_gridlines": {"visible": True, "line": {"color": "#D5DAE0"}}})
    chart.set_size({"width": 760, "height": 420})
    sheet.raw.insert_chart(3, 0, chart)


def write_break_even(book: Book, basis: Basis) -> None:
    """How far each variable may go before NPV is zero, the tightest first as appraised."""
    w, t = basis.w, basis.w.t
    sheet = book.sheet(t("even.title"))
    _standing(sheet, basis, "")
    sheet.heads(3, [t("even.variable"), t("even.change"), t("sheet.by"), t("assume.unit"), t("even.value")])
    sheet.raw.freeze_panes(4, 1)
    for row, one in enumerate(basis.document.break_even.variables, 4):
        sheet.text(row, 0, w.variable(one.variable))
        value = basis.value(one.variable)
        none = t("figure.none")
        live = value is not None
        if value is not None:
            share = f"(0-npv)/({value})"
            beyond = f"OR({share}<(0-1),{share}>{LARGEST - 1:.0f})"
            formula = f"IF(({value})=0,{_NONE},IF({beyond},{_NONE},{share}))"
            sheet.formula(row, 1, formula, none if one.change is None else one.change, RATIO)
        elif one.variable == _RATE and basis.document.scenarios["realistic"].irr.reason == "unique" and one.change:
            live = True
            irr = basis.place.cells["irr"]
            sheet.formula(row, 1, f"IF(ISNUMBER({irr}),{irr}/rate-1,{_NONE})", one.change, RATIO)
        elif one.change is None:
            sheet.text(row, 1, none)
        else:
            sheet.fixed(row, 1, one.change, RATIO)
        sheet.text(row, 2, t("sheet.by_formula" if live else "sheet.by_engine"))
        sheet.text(row, 3, one.unit if one.values else "")
        for column, at in enumerate(one.values, 4):
            sheet.fixed(row, column, at, NUMBER)


def write_simulation(book: Book, basis: Basis) -> None:
    """Percentiles and histogram as drawn; a workbook does not draw again."""
    w, t, found = basis.w, basis.w.t, basis.document.monte_carlo
    sheet = book.sheet(t("monte.title"))
    if found.p50 is None:
        sheet.note(0, t("monte.none"))
        return
    sheet.note(0, t("sheet.simulated", draws=f"{found.draws:,}", seed=found.seed))
    _staleness(sheet, basis, 1)
    for row, (label, value) in enumerate({"P10": found.p10, "P50": found.p50, "P90": found.p90}.items(), 2):
        sheet.text(row, 0, f"NPV {label} ({w.unit})")
        sheet.fixed(row, 1, _shown(w, value), MONEY)
    sheet.text(5, 0, t("monte.p_negative"))
    sheet.fixed(5, 1, found.p_negative, RATIO)
    sheet.heads(7, [t("sheet.from"), t("sheet.to"), t("monte.share")])
    for row, one in enumerate(found.histogram, 8):
        sheet.fixed(row, 0, w.axis(one.low), MONEY)
        sheet.fixed(row, 1, w.axis(one.high), MONEY)
        sheet.fixed(row, 2, one.share, RATIO)
    if found.histogram:
        last = 7 + len(found.histogram)
        chart = book.chart("column")
        chart.add_series(
            {
                "categories": [sheet.name, 8, 0, last, 0],
                "values": [sheet.name, 8, 2, last, 2],
                "fill": {"color": ACCENT},
                "gap": 4,
            }
        )
        dress(chart, t("monte.chart"), "")
        chart.set_x_axis({"name": w.unit, "num_format": "#,##0", "label_position": "low", "interval_unit": 5})
        chart.set_size({"width": 620, "height": 340})
        sheet.raw.insert_chart(8, 4, chart)


def p_negative_cell(w: AppraisalWording) -> str:
    """Reference to the simulated probability of a loss."""
    return "'" + w.t("monte.title").replace("'", "''") + "'!$B$6"


def _shown(w: AppraisalWording, amount: float | None) -> float | None:
    return None if amount is None else w.axis(amount)


def _present(amounts: str, times: str) -> str:
    return f"SUMPRODUCT({amounts}/(1+rate)^{times})"


def _standing(sheet: Sheet, basis: Basis, before: str) -> None:
    sheet.note(0, before + basis.w.t("sheet.partly" if basis.linear else "sheet.engine_only"))
    _staleness(sheet, basis, 1)


def _staleness(sheet: Sheet, basis: Basis, row: int) -> None:
    """Says whether the engine's figures still belong to what stands in the workbook."""
    appraised = basis.w.axis(basis.document.scenarios["realistic"].npv)
    fits, stale = (basis.w.t(f"sheet.{key}").replace('"', '""') for key in ("matches", "stale"))
    near = f"ABS(npv-({appraised!r}))<=0.000001*MAX(1,ABS(npv))"
    sheet.formula(row, 0, f'IF({near},"{fits}","{stale}")', basis.w.t("sheet.matches"), "")
