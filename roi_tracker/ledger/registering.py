"""What is registered before go-live: the case as it stands, its locked unit values, its closing dates."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.ledger.admission import will_be_read
from roi_tracker.ledger.books import books_of, newest_case
from roi_tracker.ledger.chain import text_digest
from roi_tracker.ledger.entries import CaseVersion, ClosingDate, Draft, UnitValueLocked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from roi_tracker.baseline.frozen import FrozenBaseline
    from roi_tracker.business_case import BenefitLine, BusinessCase, UnitValue
    from roi_tracker.ledger.entries import Body, Entry


class Registration(msgspec.Struct, frozen=True):
    """What is new, and what comes too late.

    Attributes:
        drafts: to be appended; empty where all of it is in the ledger already.
        too_late: closing dates that had passed before anybody registered them, by benefit line.
        not_frozen: closing dates that no baseline frozen by go-live names, once go-live has passed; not written either.
        changed: subjects whose unit value was locked before with another amount.
    """

    drafts: tuple[Draft, ...]
    too_late: tuple[ClosingDate, ...]
    changed: tuple[str, ...]
    not_frozen: tuple[ClosingDate, ...] = ()


def registration(
    case: BusinessCase,
    text: str,
    entries: Sequence[Entry],
    at: datetime,
    author: str,
    frozen: Mapping[str, FrozenBaseline] = MappingProxyType({}),
) -> Registration:
    """What registering a case would append.

    Args:
        case: the plan.
        text: its file, whole.
        entries: the ledger so far.
        at: now, aware.
        author: who registers.
        frozen: the newest frozen baseline of a benefit line, by its id.
    """
    books = books_of(entries, case.id)
    bodies: list[Body] = []
    known = newest_case(entries, case.id)
    digest = text_digest(text)
    if known is None or known.text_sha256 != digest:
        bodies.append(CaseVersion(text=text, text_sha256=digest))
    newest = {(one.value.subject, one.value.lines): one.value for one in books.unit_values}
    changed: list[str] = []
    for value in _unit_values(case):
        before = newest.get((value.subject, value.lines))
        if before == value:
            continue
        if before is not None and before.amount != value.amount:
            changed.append(value.subject)
        bodies.append(value)
    today, registered = at.date(), set(books.closing_dates)
    wanted = [one for one in _closing_dates(case) if one not in registered]
    coming = [one for one in wanted if one.day >= today]
    held = [one for one in coming if will_be_read(one, case, frozen, today)]
    bodies += held
    return Registration(
        drafts=tuple(Draft(case.id, at, author, body) for body in bodies),
        too_late=tuple(one for one in wanted if one.day < today),
        changed=tuple(changed),
        not_frozen=tuple(one for one in coming if one not in held),
    )


def _unit_values(case: BusinessCase) -> Iterator[UnitValueLocked]:
    """Locked values of benefit lines, and what they say of the system's own harm."""
    for line in case.benefits:
        value = line.stated_unit_value
        if value is None or not value.locked:
            continue
        yield _locked(line, value, line.id, value.amount)
        costs = line.measurement.quality_costs
        if costs is not None:
            yield _locked(line, value, "overkill", costs.overkill)
            yield _locked(line, value, "escape", costs.escape)


def _locked(line: BenefitLine, value: UnitValue, subject: str, amount: Decimal) -> UnitValueLocked:
    return UnitValueLocked(
        subject=subject,
        amount=amount,
        per=value.per if subject == line.id else "part",
        valid_from=value.valid_from,
        valid_to=value.valid_to,
        source=value.source,
        owner=value.owner,
        lines=line.lines,
    )


def _closing_dates(case: BusinessCase) -> Iterator[ClosingDate]:
    for line in case.benefits:
        for day in line.measurement.closing_dates:
            yield ClosingDate(benefit_id=line.id, day=day)
