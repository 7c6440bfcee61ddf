"""Findings of an audit as sections: what the plan states, what its inputs give, why, and the corrected case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from roi_tracker.render.appraisal_blocks import Column, Fact, Section, Table, Tone

if TYPE_CHECKING:
    from roi_tracker.render.appraisal_wording import AppraisalWording


class FindingView(msgspec.Struct, frozen=True):
    """One finding as the document shows it; figures in the unit they are stated in.

    `carried`: the figure only carries on an error that begins at another one.
    """

    id: str
    kind: str
    stated: float | None
    recomputed: float | None
    ratio: float | None
    cause: str
    severity: str
    npv_effect: float | None
    explanation_ko: str
    explanation_en: str
    carried: bool


class UncheckedView(msgspec.Struct, frozen=True):
    """A stated figure that nothing in the case can confirm."""

    id: str
    reason_ko: str
    reason_en: str


class AuditView(msgspec.Struct, frozen=True):
    """An audit as the document shows it.

    Attributes:
        corrected: figures of the corrected case beside the stated ones: address, stated, corrected.
    """

    findings: tuple[FindingView, ...]
    consistent: int
    unchecked: tuple[UncheckedView, ...]
    corrected: tuple[tuple[str, float | None, float | None], ...] = ()


def findings_sections(w: AppraisalWording, audit: AuditView) -> tuple[Section, ...]:
    """The audit's sections: summary with all findings, what cannot be checked, stated beside corrected."""
    t = w.t
    count = {kind: sum(one.kind == kind for one in audit.findings) for kind in (one.kind for one in audit.findings)}
    errors = count.get("recomputable_error", 0)
    tone: Tone = "bad" if errors else "good"
    summary = t(
        "audit.summary",
        errors=errors,
        contradictions=count.get("contradiction", 0),
        unused=count.get("declared_unused", 0),
        cannot=len(audit.unchecked),
        consistent=audit.consistent,
    )
    heads = ("audit.figure", "audit.stated", "audit.recomputed", "audit.ratio", "audit.effect", "audit.cause")
    figures = frozenset({"audit.stated", "audit.recomputed", "audit.ratio", "audit.effect"})
    columns = tuple(Column(t(key), figures=key in figures) for key in heads)
    parts: dict[str, list[tuple[str, ...]]] = {"audit.begins": [], "audit.follows": []}
    for one in audit.findings:
        parts["audit.follows" if one.carried else "audit.begins"].append(_row(w, one))
    tables = tuple(
        Table((Column(t(key), figures=False), *columns[1:]), tuple(rows)) for key, rows in parts.items() if rows
    )
    sections = [Section("findings", t("audit.title"), texts=(summary,), tables=tables)]
    if audit.corrected:
        sections.append(
            Section(
                "corrected",
                t("audit.corrected"),
                facts=() if tables else (Fact(t("audit.title"), "0", tone=tone),),
                tables=(
                    Table(
                        (
                            Column(t("audit.figure"), figures=False),
                            Column(t("audit.plan")),
                            Column(t("audit.fixed")),
                        ),
                        tuple((name, _number(w, old), _number(w, new)) for name, old, new in audit.corrected),
                    ),
                ),
            )
        )
    if audit.unchecked:
        unchecked = tuple((one.id, one.reason_ko if w.language == "ko" else one.reason_en) for one in audit.unchecked)
        heads_open = (Column(t("audit.figure"), figures=False), Column(t("audit.reason"), figures=False))
        sections.append(Section("unchecked", t("audit.cannot"), tables=(Table(heads_open, unchecked),)))
    return tuple(sections)


def _row(w: AppraisalWording, one: FindingView) -> tuple[str, ...]:
    return (
        one.id,
        _number(w, one.stated),
        _number(w, one.recomputed),
        _number(w, one.ratio),
        w.signed(one.npv_effect),
        one.explanation_ko if w.language == "ko" else one.explanation_en,
    )


def _number(w: AppraisalWording, value: float | None) -> str:
    return w.t("figure.none") if value is None else w.number(value)
