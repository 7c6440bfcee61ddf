"""Event bodies that people cause: judgements, audits, revised stops, what was found after an alarm, pinned evidence.

They belong to the contract in `events.py`, which names them again; readers of the contract import from there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Judgement = Literal["good", "defect"]
ReviewStratum = Literal["review", "audit_pass", "audit_fail"]
AuditedVerdict = Literal["PASS", "FAIL"]
OutcomeName = Literal["confirmed", "not_found", "missed"]
PinState = Literal["pinned", "released"]


class EventBody(msgspec.Struct, frozen=True, tag_field="kind"):
    """Base of all bodies; `kind` on the wire names the class."""


class Disposition(EventBody, frozen=True, tag="disposition"):
    """A person judged an inspected part; the last disposition of an inspection holds, repeat reviews left aside.

    Attributes:
        inspection_key: key of the inspection event that was judged.
        judgement: what the person found.
        agrees: True when the judgement confirms the verdict, False when it overrules it; None for
            REVIEW and NO_VERDICT, which claim nothing.
        reviewer: who judged.
        stratum: the verdict the part had: REVIEW or none, PASS, FAIL. Only with `blind` is it part of a random audit.
        blind: True when the verdict was hidden until the judgement, which is so for parts drawn at random and the
            parts mixed with them.
        defect_kind: the reviewer's word for the defect, empty when none.
        note: free text.
        repeat_of: key of the disposition that this one repeats, blind, so that reviewers' errors can be estimated;
            empty for a judgement that is no repeat. A repeat never replaces the judgement it repeats; of
            several repeats of one judgement the last holds.
    """

    inspection_key: str
    judgement: Judgement
    agrees: bool | None
    reviewer: str
    stratum: ReviewStratum = "review"
    blind: bool = False
    defect_kind: str = ""
    note: str = ""
    repeat_of: str = ""


class AuditDraw(EventBody, frozen=True, tag="audit_draw"):
    """An inspected part was drawn at random for a blind look by a person. Its key is `audit_draw/<inspection_key>`.

    Attributes:
        inspection_key: key of the inspection event that was drawn.
        station: inspection station.
        product: product of the part; line, product and verdict name the stratum.
        stratum: the verdict the part had.
        probability: the chance with which a part of this stratum was drawn, more than 0 and at most 1.
        seed_id: names the secret seed that the draw was made with, so that whoever holds the seed can repeat the draw.
        rank: a random number of the part, in which order drawn parts are offered to reviewers: whatever number they
            manage is a random sample again.
    """

    inspection_key: str
    station: str
    product: str
    stratum: AuditedVerdict
    probability: float
    seed_id: str
    rank: float


class AuditCount(EventBody, frozen=True, tag="audit_count"):
    """A shift's random audit of one verdict stratum, as counts (for plants that do not send single dispositions).

    Attributes:
        product: product audited.
        shift: shift label.
        inspector: who had judged the parts: `ai`, or `previous` for the inspection that was there before.
        stratum: the verdict the parts had.
        audited: parts re-inspected by a person.
        defects_found: of those, parts found defective.
        reviewer: who re-inspected them, empty when not known.
        note: free text.
    """

    product: str
    shift: str
    inspector: Literal["ai", "previous"]
    stratum: AuditedVerdict
    audited: int
    defects_found: int
    reviewer: str = ""
    note: str = ""


class RevisedStop(msgspec.Struct, frozen=True):
    """A stop as a person states it: `key` names it from now on; it lasts from `started_at` to `ended_at`."""

    key: str
    asset: str
    started_at: datetime
    ended_at: datetime
    planned: bool
    reason: str


class StopRevision(EventBody, frozen=True, tag="stop_revision"):
    """A person split, merged or re-labelled recorded stops. The recorded ones stay; these count instead.

    Attributes:
        replaces: keys of the stops that no longer count: of `downtime` events, or of stops of an earlier revision.
        stops: what counts instead; together they last exactly as long as what they replace.
        reviewer: who says so.
        note: free text.
    """

    replaces: tuple[str, ...]
    stops: tuple[RevisedStop, ...]
    reviewer: str
    note: str = ""


class AlarmOutcome(EventBody, frozen=True, tag="alarm_outcome"):
    """What was found after an alarm, or a failure that no alarm announced; the last one of an alarm holds, and the last
    one of a missed failure, which line, asset and `failed_at` name.

    Attributes:
        alarm_key: key of the raised `alarm` event; empty for a missed failure.
        asset: machine concerned.
        outcome: confirmed (the fault was there), not_found (it was not), missed (a failure without an alarm).
        reviewer: who says so.
        failed_at: when the machine failed; needed for a missed failure, None where it did not fail or nobody knows.
        acted: somebody acted on the alarm before the machine failed.
        action: what was done, in words.
        stop_key: the recorded stop that it led to, empty when none.
        avoided_stop_h: what the repair history says such a failure costs in stop hours, None where nobody knows.
        withdrawn: True when an earlier statement was a mistake and nothing holds.
        note: free text.
    """

    alarm_key: str
    asset: str
    outcome: OutcomeName
    reviewer: str
    failed_at: datetime | None = None
    acted: bool = False
    action: str = ""
    stop_key: str = ""
    avoided_stop_h: float | None = None
    withdrawn: bool = False
    note: str = ""


class EvidencePin(EventBody, frozen=True, tag="evidence_pin"):
    """A claim cites evidence, which must therefore be kept, or cites it no longer; the last state holds.

    Attributes:
        claim: name of the claim, given by whoever makes it.
        state: pinned or released.
        subject_key: key of the event cited.
        digests: sha256 of the images that belong to it, empty where none was kept.
    """

    claim: str
    state: PinState
    subject_key: str
    digests: tuple[str, ...] = ()
