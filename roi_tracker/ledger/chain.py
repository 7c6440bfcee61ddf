"""The chain that makes the ledger tell of tampering: each entry's hash covers the hash before it.

A chain alone does not show that its newest entries were cut off. So the store keeps number and hash of the head apart,
and a report prints the head it was made on: `verify` takes both, and finds a printed head that is no longer there.
"""

from __future__ import annotations

import hashlib
from datetime import UTC
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.errors import StoreError
from roi_tracker.ledger.entries import ActualCost, Adjustment, CaseVersion, Claim, Entry, UnitValueLocked
from roi_tracker.ledger.signatures import mixes_scripts, second_person

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from roi_tracker.ledger.entries import Draft
    from roi_tracker.ports import LedgerStore

GENESIS = "0" * 64
_SHORTEST_HASH = 12
ChainFaultName = Literal["altered", "out_of_order", "truncated", "head_unknown"]


class Head(msgspec.Struct, frozen=True):
    """Where the chain ends: number and hash of the newest entry."""

    number: int = 0
    sha256: str = GENESIS


class ChainFault(msgspec.Struct, frozen=True):
    """Where the chain does not hold.

    Attributes:
        name: `altered` (content does not give its hash), `out_of_order` (entries moved, removed or inserted),
            `truncated` (newest entries are gone), `head_unknown` (a hash printed earlier is not in the chain).
        number: entry at which it shows.
    """

    name: ChainFaultName
    number: int
    detail: str


def seal(draft: Draft, head: Head) -> Entry:
    """Seal a draft behind the head.

    Raises:
        StoreError: the draft breaks a rule that every entry must keep.

    >>> from datetime import UTC, datetime
    >>> from roi_tracker.ledger.entries import ClosingDate, Draft
    >>> from datetime import date
    >>> body = ClosingDate(benefit_id="a", day=date(2025, 12, 31))
    >>> first = seal(Draft("case", datetime(2025, 7, 1, tzinfo=UTC), "controller", body), Head())
    >>> (first.number, first.previous == GENESIS, len(first.sha256))
    (1, True, 64)
    """
    _admissible(draft)
    at = draft.at.astimezone(UTC)
    unsealed = Entry(head.number + 1, draft.case_id, at, draft.author, draft.body, head.sha256, "")
    return msgspec.structs.replace(unsealed, sha256=digest_of(unsealed))


def _admissible(draft: Draft) -> None:
    body = draft.body
    if draft.at.tzinfo is None:
        raise StoreError("an entry needs a time with its zone", field="at", value=draft.at)
    if not draft.author.strip():
        raise StoreError("an entry needs an author", field="author", hint="say who writes it: --author")
    if isinstance(body, Adjustment):
        _signed(body, draft.author)
    if isinstance(body, Adjustment | Claim) and body.last < body.first:
        raise StoreError(f"it ends {body.last} before it starts {body.first}", field="last", value=body.last)
    if isinstance(body, Claim) and not body.evidence:
        raise StoreError("a claim without evidence", field="evidence", hint="cite keys of the agent's events")
    if isinstance(body, CaseVersion) and text_digest(body.text) != body.text_sha256:
        raise StoreError("the case's text does not give its hash", field="text_sha256", value=body.text_sha256)
    if isinstance(body, ActualCost | UnitValueLocked):
        _amounts(body)
    if isinstance(body, UnitValueLocked) and isinstance(body.approver, str):
        hint = "let a second person approve it, or leave the approver out: the case's value then stays in force"
        _two_people("a unit value", draft.author, body.approver, hint)
    if isinstance(body, ActualCost) and body.amount < 0:
        _credit(body, draft.author)


def _signed(body: Adjustment, author: str) -> None:
    _two_people("an adjustment", author, body.approver, "let a second person approve it")
    if not body.reason.strip():
        raise StoreError("an adjustment without a reason", field="reason", hint="say what changed")
    if not body.quantity.is_finite() or not body.factor.is_finite() or body.factor < 0:
        raise StoreError(
            "a quantity is a finite number, a factor is not negative",
            field="quantity",
            value=f"{body.quantity}, x {body.factor}",
        )
    if body.quantity and body.factor != 1:
        raise StoreError("an adjustment is a quantity or a factor, not both", field="factor", value=body.factor)


