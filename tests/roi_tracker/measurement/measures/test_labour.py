from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roi_tracker.business_case import LabourEvidence, MeasurementPlan, Name, Period
from roi_tracker.measurement.measures.labour import LabourDetail, hours_became
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.observations.rows import Amount
from roi_tracker.proof.proving import NotProven, Realized
from tests.roi_tracker.measurement.measures.conftest import GO_LIVE, failed, line_shift, observed, places, product

if TYPE_CHECKING:
    from roi_tracker.observations.rows import Observations
    from tests.roi_tracker.measurement.measures.conftest import MakeBench

INSPECTORS = MeasurementPlan(roles=("inspector",))
MOVED = LabourEvidence(
    reference="roster 2025-08", redeployed_to=Name(ko="수입 검사", en="Incoming inspection"), since=GO_LIVE
)
FELL = LabourEvidence(reference="budget paper 2026", budget_line="4711 inspection wages", since=GO_LIVE)


def plant(seed: int, *, factor: float = 1.0) -> tuple[Observations, float]:
    """A year of an inspector's hours per hundred parts, and the hours really saved."""
    rng = np.random.default_rng(seed)
    products, lines, saved = [], [], 0.0
    for place in places():
        made = int(rng.integers(900, 1100))
        usual = 0.012 * made
        hours = usual * (factor if place.live else 1.0) + float(rng.normal(0.0, 0.5))
        saved += usual * (1 - factor) if place.live else 0.0
        roles = (Amount("inspector", hours), Amount("operator", 24.0))
        lines.append(line_shift(place, labour_hours=hours + 24.0, labour=roles))
        products.append(product(place, produced=made))
    return observed(products, lines), saved


def test_hours_taken_over_by_a_named_role_count(bench: MakeBench) -> None:
    observations, saved = plant(1, factor=0.7)
    found = bench("labour", "h", 3000, INSPECTORS, labour_evidence=MOVED).prove(observations)
    assert isinstance(found, Realized), failed(found)
    assert found.estimate.low <= saved <= found.estimate.high
    detail = found.basis.detail
    assert isinstance(detail, LabourDetail)
    assert (detail.became, detail.released_h, detail.reference) == ("redeployed", 0.0, "roster 2025-08")
    assert detail.hours_per_unit_expected == pytest.approx(0.012, rel=0.02)
    assert detail.hours_per_unit == pytest.approx(0.7 * 0.012, rel=0.02)


def test_released_time_is_shown_and_not_counted(bench: MakeBench) -> None:
    observations, saved = plant(2, factor=0.7)
    found = bench("labour", "h", 3000, INSPECTORS).prove(observations)
    assert failed(found) == {"hours_accounted_for"}
    assert isinstance(found, NotProven)
    assert found.estimate is not None
    assert found.estimate.low <= saved <= found.estimate.high
    assert found.basis is not None
    assert isinstance(found.basis.detail, LabourDetail)
    assert found.basis.detail.released_h == pytest.approx(found.estimate.avoided)


def test_the_evidence_must_be_of_the_class(bench: MakeBench) -> None:
    observations, _ = plant(3, factor=0.7)
    budget = bench("labour", "h", 3000, INSPECTORS, labour_evidence=MOVED, benefit_class="cashable")
    assert failed(budget.prove(observations)) == {"hours_accounted_for"}
    fell = bench("labour", "h", 3000, INSPECTORS, labour_evidence=FELL, benefit_class="cashable")
    assert isinstance(fell.prove(observations), Realized)
    assert hours_became("redeployed", FELL) == "not_shown"
    assert hours_became("released", MOVED) == "released"


def since(day: date | None) -> LabourEvidence:
    return MOVED.model_copy(update={"since": day})


