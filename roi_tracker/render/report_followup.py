"""What is followed up: stage gates, the weekly KPI board with its reviews, what a pilot could show, claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.render.board_text import before_text, behind_texts
from roi_tracker.render.content_blocks import Column, Section, Table
from roi_tracker.render.content_charts import Chart, Spark
from roi_tracker.render.review_text import review_texts
from roi_tracker.render.rule_text import criterion_sentence
from roi_tracker.render.store_text import claim_sentence

if TYPE_CHECKING:
    from roi_tracker.baseline.detectability import Detectability
    from roi_tracker.realization.board import BoardEntry, ReviewPage
    from roi_tracker.realization.gates import ConditionResult, GateResult
    from roi_tracker.render.content_blocks import Tone
    from roi_tracker.render.report_wording import ReportWording

_GATE_TONES: dict[str, Tone] = {"passed": "good", "failed": "bad", "not_yet": "", "not_proven": "warn"}
_KPI_TONES: dict[str, Tone] = {
    "on_target": "good",
    "off_target": "bad",
    "not_measured": "warn",
    "unknown_source": "warn",
}
_CRITERION_MARKS = {"met": "ok", "undecided": "warn", "not_measured": "warn", "not_met": "bad"}
_MARK_TONES: dict[str, Tone] = {"ok": "good", "warn": "warn", "bad": "bad"}
_RATIOS = frozenset({"roi", "achievement", "probability_npv_positive", "reduction"})
_DASH = " \N{EN DASH} "


def followup_sections(w: ReportWording) -> tuple[Section, ...]:
    """Gates, board, pilot, claims."""
    return _gates(w), _board(w), _pilot(w), _claims(w)


def _heads(w: ReportWording, group: str, texts: tuple[str, ...], how: str = "") -> tuple[Column, ...]:
    return tuple(
        Column(w.t(f"{group}.{name}"), figures=False, how=how if not index else "") for index, name in enumerate(texts)
    )


def _gates(w: ReportWording) -> Section:
    t, gates = w.t, w.report.realization.gates
    if not gates:
        return Section("gates", t("gates.title"), texts=(t("gap.no_gates"),))
    rows, details = [], []
    for gate in gates:
        due = t("gates.unknown_day", when=gate.when) if gate.due is None else gate.due.isoformat()
        rows.append((w.either(gate.name_ko, gate.name_en), due, t(f"gate.{gate.state}")))
        details.append(_gate_detail(w, gate))
    table = Table(
        _heads(w, "gates", ("gate", "due", "state"), "gate"),
        tuple(rows),
        details=tuple(details),
        tones=tuple(_GATE_TONES[gate.state] for gate in gates),
    )
    return Section("gates", t("gates.title"), tables=(table,))


def _gate_detail(w: ReportWording, gate: GateResult) -> str:
    t = w.t
    parts = [f"{w.either(gate.condition_ko, gate.condition_en)}.", t(f"gate_reason.{gate.reason}")]
    parts += [_condition(w, one) + "." for one in gate.conditions]
    decided = gate.decision
    if decided is None:
        parts.append(t("gates.undecided"))
    else:
        answer = t(f"gate_answer.{decided.answer}")
        parts.append(t("gates.decision", answer=answer, by=decided.decided_by, reason=decided.reason))
    return " ".join(parts)


def _condition(w: ReportWording, one: ConditionResult) -> str:
    t = w.t

    def shown(value: float) -> str:
        return w.percent(value) if one.figure in _RATIOS else w.stated(value)

    measured = t("gates.not_measured")
    if one.measured is not None:
        found = one.measured
        measured = t("gates.interval", value=shown(found.value), low=shown(found.low), high=shown(found.high))
    return t(
        "gates.condition",
        figure=t(f"gate_figure.{one.figure}"),
        benefit=f" {w.line(one.benefit)}" if one.benefit else "",
        operator={">=": "\N{GREATER-THAN OR EQUAL TO}", "<=": "\N{LESS-THAN OR EQUAL TO}"}.get(
            one.operator, one.operator
        ),
        wanted=shown(one.wanted),
        measured=measured,
    )


def _board(w: ReportWording) -> Section:
    t, board = w.t, w.report.board
    if not board.entries:
        return Section("board", t("kpi.title"), texts=(t("gap.no_board"),))
    sparks = tuple(
        Spark(
            w.either(one.name_ko, one.name_en),
            tuple(point.value for point in one.weeks),
            one.target,
            t("kpi.shown", actual=w.figure(one.actual), target=w.figure(one.target), unit=one.unit),
        )
        for one in board.entries
    )
    rows = tuple(_kpi(w, one) for one in board.entries)
    details = tuple(
        " ".join(
            (
                t(
                    "kpi.owner",
                    owner=one.owner,
                    action=w.either(one.action_ko, one.action_en) or t("board.no_action"),
                    basis=t(f"kpi_basis.{one.basis}"),
                ),
                before_text(one, t, w.figure(one.before.value)) + ".",
                *behind_texts(one, t),
            )
        )
        for one in board.entries
    )
    heads = ("name", "axis", "week", "actual", "target", "before", "trend", "state")
    columns = tuple(
        Column(t(f"kpi.{name}"), figures=name in {"actual", "target", "before"}, how="kpi" if name == "actual" else "")
        for name in heads
    )
    table = Table(columns, rows, details=details, tones=tuple(_KPI_TONES[one.state] for one in board.entries))
    units = {one.id: one for one in board.entries}
    newest = [_review(w, page, units) for page in board.reviews[-1:]]
    older = [_review(w, page, units, folded=True) for page in reversed(board.reviews[:-1])]
    empty = ", ".join(t(f"axis.{axis}") for axis in board.empty_axes)
    return Section(
        "board",
        t("kpi.title"),
        charts=(Chart("sparks", t("kpi.chart"), "", sparks=sparks),),
        tables=(table, *newest, *older),
        notes=(t("board.empty_axis", axes=empty),) if empty else (),
    )


def _kpi(w: ReportWording, one: BoardEntry) -> tuple[str, ...]:
    t = w.t
    return (
        w.either(one.name_ko, one.name_en),
        t(f"axis.{one.axis}"),
        one.week.isoformat() if one.week else t("figure.none"),
        f"{w.figure(one.actual)} {one.unit}",
        f"{w.figure(one.target)} {one.unit}",
        w.figure(one.before.value),
        t(f"trend.{one.trend}"),
        t(f"kpi_state.{one.state}"),
    )


def _review(w: ReportWording, page: ReviewPage, units: dict[str, BoardEntry], *, folded: bool = False) -> Table:
    t = w.t
    rows, details = [], []
    for row in page.rows:
        entry, found = units[row.kpi_id], row.evidence
        rows.append(
            (
                w.either(entry.name_ko, entry.name_en),
                w.either(row.hypothesis_ko, row.hypothesis_en) or t("board.no_hypothesis"),
                w.either(row.action_ko, row.action_en) or t("board.no_action"),
                f"{w.figure(found.previous)} \N{RIGHTWARDS ARROW} {w.figure(found.value)} {entry.unit}",
            )
        )
        details.append(" ".join(review_texts(page, row, entry, t)))
    caption = t("kpi.reviews", number=page.number, first=page.first, last=page.last)
    columns = _heads(w, "kpi", ("name", "hypothesis", "action", "evidence"))
    return Table(columns, tuple(rows), details=tuple(details), caption=caption, folded=folded)


def _pilot(w: ReportWording) -> Section:
    t, report = w.t, w.report
    tables: list[Table] = []
    if report.prospects:
        tables.append(_prospects(w))
    texts: list[str] = [] if report.prospects else [t("prospect.none")]
    notes = [t("prospect.note")] if report.prospects else []
    found = report.pilot
    if found is None:
        notes.append(t("gap.no_pilot"))
    else:
        where = t("pilot.title", weeks=found.weeks, first=found.first, last=found.last, as_of=found.as_of)
        texts += [t(f"pilot_answer.{found.answer}"), f"{where} {t(f'pilot_phase.{found.phase}')}"]
        for caption, results in (("start", found.start), ("stop", found.stop)):
            if results:
                marks = [_CRITERION_MARKS[one.state] for one in results]
                rows = tuple(
                    (t(f"criterion.{one.criterion}.name"), criterion_sentence(one, t), t(f"mark.{mark}"))
                    for one, mark in zip(results, marks, strict=True)
                )
                columns = (*_heads(w, "prospect", ("criteria", "finding")), Column("", figures=False))
                tones = tuple(_MARK_TONES[mark] for mark in marks)
                tables.append(Table(columns, rows, caption=t(f"pilot.{caption}"), tones=tones))
    return Section("pilot", t("prospect.title"), texts=tuple(texts), tables=tuple(tables), notes=tuple(notes))


def _prospects(w: ReportWording) -> Table:
    t = w.t
    units = {line.result.benefit_id: w.physical(line) for line in w.report.lines}

    def row(one: Detectability) -> tuple[str, ...]:
        point, unit = one.pilot, units[one.benefit_id]
        figures = (point.closing, point.anytime, point.projected)
        weeks = [t("power.never") if n is None else f"{n}" for n in (one.weeks_closing, one.weeks_anytime)]
        return (
            w.line(one.benefit_id),
            f"{point.weeks}, {point.days}",
            *(t("figure.none") if value is None else f"{w.quantity(value)} {unit}" for value in figures),
            t("prospect.both", closing=weeks[0], anytime=weeks[1]),
        )

    heads = ("line", "weeks", "closing", "anytime", "projected", "needed")
    columns = tuple(
        Column(t(f"prospect.{name}"), figures=name != "line", how="mde" if name == "closing" else "") for name in heads
    )
    return Table(columns, tuple(row(one) for one in w.report.prospects))


def _claims(w: ReportWording) -> Section:
    t, report = w.t, w.report
    tables: list[Table] = []
    groups = report.realization.groups
    if groups:
        rows = tuple(
            (
                ", ".join(w.line(name) for name in group.benefits),
                t(f"share_rule.{group.rule}"),
                f"{t(f'overlap.{group.overlap}')}: {group.reason}"
                if group.overlap == "declared"
                else t(f"overlap.{group.overlap}"),
            )
            for group in groups
        )
        tables.append(Table(_heads(w, "claims", ("group", "rule", "why")), rows))
    if report.claim_states:
        claimed = tuple(
            (
                one.claim.statement,
                w.line(one.claim.benefit_id),
                f"{one.claim.first}{_DASH}{one.claim.last}",
                f"{len(one.claim.evidence):,}",
                claim_sentence(one, t.language),
            )
            for one in report.claim_states
        )
        columns = (
            *_heads(w, "claims", ("claim", "line", "period")),
            Column(t("claims.events")),
            Column(t("claims.evidence"), figures=False),
        )
        tables.append(Table(columns, claimed))
    if report.joint.total:
        tables.append(_joint(w))
    texts = () if tables else (t("claims.none"),)
    counted = {one.likely_cause: one.losses for one in report.joint.causes}
    causes = "; ".join(f"{t(f'likely_cause.{cause}')}: {count:,}" for cause, count in counted.items())
    figures = {"losses": f"{report.joint.total:,}", "events": f"{report.joint.events:,}", "causes": causes}
    notes = (t("joint.note", **figures),) if report.joint.total else (t("joint.none"),)
    return Section("claims", t("claims.title"), texts=texts, tables=tuple(tables), notes=notes)


def _joint(w: ReportWording) -> Table:
    """The newest losses that several events tell of."""
    t = w.t
    rows = tuple(
        (
            f"{one.first:%Y-%m-%d %H:%M}",
            one.line,
            t("joint.events", parts=len(one.inspections), alarms=len(one.alarms)),
            t(f"likely_cause.{one.likely_cause}"),
        )
        for one in w.report.joint.newest
    )
    return Table(_heads(w, "joint", ("at", "line", "told_by", "cause")), rows, caption=t("joint.title"))
