"""Sheets of an audit: stated beside corrected, and every finding in a row of its own, figures as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.case.unit_words import shown_value, unit_text
from roi_tracker.render.appraisal_addresses import address_text, with_names
from roi_tracker.render.appraisal_findings import summary
from roi_tracker.render.workbook_cells import MONEY

if TYPE_CHECKING:
    from roi_tracker.render.appraisal_findings import AuditView
    from roi_tracker.render.appraisal_wording import AppraisalWording
    from roi_tracker.render.workbook_cells import Book

_EXPLANATION = 10
_WRAPPED = 2
_STATED, _TIMES = "#,##0.0##", "0.0##"


def write_audit(book: Book, w: AppraisalWording, audit: AuditView) -> None:
    """The audit's three sheets; figures in the unit of the language."""
    _corrected(book, w, audit)
    _findings(book, w, audit)
    _unchecked(book, w, audit)


def _corrected(book: Book, w: AppraisalWording, audit: AuditView) -> None:
    sheet = book.sheet(w.t("audit.corrected"))
    heads = ("audit.figure", "audit.address", "assume.unit", "audit.plan", "audit.fixed")
    sheet.heads(0, [w.t(key) for key in heads])
    sheet.raw.freeze_panes(1, 1)
    for row, one in enumerate(audit.corrected, 1):
        for column, text in enumerate((address_text(w, one.id), one.id, unit_text(one.unit, w.language))):
            sheet.text(row, column, text)
        sheet.fixed(row, 3, shown_value(one.stated, one.unit, w.language), _STATED)
        sheet.fixed(row, 4, shown_value(one.corrected, one.unit, w.language), _STATED)


def _findings(book: Book, w: AppraisalWording, audit: AuditView) -> None:
    t, sheet = w.t, book.sheet(w.t("sheet.finding"))
    sheet.note(0, summary(w, audit))
    keys = ("figure", "where", "kind", "severity", "carries")
    sheet.heads(1, [t(f"audit.{key}") for key in keys])
    figures = (t("assume.unit"), *(t(f"audit.{key}") for key in ("stated", "recomputed", "ratio", "effect", "cause")))
    sheet.heads(1, [*figures, t("audit.address")], len(keys))
    sheet.raw.freeze_panes(2, 1)
    sheet.narrow(0, 36)
    sheet.narrow(1, 18)
    sheet.raw.print_area(0, 0, 1 + len(audit.findings), _EXPLANATION)  # the address is for machines
    for row, one in enumerate(audit.findings, 2):
        texts = (
            address_text(w, one.id),
            one.where or "",
            t(f"kind.{one.kind}"),
            t(f"score.{one.severity}"),
            t("decide.yes") if one.carried else "",
            unit_text(one.unit, w.language),
        )
        for column, text in enumerate(texts):
            sheet.text(row, column, text, wrap=column < _WRAPPED)
        stated, recomputed = (shown_value(value, one.unit, w.language) for value in (one.stated, one.recomputed))
        effect = None if one.npv_effect is None else w.axis(one.npv_effect)
        for column, (value, look) in enumerate(
            ((stated, _STATED), (recomputed, _STATED), (one.ratio, _TIMES), (effect, MONEY)), len(texts)
        ):
            sheet.fixed(row, column, value, look)
        reason = with_names(w, one.explanation_ko if w.language == "ko" else one.explanation_en)
        sheet.text(row, _EXPLANATION, reason, wrap=True)
        sheet.text(row, _EXPLANATION + 1, one.id)
    sheet.filter(1, _EXPLANATION + 1, 1 + len(audit.findings))


def _unchecked(book: Book, w: AppraisalWording, audit: AuditView) -> None:
    sheet = book.sheet(w.t("audit.cannot"))
    sheet.heads(0, [w.t("audit.figure"), w.t("audit.address"), w.t("audit.reason")])
    for row, one in enumerate(audit.unchecked, 1):
        sheet.text(row, 0, address_text(w, one.id))
        sheet.text(row, 1, one.id)
        sheet.text(row, 2, with_names(w, one.reason_ko if w.language == "ko" else one.reason_en), wrap=True)
