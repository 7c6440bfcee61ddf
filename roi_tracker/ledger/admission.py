"""What an entry is held against before it may be written: the case, the frozen baselines, the ledger, the events.

One code for `ledger add`, `baseline adjust` and the report's second look at claims of earlier days.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.baseline.adjustments import within_expectation
from roi_tracker.ledger.books import HARM_UNITS, citation_name
from roi_tracker.ledger.entries import ActualCost, Adjustment, Claim, ClosingDate, UnitValueLocked
from roi_tracker.ledger.losses import loss_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from roi_tracker.baseline.frozen import FrozenBaseline
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.ledger.books import Books
    from roi_tracker.ledger.entries import Body, Entry
    from roi_tracker.ledger.losses import JointLoss
    from roi_tracker.observations.facts import Fact
    from roi_tracker.observations.shifts import ShiftCalendar

RefusalName = Literal[
    "unknown_benefit",
    "not_frozen",
    "no_event",
    "no_evidence",
    "changes_nothing",
    "before_go_live",
    "signed_already",
    "claimed_already",
    "event_twice",
    "event_unknown",
    "event_of_another_line",
    "event_outside_days",
    "event_claimed",
    "loss_claimed",
    "closing_date_of_the_case",
    "unknown_subject",
    "value_per_other_unit",
    "value_raised",
    "beyond_expectation",
    "credit_of_nothing",
    "credit_before_cost",
    "credit_too_great",
]


_GREATEST_FACTOR = 2
"""An adjustment adds at most as much again as was expected."""


class Refusal(msgspec.Struct, frozen=True):
    """Why an entry may not be written.

    Attributes:
        field: field of the entry at fault.
        value: what stands there.
        places: of the sentence, by name.
    """

    name: RefusalName
    field: str
    value: str
    places: dict[str, str] = {}


@dataclass(frozen=True)
class Ground:
    """What entries are held against.

    Attributes:
        today: day of writing.
        frozen: the newest frozen baseline of a benefit line, by its id.
        facts: events of the store that the entries cite, by key.
        joint: losses that several events tell of.
    """

    case: BusinessCase
    calendar: ShiftCalendar
    books: Books
    today: date
    frozen: Mapping[str, FrozenBaseline]
    facts: Mapping[str, Fact]
    joint: Sequence[JointLoss] = ()


def cited(bodies: Iterable[Body]) -> tuple[str, ...]:
    """Keys of the events that claims rest on, each once."""
    keys = (key for body in bodies if isinstance(body, Claim) for key in body.evidence)
    return tuple(dict.fromkeys(keys))


def refusal(bodies: Sequence[Body], ground: Ground) -> tuple[int, Refusal] | None:
    """The first of several entries that may not be written, from 1, and why; None where all may."""
    claims = [*ground.books.claims]
    adjustments = [signed.adjustment for signed in ground.books.adjustments]
    costs = [*ground.books.costs]
    for number, body in enumerate(bodies, start=1):
        found: Refusal | None = None
        match body:
            case Adjustment():
                found = of_adjustment(body, ground, adjustments)
                adjustments.append(body)
            case Claim():
                found = _of_claim(body, ground, claims)
                claims.append(body)
            case ClosingDate():
                found = _of_closing_date(body, ground)
            case UnitValueLocked():
                found = _of_unit_value(body, ground)
            case ActualCost():
                found = _of_cost(body, ground, costs)
                costs.append(body)
            case _:
                pass
        if found is not None:
            return number, found
    return None


def of_adjustment(body: Adjustment, ground: Ground, known: Sequence[Adjustment]) -> Refusal | None:
    """What makes an adjustment one, beside its two signatures."""
    if (found := _line_of(body.benefit_id, ground.case)) is not None:
        return found
    wrong: tuple[tuple[bool, RefusalName, str, object], ...] = (
        (body.benefit_id not in ground.frozen, "not_frozen", "benefit_id", body.benefit_id),
        (not body.event.strip(), "no_event", "event", body.benefit_id),
        (not any(one.strip() for one in body.evidence), "no_evidence", "evidence", body.benefit_id),
        (not body.quantity and body.factor == 1, "changes_nothing", "quantity", body.benefit_id),
        (body.last < ground.case.go_live, "before_go_live", "last", body.last),
        (body in known, "signed_already", "event", body.benefit_id),
        (_beyond(body, ground), "beyond_expectation", "quantity" if body.quantity else "factor", body.benefit_id),
    )
    return next((Refusal(name, field, str(value)) for is_wrong, name, field, value in wrong if is_wrong), None)


def _beyond(body: Adjustment, ground: Ground) -> bool:
    """Whether it adds more than the frozen baseline expects of as many days; the report asks again on the days."""
    held = ground.frozen.get(body.benefit_id)
    if body.factor > _GREATEST_FACTOR:
        return True
    if held is None or held.fitted.total_outcome <= 0:
        return False
    days = (body.last - body.first).days + 1
    return not within_expectation(float(body.quantity), held.fitted.total_outcome / held.fitted.days * days)


def _of_unit_value(body: UnitValueLocked, ground: Ground) -> Refusal | None:
    """A unit value is stated per the unit of its subject, and from go-live on none is raised."""
    line = next((one for one in ground.case.benefits if one.id == body.subject), None)
    stated = None if line is None else line.stated_unit_value
    per = HARM_UNITS.get(body.subject, "" if stated is None else stated.per)
    if not per:
        known = ", ".join([*(one.id for one in ground.case.benefits if one.stated_unit_value), *HARM_UNITS])
        return Refusal("unknown_subject", "subject", body.subject, {"known": known})
    if body.per != per:
        return Refusal("value_per_other_unit", "per", body.per, {"subject": body.subject, "unit": per})
    if stated is not None and ground.today >= ground.case.go_live and body.amount > stated.amount:
        places = {"old": f"{stated.amount:f}", "go_live": str(ground.case.go_live)}
        return Refusal("value_raised", "amount", f"{body.amount:f}", places)
    return None


def _of_cost(body: ActualCost, ground: Ground, known: Sequence[ActualCost]) -> Refusal | None:
    """A credit note takes back a cost that is there, and no more than that."""
    if body.amount >= 0 or not isinstance(body.reverses, str):
        return None
    booked = {one.source: (one.day, one.amount) for one in ground.case.costs_actual}
    booked |= {one.reference: (one.day, one.amount) for one in known if one.amount > 0}
    if body.reverses not in booked:
        return Refusal("credit_of_nothing", "reverses", body.reverses)
    day, amount = booked[body.reverses]
    if body.day < day:
        return Refusal("credit_before_cost", "day", str(body.day), {"day": str(day)})
    credited = sum((one.amount for one in known if one.reverses == body.reverses), Decimal(0))
    left = amount + credited
    if left + body.amount < 0:
        return Refusal("credit_too_great", "amount", f"{body.amount:f}", {"left": f"{left:f}"})
    return None


def unproven(body: Claim, ground: Ground) -> Refusal | None:
    """Why the events that a claim cites do not show what it says; None where they may."""
    line = next((one for one in ground.case.benefits if one.id == body.benefit_id), None)
    if line is None:
        return _line_of(body.benefit_id, ground.case)
    if body.last < ground.case.go_live:
        return Refusal("before_go_live", "last", str(body.last))
    for key in body.evidence:
        fact = ground.facts.get(key)
        if fact is None:
            return Refusal("event_unknown", "evidence", key)
        if line.lines and fact.line not in line.lines:
            places = {"line": fact.line, "lines": ", ".join(line.lines)}
            return Refusal("event_of_another_line", "evidence", key, places)
        days = _days(fact, ground.calendar)
        if not any(body.first <= day <= body.last for day in days):
            places = {"day": str(min(days)), "first": str(body.first), "last": str(body.last)}
            return Refusal("event_outside_days", "evidence", key, places)
    return None


def _of_claim(body: Claim, ground: Ground, known: Sequence[Claim]) -> Refusal | None:
    if body in known:
        return Refusal("claimed_already", "evidence", body.statement)
    twice = next((key for key in body.evidence if body.evidence.count(key) > 1), None)
    if twice is not None:
        return Refusal("event_twice", "evidence", twice)
    return unproven(body, ground) or _credited(body, known, ground)


def _credited(body: Claim, known: Sequence[Claim], ground: Ground) -> Refusal | None:
    """A loss counts once: neither for another benefit line nor in another claim of the same one."""
    names = loss_names(ground.joint)

    def loss_of(key: str) -> str:
        """A judgement tells of its part and an outcome of its alarm; events of a joint loss all of that one."""
        fact = ground.facts.get(key)
        subject = getattr(fact, "inspection_key", "") or getattr(fact, "alarm_key", "") or key
        return names.get(subject, subject)

    owners = {loss_of(key): one.benefit_id for one in known for key in one.evidence}
    for key in body.evidence:
        loss = loss_of(key)
        if loss in owners:
            places = {"owner": owners[loss], "loss": loss}
            return Refusal("event_claimed" if loss == key else "loss_claimed", "evidence", key, places)
    return None


def _of_closing_date(body: ClosingDate, ground: Ground) -> Refusal | None:
    if (found := _line_of(body.benefit_id, ground.case)) is not None:
        return found
    if will_be_read(body, ground.case, ground.frozen, ground.today):
        return None
    return Refusal("closing_date_of_the_case", "day", str(body.day), {"benefit": body.benefit_id})


def will_be_read(closing: ClosingDate, case: BusinessCase, frozen: Mapping[str, FrozenBaseline], today: date) -> bool:
    """Whether the ordinary interval can be read on a closing date: the case names it, and the freeze took it by
    go-live or still may. A date that the frozen specification does not have is a look like any other.
    """
    line = next((one for one in case.benefits if one.id == closing.benefit_id), None)
    if line is None or closing.day not in line.measurement.closing_dates:
        return False
    held = frozen.get(closing.benefit_id)
    in_time = held is not None and held.frozen_at.date() <= case.go_live
    if held is not None and in_time and closing.day in held.fitted.specification.closing_dates:
        return True
    return today <= case.go_live


def _line_of(benefit_id: str, case: BusinessCase) -> Refusal | None:
    ids = [line.id for line in case.benefits]
    known = {"known": ", ".join(ids)}
    return None if benefit_id in ids else Refusal("unknown_benefit", "benefit_id", benefit_id, known)


def _days(fact: Fact, calendar: ShiftCalendar) -> set[date]:
    """The plant's calendar day, and the day of the shift: a night shift belongs to the day on which it begins."""
    shift = calendar.at(fact.at)
    return {calendar.local_day(fact.at)} | ({shift.day} if shift is not None else set())


class ClaimState(msgspec.Struct, frozen=True):
    """A claim of the ledger held against its events once more.

    Attributes:
        number: of its entry.
        why: what the events do not show; such a claim counts for nothing. None where they do.
        kept: of its events, how many an agent has agreed to keep.
    """

    number: int
    claim: Claim
    why: Refusal | None
    kept: int


def claim_states(entries: Iterable[Entry], ground: Ground) -> tuple[ClaimState, ...]:
    """Every claim of the case, in order of writing; `ground.facts` must have all their events."""
    kept = {(one.claim, key) for one in ground.books.pinned for key in one.evidence}
    found: list[ClaimState] = []
    for entry in entries:
        if entry.case_id != ground.case.id or not isinstance(entry.body, Claim):
            continue
        name = citation_name(entry)
        pinned = sum((name, key) in kept for key in dict.fromkeys(entry.body.evidence))
        why = _of_claim(entry.body, ground, [state.claim for state in found])
        found.append(ClaimState(entry.number, entry.body, why, pinned))
    return tuple(found)
