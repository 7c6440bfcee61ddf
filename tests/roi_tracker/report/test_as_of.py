"""A report of an earlier day: what was measured, paid and seen after it is not in it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from roi_tracker.render.report_content import report_content
from tests.roi_tracker.report.conftest import ON

if TYPE_CHECKING:
    from roi_tracker.money import Language
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


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_report_dated_before_the_freeze_says_so_on_page_one(plant: Plant, language: Language) -> None:
    report = plant.reporting().report(EARLIER)
    assert report.realized, "otherwise nobody asks when its baseline was frozen"

    def head(frozen: datetime) -> str:
        lines = tuple(msgspec.structs.replace(line, frozen_at=frozen) for line in report.lines)
        content = report_content(msgspec.structs.replace(report, lines=lines), language)
        return " ".join(next(one for one in content.sections if one.id == "head").notes)

    says = {"ko": "2025-10-16에 동결", "en": "frozen on 2025-10-16: nobody had these figures on 2025-10-15"}
    assert says[language] in head(datetime(2025, 10, 16, 9, tzinfo=UTC))
    assert "2025-10-1" not in head(datetime(2025, 10, 15, 9, tzinfo=UTC))


def test_the_facts_head_is_printed_and_is_one_of_the_store(plant: Plant) -> None:
    head = plant.reporting().report(ON).inputs.facts_head
    store, _ = plant.open()
    assert store.verify([head]) == ()
    assert [fault.name for fault in store.verify([head[::-1]])] == ["head_unknown"]
    store.close()
