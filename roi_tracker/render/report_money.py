"""Cost to date with the harm by the system itself, forecast to completion, and the plan's own appraisal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from roi_tracker.render.content_blocks import Column, Fact, Section, Table

if TYPE_CHECKING:
    from roi_tracker.ledger.costs import HarmRow, Term
    from roi_tracker.realization.intervals import MoneyInterval
    from roi_tracker.render.report_wording import ReportWording
    from roi_tracker.report.harm_limits import HarmLimits

_DASH = " \N{EN DASH} "


def money_sections(w: ReportWording) -> tuple[Section, ...]:
    """Cost, forecast, plan."""
    return _costs(w), _forecast(w), _plan(w)


def _costs(w: ReportWording) -> Section:
    t, report = w.t, w.report
    ledger, real = report.realization.costs, report.realization
    planned = {
        kind: sum((one.amount for one in report.planned_costs if one.kind == kind), Decimal(0))
        for kind in ("capital", "running")
    }
    covered = sum((row.amount for row in ledger.harm if not row.counted), Decimal(0))
    facts = (
        Fact(t("costs.capital"), w.money(ledger.capital), t("costs.against", value=w.money(planned["capital"]))),
        Fact(t("costs.running"), w.money(ledger.running), t("costs.against", value=w.money(planned["running"]))),
        Fact(t("costs.harm"), w.money(ledger.harm_counted), t("costs.harm_note", covered=w.money(covered)), how="harm"),
        Fact(
            t("costs.total"),
            w.money(real.realized.cost),
            t("costs.against", value=w.money(real.projected.cost)),
            "lead",
        ),
    )
    tables: list[Table] = []
    if ledger.paid:
        rows = tuple(
            (
                row.day.isoformat(),
                w.either(row.name_ko, row.name_en),
                t(f"cost_kind.{row.kind}"),
                row.source,
                w.exact(row.amount),
            )
            for row in ledger.paid
        )
        tables.append(Table(_columns(w, "costs", ("day", "what", "kind", "source"), ("amount",)), rows))
    if ledger.harm:
        tables.append(_harm(w))
    if ledger.not_valued:
        tables.append(_not_valued(w))
    notes = () if ledger.harm or ledger.not_valued else (t("costs.no_harm"),)
    texts = () if ledger.paid else (t("costs.none"),)
    return Section("costs", t("costs.title"), texts=texts, facts=facts, tables=tuple(tables), notes=notes)


def _not_valued(w: ReportWording) -> Table:
    t = w.t
    rows = tuple(
        (
            t(f"harm.{row.cause}"),
            row.line,
            t("costs.unknown") if row.quantity is None else w.quantity(row.quantity),
            t(f"not_valued.{row.reason}"),
        )
        for row in w.report.realization.costs.not_valued
    )
    columns = (
        Column(t("costs.harm_row"), figures=False),
        Column(t("costs.line"), figures=False),
        Column(t("costs.quantity")),
        Column(t("costs.reason"), figures=False),
    )
    return Table(columns, rows, caption=t("costs.not_valued"), tones=tuple("warn" for _ in rows))


def _harm(w: ReportWording) -> Table:
    t = w.t
    rows, details = [], []
    for row, limits in zip(w.report.realization.costs.harm, w.report.harm_limits, strict=True):
        rows.append(
            (
                t(f"harm.{row.cause}"),
                row.line,
                row.day.isoformat(),
                w.quantity(row.quantity),
                w.exact(row.unit_value),
                w.exact(row.amount),
            )
        )
        details.append(f"{_formula(w, row)} \N{MIDDLE DOT} {limits_text(w, limits)}")
    columns = (
        Column(t("costs.harm_row"), figures=False, how="harm"),
        Column(t("costs.line"), figures=False),
        Column(t("costs.month"), figures=False),
        Column(t("costs.quantity")),
        Column(t("costs.unit_value")),
        Column(t("costs.amount")),
    )
    return Table(columns, tuple(rows), details=tuple(details), caption=t("costs.harm"))


def _formula(w: ReportWording, row: HarmRow) -> str:
    said = w.t("costs.formula", formula=row.formula, terms=terms_text(w, row.terms), source=row.unit_value_source)
    if row.counted:
        return said
    return f"{said} \N{MIDDLE DOT} " + w.t("costs.covered", line=w.line(row.covered_by))


def limits_text(w: ReportWording, limits: HarmLimits) -> str:
    """The interval, or why there is none."""
    ends = (
        {} if limits.low is None or limits.high is None else {"low": w.exact(limits.low), "high": w.exact(limits.high)}
    )
    return w.t(f"harm_limits.{limits.reason}", **ends)


def terms_text(w: ReportWording, terms: tuple[Term, ...]) -> str:
    """Numbers of a formula by name."""
    return ", ".join(f"{term.name} = {w.figure(term.value)}" for term in terms)


def _columns(w: ReportWording, group: str, texts: tuple[str, ...], figures: tuple[str, ...]) -> tuple[Column, ...]:
    return (
        *(Column(w.t(f"{group}.{name}"), figures=False) for name in texts),
        *(Column(w.t(f"{group}.{name}")) for name in figures),
    )


def _forecast(w: ReportWording) -> Section:
    t, found = w.t, w.report.realization.forecast
    if found is None:
        return Section("forecast", t("forecast.title", until="-"), texts=(t("forecast.none"),))
    npv = found.npv
    facts = (
        Fact(
            t("forecast.npv"),
            w.money(npv.value),
            t("forecast.interval", low=w.money(npv.low), high=w.money(npv.high)),
            "lead",
            "forecast",
        ),
        Fact(t("forecast.flat"), w.money(found.npv_without_ramp_up), t("forecast.flat_note"), how="forecast"),
        Fact(
            t("forecast.probability"),
            w.percent(found.probability_npv_positive),
            t("forecast.probability_note"),
            how="forecast",
        ),
        Fact(
            t("forecast.payback"),
            w.payback(found.payback),
            t("forecast.payback_low", value=w.payback(found.payback_at_low)),
            how="payback",
        ),
    )
    rows = tuple(
        (w.line(one.benefit_id), _a_day(w, one.per_day), _ends(w, one.to_date), _ends(w, one.to_come))
        for one in found.lines
    )
    table = Table(_columns(w, "forecast", ("line",), ("per_day", "to_date", "to_come")), rows)
    return Section(
        "forecast",
        t("forecast.title", until=found.until),
        facts=facts,
        tables=(table,) if rows else (),
        notes=tuple(t(f"caveat.{one}") for one in found.caveats),
    )


def _ends(w: ReportWording, part: MoneyInterval) -> str:
    return f"{w.plain(part.value)} ({w.plain(part.low)}{_DASH}{w.plain(part.high)})"


def _a_day(w: ReportWording, part: MoneyInterval) -> str:
    """Small money, in the currency itself."""
    return f"{w.exact(part.value)} ({w.exact(part.low)}{_DASH}{w.exact(part.high)})"


def _plan(w: ReportWording) -> Section:
    t, report = w.t, w.report
    rows = tuple(
        (
            t(f"scenario.{one.scenario}"),
            w.plain(one.npv),
            t(f"irr.{one.irr.reason}") if one.irr.value is None else w.percent(one.irr.value),
            w.years(one.payback_years, one.payback_reason),
            w.percent(one.roi),
        )
        for one in report.plan
    )
    columns = (
        Column(t("plan.scenario"), figures=False),
        Column(f"NPV \N{MIDDLE DOT} {w.unit}"),
        Column(t("plan.irr")),
        Column(t("plan.payback")),
        Column(t("plan.roi")),
    )
    note = t("plan.note", rate=w.percent(report.discount_rate), day=report.start_date)
    return Section("plan", t("plan.title"), tables=(Table(columns, rows),), notes=(note,))
