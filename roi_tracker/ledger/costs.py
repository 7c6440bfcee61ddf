"""Rows of the actual cost ledger: what was paid, and what the system itself cost the line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.errors import StoreError
from roi_tracker.ledger.entries import CostKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.ledger.books import Books

HarmCause = Literal["false_reject", "system_stop", "uninspected", "late_reject"]
NotValuedReason = Literal["no_unit_value", "no_audit", "no_baseline_rate"]


class Term(msgspec.Struct, frozen=True):
    """A number in a row's formula."""

    name: str
    value: float


class PaidRow(msgspec.Struct, frozen=True, tag="paid"):
    """Money paid.

    Attributes:
        source: invoice or booking.
        line: production line, empty for the whole programme.
    """

    day: date
    kind: CostKind
    name_ko: str
    name_en: str
    amount: Decimal
    source: str
    line: str = ""


class HarmRow(msgspec.Struct, frozen=True, tag="harm"):
    """What the system itself cost a production line in a month.

    Attributes:
        day: last day of the month, or the last one measured.
        quantity: parts or hours.
        formula: how the quantity comes from `terms`.
        first: first day of observations in it; with `day` and `line` it names the observations behind the figure.
        counted: False where a proven benefit line already measures it.
        covered_by: id of that line, else empty.
    """

    day: date
    cause: HarmCause
    line: str
    quantity: Decimal
    unit_value: Decimal
    amount: Decimal
    formula: str
    terms: tuple[Term, ...]
    unit_value_source: str
    first: date
    counted: bool = True
    covered_by: str = ""


class NotValued(msgspec.Struct, frozen=True):
    """Harm that happened and has no figure in money; it is never taken as 0 in silence.

    Attributes:
        quantity: parts or hours; None where not even that is known.
    """

    cause: HarmCause
    line: str
    reason: NotValuedReason
    quantity: Decimal | None
    terms: tuple[Term, ...]


class CostLedger(msgspec.Struct, frozen=True):
    """All cost rows to date, in order of time.

    Attributes:
        not_valued: harm without a figure.
    """

    paid: tuple[PaidRow, ...] = ()
    harm: tuple[HarmRow, ...] = ()
    not_valued: tuple[NotValued, ...] = ()

    @property
    def capital(self) -> Decimal:
        """Capital paid."""
        return sum((row.amount for row in self.paid if row.kind == "capital"), Decimal(0))

    @property
    def running(self) -> Decimal:
        """Running cost paid."""
        return sum((row.amount for row in self.paid if row.kind == "running"), Decimal(0))

    @property
    def harm_counted(self) -> Decimal:
        """Harm that no proven benefit line measures already."""
        return sum((row.amount for row in self.harm if row.counted), Decimal(0))


def paid_rows(case: BusinessCase, books: Books, as_of: date | None) -> tuple[PaidRow, ...]:
    """Costs of the case and of the ledger up to a day; a reference that both name is the ledger's, once.

    Raises:
        StoreError: credit notes of an earlier version, which took back more than was booked, make them negative.
    """
    booked = {cost.reference for cost in books.costs}
    rows = [
        PaidRow(entry.day, entry.kind, entry.name.ko, entry.name.en, entry.amount, entry.source)
        for entry in case.costs_actual
        if entry.source not in booked
    ]
    rows += [
        PaidRow(cost.day, cost.cost, cost.name_ko, cost.name_en, cost.amount, cost.reference, cost.line)
        for cost in books.costs
    ]
    found = _until(rows, as_of)
    total = sum((row.amount for row in found), Decimal(0))
    if total < 0:
        raise StoreError(
            f"the costs booked are below zero in total ({total:f})",
            field="cost",
            value=total,
            hint="a credit note takes back what was booked, no more: book the costs that are missing with `ledger add`",
        )
    return tuple(sorted(found, key=lambda row: (row.day, row.source)))


def _until(rows: Iterable[PaidRow], as_of: date | None) -> list[PaidRow]:
    return [row for row in rows if as_of is None or row.day <= as_of]
