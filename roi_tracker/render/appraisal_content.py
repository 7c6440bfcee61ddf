"""An appraisal, and an audit where there is one, as sections in one language: what page and PDF both show."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.case.unit_words import figure_text
from roi_tracker.render.appraisal_context import context_sections
from roi_tracker.render.appraisal_findings import findings_sections
from roi_tracker.render.appraisal_wording import AppraisalWording
from roi_tracker.render.content_blocks import Column, Content, Fact, Section, Table
from roi_tracker.render.content_charts import Bar, Chart

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.documents import AppraisalDocument, ScenarioDocument
    from roi_tracker.money import Language
    from roi_tracker.render.appraisal_findings import AuditView
    from roi_tracker.render.content_blocks import Tone

_SHOWN = 12
_OPERATORS = {">=": "\N{GREATER-THAN OR EQUAL TO}", "<=": "\N{LESS-THAN OR EQUAL TO}"}
_TONES: dict[str, Tone] = {"approve": "good", "approve_in_stages": "warn", "do_not_approve": "bad"}
_MANY_FLOWS = 24


def appraisal_content(
    case: BusinessCase, document: AppraisalDocument, language: Language, as_of: date, audit: AuditView | None = None
) -> Content:
    """Lay the document out.

    Args:
        case: the plan.
        document: its appraisal.
        language: of every text.
        as_of: date of the document.
        audit: findings to put first; None for an appraisal alone.
    """
    w = AppraisalWording(case, language, document.unit)
    t = w.t
    sections = [
        _head(w, document, audit),
        *(findings_sections(w, audit) if audit is not None else ()),
        _decision(w, document),
        _scenarios(w, document),
        _flows(w, document),
        _sensitivity(w, document),
        _break_even(w, document),
        _simulation(w, document),
        *context_sections(w, document),
    ]
    return Content(
        language=language,
        kicker=t("doc.appraisal" if audit is None else "doc.audit"),
        title=w.name(case.name),
        subtitle=t(
            "doc.subtitle",
            as_of=as_of.isoformat(),
            unit=w.unit,
            rate=w.percent(case.rate),
            years=case.horizon_years,
        ),
        as_of=as_of,
        sections=tuple(one for one in sections if one.facts or one.tables or one.charts or one.texts or one.notes),
        footer=t("doc.footer"),
    )


def columns(labels: Iterable[str], texts: int = 1) -> tuple[Column, ...]:
    """Heads of which the first ones are texts, the others figures."""
    return tuple(Column(label, figures=index >= texts) for index, label in enumerate(labels))


def _head(w: AppraisalWording, document: AppraisalDocument, audit: AuditView | None) -> Section:
    t, found = w.t, document.scenarios["realistic"]
    verdict = document.decision.verdict
    payback = w.years(found.payback_years, found.payback_reason)
    discounted = w.years(found.discounted_payback_years, found.discounted_payback_reason)
    facts = (
        ("npv", Fact(t("head.npv"), w.money(found.npv), t("head.realistic"), "lead")),
        ("irr", Fact(t("head.irr"), w.irr(found.irr), w.irr_note(found.irr))),
        ("payback_years", Fact(t("head.payback"), payback, t("head.discounted", value=discounted))),
        ("roi", Fact(t("head.roi"), w.percent(found.roi), t("head.roi_note"))),
    )
    return Section(
        id="head",
        title=t("head.title" if audit is None else "audit.head"),
        facts=tuple(_beside_print(w, key, fact, audit) for key, fact in facts),
        notes=(t(f"verdict.{verdict}"), t("decide.worst", value=w.money(float(document.decision.worst_npv)))),
    )


def _beside_print(w: AppraisalWording, key: str, fact: Fact, audit: AuditView | None) -> Fact:
    """In an audit, what the plan prints stands below the figure its inputs give."""
    printed = None if audit is None else audit.printed(f"scenarios.realistic.{key}")
    if printed is None:
        return fact
    shown = figure_text(printed.stated, printed.unit, w.language)
    return msgspec.structs.replace(fact, note=w.t("audit.printed", value=shown))


def _decision(w: AppraisalWording, document: AppraisalDocument) -> Section:
    t, found = w.t, document.decision
    met = {True: t("decide.yes"), False: t("decide.no"), None: t("decide.open")}
    figures = {"npv": w.money, "irr": w.percent, "mirr": w.percent, "roi": w.percent}
    tables = []
    if found.conditions:
        rows = []
        for one in found.conditions:
            write = figures.get(one.figure, w.years if "payback" in one.figure else w.ratio)
            actual = t("figure.no_irr") if one.actual is None else write(float(one.actual))
            limit = write(float(one.limit))
            compared = _OPERATORS.get(one.operator, one.operator)
            label = f"{figure_name(w, one.figure)} {compared} {limit} ({t(f'scenario.{one.scenario}')})"
            rows.append((label, actual, met[one.passed]))
        heads = columns((t("decide.condition"), t("decide.actual"), t("decide.met")))
        tables.append(Table(heads, tuple(rows)))
    if found.verify_first:
        tables.append(
            Table(
                columns((t("decide.verify"), t("assume.owner"), t("assume.source"), t("decide.effect")), 3),
                tuple(
                    (
                        w.variable(one.variable),
                        one.owner,
                        one.source,
                        w.money(one.effect) + ("" if one.range_stated else f" · {t('decide.unranged')}"),
                    )
                    for one in found.verify_first
                ),
            )
        )
    if found.gates:
        tables.append(
            Table(
                columns((t("decide.gate"), t("decide.when"), t("decide.must")), 3),
                tuple((w.name(gate.name), gate.when, w.name(gate.condition)) for gate in w.case.stage_gates),
            )
        )
    required = found.required_achievement
    notes = () if required is None else (t("even.overall", value=w.percent(required)),)
    return Section(id="decision", title=t("decide.title"), tables=tuple(tables), notes=notes)


def figure_name(w: AppraisalWording, figure: str) -> str:
    """A figure of the decision rule in words."""
    keys = {
        "irr": "head.irr",
        "npv": "head.npv",
        "roi": "head.roi",
        "payback_years": "head.payback",
        "discounted_payback_years": "scenario.discounted",
        "mirr": "scenario.mirr",
        "profitability_index": "scenario.pi",
    }
    return w.t(keys[figure])


def _scenario_rows(w: AppraisalWording, rows: Iterable[tuple[str, ScenarioDocument]]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            label,
            w.plain(one.npv),
            w.irr(one.irr),
            w.percent(one.mirr),
            w.years(one.payback_years, one.payback_reason),
            w.years(one.discounted_payback_years, one.discounted_payback_reason),
            w.percent(one.roi),
            w.ratio(one.profitability_index),
        )
        for label, one in rows
    )


def _scenarios(w: AppraisalWording, document: AppraisalDocument) -> Section:
    t = w.t
    heads = ("NPV", "IRR", "MIRR", t("head.payback"), t("scenario.discounted"), "ROI", t("scenario.pi"))
    tables = [
        Table(
            columns((f"{t('scenario.name')} · {w.unit}", *heads)),
            _scenario_rows(w, ((t(f"scenario.{name}"), one) for name, one in document.scenarios.items())),
        )
    ]
    if document.variants:
        rows = ((t(f"variant.{name}"), one) for name, one in document.variants.items())
        tables.append(Table(columns((f"{t('variant.title')} · {w.unit}", *heads)), _scenario_rows(w, rows)))
    notes = [
        f"{t(f'scenario.{name}')}: "
        + t("scenario.factors", benefits=w.percent(one.benefits), costs=w.percent(one.costs))
        for name in document.scenarios
        for one in [getattr(w.case.scenarios, name)]
    ]
    notes.extend(
        f"{t(f'scenario.{name}')} IRR: {w.irr_note(one.irr)}"
        for name, one in document.scenarios.items()
        if one.irr.value is None
    )
    bars = tuple(
        Bar(t(f"scenario.{name}"), 0.0, w.axis(one.npv), w.plain(one.npv)) for name, one in document.scenarios.items()
    )
    chart = Chart("columns", t("scenario.chart"), w.unit, bars)
    return Section("scenarios", t("scenario.title"), charts=(chart,), tables=tuple(tables), notes=(" · ".join(notes),))


def _flows(w: AppraisalWording, document: AppraisalDocument) -> Section:
    t, years = w.t, document.scenarios["realistic"].net_by_year
    running = list(accumulate(years.values()))
    chart = Chart(
        "columns",
        t("flow.chart"),
        w.unit,
        tuple(Bar(label, 0.0, w.axis(value), w.plain(value)) for label, value in years.items()),
        line=tuple(w.axis(value) for value in running),
    )
    table = Table(
        columns((f"{t('flow.year')} · {w.unit}", *years)),
        (
            (t("flow.net"), *(w.plain(value) for value in years.values())),
            (t("flow.cumulative"), *(w.plain(value) for value in running)),
        ),
    )
    if len(years) > _SHOWN:
        table = Table(
            columns((t("flow.year"), f"{t('flow.net')} · {w.unit}", t("flow.cumulative"))),
            tuple((label, w.plain(v), w.plain(r)) for (label, v), r in zip(years.items(), running, strict=True)),
        )
    return Section("flows", t("flow.title"), charts=(chart,), tables=(table,))


def _sensitivity(w: AppraisalWording, document: AppraisalDocument) -> Section:
    t, shown = w.t, document.sensitivity[:_SHOWN]
    bars = tuple(
        Bar(
            w.variable(one.variable),
            w.axis(min(one.plus_10pct, one.minus_10pct)),
            w.axis(max(one.plus_10pct, one.minus_10pct)),
            f"±{w.plain(one.swing)}",
        )
        for one in shown
    )
    rows = tuple(
        (
            w.variable(one.variable),
            w.signed(one.plus_10pct),
            w.signed(one.minus_10pct),
            w.signed(one.plus_1pp),
            t("figure.none")
            if one.at_low is None or one.at_high is None
            else f"{w.signed(one.at_low)} / {w.signed(one.at_high)}",
        )
        for one in shown
    )
    heads = (f"{t('sense.variable')} · {w.unit}", t("sense.plus"), t("sense.minus"), t("sense.plus_pp"))
    return Section(
        "sensitivity",
        t("sense.title"),
        charts=(Chart("spans", t("sense.chart"), w.unit, bars),),
        tables=(Table(columns((*heads, t("sense.range"))), rows),),
    )


def _break_even(w: AppraisalWording, document: AppraisalDocument) -> Section:
    t = w.t
    found = [one for one in document.break_even.variables if one.change is not None][:_SHOWN]
    rows = []
    for one in found:
        values = sorted(set(one.values))
        ends = values if len(values) <= 1 else [values[0], values[-1]]
        shown = " \N{EN DASH} ".join(figure_text(value, one.unit, w.language) for value in ends)
        change = w.percent(one.change)
        rows.append(
            (
                w.variable(one.variable),
                change if change.startswith("\N{MINUS SIGN}") else f"+{change}",
                shown or t("figure.none"),
            )
        )
    table = Table(columns((t("even.variable"), t("even.change"), t("even.value"))), tuple(rows))
    return Section("break-even", t("even.title"), tables=(table,) if rows else ())


def _simulation(w: AppraisalWording, document: AppraisalDocument) -> Section:
    t, found = w.t, document.monte_carlo
    if found.p10 is None or found.p50 is None or found.p90 is None:
        return Section("monte-carlo", t("monte.title"), notes=(t("monte.none"),))
    chart = Chart(
        "histogram",
        t("monte.chart"),
        t("monte.axis"),
        tuple(Bar("", w.axis(one.low), w.axis(one.high)) for one in found.histogram),
        heights=tuple(one.share * 100 for one in found.histogram),
        marks=((w.axis(found.p10), "P10"), (w.axis(found.p50), "P50"), (w.axis(found.p90), "P90")),
        across=f"NPV ({w.unit})",
    )
    names = ", ".join(w.variable(name) for name in found.uncertain)
    adjusted = (t("monte.adjusted"),) if found.correlations_adjusted else ()
    return Section(
        "monte-carlo",
        t("monte.title"),
        facts=(
            Fact("P10", w.money(found.p10)),
            Fact("P50", w.money(found.p50)),
            Fact("P90", w.money(found.p90)),
            Fact(t("monte.p_negative"), w.percent(found.p_negative)),
        ),
        charts=(chart,),
        notes=(t("monte.text", draws=f"{found.draws:,}", seed=found.seed, names=names), *adjusted),
    )
