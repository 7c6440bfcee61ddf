"""What the ledger of one case says when it is read: unit values in force, costs, adjustments, claims, decisions."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.errors import StoreError
from roi_tracker.ledger.chain import GENESIS
from roi_tracker.ledger.entries import (
    ActualCost,
    Adjustment,
    CaseVersion,
    Claim,
    ClosingDate,
    Entry,
    EvidencePinned,
    GateDecision,
    UnitValueLocked,
)
from roi_tracker.ledger.losses import JointLoss, loss_names
from roi_tracker.ledger.signatures import second_person

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from roi_tracker.ledger.entries import Draft

HARM_UNITS = {"overkill": "part", "escape": "part", "system_stop": "h"}
"""What harm by the system is valued per."""


class Signed(msgspec.Struct, frozen=True):
    """An adjustment with the two who signed it and the entry that holds it."""

    adjustment: Adjustment
    author: str
    entry_sha256: str


class SignedValue(msgspec.Struct, frozen=True):
    """A unit value with the entry that holds it.

    Attributes:
        on: day on which it was written (UTC).
    """

    value: UnitValueLocked
    on: date
    author: str
    entry_sha256: str

    @property
    def agreed(self) -> bool:
        """Whether a second person approved it."""
        approver = self.value.approver
        return isinstance(approver, str) and second_person(self.author, approver)


class Citation(msgspec.Struct, frozen=True):
    """Events that one entry cites.

    Attributes:
        claim: names the entry at the agent: the case, and the beginning of the entry's hash.
    """

    claim: str
    evidence: tuple[str, ...]


class Books(msgspec.Struct, frozen=True):
    """The ledger of one case; empty where nothing was written yet.

    Attributes:
        citations: what claims and adjustments rest on.
        pinned: of that, what an agent has agreed to keep.
        head: hash of the newest entry of the whole ledger; printed with every figure that rests on it.
    """

    unit_values: tuple[SignedValue, ...] = ()
    costs: tuple[ActualCost, ...] = ()
    claims: tuple[Claim, ...] = ()
    adjustments: tuple[Signed, ...] = ()
    decisions: tuple[GateDecision, ...] = ()
    closing_dates: tuple[ClosingDate, ...] = ()
    citations: tuple[Citation, ...] = ()
    pinned: tuple[Citation, ...] = ()
    head: str = GENESIS

    def harm_value(self, subject: str, first: date, last: date, line: str) -> UnitValueLocked | None:
        """What a unit of harm on a production line is worth: the newest value that is valid on the last day. A lower
        one than before takes two people, and holds for days from the one on which it was written.
        """
        found: UnitValueLocked | None = None
        for one in self.unit_values:
            value = one.value
            fits = value.subject == subject and value.per == HARM_UNITS.get(subject)
            if not fits or not value.valid_from <= last <= value.valid_to or (value.lines and line not in value.lines):
                continue
            if found is None or value.amount >= found.amount or (one.agreed and one.on <= first):
                found = value
        return found

    @property
    def unpinned(self) -> tuple[Citation, ...]:
        """Evidence that is cited and that no agent has agreed to keep yet, in order of citing."""
        kept = {(one.claim, key) for one in self.pinned for key in one.evidence}
        missing = (
            Citation(one.claim, tuple(key for key in one.evidence if (one.claim, key) not in kept))
            for one in self.citations
        )
        return tuple(one for one in missing if one.evidence)


def citation_name(entry: Entry) -> str:
    """Name of an entry that cites evidence at the agent."""
    return f"{entry.case_id}/{entry.sha256[:16]}"


def books_of(entries: Iterable[Entry], case_id: str) -> Books:
    """Read a ledger for one case."""
    own: list[Entry] = []
    head = GENESIS
    for entry in entries:
        head = entry.sha256
        if entry.case_id == case_id:
            own.append(entry)
    bodies = [entry.body for entry in own]
    return Books(
        unit_values=tuple(
            SignedValue(entry.body, entry.at.date(), entry.author, entry.sha256)
            for entry in own
            if isinstance(entry.body, UnitValueLocked)
        ),
        costs=tuple(body for body in bodies if isinstance(body, ActualCost)),
        claims=tuple(body for body in bodies if isinstance(body, Claim)),
        adjustments=tuple(
            Signed(entry.body, entry.author, entry.sha256) for entry in own if isinstance(entry.body, Adjustment)
        ),
        decisions=tuple(body for body in bodies if isinstance(body, GateDecision)),
        closing_dates=tuple(body for body in bodies if isinstance(body, ClosingDate)),
        citations=tuple(
            Citation(citation_name(entry), tuple(dict.fromkeys(entry.body.evidence)))
            for entry in own
            if isinstance(entry.body, Claim | Adjustment) and entry.body.evidence
        ),
        pinned=tuple(Citation(body.claim, body.evidence) for body in bodies if isinstance(body, EvidencePinned)),
        head=head,
    )


def admit(entries: Sequence[Entry], drafts: Sequence[Draft], joint: Sequence[JointLoss] = ()) -> None:
    """Refuse drafts that would book or claim something twice.

    Args:
        entries: the ledger so far.
        drafts: what is to be appended together.
        joint: losses that several events tell of.

    Raises:
        StoreError: a cost with a reference already booked, a closing date registered after it has passed, or
            evidence that another claim has credited.
    """
    booked = {(e.case_id, e.body.reference) for e in entries if isinstance(e.body, ActualCost)}
    names = loss_names(joint)
    owners = {
        (entry.case_id, names.get(key, key)): entry.body.benefit_id
        for entry in entries
        if isinstance(entry.body, Claim)
        for key in entry.body.evidence
    }
    for draft in drafts:
        body = draft.body
        if isinstance(body, ActualCost):
            _once(booked, (draft.case_id, body.reference))
        elif isinstance(body, ClosingDate) and body.day < draft.at.date():
            raise StoreError(
                f"the closing date {body.day} has passed; it is registered beforehand or not at all",
                field="day",
                value=body.day,
                hint="the anytime-valid interval holds on days that were not registered",
            )
        elif isinstance(body, Claim):
            _unclaimed(owners, draft.case_id, body, names)


def _once(booked: set[tuple[str, str]], cost: tuple[str, str]) -> None:
    if cost in booked:
        raise StoreError(
            f"a cost with the reference {cost[1]!r} is booked already",
            field="reference",
            value=cost[1],
            hint="a part payment or a credit note has a reference of its own",
        )
    booked.add(cost)


def _unclaimed(owners: dict[tuple[str, str], str], case_id: str, claim: Claim, names: Mapping[str, str]) -> None:
    for key in claim.evidence:
        loss = names.get(key, key)
        owner = owners.get((case_id, loss))
        if owner is not None:
            what = f"the same loss ({loss})" if key in names else "this event"
            raise StoreError(
                f"{what} was claimed for {owner}: it counts once",
                field="evidence",
                value=key,
                hint="take it out of this claim; `roi-tracker ledger losses` shows which events tell of one loss",
            )
    owners.update({(case_id, names.get(key, key)): claim.benefit_id for key in claim.evidence})


def newest_case(entries: Iterable[Entry], case_id: str) -> CaseVersion | None:
    """The version of the case registered last."""
    found: CaseVersion | None = None
    for entry in entries:
        if entry.case_id == case_id and isinstance(entry.body, CaseVersion):
            found = entry.body
    return found
