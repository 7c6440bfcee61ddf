from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roi_tracker.business_case import MeasurementPlan
from roi_tracker.measurement.measures.maintenance import (
    MaintenanceCredit,
    MaintenanceDetail,
    alarm_shifts,
    baseline_stops,
    machine_records,
)
from roi_tracker.observations.rows import AssetHealth, LineShift
from roi_tracker.proof.proving import NotProven, Realized
from tests.roi_tracker.measurement.measures.conftest import failed, line_shift, observed, places, product

if TYPE_CHECKING:
    from roi_tracker.observations.rows import Observations
    from tests.roi_tracker.measurement.measures.conftest import MakeBench

DAY = date(2025, 8, 1)


def shift(day: int, **facts: float) -> LineShift:
    """One shift of one press."""
    counts = {name: value if name.endswith(("_s", "_h")) else int(value) for name, value in facts.items()}
    health = AssetHealth("press", **counts)  # type: ignore[arg-type]  # counts are whole, hours are not
    return LineShift("l", DAY.replace(day=day), "day", "simulated", assets=(health,))


def test_the_credit_by_hand() -> None:
    """Failures took 2 h in the baseline. Two acted alarms: one of 5 h by history, one without; one look in vain."""
    now = [
        shift(1, confirmed=1, acted=1, estimated=1, avoided_stop_h=5.0),
        shift(2, confirmed=1, acted=1),
        shift(3, not_found=1),
        shift(4, confirmed=1),
        shift(5, open=3, missed=1),
    ]
    alarms = alarm_shifts(now)
    stops = baseline_stops(
        [shift(1, stops=1, stop_s=3 * 3600.0), shift(2, stops=2, stop_s=3 * 3600.0)], alarms.machines
    )
    days = [DAY.replace(day=n).toordinal() for n in range(1, 31)]
    credit = MaintenanceCredit(alarms, stops, None, days)
    assert (credit.gross_h, credit.answering_h) == pytest.approx((5 + 2, 2))
    stated = MaintenanceCredit(alarms, stops, 0.5, days)
    assert (stated.gross_h, stated.answering_h) == pytest.approx((7, 4 * 0.5))  # three confirmed, one in vain
    assert stated.whole("closing").avoided == pytest.approx(5)
    (press,) = machine_records(now, stops, alarms)
    assert (press.confirmed, press.acted, press.not_found, press.missed, press.open) == (3, 2, 1, 1, 3)
    assert press.failure_h == pytest.approx(2)
    assert press.baseline_stops == 3


def test_a_machine_that_never_stopped_brings_nothing() -> None:
    now = [shift(1, confirmed=1, acted=1)]
    alarms = alarm_shifts(now)
    stops = baseline_stops([], alarms.machines)
    assert MaintenanceCredit(alarms, stops, 0.0, [DAY.toordinal()]).gross_h == 0
    assert machine_records(now, stops, alarms)[0].failure_h is None


def test_one_avoided_failure_proves_nothing_and_the_interval_is_the_same_every_time() -> None:
    """A rate known from one event may be anything down to nearly none."""
    alarms = alarm_shifts([shift(1, confirmed=1, acted=1, estimated=1, avoided_stop_h=5.0)])
    days = [DAY.replace(day=n).toordinal() for n in range(1, 31)]
    stops = baseline_stops([], alarms.machines)
    once = MaintenanceCredit(alarms, stops, 0.0, days).whole("closing")
    assert once == MaintenanceCredit(alarms, stops, 0.0, days).whole("closing")
    assert (once.low, once.avoided) == (0.0, 5.0)


def test_the_interval_of_many_equal_failures_is_that_of_a_poisson_count() -> None:
    """100 failures of 1 h: a Poisson count of 100 spreads by 10."""
    alarms = alarm_shifts(
        [shift(1 + n % 28, confirmed=1, acted=1, estimated=1, avoided_stop_h=1.0) for n in range(100)]
    )
    days = [DAY.replace(day=n).toordinal() for n in range(1, 29)]
    found = MaintenanceCredit(alarms, baseline_stops([], alarms.machines), 0.0, days).whole("closing")
    assert found.standard_error == pytest.approx(10, rel=0.05)
    assert found.low == pytest.approx(100 - 1.645 * 10, abs=1.5)
    assert found.high == pytest.approx(100 + 1.645 * 10, abs=1.5)
    every_day = MaintenanceCredit(alarms, baseline_stops([], alarms.machines), 0.0, days).whole("anytime")
    assert every_day.low < found.low < found.high < every_day.high


def plant(seed: int, *, useful: float, acted: bool = True) -> tuple[Observations, float]:
    """A press that fails every tenth shift for about 3 h; alarms announce failures or nothing.

    Args:
        seed: of the year.
        useful: chance that an alarm announces a failure.
        acted: somebody acts before it.
    """
    rng = np.random.default_rng(seed)
    products, lines, avoided = [], [], 0.0
    for place in places():
        failing, hours = rng.random() < 0.1, float(rng.gamma(4.0, 0.75))
        health = AssetHealth("press", stops=1, stop_s=hours * 3600) if failing else None
        if place.live and failing and rng.random() < useful:
            health = AssetHealth("press", confirmed=1, acted=int(acted))
            avoided += hours if acted else 0.0
        elif place.live and failing:
            health = AssetHealth("press", stops=1, stop_s=hours * 3600, missed=1)
        elif place.live and rng.random() < 0.03:
            health = AssetHealth("press", not_found=1)
        stopped = health.stop_s if health is not None else 0.0
        lines.append(
            line_shift(
                place,
                unplanned_stop_s=stopped,
                unplanned_stops=int(stopped > 0),
                planned_stop_s=0.0,
                planned_stops=0,
                assets=() if health is None else (health,),
            )
        )
        products.append(product(place, produced=100))
    return observed(products, lines), avoided


PLAN = MeasurementPlan.model_validate({"intervention_h": 0.25})


def test_acted_alarms_are_worth_the_failures_they_avoided(bench: MakeBench) -> None:
    observations, avoided = plant(1, useful=0.8)
    found = bench("maintenance", "h", 250, PLAN).prove(observations)
    assert isinstance(found, Realized), failed(found)
    detail = found.basis.detail
    assert isinstance(detail, MaintenanceDetail)
    net = avoided - detail.answering_h
    assert found.estimate.low <= net <= found.estimate.high
    assert detail.gross_h - detail.answering_h == pytest.approx(found.estimate.avoided)
    assert detail.recall == pytest.approx(0.8, abs=0.15)
    assert detail.precision is not None
    assert found.months[-1].avoided == pytest.approx(found.estimate.avoided)
    assert (found.basis.method, found.basis.design) == ("confirmed_alarms", "alarm_by_alarm")


def test_alarms_without_an_action_are_no_credit(bench: MakeBench) -> None:
    observations, _ = plant(2, useful=0.8, acted=False)
    assert "alarms_acted_on" in failed(bench("maintenance", "h", 250, PLAN).prove(observations))


def test_useless_alarms_cost_what_looking_costs(bench: MakeBench) -> None:
    observations, _ = plant(3, useful=0.0)
    found = bench("maintenance", "h", 250, PLAN).prove(observations)
    assert isinstance(found, NotProven)
    assert found.basis is not None
    assert isinstance(found.basis.detail, MaintenanceDetail)
    assert found.basis.detail.gross_h == 0
    assert found.basis.detail.answering_h > 0
    assert found.basis.detail.recall == 0
