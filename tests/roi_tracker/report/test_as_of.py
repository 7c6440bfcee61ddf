"""A report of an earlier day: what was measured, paid and seen after it is not in it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tests.roi_tracker.report.conftest import ON

if TYPE_CHECKING:
    from tests.roi_tracker.report.conftest import Plant

EARLIER = date(2025, 10, 15)


def test_nothing_after_its_date_is_in_a_report(plant: Plant) -> None:
    programme = plant.reporting()
    whole = programme.report(ON)
    assert whole.realization.as_of is not None
    assert whole.realization.as_of > EARLIER
    assert any(cost.day > EARLIER for cost in whole.costs), "otherwise this test shows nothing"
    found = programme.report(EARLIER)
    assert found.realization.as_of == EARLIER
    assert found.costs
    assert all(cost.day <= EARLIER for cost in found.costs)
    assert all(cost.day <= EARLIER for cost in found.planned_costs)
    assert all(point.day <= EARLIER for point in found.realization.curve)
    assert found.realization.realized.cost < whole.realization.realized.cost
    assert found.realization.realized.benefit != whole.realization.realized.benefit
    assert programme.report(ON) == whole


def test_the_facts_head_is_printed_and_is_one_of_the_store(plant: Plant) -> None:
    head = plant.reporting().report(ON).inputs.facts_head
    store, _ = plant.open()
    assert store.verify([head]) == ()
    assert [fault.name for fault in store.verify([head[::-1]])] == ["head_unknown"]
    store.close()