def _two_people(what: str, author: str, approver: str, hint: str) -> None:
    if mixes_scripts(author, approver):
        raise StoreError(
            "author and approver are written in different alphabets, where one letter passes for another",
            field="approver",
            value=approver,
            hint="write both names in one alphabet",
        )
    if not second_person(author, approver):
        raise StoreError(
            f"{what} is approved by somebody else than its author", field="approver", value=approver, hint=hint
        )


def _credit(body: ActualCost, author: str) -> None:
    """A credit note names the cost it takes back, and two people sign it."""
    if not isinstance(body.reverses, str) or not body.reverses.strip():
        raise StoreError(
            "a credit note names the cost that it takes back",
            field="reverses",
            value=body.reference,
            hint="give the reference of that cost as `reverses`; `roi-tracker ledger show --kind cost` lists them",
        )
    approver = body.approver if isinstance(body.approver, str) else ""
    _two_people("a credit note", author, approver, "book it with `ledger add` and a second person as `approver`")


def _amounts(body: ActualCost | UnitValueLocked) -> None:
    if not body.amount.is_finite():
        raise StoreError("an amount is a finite number", field="amount", value=body.amount)
    if isinstance(body, UnitValueLocked) and body.amount < 0:
        raise StoreError("a unit value is not negative", field="amount", value=body.amount)
    if isinstance(body, UnitValueLocked) and body.valid_to < body.valid_from:
        raise StoreError("the unit value ends before it begins", field="valid_to", value=body.valid_to)


def text_digest(text: str) -> str:
    """sha256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(entry: Entry) -> str:
    """The hash that an entry's content gives: sha256 over canonical JSON, keys sorted, no spaces."""
    content = (entry.number, entry.case_id, entry.at, entry.author, entry.body, entry.previous)
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def verify(entries: Sequence[Entry], head: Head, printed: Iterable[str] = ()) -> tuple[ChainFault, ...]:
    """Everything at which a chain does not hold; nothing when it does.

    Args:
        entries: the whole chain as stored.
        head: as the store keeps it apart.
        printed: hashes of heads that were printed or noted elsewhere, whole or their first 12 letters or more.

    Raises:
        StoreError: what was printed is too short to tell one head from another.
    """
    faults: list[ChainFault] = []
    previous = GENESIS
    for position, entry in enumerate(entries, start=1):
        if digest_of(entry) != entry.sha256:
            faults.append(ChainFault("altered", entry.number, f"content gives {digest_of(entry)[:16]}"))
        if entry.number != position or entry.previous != previous:
            faults.append(ChainFault("out_of_order", entry.number, f"found at place {position}"))
        previous = entry.sha256
    if len(entries) < head.number:
        faults.append(ChainFault("truncated", len(entries) + 1, f"{head.number - len(entries)} entries are missing"))
    elif head != Head(len(entries), previous):
        faults.append(ChainFault("altered", head.number, "the head kept apart is another one"))
    known = {entry.sha256 for entry in entries} | {GENESIS}
    faults.extend(
        ChainFault("head_unknown", 0, f"{sha256} is not in this chain")
        for sha256 in printed
        if not any(one.startswith(readable_head(sha256)) for one in known)
    )
    return tuple(faults)


def readable_head(printed: str) -> str:
    """A hash as printed, whole or its first letters, as it is compared.

    Raises:
        StoreError: too short to tell one head from another.
    """
    wanted = printed.strip().lower()
    if len(wanted) < _SHORTEST_HASH:
        raise StoreError(
            "too short a hash",
            field="--head",
            value=printed,
            hint=f"give its first {_SHORTEST_HASH} letters or more; `roi-tracker ledger show` prints 16",
        )
    return wanted


def verified(ledger: LedgerStore) -> Sequence[Entry]:
    """The entries of a chain that holds: nothing may be reported from another one.

    Raises:
        StoreError: the chain does not hold; names the first fault.
    """
    head, entries = _together(ledger)
    faults = verify(entries, head)
    if faults:
        first = faults[0]
        raise StoreError(
            f"the ledger's chain does not hold at entry {first.number} ({first.name}: {first.detail})",
            field="ledger",
            value=head.sha256,
            hint="it was altered outside this program: see `roi-tracker ledger verify`, and restore a backup",
        )
    return entries


def _together(ledger: LedgerStore) -> tuple[Head, Sequence[Entry]]:
    """Head and entries of one moment: read again while somebody appends between the two."""
    head = ledger.head()
    while True:
        entries = ledger.entries()
        after = ledger.head()
        if after == head:
            return head, entries
        head = after
