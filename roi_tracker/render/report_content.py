"""A report laid out as sections in one language: what page and PDF both show. Page 1 first."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from roi_tracker.proof.proving import NotProven
from roi_tracker.realization.realized import SCENARIO_BANDS
from roi_tracker.render.content_blocks import Column, Content, Fact, Section, Table
from roi_tracker.render.content_charts import Bar, Chart, Layer
from roi_tracker.render.report_background import background_sections
from roi_tracker.render.report_followup import followup_sections
from roi_tracker.render.report_lines import line_section
from roi_tracker.render.report_money import money_sections
from roi_tracker.render.report_wording import ReportWording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.money import Language
    from roi_tracker.report.model import LineSection, Report

_DAYS_A_WEEK = 7
_MOST_YEARS_AHEAD = 10
_CURED_BY_TIME = frozenset({"effect_detectable", "minimum_length"})
"""Failed rules that more measured days alone can mend."""
_FULL_SCORE = 100


def report_content(report: Report, language: Language, *, portal: bool = False) -> Content:
    """Lay a report out.

    Args:
        report: what to say.
        language: of every text.
        portal: names of lines lead to their pages.
    """
    w = ReportWording(report, language)
    t, real = w.t, report.realization
    if real.as_of is None:
        period = t("head.no_data", go_live=report.go_live)
    else:
        period = t("head.period", first=report.go_live, last=real.as_of)
    sections = [
        _head(w),
        _curve(w),
        _lines(w, portal=portal),
        _classes(w),
        _bridge(w),
        _not_proven(w),
        _basis(w),
        *(line_section(w, line, portal=portal) for line in report.lines),
        *money_sections(w),
        *followup_sections(w),
        *background_sections(w),
    ]
    return Content(
        language=language,
        kicker=t("doc.title"),
        title=w.name(report.name),
        subtitle=t(
            "doc.subtitle",
            period=period,
            first=report.baseline_first,
            last=report.baseline_last,
            day=report.generated_on,
            unit=w.unit,
        ),
        as_of=report.generated_on,
        sections=tuple(one for one in sections if one.facts or one.tables or one.charts or one.texts or one.notes),
        footer=t("doc.footer", version=report.inputs.software),
        banner=f"{t('banner.both')} {t('banner.text')}" if report.origin == "simulated" else "",
    )


def _head(w: ReportWording) -> Section:
    t, report, real = w.t, w.report, w.report.realization
    total, achieved = real.total, real.achievement_interval
    projected = w.money(real.projected.benefit)
    if total is None:
        note = t("head.none_proven", projected=projected)
    else:
        ends = {"value": w.money(total.value), "low": w.money(total.low), "high": w.money(total.high)}
        note = t("head.interval", projected=projected, **ends)
    share = ""
    if achieved is not None:
        share = t("head.achievement_note", low=w.percent(achieved.low), high=w.percent(achieved.high))
    facts = (
        Fact(t("head.benefit"), w.money(real.realized.benefit), note, "lead", "benefit"),
        Fact(t("head.achievement"), w.percent(real.achievement), share, how="achievement"),
        Fact(
            t("head.roi"),
            w.percent(real.realized.roi),
            t("head.against", value=w.percent(real.projected.roi)),
            how="roi",
        ),
        Fact(
            t("head.npv"), w.money(real.realized.npv), t("head.against", value=w.money(real.projected.npv)), how="npv"
        ),
        Fact(
            t("head.payback"),
            w.payback(real.realized.payback),
            t("head.against", value=w.payback(real.projected.payback)),
            how="payback",
        ),
    )
    graded = [
        f"{line.result.proof.basis.grade} {w.name(line.name)}"
        for line in report.realized
        if line.result.proof.basis is not None
    ]
    notes = [
        t("headline.lower_bound"),
        t(
            f"cost_basis.{real.cost_basis}",
            realized=w.money(real.realized.cost),
            projected=w.money(real.projected.cost),
        ),
        t("head.grades", grades="; ".join(graded)) if graded else t("head.no_grades"),
    ]
    apart = real.total_if_independent
    if apart is not None and apart != total:
        notes.append(t("head.independent", low=w.money(apart.low), high=w.money(apart.high)))
    return Section("head", t("head.title"), facts=facts, notes=tuple(notes))


def _curve(w: ReportWording) -> Section:
    t, points = w.t, w.report.realization.curve
    if not points:
        return Section("curve", t("curve.title"), texts=(t("lines.no_reporting"),))
    origin = w.report.go_live - timedelta(days=1)

    def series(values: Iterable[Decimal]) -> tuple[float, ...]:
        return (0.0, *(w.axis(value) for value in values))

    low_band, _, high_band = SCENARIO_BANDS
    layers = (
        Layer(t("curve.low"), "solid", series(one.low for one in points)),
        Layer(t("curve.value"), "dotted", series(one.value for one in points)),
        Layer(t("curve.interval"), "interval", series(one.low for one in points), series(one.high for one in points)),
        Layer(t("curve.projected"), "dashed", series(one.projected for one in points)),
        Layer(
            t("curve.band"),
            "band",
            series(one.projected * low_band for one in points),
            series(one.projected * high_band for one in points),
        ),
    )
    marks = ((0.0, ""), *((float((one.day - origin).days), f"{one.day:%Y-%m-%d}") for one in points))
    last = points[-1]
    said = t("curve.desc", realized=w.money(last.low), projected=w.money(last.projected))
    return Section("curve", t("curve.title"), charts=(Chart("curve", said, w.unit, layers=layers, marks=marks),))


def _lines(w: ReportWording, *, portal: bool) -> Section:
    t, report = w.t, w.report
    columns = (
        Column(t("lines.line"), figures=False),
        Column(t("lines.projected"), how="band"),
        Column(t("lines.low"), how="benefit"),
        Column(t("lines.interval"), how="interval"),
        Column(t("lines.achievement"), how="achievement"),
        Column(t("lines.grade"), figures=False, how="grade"),
    )
    rows, details = [], []
    for line in report.lines:
        result, proof = line.result, line.result.proof
        kind = t(f"class.{line.benefit_class}")
        held = result.shared or result.realized
        if isinstance(proof, NotProven) or held is None:
            none = t("figure.none")
            rows.append((w.name(line.name), w.plain(result.projected), none, none, none, t("lines.not_proven")))
            details.append(f"{kind} · {w.why(proof)}")
            continue
        interval = f"{w.plain(held.low)} \N{EN DASH} {w.plain(held.high)}"
        rows.append(
            (
                w.name(line.name),
                w.plain(result.projected),
                w.plain(held.low),
                interval,
                w.percent(result.achievement),
                proof.basis.grade,
            )
        )
        details.append(_said_of(w, line))
    table = Table(
        columns,
        tuple(rows),
        details=tuple(details),
        tones=tuple("warn" if isinstance(line.result.proof, NotProven) else "" for line in report.lines),
        links=tuple(
            f"/lines/{line.result.benefit_id}?lang={w.language}" if portal else f"#line-{line.result.benefit_id}"
            for line in report.lines
        ),
    )
    return Section("lines", t("lines.title"), tables=(table,), notes=(t("lines.note"),))


def _said_of(w: ReportWording, line: LineSection) -> str:
    """Class, physical quantity, why this grade, and with whom it shares."""
    t, result = w.t, line.result
    proof = result.proof
    if isinstance(proof, NotProven):
        return ""
    found = proof.estimate
    quantity = f"{w.quantity(found.avoided)} {w.physical(line)}"
    change = t("lines.change", share=w.percent(found.relative))
    parts = [t("lines.of", **{"class": t(f"class.{line.benefit_class}"), "quantity": quantity, "change": change})]
    parts.append(f"{proof.basis.grade}: " + ", ".join(t(f"grade_reason.{one}") for one in proof.basis.grade_reasons))
    if result.shared_by and result.realized is not None and result.shared != result.realized:
        group = next(one for one in w.report.realization.groups if one.id == result.shared_by)
        others = ", ".join(w.line(one) for one in group.benefits if one != result.benefit_id)
        parts.append(t("lines.shared", low=w.money(result.realized.low), others=others))
    return " · ".join(parts)


def _classes(w: ReportWording) -> Section:
    t = w.t
    heads = ("class", "lines", "projected", "low", "value", "high", "counted")
    rows = tuple(
        (
            t(f"class.{one.benefit_class}"),
            f"{one.lines}, {one.proven}",
            w.plain(one.projected),
            w.plain(one.low),
            w.plain(one.value),
            w.plain(one.high),
            t("classes.yes" if one.counted else "classes.no"),
        )
        for one in w.report.classes
    )
    columns = tuple(Column(t(f"classes.{name}"), figures=name not in {"class", "counted"}) for name in heads)
    return Section("classes", t("classes.title"), tables=(Table(columns, rows),), notes=(t("classes.note"),))


def _bridge(w: ReportWording) -> Section:
    t, found = w.t, w.report.realization.bridge
    if found is None:
        return Section("bridge", t("bridge.title"), texts=(t("bridge.none"),))
    bars, at = [Bar(t("bridge.projected"), 0.0, w.axis(found.projected), w.plain(found.projected))], found.projected
    for effect in found.effects:
        after = at + effect.amount
        bars.append(Bar(t(f"factor.{effect.factor}"), w.axis(at), w.axis(after), w.signed(effect.amount)))
        at = after
    bars.append(Bar(t("bridge.realized"), 0.0, w.axis(found.realized), w.plain(found.realized)))
    heads = (t("bridge.line"), t("bridge.projected"), *(t(f"factor.{one.factor}") for one in found.effects))
    columns = tuple(
        Column(label, figures=index > 0, how="bridge" if index > 1 else "")
        for index, label in enumerate((*heads, t("bridge.realized")))
    )
    rows = [
        (
            w.line(one.benefit_id),
            w.plain(one.projected),
            *(w.signed(e.amount) for e in one.effects),
            w.plain(one.realized),
        )
        for one in found.lines
    ]
    total = t("sheet.sum")
    rows.append(
        (total, w.plain(found.projected), *(w.signed(e.amount) for e in found.effects), w.plain(found.realized))
    )
    uncertain = sum((one.uncertainty for one in found.lines), Decimal(0))
    merged = [
        t("bridge.merged", line=w.line(one.benefit_id), reason=t(f"merged.{part.reason}"))
        for one in found.lines
        for part in one.merged
    ]
    return Section(
        "bridge",
        t("bridge.title"),
        charts=(Chart("bridge", t("bridge.chart"), w.unit, tuple(bars)),),
        tables=(Table(columns, tuple(rows), strong_last=True),),
        notes=(t("bridge.note", value=w.money(uncertain)), *merged),
    )


def _not_proven(w: ReportWording) -> Section:
    t, lines = w.t, w.report.not_proven
    if not lines:
        return Section("not-proven", t("not_proven.title"), texts=(t("not_proven.all_proven"),))
    rows, details = [], []
    for line in lines:
        proof = line.result.proof
        if not isinstance(proof, NotProven):  # pragma: no cover - `not_proven` holds no other
            continue
        rows.append((w.name(line.name), w.why(proof), _by_when(w, proof)))
        said = t("not_proven.proof", text=w.would_prove(proof))
        if proof.estimate is not None:
            found = proof.estimate
            figures = {
                "value": w.quantity(found.avoided),
                "low": w.quantity(found.low),
                "high": w.quantity(found.high),
                "mde": w.quantity(found.minimum_detectable),
                "projected": w.quantity(line.result.projected_units),
            }
            said = t("not_proven.measured", unit=w.physical(line), **figures) + " " + said
        details.append(said)
    columns = tuple(Column(t(f"not_proven.{name}"), figures=False) for name in ("line", "why", "when"))
    links = tuple(f"#line-{line.result.benefit_id}" for line in lines)
    table = Table(columns, tuple(rows), details=tuple(details), links=links)
    return Section("not-proven", t("not_proven.title"), tables=(table,))


def _by_when(w: ReportWording, proof: NotProven) -> str:
    """The day by which the missing measured days would have passed, at the pace so far."""
    found, last = proof.estimate, w.report.realization.as_of
    if {one.rule for one in proof.failed} - _CURED_BY_TIME:
        return w.t("not_proven.open")
    if found is None or proof.days_needed is None or proof.days_needed <= found.days or last is None:
        return w.t("not_proven.open")
    passed = (last - w.report.go_live).days + 1
    ahead = round((proof.days_needed - found.days) * max(passed / found.days, 1.0))
    if ahead > _MOST_YEARS_AHEAD * 365:
        return w.t("not_proven.open")
    return w.t("not_proven.by", day=last + timedelta(days=ahead))


def _basis(w: ReportWording) -> Section:
    t, report = w.t, w.report
    rows = tuple(
        (
            w.name(line.name),
            t("basis.not_frozen") if line.frozen_at is None else line.frozen_at.date().isoformat(),
            next((one.sha256 for one in report.inputs.baselines if one.benefit_id == line.result.benefit_id), "-"),
        )
        for line in report.lines
    )
    hashes = Table(tuple(Column(t(f"basis.{name}"), figures=False) for name in ("line", "frozen", "hash")), rows)
    score = report.quality.score
    lowest = report.quality.lowest
    note = t("basis.no_score") if lowest is None else t("basis.lowest", part=t(f"quality_part.{lowest}.name"))
    if score is not None and score >= _FULL_SCORE:
        note = ""
    tables = [hashes]
    if report.quality.parts:
        heads = (("part", False), ("points", True), ("weight", True), ("made_of", False))
        tables.append(
            Table(
                tuple(Column(t(f"basis.{name}"), figures=figures) for name, figures in heads),
                tuple(
                    (
                        t(f"quality_part.{part.name}.name"),
                        t("basis.not_applicable") if part.score is None else f"{part.score:.0f}",
                        w.percent(part.weight),
                        "; ".join(
                            t(f"quality_figure.{one.name}", value=w.quantity(one.value).removesuffix(".0"))
                            for one in part.figures
                        ),
                    )
                    for part in report.quality.parts
                ),
            )
        )
    found = [t(f"finding.{one.name}", count=f"{one.count:,}") for one in report.findings] or [t("quality.clean")]
    return Section(
        "basis",
        t("basis.title"),
        facts=(Fact(t("basis.score"), t("figure.none") if score is None else f"{score:.0f} / 100", note, how="score"),),
        tables=tuple(tables),
        notes=(t("basis.facts", facts=f"{report.facts:,}", origin=t(f"origin.{report.origin}")), *found),
    )
