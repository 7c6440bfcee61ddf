"""An appraisal as tables on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from roi_tracker.render.appraisal_wording import AppraisalWording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from roi_tracker.appraisal.rates import Irr
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.documents import AppraisalDocument, ScenarioDocument

_SHOWN = 10
_NEVER = "never"


def print_appraisal(case: BusinessCase, document: AppraisalDocument, console: Console) -> None:
    """Print every part of an appraisal; money in the case's display unit."""
    w = AppraisalWording(case, "en", document.unit)
    own = document.conventions
    console.print(f"[bold]{case.name.en}[/bold] · {case.name.ko}", highlight=False)
    console.print(f"money in {w.unit}; {own.timing}; {own.tax}; {own.prices} prices; rate {own.discount_rate:.1%}")
    rows = [(name, found) for name, found in document.scenarios.items()]
    console.print(_scenarios(w, "Scenarios", rows))
    if document.variants:
        console.print(_scenarios(w, "Realistic, counted otherwise", list(document.variants.items())))
    console.print(_sensitivity(w, document))
    console.print(_break_even(document))
    _simulation(w, document, console)
    if document.alternatives:
        console.print(_alternatives(w, document))
    _decision(w, document, console)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    return table


def _scenarios(w: AppraisalWording, title: str, rows: Sequence[tuple[str, ScenarioDocument]]) -> Table:
    table = _table(title, ("", "NPV", "IRR", "MIRR", "payback", "discounted", "ROI", "PI"))
    for name, found in rows:
        table.add_row(
            name,
            w.plain(found.npv),
            _irr(found.irr),
            _percent(found.mirr),
            _years(found.payback_years, found.payback_reason),
            _years(found.discounted_payback_years, found.discounted_payback_reason),
            _percent(found.roi),
            "" if found.profitability_index is None else f"{found.profitability_index:.2f}",
        )
    return table


def _irr(found: Irr) -> str:
    if found.value is not None:
        return f"{found.value:.0%}" if found.value >= 1 else f"{found.value:.1%}"
    if found.roots:
        return "several: " + ", ".join(f"{root:.1%}" for root in found.roots)
    return {"no_sign_change": "none: no sign change"}.get(found.reason, "none: no real root")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _years(value: float | None, reason: str | None = None) -> str:
    if value is None:
        return "no outlay" if reason == "no_outlay" else _NEVER
    return f"{value:.2f} y"


def _sensitivity(w: AppraisalWording, document: AppraisalDocument) -> Table:
    table = _table("Sensitivity: change of NPV", ("variable", "+10 %", "-10 %", "+1 pp", "-1 pp", "at low", "at high"))
    for one in document.sensitivity[:_SHOWN]:
        cells = (one.plus_10pct, one.minus_10pct, one.plus_1pp, one.minus_1pp, one.at_low, one.at_high)
        table.add_row(one.variable, *("" if value is None else w.signed(value) for value in cells))
    return table


def _break_even(document: AppraisalDocument) -> Table:
    table = _table("Break-even: how far each may go until NPV is 0", ("variable", "change", "value there"))
    found = [one for one in document.break_even.variables if one.change is not None]
    for one in found[:_SHOWN]:
        values = sorted(set(one.values))
        shown = "" if not values else f"{values[0]:,.4g}" + (f" to {values[-1]:,.4g}" if len(values) > 1 else "")
        table.add_row(one.variable, f"{one.change:+.0%}", f"{shown} {one.unit}" if shown else "")
    return table


def _simulation(w: AppraisalWording, document: AppraisalDocument, console: Console) -> None:
    found = document.monte_carlo
    if found.p10 is None or found.p50 is None or found.p90 is None:
        console.print(f"Monte Carlo: not computed, {found.reason}", highlight=False)
        return
    low, middle, high = (w.plain(value) for value in (found.p10, found.p50, found.p90))
    console.print(
        f"Monte Carlo, {found.draws:,} draws: NPV P10 {low}, P50 {middle}, P90 {high};"
        f" P(NPV < 0) {found.p_negative:.1%}; varies: {', '.join(found.uncertain)}",
        highlight=False,
    )


def _alternatives(w: AppraisalWording, document: AppraisalDocument) -> Table:
    table = _table("Alternatives", ("", "NPV", "IRR", "payback", "extra money returns", "risk"))
    for one in document.alternatives:
        if one.npv is None or one.irr is None:
            table.add_row(one.id, "no flows given", "", "", "", one.risk or "")
            continue
        extra = "" if one.incremental_irr is None else f"{_irr(one.incremental_irr)} over {one.against}"
        table.add_row(
            one.id,
            w.plain(one.npv),
            _irr(one.irr),
            _years(one.payback_years, one.payback_reason),
            extra,
            one.risk or "",
        )
    return table


def _decision(w: AppraisalWording, document: AppraisalDocument, console: Console) -> None:
    found = document.decision
    table = _table(f"Decision: {found.verdict.replace('_', ' ')}", ("condition", "actual", "met"))
    for one in found.conditions:
        write = w.money if one.figure == "npv" else "{:,.3f}".format
        actual = "does not exist" if one.actual is None else write(one.actual)
        limit = w.money(one.limit) if one.figure == "npv" else str(one.limit)
        met = {True: "yes", False: "no", None: "cannot say"}[one.passed]
        table.add_row(f"{one.figure} {one.operator} {limit} ({one.scenario})", actual, met)
    if found.conditions:
        console.print(table)
    else:
        console.print("Decision: the case states no rule")
    if found.required_achievement is not None:
        console.print(f"NPV is 0 at {found.required_achievement:.1%} of all benefits", highlight=False)
    for number, first in enumerate(found.verify_first, 1):
        ranged = "" if first.range_stated else " for 10 %; no range stated"
        effect = f"NPV {w.plain(first.effect)}{ranged}"
        console.print(f"verify {number}: {first.variable} ({first.owner}), {effect}", highlight=False)
    left = document.not_stated
    if left.unused_assumptions:
        console.print(f"declared and not used: {', '.join(left.unused_assumptions)}", highlight=False)
    if left.cost_categories:
        console.print(f"no cost stated for: {', '.join(left.cost_categories)}", highlight=False)
