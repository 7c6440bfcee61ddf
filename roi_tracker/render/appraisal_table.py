"""Every figure of a case as CSV: address, value in its base unit, and why where there is none."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from roi_tracker.appraisal.figures import figures

if TYPE_CHECKING:
    from roi_tracker.audit.document import AuditDocument
    from roi_tracker.business_case import BusinessCase

_DANGEROUS = frozenset("=+-@\t\r")
_BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads Korean as another encoding."""


def render_appraisal_csv(case: BusinessCase) -> str:
    """One row a figure; money in the currency itself, ratios as ratios."""
    rows: list[tuple[str, ...]] = [
        (address, "" if one.value is None else f"{one.value:f}", _unit(one.kind, case.currency), one.reason)
        for address, one in figures(case).items()
    ]
    return _csv(("address", "value", "unit", "reason"), rows)


def render_audit_csv(document: AuditDocument) -> str:
    """One row a finding."""
    heads = ("address", "kind", "stated", "recomputed", "ratio", "unit", "cause", "severity", "npv_effect", "ko", "en")
    rows = [
        (
            one.id,
            one.kind,
            *("" if value is None else repr(value) for value in (one.stated, one.recomputed, one.ratio)),
            one.unit,
            one.cause,
            one.severity,
            "" if one.npv_effect is None else repr(one.npv_effect),
            one.explanation.ko,
            one.explanation.en,
        )
        for one in (*document.findings, *document.cannot_check)
    ]
    return _csv(heads, rows)


def _unit(kind: str, currency: str) -> str:
    return currency if kind == "money" else kind


def _csv(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    target = io.StringIO()
    target.write(_BYTE_ORDER_MARK)
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows(tuple(_harmless(cell) for cell in row) for row in rows)
    return target.getvalue()


def _harmless(cell: str) -> str:
    """A text that a spreadsheet would run is quoted; numbers stay numbers.

    >>> _harmless("=1+1"), _harmless("-3.5")
    ("'=1+1", '-3.5')
    """
    if not cell or cell[0] not in _DANGEROUS:
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
