"""What the ledger changed of a benefit line and what it may not: unit values and signed adjustments, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.proof.proving import Realized

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.ledger.books import SignedValue
    from roi_tracker.render.report_wording import ReportWording
    from roi_tracker.report.model import LineSection

_HASH_SHOWN = 12


def changed_by_ledger(w: ReportWording, line: LineSection) -> Iterator[str]:
    """For page 1: the quantity before and after signed adjustments, and another unit value than the case's."""
    t, result = w.t, line.result
    if not isinstance(result.proof, Realized):
        return
    found = result.proof.estimate
    if result.adjusted_units:
        added = float(result.adjusted_units)
        yield t(
            "lines.adjusted",
            units=("+" if added > 0 else "") + w.quantity(added),
            unit=w.physical(line),
            before=w.quantity(found.low),
            after=w.quantity(found.low + added),
        )
    refused = sum(one.refused > 0 for one in result.adjustment.lines) if result.adjustment is not None else 0
    if refused:
        yield t("lines.adjustments_refused", count=refused)
    price = result.price
    if price is not None and price.entry is not None:
        yield t("lines.unit_value", new=w.exact(price.amount), old=w.exact(price.stated))
    if price is not None and price.refused:
        yield t("lines.unit_values_refused", count=len(price.refused))


def unit_value_says(w: ReportWording, line: LineSection) -> str:
    """The unit value in force with its source, who changed it from what, and what was not applied."""
    t, price = w.t, line.result.price
    amount = w.exact(line.result.unit_value or line.unit_value)
    says = t("detail.unit_value_says", amount=amount, unit=w.physical(line), source=line.unit_value_source)
    if price is None:
        return says
    parts = [says]
    if price.entry is not None:
        parts.append(t("detail.unit_value_changed", old=w.exact(price.stated), **_signed(price.entry)))
    parts.extend(
        t("detail.unit_value_refused", amount=w.exact(one.entry.value.amount), why=t(f"value_refused.{one.why}"),
          **_signed(one.entry))
        for one in price.refused
    )  # fmt: skip
    return "; ".join(parts)


def _signed(one: SignedValue) -> dict[str, object]:
    approver = one.value.approver if isinstance(one.value.approver, str) else "-"
    return {"day": one.on, "author": one.author, "approver": approver, "hash": one.entry_sha256[:_HASH_SHOWN]}
