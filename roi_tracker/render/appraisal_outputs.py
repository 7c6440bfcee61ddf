"""One appraisal or audit in any of its formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from roi_tracker.render.appraisal_content import appraisal_content
from roi_tracker.render.appraisal_findings import AuditView, BesideView, FindingView, UncheckedView

if TYPE_CHECKING:
    from datetime import date

    from roi_tracker.audit.document import AuditDocument
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.documents import AppraisalDocument
    from roi_tracker.money import Language

OutputFormat = Literal["html", "pdf", "xlsx", "csv", "json"]


def render_appraisal(
    case: BusinessCase, document: AppraisalDocument, output: OutputFormat, language: Language, as_of: date
) -> bytes:
    """The appraisal as a file's bytes.

    Raises:
        CaseError: a text or formula does not fit the format; the message says which.
    """
    if output == "csv":
        from roi_tracker.render.appraisal_table import render_appraisal_csv  # noqa: PLC0415 - one format, one library

        return render_appraisal_csv(case).encode()
    if output == "json":
        from roi_tracker.documents import encode_document  # noqa: PLC0415 - one format, one library

        return encode_document(document) + b"\n"
    return _laid_out(case, document, output, (language, as_of), None)


def render_audit(
    case: BusinessCase,
    corrected: BusinessCase,
    document: AuditDocument,
    output: OutputFormat,
    when: tuple[Language, date],
) -> bytes:
    """The audit as a file's bytes: findings first, then the appraisal of the corrected case.

    Args:
        case: the plan as stated.
        corrected: what its inputs give.
        document: the audit.
        output: format.
        when: language, and date of the document.
    """
    if output == "csv":
        from roi_tracker.render.appraisal_table import render_audit_csv  # noqa: PLC0415 - one format, one library

        return render_audit_csv(document).encode()
    if output == "json":
        from roi_tracker.documents import encode_document  # noqa: PLC0415 - one format, one library

        return encode_document(document) + b"\n"
    shown = corrected.model_copy(update={"name": case.name})
    return _laid_out(shown, document.corrected, output, when, audit_view(document))


def _laid_out(
    case: BusinessCase,
    document: AppraisalDocument,
    output: OutputFormat,
    when: tuple[Language, date],
    audit: AuditView | None,
) -> bytes:
    if output == "xlsx":
        from roi_tracker.render.appraisal_workbook import render_appraisal_workbook  # noqa: PLC0415 - one format, one library

        return render_appraisal_workbook(case, document, *when, audit)
    content = appraisal_content(case, document, *when, audit)
    if output == "pdf":
        from roi_tracker.render.content_pdf import render_content_pdf  # noqa: PLC0415 - one format, one library

        return render_content_pdf(content)
    from roi_tracker.render.content_page import render_content_page  # noqa: PLC0415 - one format, one library

    return render_content_page(content).encode()


def audit_view(document: AuditDocument) -> AuditView:
    """An audit's document as the pages show it."""
    return AuditView(
        findings=tuple(
            FindingView(
                id=one.id,
                where=one.where,
                kind=one.kind,
                unit=one.unit,
                stated=one.stated,
                recomputed=one.recomputed,
                ratio=one.ratio,
                cause=one.cause,
                severity=one.severity,
                npv_effect=one.npv_effect,
                explanation_ko=one.explanation.ko,
                explanation_en=one.explanation.en,
                carried=bool(one.follows_from),
            )
            for one in document.findings
        ),
        consistent=len(document.consistent),
        unchecked=tuple(UncheckedView(one.id, one.explanation.ko, one.explanation.en) for one in document.cannot_check),
        corrected=tuple(BesideView(one.id, one.unit, one.stated, one.corrected) for one in document.beside),
    )
