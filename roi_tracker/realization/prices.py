"""At which unit value a benefit line is valued: the case's, frozen with its baseline, unless two people agreed.

Once the programme is live, what is known of its effect could choose the value. So an entry of the ledger written from
go-live on may lower what is counted, never raise it above what was in force at go-live.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.ledger.books import SignedValue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from roi_tracker.business_case import BenefitLine

RefusedValue = Literal["raised_after_go_live", "other_unit", "one_person", "not_all_days", "not_all_lines"]


class ValueRefused(msgspec.Struct, frozen=True):
    """A unit value of the ledger that is not applied.

    Attributes:
        why: it was written from go-live on and is higher than the value in force then; it is stated per another unit;
            nobody but its author agreed; it is higher and holds for a part of the days, or of the lines.
    """

    entry: SignedValue
    why: RefusedValue


class UnitPrice(msgspec.Struct, frozen=True):
    """The unit value in force.

    Attributes:
        stated: as the case has it, frozen with the baseline.
        source: of `amount`.
        entry: of the ledger, where `amount` is not the case's.
        refused: entries of the ledger that would change it and may not, oldest first.
    """

    amount: Decimal
    stated: Decimal
    source: str
    entry: SignedValue | None = None
    refused: tuple[ValueRefused, ...] = ()


def unit_price(line: BenefitLine, go_live: date, as_of: date, written: Sequence[SignedValue]) -> UnitPrice:
    """The unit value of a line from go-live to `as_of`.

    Args:
        line: with a unit value.
        go_live: first day of reporting.
        as_of: last measured day.
        written: unit values of the ledger, in order of writing.
    """
    stated = line.unit_value
    ceiling, chosen = stated.amount, None
    refused: list[ValueRefused] = []
    for one in written:
        value = one.value
        if value.subject != line.id or (not one.agreed and one.on < go_live):
            continue  # the case as registered, and drafts of it
        if (value.amount, value.per) == (stated.amount, stated.per):
            chosen = None if one.agreed else chosen
            continue
        why = _why_not(one, line, go_live, as_of, ceiling)
        if why is not None:
            refused.append(ValueRefused(one, why))
        elif value.valid_from <= as_of <= value.valid_to:
            chosen = one
            ceiling = value.amount if one.on < go_live else ceiling
    if chosen is None:
        return UnitPrice(stated.amount, stated.amount, stated.source, refused=tuple(refused))
    return UnitPrice(chosen.value.amount, stated.amount, chosen.value.source, chosen, tuple(refused))


def _why_not(one: SignedValue, line: BenefitLine, go_live: date, as_of: date, ceiling: Decimal) -> RefusedValue | None:
    value = one.value
    raised = value.amount > ceiling
    wrong: tuple[tuple[bool, RefusedValue], ...] = (
        (value.per != line.unit_value.per, "other_unit"),
        (not one.agreed, "one_person"),
        (raised and one.on >= go_live, "raised_after_go_live"),
        (raised and not value.valid_from <= go_live <= as_of <= value.valid_to, "not_all_days"),
        (raised and bool(value.lines) and not set(line.lines) <= set(value.lines), "not_all_lines"),
    )
    return next((why for is_wrong, why in wrong if is_wrong), None)
