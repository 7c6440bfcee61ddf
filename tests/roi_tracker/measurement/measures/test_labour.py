from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from roi_tracker.business_case import LabourEvidence, MeasurementPlan, Name, Period
from roi_tracker.measurement.measures.labour import LabourDetail, hours_became
from roi_tracker.measurement.panels.building import panel_of
from roi_tracker.measurement.panels.scope import Scope
from roi_tracker.observations.rows import Amount
from roi_tracker.proof.proving import NotProven, Realized
from tests.roi_tracker.measurement.measures.conftest import failed, line_shift, observed, places, product

if TYPE_CHECKING:
    from roi_tracker.observations.rows import Observations
    from tests.roi_tracker.measurement.measures.conftest import MakeBench

INSPECTORS = MeasurementPlan(roles=("inspector",))
MOVED = LabourEvidence(reference="roster 2025-08", redeployed_to=Name(ko="수입 검사", en="Incoming inspection"))
FELL = LabourEvidence(reference="budget paper 2026", budget_line="4711 inspection wages")


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
