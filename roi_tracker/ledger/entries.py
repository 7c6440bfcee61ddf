"""What may be written into the ledger: bodies of entries, and the entry that seals one into the chain."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

CostKind = Literal["capital", "running"]
GateAnswer = Literal["go_on", "change", "stop"]


class _Body(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True, forbid_unknown_fields=True):
    """Base of all bodies; `kind` names the class. An unknown field would fall out of the hash, so it is refused."""


class UnitValueLocked(_Body, frozen=True, tag="unit_value", kw_only=True):
    """What one unit is worth, locked.

    Attributes:
        subject: id of a benefit line, or what the system's own harm is valued at: `overkill` and `escape` (a part),
            `system_stop` (an hour).
        per: the physical unit.
        valid_from, valid_to: first and last day on which it may be used.
        owner: the role that answers for it.
        lines: production lines it holds for; all where empty.
        approver: second person who agrees to another value than the case's; without one a benefit line keeps the
            value that was frozen with its baseline.
    """

    subject: str
    amount: Decimal
    per: str
    valid_from: date
    valid_to: date
    source: str
    owner: str
    lines: tuple[str, ...] = ()
    approver: str | msgspec.UnsetType = msgspec.UNSET


class ActualCost(_Body, frozen=True, tag="cost", kw_only=True):
    """Money really spent.

    Attributes:
        amount: negative for a credit note.
        reference: invoice or booking number; the same reference is booked once.
        reverses: reference of the cost that a credit note takes back, in whole or in part.
        approver: second person who agrees to a credit note.
        line: production line it belongs to, empty for the whole programme.
    """

    day: date
    amount: Decimal
    cost: CostKind
    name_ko: str
    name_en: str
    reference: str
    category: str = "other"
    line: str = ""
    reverses: str | msgspec.UnsetType = msgspec.UNSET
    approver: str | msgspec.UnsetType = msgspec.UNSET


class Claim(_Body, frozen=True, tag="claim", kw_only=True):
    """A benefit line claims single losses avoided, each by the events that show it.

    Attributes:
        evidence: keys of the agent's events; no event backs the claims of two benefit lines.
        statement: what is claimed, in a sentence.
    """

    benefit_id: str
    first: date
    last: date
    evidence: tuple[str, ...]
    statement: str


class Adjustment(_Body, frozen=True, tag="adjustment", kw_only=True):
    """A signed non-routine adjustment: something that has nothing to do with the programme changed the quantity.

    Attributes:
        quantity: physical units added to the avoided quantity of the days `first` to `last`; negative takes away.
        factor: instead of a quantity, what the expected quantity of these days is multiplied by.
        reason: what changed, and how the quantity was found.
        approver: who agrees; never the author of the entry.
        event: what happened, in a few words.
    """

    benefit_id: str
    first: date
    last: date
    reason: str
    approver: str
    quantity: Decimal = Decimal(0)
    evidence: tuple[str, ...] = ()
    factor: Decimal = Decimal(1)
    event: str = ""


class GateDecision(_Body, frozen=True, tag="decision", kw_only=True):
    """What was decided at a stage gate, and why.

    Attributes:
        gate: English name of the gate in the case.
        ledger_head: hash of the ledger that those who decided had before them.
    """

    gate: str
    answer: GateAnswer
    reason: str
    decided_by: str
    ledger_head: str = ""


class ClosingDate(_Body, frozen=True, tag="closing_date", kw_only=True):
    """A day registered beforehand on which the ordinary interval of a benefit line is read."""

    benefit_id: str
    day: date


class CaseVersion(_Body, frozen=True, tag="case_version", kw_only=True):
    """The case as it stood: its whole text, and the hash of that text."""

    text: str
    text_sha256: str


class EvidencePinned(_Body, frozen=True, tag="evidence_pin", kw_only=True):
    """An agent agreed to keep events and their images for as long as a claim cites them.

    Attributes:
        feed: address of the agent.
        claim: name of the claim at the agent; see `roi_tracker.ledger.books.Citation`.
    """

    feed: str
    claim: str
    evidence: tuple[str, ...]


class ReportSaved(_Body, frozen=True, tag="report", kw_only=True):
    """A report that can be made again byte for byte from the store.

    Attributes:
        report_sha256: hash of the report's JSON.
        inputs: names and hashes of what it was made from, in order of name.
    """

    report_sha256: str
    as_of: date | None
    inputs: tuple[tuple[str, str], ...]


Body = (
    UnitValueLocked
    | ActualCost
    | Claim
    | Adjustment
    | GateDecision
    | ClosingDate
    | CaseVersion
    | EvidencePinned
    | ReportSaved
)


class Draft(msgspec.Struct, frozen=True):
    """An entry before it is sealed.

    Attributes:
        at: when it is written, aware UTC.
        author: who writes it.
    """

    case_id: str
    at: datetime
    author: str
    body: Body


class Entry(msgspec.Struct, frozen=True):
    """A sealed entry.

    Attributes:
        number: from 1, without gaps.
        previous: hash of the entry before, 64 zeros for the first.
        sha256: over everything above, `previous` included.
    """

    number: int
    case_id: str
    at: datetime
    author: str
    body: Body
    previous: str
    sha256: str
