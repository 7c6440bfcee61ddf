"""Entries of the ledger held against case, store and ledger, and refused in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.ledger.admission import Ground
    from roi_tracker.ledger.entries import Body, Entry
    from roi_tracker.money import Language
    from roi_tracker.ports import TrackerStore


def ground_of(
    plan: BusinessCase, store: TrackerStore, entries: Sequence[Entry], bodies: Sequence[Body], at: datetime
) -> Ground:
    """What entries are held against: the events they cite, the newest frozen baselines, the ledger so far.

    Args:
        plan: the case.
        store: events and baselines.
        entries: the ledger so far.
        bodies: what is to be written; where it claims nothing, no event is read.
        at: now.
    """
    from roi_tracker.ledger.admission import Ground, cited
    from roi_tracker.ledger.books import books_of
    from roi_tracker.ledger.losses import joint_losses
    from roi_tracker.observations.shifts import ShiftCalendar

    books, calendar = books_of(entries, plan.id), ShiftCalendar(plan.plant)
    keys = cited(bodies)
    return Ground(
        case=plan,
        calendar=calendar,
        books=books,
        today=calendar.local_day(at),
        frozen={one.fitted.benefit_id: one for one in store.baselines(plan.id)},
        facts={fact.key: fact for fact in store.facts_by_key((*keys, *cited(books.claims)) if keys else ())},
        joint=joint_losses(store.facts()) if keys else (),
    )


def check_entries(bodies: Sequence[Body], ground: Ground, language: Language, source: str = "") -> None:
    """Refuse entries that may not be written.

    Args:
        bodies: in order; each is held against those before it too.
        ground: what they are held against.
        language: of the reason.
        source: file they come from, empty for none.

    Raises:
        CaseError: the first that may not be written, and why.
    """
    from roi_tracker.ledger.admission import refusal
    from roi_tracker.render.store_text import refusal_hint, refusal_sentence

    found = refusal(bodies, ground)
    if found is not None:
        number, why = found
        place = f"{source} entry {number}: " if source else ""
        raise CaseError(
            f"{place}{refusal_sentence(why, language)}",
            field=why.field,
            value=why.value,
            hint=refusal_hint(why, language),
        )
