"""Page 1 of a report: headline, benefit lines with grade and baseline, the bridge, what may be cashed.

What stands here fits on one A4 page and on one wide screen, whatever the case; the rest of the report explains it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from roi_tracker.proof.proving import NotProven
from roi_tracker.render.content_blocks import Column, Fact, Section, Table
from roi_tracker.render.content_charts import Bar, Chart
from roi_tracker.render.report_ledger import changed_by_ledger

if TYPE_CHECKING:
    from roi_tracker.render.report_wording import ReportWording
    from roi_tracker.report.model import LineSection

MOST_EXPLAINED = 6
"""Benefit lines up to which page 1 says below each what it rests on."""
_FULL_SCORE = 100
_HASH_SHOWN = 12
"""Letters of a baseline hash on page 1; the whole one stands with what the figures rest on."""


def front_sections(w: ReportWording, *, portal: bool) -> tuple[Section, ...]:
    """Headline, lines, bridge, classes."""
    lines = lines_section(w, portal=portal) if explained(w) else _short_lines(w, portal=portal)
    return _head(w), _front(lines), _bridge(w), _classes(w)


def explained(w: ReportWording) -> bool:
    """Whether page 1 has room for what each line rests on."""
    return len(w.report.lines) <= MOST_EXPLAINED


def _front(section: Section) -> Section:
    return msgspec.structs.replace(section, front=True)


def _head(w: ReportWording) -> Section:
    t, real = w.t, w.report.realization
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
        quality_fact(w),
    )
    notes = [
        t("headline.lower_bound"),
        t(
            f"cost_basis.{real.cost_basis}",
            realized=w.money(real.realized.cost),
            projected=w.money(real.projected.cost),
        ),
    ]
    apart = real.total_if_independent
    if apart is not None and apart != total:
        notes.append(t("head.independent", low=w.money(apart.low), high=w.money(apart.high)))
    return Section("head", t("head.title"), facts=facts, notes=(*_frozen_later(w), *notes), front=True)


def _frozen_later(w: ReportWording) -> tuple[str, ...]:
    """A report dated before the freeze of what it rests on says that nobody had its figures on that day."""
    report = w.report
    frozen = [line.frozen_at.date() for line in report.realized if line.frozen_at is not None]
    later = max((day for day in frozen if day > report.generated_on), default=None)
    return () if later is None else (w.t("head.frozen_later", day=report.generated_on, frozen=later),)


def quality_fact(w: ReportWording) -> Fact:
    """The data-quality score with its weakest part."""
    t, quality = w.t, w.report.quality
    note = (
        t("basis.no_score")
        if quality.lowest is None
        else t("basis.lowest", part=t(f"quality_part.{quality.lowest}.name"))
    )
    if quality.score is not None and quality.score >= _FULL_SCORE:
        note = ""
    score = t("figure.none") if quality.score is None else f"{quality.score:.0f} / 100"
    return Fact(t("basis.score"), score, note, how="score")


def lines_section(w: ReportWording, *, portal: bool) -> Section:
    """Every benefit line in a row, and below it what it rests on."""
    details = tuple(_said_of(w, line) for line in w.report.lines)
    return Section("lines", w.t("lines.title"), tables=(_lines(w, details, portal=portal),), notes=(w.t("lines.note"),))


def _short_lines(w: ReportWording, *, portal: bool) -> Section:
    """A row a line; why the others are not proven is said once, below."""
    t = w.t
    reasons = [f"{w.name(one.name)} ({_briefly(w, one)})" for one in w.report.not_proven]
    notes = [t("lines.note"), *([t("lines.not_proven_are", lines="; ".join(reasons))] if reasons else [])]
    changed = [f"{w.name(one.name)}: {said}" for one in w.report.realized for said in changed_by_ledger(w, one)]
    notes += ["; ".join(changed)] if changed else []
    table = _lines(w, (), portal=portal)
    return Section("lines-short", t("lines.title"), tables=(table,), notes=tuple(notes))


def _lines(w: ReportWording, details: tuple[str, ...], *, portal: bool) -> Table:
    t, report = w.t, w.report
    columns = (
        Column(t("lines.line"), figures=False),
        Column(t("lines.projected"), how="band"),
        Column(t("lines.low"), how="benefit"),
        Column(t("lines.interval"), how="interval"),
        Column(t("lines.achievement"), how="achievement"),
        Column(t("lines.baseline"), figures=False),
        Column(t("lines.grade"), figures=False, how="grade"),
    )
    return Table(
        columns,
        tuple(_line(w, line) for line in report.lines),
        details=details,
        tones=tuple("warn" if isinstance(line.result.proof, NotProven) else "" for line in report.lines),
        links=tuple(
            f"/lines/{line.result.benefit_id}?lang={w.language}" if portal else f"#line-{line.result.benefit_id}"
            for line in report.lines
        ),
    )


def _line(w: ReportWording, line: LineSection) -> tuple[str, ...]:
    t, result, proof = w.t, line.result, line.result.proof
    held, none = result.shared or result.realized, t("figure.none")
    named, projected = w.name(line.name), w.plain(result.projected)
    frozen = w.baseline_hash(result.benefit_id)
    baseline = none if frozen is None else frozen[:_HASH_SHOWN]
    if isinstance(proof, NotProven) or held is None:
        return (named, projected, none, none, none, baseline, t("lines.not_proven"))
    interval = f"{w.plain(held.low)} \N{EN DASH} {w.plain(held.high)}"
    return (named, projected, w.plain(held.low), interval, w.percent(result.achievement), baseline, proof.basis.grade)


def _briefly(w: ReportWording, line: LineSection) -> str:
    """Why a line is not proven, in a few words."""
    t, proof = w.t, line.result.proof
    if isinstance(proof, NotProven) and proof.reason != "rules_failed":
        return t(f"brief.{proof.reason}")
    failed = proof.failed if isinstance(proof, NotProven) else ()
    return ", ".join(t(f"rule.{one.rule}.name") for one in failed) or t("brief.no_data")


def _said_of(w: ReportWording, line: LineSection) -> str:
    """Class, physical quantity, why this grade, and with whom it shares; or why it is not proven."""
    t, result = w.t, line.result
    proof = result.proof
    if isinstance(proof, NotProven):
        return f"{t(f'class.{line.benefit_class}')} \N{MIDDLE DOT} {w.why(proof)}"
    found = proof.estimate
    quantity = f"{w.quantity(found.avoided)} {w.physical(line)}"
    change = t("lines.change", share=w.percent(found.relative))
    parts = [t("lines.of", **{"class": t(f"class.{line.benefit_class}"), "quantity": quantity, "change": change})]
    parts.append(f"{proof.basis.grade}: " + ", ".join(t(f"grade_reason.{one}") for one in proof.basis.grade_reasons))
    parts.extend(changed_by_ledger(w, line))
    if result.shared_by and result.realized is not None and result.shared != result.realized:
        group = next(one for one in w.report.realization.groups if one.id == result.shared_by)
        others = ", ".join(w.line(one) for one in group.benefits if one != result.benefit_id)
        parts.append(t("lines.shared", low=w.money(result.realized.low), others=others))
    return " \N{MIDDLE DOT} ".join(parts)


def _bridge(w: ReportWording) -> Section:
    t, found = w.t, w.report.realization.bridge
    if found is None:
        return Section("bridge", t("bridge.title"), texts=(t("bridge.none"),), front=True)
    bars, at = [Bar(t("bridge.projected"), 0.0, w.axis(found.projected), w.plain(found.projected))], found.projected
    for effect in found.effects:
        after = at + effect.amount
        bars.append(Bar(t(f"factor.{effect.factor}"), w.axis(at), w.axis(after), w.signed(effect.amount)))
        at = after
    bars.append(Bar(t("bridge.realized"), 0.0, w.axis(found.realized), w.plain(found.realized)))
    chart = Chart("bridge", t("bridge.chart"), w.unit, tuple(bars))
    return Section("bridge", t("bridge.title"), charts=(chart,), front=True)


def _classes(w: ReportWording) -> Section:
    t = w.t
    heads = {"class": "", "lines": "", "projected": "", "low": "benefit", "interval": "interval", "grade": "grade"}
    rows = tuple(
        (
            t(f"class.{one.benefit_class}"),
            f"{one.lines}, {one.proven}",
            w.plain(one.projected),
            w.plain(one.low) if one.proven else t("figure.none"),
            f"{w.plain(one.low)} \N{EN DASH} {w.plain(one.high)}" if one.proven else t("figure.none"),
            ", ".join(one.grades) or t("figure.none"),
            t("classes.yes" if one.counted else "classes.no"),
        )
        for one in w.report.classes
    )
    texts = {"class", "grade"}
    columns = (
        *(Column(t(f"classes.{name}"), figures=name not in texts, how=how) for name, how in heads.items()),
        Column(t("classes.counted"), figures=False),
    )
    return Section(
        "classes", t("classes.title"), tables=(Table(columns, rows),), notes=(t("classes.note"),), front=True
    )
