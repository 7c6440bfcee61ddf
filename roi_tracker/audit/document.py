"""JSON document that `roi-tracker audit` prints: findings, and the corrected case appraised beside the stated one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from roi_tracker.audit.auditing import audit
from roi_tracker.audit.correction import corrected_case
from roi_tracker.audit.findings import Audit, Beside, Consistent, Finding
from roi_tracker.documents import AppraisalDocument, appraisal_document
from roi_tracker.money import UNIT_FACTORS

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase


class AuditDocument(msgspec.Struct, frozen=True):
    """What `roi-tracker audit CASE --json` prints. Money in multiples of `unit`, as the plan prints it.

    Attributes:
        counts: findings by kind.
        corrected: the appraisal of the case's inputs, in the shape that `appraise` prints.
        beside: headline figures as printed and as corrected.
    """

    case: str
    currency: str
    unit: float
    counts: dict[str, int]
    findings: tuple[Finding, ...]
    consistent: tuple[Consistent, ...]
    cannot_check: tuple[Finding, ...]
    beside: tuple[Beside, ...]
    corrected: AppraisalDocument


def audit_document(
    case: BusinessCase, found: Audit | None = None, corrected: BusinessCase | None = None
) -> AuditDocument:
    """Audit a case and appraise it corrected.

    Args:
        case: the plan.
        found: its audit, where it is known already.
        corrected: the plan as its inputs give it, where it is known already.

    Raises:
        CaseError: a formula cannot be computed.
    """
    result = found or audit(case)
    counts: dict[str, int] = {}
    for one in (*result.findings, *result.cannot_check):
        counts[one.kind] = counts.get(one.kind, 0) + 1
    return AuditDocument(
        case=case.id,
        currency=case.currency,
        unit=float(UNIT_FACTORS[case.display_unit]),
        counts=counts,
        findings=result.findings,
        consistent=result.consistent,
        cannot_check=result.cannot_check,
        beside=result.beside,
        corrected=appraisal_document(corrected_case(case) if corrected is None else corrected),
    )