def test_hours_count_from_the_day_of_the_evidence_on(bench: MakeBench) -> None:
    observations, _ = plant(1, factor=0.7)
    whole = bench("labour", "h", 3000, INSPECTORS, labour_evidence=MOVED).prove(observations)
    later = bench("labour", "h", 3000, INSPECTORS, labour_evidence=since(date(2025, 10, 1))).prove(observations)
    assert isinstance(whole, Realized)
    assert isinstance(later, Realized), failed(later)
    assert (whole.estimate.days, later.estimate.days) == (170, 92)  # 15 July and 1 October to 31 December
    assert later.estimate.avoided < whole.estimate.avoided
    assert [point.day for point in later.months] == [date(2025, 10, 31), date(2025, 11, 30), date(2025, 12, 31)]
    detail = later.basis.detail
    assert isinstance(detail, LabourDetail)
    assert detail.saved_h == pytest.approx(whole.estimate.avoided)
    assert detail.released_h == pytest.approx(whole.estimate.avoided - later.estimate.avoided)


@pytest.mark.parametrize(("day", "became"), [(date(2026, 6, 1), "not_yet"), (None, "not_shown")])
def test_evidence_of_later_days_or_of_none_is_no_money(bench: MakeBench, day: date | None, became: str) -> None:
    observations, _ = plant(1, factor=0.7)
    found = bench("labour", "h", 3000, INSPECTORS, labour_evidence=since(day)).prove(observations)
    assert failed(found) == {"hours_accounted_for"}
    assert isinstance(found, NotProven)
    assert found.basis is not None
    assert isinstance(found.basis.detail, LabourDetail)
    assert found.basis.detail.became == became


def test_a_day_chosen_so_that_worse_ones_fall_away_gains_nothing(bench: MakeBench) -> None:
    """Hours first rise by a fifth, then fall by a half: counted from autumn on alone they would be more."""
    rng = np.random.default_rng(9)
    turn, products, lines = date(2025, 9, 1), [], []
    for place in places():
        factor = (1.2 if place.day < turn else 0.5) if place.live else 1.0
        hours = 12.0 * factor + float(rng.normal(0.0, 0.5))
        lines.append(line_shift(place, labour_hours=hours, labour=(Amount("inspector", hours),)))
        products.append(product(place, produced=1000))
    found = bench("labour", "h", 3000, INSPECTORS, labour_evidence=since(turn)).prove(observed(products, lines))
    assert found.basis is not None
    assert isinstance(found.basis.detail, LabourDetail)
    assert found.basis.detail.released_h == 0.0
    estimate = found.estimate
    assert estimate is not None
    assert estimate.days == 170


def test_evidence_after_go_live_does_not_change_the_frozen_baseline(bench: MakeBench) -> None:
    observations, _ = plant(4)
    before = bench("labour", "h", 3000, INSPECTORS).frozen(observations)
    assert bench("labour", "h", 3000, INSPECTORS, labour_evidence=MOVED).frozen(observations).sha256 == before.sha256


def test_no_hours_saved_and_none_claimed(bench: MakeBench) -> None:
    observations, _ = plant(5)
    assert isinstance(bench("labour", "h", 3000, INSPECTORS, labour_evidence=MOVED).prove(observations), NotProven)


def test_a_role_that_is_not_on_the_roster_worked_no_hour() -> None:
    shifts = list(places())[:3]
    products = [product(place, produced=100) for place in shifts]
    lines = [
        line_shift(shifts[0], labour_hours=32.0, labour=(Amount("inspector", 8.0), Amount("operator", 24.0))),
        line_shift(shifts[1], labour_hours=24.0, labour=(Amount("operator", 24.0),)),
        line_shift(shifts[2]),
    ]
    scope = Scope("labour", ("press-1",), lambda _: True, 3, roles=("inspector",))
    day = shifts[0].day
    panel = panel_of(observed(products, lines), scope, Period(first=day, last=day), "previous")
    assert panel.outcome.tolist() == [8.0, 0.0]  # the third shift has no roster at all
    assert panel.exposure.tolist() == [100.0, 100.0]
