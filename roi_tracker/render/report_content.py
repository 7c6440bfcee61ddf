"""A report laid out as sections in one language: what page and PDF both show. Page 1 first."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from roi_tracker.proof.proving import NotProven
from roi_tracker.realization.realized import SCENARIO_BANDS
from roi_tracker.render.content_blocks import Column, Content, Section, Table
from roi_tracker.render.content_charts import Chart, Layer
from roi_tracker.render.report_background import background_sections
from roi_tracker.render.report_followup import followup_sections
from roi_tracker.render.report_front import explained, front_sections, lines_section, quality_fact
from roi_tracker.render.report_lines import line_section
from roi_tracker.render.report_money import money_sections
from roi_tracker.render.report_wording import ReportWording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.money import Language
    from roi_tracker.report.model import Report

_DAYS_A_WEEK = 7
_MOST_YEARS_AHEAD = 10
_CURED_BY_TIME = frozenset({"effect_detectable", "minimum_length"})
"""Failed rules that more measured days alone can mend."""


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
        *front_sections(w, portal=portal),
        _curve(w),
        *(() if explained(w) else (lines_section(w, portal=portal),)),
        _bridge_lines(w),
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


def _bridge_lines(w: ReportWording) -> Section:
    """The bridge taken apart by benefit line."""
    t, found = w.t, w.report.realization.bridge
    if found is None:
        return Section("bridge-lines", t("bridge.by_line"))
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
        "bridge-lines",
        t("bridge.by_line"),
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
            w.baseline_hash(line.result.benefit_id) or "-",
        )
        for line in report.lines
    )
    hashes = Table(tuple(Column(t(f"basis.{name}"), figures=False) for name in ("line", "frozen", "hash")), rows)
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
        facts=(quality_fact(w),),
        tables=tuple(tables),
        notes=(t("basis.facts", facts=f"{report.facts:,}", origin=t(f"origin.{report.origin}")), *found),
    )
