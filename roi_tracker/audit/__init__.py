"""Audit of a plan: what it prints, recomputed from its own inputs; see docs/report/audit.md."""

from __future__ import annotations

from roi_tracker.audit.auditing import audit
from roi_tracker.audit.correction import corrected_case
from roi_tracker.audit.findings import Audit, Beside, Cause, Consistent, Explanation, Finding, FindingKind

__all__ = [
    "Audit",
    "Beside",
    "Cause",
    "Consistent",
    "Explanation",
    "Finding",
    "FindingKind",
    "audit",
    "corrected_case",
]
