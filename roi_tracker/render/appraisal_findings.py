"""Findings of an audit as sections: what the plan states, what its inputs give, why, and the corrected case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from roi_tracker.case.stated import split_address
from roi_tracker.case.unit_words import bare_text, unit_text
from roi_tracker.render.appraisal_addresses import address_text, with_names
from roi_tracker.render.content_blocks import Column, Section, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from roi_tracker.render.appraisal_wording import AppraisalWording

_HEADS = ("audit.stated", "audit.recomputed", "audit.ratio", "audit.effect")
_WITHOUT_UNIT = frozenset({"", "ratio", "%"})


class FindingView(msgspec.Struct, frozen=True):
    """One finding as the document shows it; figures in `unit`, the one they are stated in.

    Attributes:
        where: place in the plan.
        npv_effect: in the case's display unit.
        carried: the figure only carries on an error that begins at another one.
    """

    id: str
    where: str | None
    kind: str
    unit: str
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


class BesideView(msgspec.Struct, frozen=True):
    """A headline figure as printed and as its inputs give it; None where they give none."""

    id: str
    unit: str
    stated: float
    corrected: float | None


class AuditView(msgspec.Struct, frozen=True):
    """An audit as the document shows it."""

    findings: tuple[FindingView, ...]
    consistent: int
    unchecked: tuple[UncheckedView, ...]
    corrected: tuple[BesideView, ...] = ()

    def printed(self, address: str) -> BesideView | None:
        """A headline figure of the plan; None where it prints none."""
        return next((one for one in self.corrected if one.id == address), None)


def findings_sections(w: AppraisalWording, audit: AuditView) -> tuple[Section, ...]:
    """The audit's sections: stated beside corrected, the findings, what cannot be checked."""
    t = w.t
    sections = []
    if audit.corrected:
        heads = (Column(t("audit.figure"), figures=False), Column(t("audit.plan")), Column(t("audit.fixed")))
        rows = tuple(
            (
                _with_unit(w, address_text(w, one.id), one.unit),
                bare_text(one.stated, one.unit, w.language),
                bare_text(one.corrected, one.unit, w.language),
            )
            for one in audit.corrected
        )
        sections.append(Section("corrected", t("audit.corrected"), tables=(Table(heads, rows),)))
    sections.append(_findings(w, audit))
    if audit.unchecked:
        unchecked = tuple(
            (address_text(w, one.id), with_names(w, one.reason_ko if w.language == "ko" else one.reason_en))
            for one in audit.unchecked
        )
        texts = (Column(t("audit.figure"), figures=False), Column(t("audit.reason"), figures=False))
        sections.append(Section("unchecked", t("audit.cannot"), tables=(Table(texts, unchecked),)))
    return tuple(sections)


def summary(w: AppraisalWording, audit: AuditView) -> str:
    """How many findings of each kind."""
    kinds = [one.kind for one in audit.findings]
    return w.t(
        "audit.summary",
        errors=kinds.count("recomputable_error"),
        contradictions=kinds.count("contradiction"),
        unused=kinds.count("declared_unused"),
        cannot=len(audit.unchecked),
        consistent=audit.consistent,
    )


def _findings(w: AppraisalWording, audit: AuditView) -> Section:
    t, figures = w.t, tuple(Column(w.t(key)) for key in _HEADS)
    parts: dict[str, list[FindingView]] = {}
    for one in audit.findings:
        key = "audit.follows" if one.carried else f"audit.{one.kind}"
        parts.setdefault(key, []).append(one)
    order = ("audit.recomputable_error", "audit.contradiction", "audit.declared_unused", "audit.follows")
    tables = tuple(
        Table(
            (Column(t(key), figures=False), *figures),
            tuple(_row(w, group) for group in groups),
            details=tuple(_reason(w, group) for group in groups),
        )
        for key in order
        if key in parts
        for groups in [grouped(parts[key])]
    )
    notes = (t("audit.each"),) if tables else (t("audit.clean"),)
    return Section("findings", t("audit.title"), texts=(summary(w, audit),), tables=tables, notes=notes)


def grouped(findings: Iterable[FindingView]) -> list[list[FindingView]]:
    """Findings that differ in their year only, or in where the same figure is printed, together; in order."""
    groups: list[list[FindingView]] = []
    for one in findings:
        if groups and _alike(groups[-1][-1], one):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _alike(one: FindingView, other: FindingView) -> bool:
    same_cause = (one.cause, one.kind, one.unit) == (other.cause, other.kind, other.unit)
    (name, index), (other_name, _) = split_address(one.id), split_address(other.id)
    printed_again = one.id == other.id and one.stated == other.stated and one.recomputed == other.recomputed
    next_year = name == other_name and one.id != other.id and index is not None and one.where == other.where
    return same_cause and (printed_again or next_year)


def _row(w: AppraisalWording, group: Sequence[FindingView]) -> tuple[str, ...]:
    first, last = group[0], group[-1]
    name = address_text(w, first.id)
    if first.id != last.id:
        name = f"{address_text(w, split_address(first.id)[0])} {_years(group)}"
    places = list(dict.fromkeys(one.where for one in group if one.where is not None))
    if places:
        name = f"{name} ({', '.join(places)})"
    return (
        _with_unit(w, name, first.unit),
        _ends([bare_text(one.stated, one.unit, w.language) for one in group]),
        _ends([bare_text(one.recomputed, one.unit, w.language) for one in group]),
        _ends(["\N{EN DASH}" if one.ratio is None else w.times(one.ratio) for one in group]),
        _ends([w.signed(one.npv_effect) for one in group]),
    )


def _years(group: Sequence[FindingView]) -> str:
    return f"{split_address(group[0].id)[1]}\N{EN DASH}{split_address(group[-1].id)[1]}"


def _reason(w: AppraisalWording, group: Sequence[FindingView]) -> str:
    first = group[0]
    text = with_names(w, first.explanation_ko if w.language == "ko" else first.explanation_en)
    if first.id == group[-1].id:
        return text
    return f"{split_address(first.id)[1]}: {text} {w.t('audit.alike', count=len(group) - 1)}"


def _ends(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else f"{texts[0]} \N{HORIZONTAL ELLIPSIS} {texts[-1]}"


def _with_unit(w: AppraisalWording, name: str, unit: str) -> str:
    return name if unit in _WITHOUT_UNIT else f"{name} \N{MIDDLE DOT} {unit_text(unit, w.language)}"
