"""A closing date is written into the ledger only where an interval will be read on it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.ledger.admission import will_be_read
from roi_tracker.ledger.entries import ClosingDate
from roi_tracker.ledger.registering import registration

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase
    from tests.roi_tracker.report.conftest import Plant

LAST, OTHER = date(2025, 12, 31), date(2025, 11, 30)
BEFORE, AFTER = date(2025, 7, 15), date(2025, 8, 1)
"""Go-live itself, and a day after it."""


def closing(day: date) -> ClosingDate:
    return ClosingDate(benefit_id="fewer-defects", day=day)


def naming(case: BusinessCase, *days: date) -> BusinessCase:
    line = next(line for line in case.benefits if line.id == "fewer-defects")
    plan = line.measurement.model_copy(update={"closing_dates": days})
    changed = [one if one is not line else line.model_copy(update={"measurement": plan}) for one in case.benefits]
    return case.model_copy(update={"benefits": tuple(changed)})


def test_only_what_the_case_names_and_the_freeze_took_is_read(plant: Plant) -> None:
    frozen = {one.fitted.benefit_id: one for one in plant.reporting().baselines()}
    assert frozen["fewer-defects"].fitted.specification.closing_dates == (LAST,)
    case = naming(plant.case, OTHER, LAST)
    assert will_be_read(closing(LAST), case, frozen, AFTER)
    assert not will_be_read(closing(OTHER), case, frozen, AFTER), "the frozen specification does not have it"
    assert will_be_read(closing(OTHER), case, frozen, BEFORE), "it may still be frozen"
    assert not will_be_read(closing(OTHER), plant.case, frozen, BEFORE), "the case does not name it"
    assert not will_be_read(closing(LAST), case, {}, AFTER), "nothing is frozen"
    late = {
        name: msgspec.structs.replace(one, frozen_at=datetime(2025, 7, 16, tzinfo=UTC)) for name, one in frozen.items()
    }
    assert not will_be_read(closing(LAST), case, late, AFTER), "it was frozen after go-live"


def test_registering_after_go_live_tells_what_no_freeze_took(plant: Plant) -> None:
    frozen = {one.fitted.benefit_id: one for one in plant.reporting().baselines()}
    case = naming(plant.case, OTHER, LAST)
    found = registration(case, "text", (), datetime(2025, 8, 1, tzinfo=UTC), "controller", frozen)
    written = [draft.body for draft in found.drafts if isinstance(draft.body, ClosingDate)]
    assert (written, found.not_frozen, found.too_late) == ([closing(LAST)], (closing(OTHER),), ())
