"""What stands behind a report: data sources, benchmarks, qualitative scores, formulas, inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.render.content_blocks import Column, Section, Table

if TYPE_CHECKING:
    from decimal import Decimal

    from roi_tracker.render.report_wording import ReportWording

COMPUTED: tuple[str, ...] = (
    "benefit",
    "achievement",
    "roi",
    "npv",
    "payback",
    "quantity",
    "interval",
    "grade",
    "band",
    "bridge",
    "harm",
    "forecast",
    "mde",
    "score",
    "gate",
    "kpi",
)
"""Figures whose computation is told."""


def background_sections(w: ReportWording) -> tuple[Section, ...]:
    """Sources, benchmarks, scores, formulas, inputs."""
    return _sources(w), _benchmarks(w), _scores(w), how_section(w), _inputs(w)


def _columns(w: ReportWording, group: str, names: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(Column(w.t(f"{group}.{name}"), figures=False) for name in names)


def _sources(w: ReportWording) -> Section:
    t, report = w.t, w.report
    if not report.sources:
        return Section("sources", t("sources.title"), texts=(t("gap.no_sources"),))
    rows = tuple(
        (
            w.name(one.what),
            one.where,
            one.owner,
            t("figure.none") if one.quality is None else t(f"score.{one.quality}"),
            one.gaps or t("figure.none"),
        )
        for one in report.sources
    )
    columns = _columns(w, "sources", ("what", "where", "owner", "quality", "gaps"))
    return Section("sources", t("sources.title"), tables=(Table(columns, rows),))


def _benchmarks(w: ReportWording) -> Section:
    t, report = w.t, w.report
    if not report.benchmarks:
        return Section("benchmarks", t("benchmarks.title"), texts=(t("gap.no_benchmarks"),))

    def shown(value: Decimal | None) -> str:
        return t("figure.none") if value is None else f"{value:,f}"

    rows = tuple(
        (
            f"{w.name(one.name)} ({one.unit})",
            shown(one.company),
            shown(one.industry),
            shown(one.leader),
            one.source if one.published is None else f"{one.source}, {one.published}",
        )
        for one in report.benchmarks
    )
    columns = tuple(
        Column(t(f"benchmarks.{name}"), figures=name in {"company", "industry", "leader"})
        for name in ("name", "company", "industry", "leader", "source")
    )
    return Section("benchmarks", t("benchmarks.title"), tables=(Table(columns, rows),))


def _scores(w: ReportWording) -> Section:
    t, scores = w.t, w.report.board.scores
    if not scores:
        return Section("scores", t("scores.title"), texts=(t("gap.no_scores"),))
    rows = tuple(
        (t(f"survey.{one.subject}"), t(f"score.{one.score}"), w.either(one.reason_ko, one.reason_en), one.by)
        for one in scores
    )
    columns = _columns(w, "scores", ("subject", "score", "reason", "by"))
    return Section("scores", t("scores.title"), tables=(Table(columns, rows),))


def how_section(w: ReportWording) -> Section:
    """The formula of every figure; each row has an id that figures link to."""
    t = w.t
    rows = tuple((t(f"how.{name}.name"), t(f"how.{name}.text"), t(f"how.{name}.source")) for name in COMPUTED)
    table = Table(
        _columns(w, "how", ("figure", "formula", "source")), rows, anchors=tuple(f"how-{name}" for name in COMPUTED)
    )
    return Section("how", t("how.title"), tables=(table,))


def input_rows(w: ReportWording) -> tuple[tuple[str, str], ...]:
    """What the report was made from, by name."""
    t, inputs = w.t, w.report.inputs
    return (
        (t("inputs.case"), inputs.case_sha256 or t("inputs.unsaved")),
        (t("inputs.facts"), f"{inputs.fact_watermark:,}"),
        (t("inputs.facts_head"), inputs.facts_head),
        *((t("inputs.baseline", line=w.line(one.benefit_id)), one.sha256) for one in inputs.baselines),
        (t("inputs.ledger"), inputs.ledger_head),
        (t("inputs.software"), f"lineproof {inputs.software}"),
    )


def _inputs(w: ReportWording) -> Section:
    t = w.t
    table = Table(_columns(w, "inputs", ("name", "value")), input_rows(w))
    return Section("inputs", t("inputs.title"), tables=(table,), notes=(t("inputs.note"),))
